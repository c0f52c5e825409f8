"""`lifeboat simulate` seen from outside: tables, what-if, one disaster told, the picture, Ctrl-C."""
import html
import html.parser
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import xml.dom.minidom

import pytest

from browser import browser, contrast
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
    assert now["inside"] > 0.95 * now["trials"], "a snapshot every 45m, one of fifty is missing"
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


def test_the_page_is_one_file_that_needs_nothing_else(cli):
    page = cli.home / "page.html"
    simulate(cli, WRITTEN, "--against", MENDED, "--runs", "500", "--html", str(page))
    text = page.read_text(encoding="utf-8")
    links = Links()
    links.feed(text)
    assert links.found == [] and "script" not in links.opened and "url(" not in text
    drawings = re.findall(r'<svg class="chart".*?</svg>', text, re.S)
    assert len(drawings) >= 12
    for drawing in drawings:
        tree = xml.dom.minidom.parseString(drawing)
        for bar in tree.getElementsByTagName("rect"):
            x, y, width, height = (float(bar.getAttribute(name)) for name in ("x", "y", "width", "height"))
            assert 0 <= x and x + width <= 720 and 0 <= y and y + height <= 150 and height > 0
        assert any("limit" == line.getAttribute("class") for line in tree.getElementsByTagName("line"))
        ticks = [text.firstChild.data for text in tree.getElementsByTagName("text")
                 if text.getAttribute("class") in ("tick", "minor")]
        assert ticks == sorted(set(ticks), key=ticks.index) and len(ticks) >= 3
    # Both plans of an objective on the same axis.
    for figure in re.findall(r"<figure>.*?</figure>", text, re.S):
        axes = [re.findall(r'class="(?:tick|minor)" x="([\d.]+)"[^>]*>([^<]*)<', drawing)
                for drawing in re.findall(r"<svg.*?</svg>", figure, re.S)]
        assert len(axes) == 2 and axes[0] == axes[1]


def worked(pid):
    """Seconds of processor time that a process has had: it is well under way, however busy the machine."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pages(cli):
    """The page in all its states: name, file, what its first heading says."""
    hostile = cli.home / "<script>alert(1)<script>&amp;'\"x.yaml"
    hostile.write_text(pathlib.Path(WRITTEN).read_text())
    (cli.home / "overlong.yaml").write_text(pathlib.Path(MENDED).read_text().replace(
        "cache-lost:", "the-cache-that-everybody-needs-is-gone-for-good-and-ever:"))
    for name, words in {
        "compared": [WRITTEN, "--against", MENDED, "--runs", "3000"],
        "alone": [MENDED, "--runs", "3000"],
        "changed": [MENDED, "--runs", "2000", "--set", "components.cache.title=<img src=//x onerror=alert(1)>",
                    "--set", "scenarios.cache-lost.automatic=false"],
        "scenario": [MENDED, "--runs", "500", "--scenario", "cache-lost"],
        "few": [WRITTEN, "--runs", "3"],
        "hostile": [str(hostile), "--against", str(cli.home / "overlong.yaml"), "--runs", "200"],
    }.items():
        page = cli.home / f"{name}.html"
        simulate(cli, *words, "--html", str(page))
        yield name, page
    page = cli.home / "interrupted.html"
    process = subprocess.Popen([str(PROGRAM), "simulate", WRITTEN, "--against", MENDED, "--runs", "900000000",
                                "--html", str(page)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               cwd=cli.home, env=cli.environment())
    cli.until(lambda: worked(process.pid) > 0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130
    yield "interrupted", page


def test_the_page_is_readable_in_a_browser_in_all_its_states(cli):
    with browser(cli.home) as opened:
        for name, page in pages(cli):
            for width in (1300, 400):
                for dark in (False, True):
                    seen = opened.open(page, width, dark)
                    where = f"{name}, {width} wide, {'dark' if dark else 'light'}"
                    assert re.fullmatch(r"ecommerce: [\d,]+ simulated disasters", seen["heading"]), where
                    assert seen["requests"] == [page.as_uri()] and seen["scripts"] == 0, where
                    assert seen["collisions"] == [], where
                    assert seen["width"] <= width, f"{where}: {seen['width']}"
                    assert seen["texts"] > 100 and seen["bars"] > 3, where
                    assert min(filter(None, seen["sizes"])) >= 9, f"{where}: too small to be read"
                    for colour in seen["colours"]:
                        assert contrast(colour, seen["ground"]) >= 4.5, f"{where}: {colour} on {seen['ground']}"
                    assert (contrast(seen["ground"], "rgb(255, 255, 255)") > 10) == dark, where
                    assert not re.search(r"within (never|all|every)|worst (never|all|every)", seen["text"]), where
                    expected = {"compared": "--explain", "alone": "restore-media", "few": "rough", "interrupted":
                                "interrupted: 0 of 900,000,000", "hostile": "<script>alert(1)<script>&amp;'\"x.yaml",
                                "changed": "title=<img src=//x onerror=alert(1)>", "scenario": "cache-lost"}[name]
                    assert expected in seen["text"], where
            printed = opened.open(page, 720, dark=True, media="print")
            assert printed["ground"] == "rgb(255, 255, 255)", "paper is white"
            assert printed["width"] <= 720 and printed["collisions"] == [], f"{name}, printed"


def test_each_worst_run_of_the_page_can_be_told_with_the_command_beside_it(cli):
    page = cli.home / "page.html"
    awkward = cli.home / "my plan's copy.yaml"
    awkward.write_text(pathlib.Path(MENDED).read_text())
    simulate(cli, WRITTEN, "--against", str(awkward), "--runs", "300", "--html", str(page))
    commands = [html.unescape(re.sub(r"<[^>]*>", "", code))
                for code in re.findall(r"<code>(lifeboat .*?)</code>", page.read_text(), re.S)]
    assert len(commands) > 8 and any("copy.yaml" in command for command in commands)
    for command in (commands[0], commands[-1]):
        words = shlex.split(command)
        done = cli.bare(*words[1:])
        assert done.returncode == 1 and done.stdout.startswith(f"seed {words[-1]}: "), command
        assert ": missed: " in done.stdout


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
