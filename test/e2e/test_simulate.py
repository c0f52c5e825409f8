"""`lifeboat simulate` seen from outside: tables, what-if, one disaster told, the picture, Ctrl-C."""
import html.parser
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import xml.dom.minidom

import pytest

from cli import PROGRAM, ROOT

WRITTEN = str(ROOT / "examples/ecommerce-aws.yaml")
MENDED = str(ROOT / "examples/ecommerce-aws-mended.yaml")


def goals(report, plan=0):
    return {goal["title"]: goal for goal in report["plans"][plan]["objectives"]}


def simulate(cli, *words, code=0):
    """With an empty state directory: only what the plan and the catalog say counts."""
    done = cli.bare("simulate", *words, "--state", str(cli.state))
    assert done.returncode == code, done.stdout + done.stderr
    return done


def ask(cli, *words):
    return json.loads(simulate(cli, *words, "--json").stdout)


def test_the_written_plan_cannot_keep_its_promises(cli):
    report = ask(cli, WRITTEN, "--runs", "2000")
    assert report["runs"] == 2000 and report["plans"][0]["plan"] == "ecommerce"
    database = goals(report)["database RPO 15m"]
    assert database["inside"] < 0.1 * database["trials"], "six-hourly snapshots against 15 minutes"
    search = goals(report)["search RPO 1d"]
    assert search["never"] == search["trials"] == search["never_by_plan"], "nothing protects it"
    assert database["p50_s"] <= (database["p95_s"] or 1e12)


def test_the_same_seed_gives_the_same_numbers_on_any_number_of_threads(cli):
    one = ask(cli, WRITTEN, "--runs", "1500", "--seed", "7", "--jobs", "1")
    two = ask(cli, WRITTEN, "--runs", "1500", "--seed", "7", "--jobs", "3")
    assert one["plans"] == two["plans"]
    other = ask(cli, WRITTEN, "--runs", "1500", "--seed", "8000")
    assert one["plans"] != other["plans"]


def test_the_mended_plan_is_better_side_by_side(cli):
    report = ask(cli, WRITTEN, "--against", MENDED, "--runs", "2000")
    assert [plan["name"] for plan in report["plans"]] == [WRITTEN, MENDED]
    written = {(g["component"], g["objective"]): g for g in report["plans"][0]["objectives"]}
    mended = {(g["component"], g["objective"]): g for g in report["plans"][1]["objectives"]}
    for key in [("database", "rpo"), ("cache", "rpo"), ("search", "rto"), ("media", "rpo")]:
        share = [goal["inside"] / goal["trials"] for goal in (written[key], mended[key])]
        assert share[1] > share[0] + 0.2, f"{key}: {share}"
    text = simulate(cli, WRITTEN, "--against", MENDED, "--runs", "200").stdout
    assert f"A: {WRITTEN}" in text and f"B: {MENDED}" in text and "B inside" in text


def test_what_if_meets_the_same_disasters(cli):
    report = ask(cli, MENDED, "--scenario", "cache-lost", "--runs", "500",
                 "--set", "components.cache.protect=[{method: snapshot, every: 4h, keep: 7d}]")
    now, changed = goals(report)["cache RPO 1h"], goals(report, 1)["cache RPO 1h"]
    assert now["inside"] == now["trials"]
    assert 0.1 < changed["inside"] / changed["trials"] < 0.4, "one hour of four, less what the snapshot takes"
    assert goals(report)["cache RTO 15m"]["p50_s"] == goals(report, 1)["cache RTO 15m"]["p50_s"]


@pytest.mark.parametrize("change, message", [
    ("components.cash.site=dr", "the plan has no 'cash' there"),
    ("nonsense", "'nonsense' changes nothing"),
    ("components.cache.site=nowhere", "nowhere"),
])
def test_a_change_that_makes_no_sense_is_named(cli, change, message):
    done = cli.bare("simulate", WRITTEN, "--runs", "10", "--set", change)
    assert done.returncode in (2, 3, 8) and message in done.stdout + done.stderr


def test_one_disaster_is_told_with_times(cli):
    worst = ask(cli, MENDED, "--scenario", "region-failure", "--runs", "300")["plans"][0]["worst"][0]
    words = [MENDED, "--scenario", "region-failure", "--explain", str(worst["seed"])]
    text = simulate(cli, *words, code=1).stdout
    assert text.startswith(f"seed {worst['seed']}: region-failure: site primary is gone")
    assert "the disaster" in text and "opened as SEV-1" in text and re.search(r"\n +\d+m?\d*s? +run ", text)
    assert worst["objective"] in text
    assert text == simulate(cli, *words, code=1).stdout, "a seed is a story"
    told = json.loads(simulate(cli, *words, "--json", code=1).stdout)
    assert told["met"] is False and told["timeline"][0]["what"] == "the disaster"


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.opened = [], []

    def handle_starttag(self, tag, attributes):
        self.opened.append(tag)
        self.found += [value for name, value in attributes if name in ("src", "href", "srcset") or name.startswith("on")]


def test_the_picture_is_one_file_that_needs_nothing_else(cli):
    page = cli.home / "picture.html"
    simulate(cli, WRITTEN, "--against", MENDED, "--runs", "500", "--html", str(page))
    text = page.read_text(encoding="utf-8")
    links = Links()
    links.feed(text)
    assert links.found == [] and "script" not in links.opened and "url(" not in text
    drawings = re.findall(r"<svg.*?</svg>", text, re.S)
    assert len(drawings) >= 12
    for drawing in drawings:
        tree = xml.dom.minidom.parseString(drawing)
        for bar in tree.getElementsByTagName("rect"):
            x, y, width, height = (float(bar.getAttribute(name)) for name in ("x", "y", "width", "height"))
            assert 0 <= x and x + width <= 712 and 0 <= y and y + height <= 122 and height > 0
        assert any("limit" == line.getAttribute("class") for line in tree.getElementsByTagName("line"))
    browser = next((found for name in ("chromium", "google-chrome", "firefox") if (found := shutil.which(name))), None)
    if browser and "firefox" not in browser:
        shot = cli.home / "shot.png"
        subprocess.run([browser, "--headless", "--no-sandbox", f"--screenshot={shot}", page.as_uri()], timeout=60,
                       check=True, capture_output=True)
        assert shot.stat().st_size > 10_000


def worked(pid):
    """Seconds of processor time that a process has had: it is well under way, however busy the machine."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_an_interrupted_simulation_shows_what_it_has(cli):
    process = subprocess.Popen([str(PROGRAM), "simulate", WRITTEN, "--runs", "900000000", "--json"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cli.home,
                               env=cli.environment())
    cli.until(lambda: worked(process.pid) > 0.5)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    report = json.loads(out)
    assert 0 < report["runs"] < report["asked"] == 900000000


def test_memory_does_not_grow_with_the_number_of_disasters(cli):
    def peak(runs):
        code = ("import resource, subprocess, sys\n"
                "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
                "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
        done = subprocess.run(["python3", "-c", code, str(PROGRAM), "simulate", WRITTEN, "--runs", str(runs)],
                              capture_output=True, text=True, timeout=120, check=True)
        return int(done.stdout)

    few, many = peak(2_000), peak(60_000)
    assert many < few + 4 * 1024, f"{few} KiB for 2,000, {many} KiB for 60,000"


@pytest.mark.parametrize("words", [["--runs", "0"], ["--runs", "many"], ["--seed", "-1"], ["--scenario", "nothing"]])
def test_numbers_and_names_that_cannot_be_are_refused(cli, words):
    done = cli.bare("simulate", WRITTEN, *words)
    assert done.returncode in (2, 3, 8) and "error" in done.stderr
