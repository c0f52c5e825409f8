"""What the exit status says, and that --help and docs/ say the same."""
import os
import subprocess

import pytest

from cli import ROOT

WEB = """
components:
  web: {kind: process, command: [/bin/sh, -c, exec sleep 600], health: [{process: true}], objectives: {rto: 1h}}
scenarios:
  web-lost: {lost: [web], detect: {any: [{unhealthy: web}]}, steps: [{start: web}, {verify: web}]}
"""
READERS = ["check", "status", "evidence", "evidence export", "simulate --runs 10", "points", "recover web-lost --preview"]


@pytest.mark.parametrize("command", READERS)
def test_a_plan_that_is_not_there_or_cannot_be_read_is_status_3(cli, command):
    missing = cli.run(*command.split(), code=3)
    assert missing.stdout == "" and "the plan cannot be read" in missing.stderr and "--plan FILE" in missing.stderr
    cli.plan.mkdir()
    directory = cli.run(*command.split(), code=3)
    assert "is a directory" in directory.stderr.lower() and "--plan FILE" in directory.stderr


def test_the_other_plan_of_a_comparison_must_be_one_too(cli):
    cli.write(WEB)
    for other in ("none.yaml", str(cli.home)):
        assert cli.run("simulate", "--runs", "10", "--against", other, code=3).stderr
    (cli.home / "broken.yaml").write_text("componets: {}\n")
    assert "broken.yaml" in cli.run("simulate", "--runs", "10", "--against", "broken.yaml", code=3).stderr


def test_an_objective_that_was_measured_and_missed_is_status_1(cli):
    cli.write(WEB.replace("rto: 1h", "rto: 1ms"))
    cli.run("vault", "init", code=0)
    assert cli.run("evidence").returncode == 0         # nothing was measured: nothing was missed
    cli.run("recover", "web-lost", "--yes", code=1)
    shown = cli.run("evidence", code=1)
    assert "MISSED" in shown.stdout
    cli.run("evidence", "--all", code=1)
    assert cli.ask("evidence", code=1)["evidence"][0]["standing"] == "missed"
    cli.steps("stop: web", more=WEB.split("scenarios")[0], name="down")
    cli.run("recover", "down", "--yes", "--although-healthy", "end of the test", code=0)
    assert cli.run("evidence").returncode == 0         # the plan reads differently: it tells nothing now


@pytest.mark.parametrize("text", ["", "components: {}\n", "components:\n", "components: {}\nscenarios: {}\n"])
def test_a_plan_without_components_is_told_of(cli, text):
    cli.write(text)
    done = cli.run("check", code=0)
    assert "warning[no-components]: the plan has no components: it protects nothing" in done.stdout
    assert "`lifeboat init`" in done.stdout
    found = cli.ask("check", code=0)
    assert "no-components" in str(found)
    assert cli.run("status", code=0).stdout == "the plan has no components\n"


def test_help_and_pages_say_what_the_code_does(cli):
    def one_line(text):
        return " ".join(text.split())
    verify = one_line(cli.bare("verify", "--help").stdout)
    for status in ("0 proven", "1 a difference", "5 refused", "7 another verification", "8 it could not", "130 interrupted"):
        assert status in verify
    page = (ROOT / "docs/verify.md").read_text()
    assert all(f"| {status} |" in page for status in (0, 1, 5, 7, 8, 130))
    assert "Exit status 1: an objective was measured and is missed" in one_line(cli.bare("evidence", "--help").stdout)
    assert "3 if the plan is missing, cannot be read or has mistakes" in one_line(cli.bare("check", "--help").stdout)
    assert "3 the plan is missing, cannot be read or has mistakes" in one_line((ROOT / "docs/check.md").read_text())


# --- simulate ------------------------------------------------------------------------------------------------

def test_a_state_that_cannot_be_read_is_noted_and_no_obstacle(cli):
    cli.write(WEB)
    cli.state.mkdir()
    (cli.state / "state.db").write_text("this is no database" * 100)
    for command in (["check"], ["simulate", "--runs", "10"], ["simulate", "--explain", "1"]):
        done = cli.run(*command)
        assert done.returncode in (0, 1) and "what was measured here cannot be read" in done.stderr, command


def test_a_page_that_cannot_be_written_is_refused_before_the_first_run(cli):
    cli.write(WEB)
    (cli.home / "file").write_text("")
    places = ["-", "none/page.html", "file/page.html", str(cli.home), "/proc/page.html"]
    if os.getuid() != 0:
        places.append("/etc/page.html")
    for place in places:
        done = cli.run("simulate", "--runs", "100000000", "--html", place, timeout=20)   # hours, if it began
        assert done.returncode in (2, 5, 8) and done.stdout == "" and place.split("/")[-1] in done.stderr, done.stderr


def test_a_page_goes_through_a_link_and_leaves_it(cli):
    cli.write(WEB)
    (cli.home / "pages").mkdir()
    (cli.home / "latest.html").symlink_to("pages/first.html")
    cli.run("simulate", "--runs", "10", "--html", "latest.html", code=0)
    assert (cli.home / "latest.html").is_symlink() and "<html" in (cli.home / "pages/first.html").read_text()


def test_one_disaster_is_one_and_an_unknown_scenario_meets_the_known_ones(cli):
    cli.write(WEB)
    assert ": 1 disaster, seeds" in cli.run("simulate", "--runs", "1", code=0).stdout
    few = cli.run("simulate", "--runs", "1", "--html", "page.html", code=0)
    assert "never" not in few.stdout.split("begun")[-1].splitlines()[0]
    assert "1 simulated disaster<" in (cli.home / "page.html").read_text()
    done = cli.run("simulate", "--scenario", "web-los", code=8)
    assert "The plan has: web-lost." in done.stderr


def test_nothing_is_called_by_the_name_of_a_stream(cli):
    cli.write(WEB)
    done = subprocess.run(cli.command("simulate", "--runs", "10", "--html", "/dev/null"), cwd=cli.home, capture_output=True,
                          text=True, env=cli.environment(), timeout=60)
    assert done.returncode == 0 and not os.path.isfile("/dev/null")
