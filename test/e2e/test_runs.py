"""Runs as people drive them: steps, approvals, requests from elsewhere, pauses, previews, the live view."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from cli import USER, append, documents, held, machine, without_escapes

PEOPLE = f"""
roles: {{operator: {{}}, security: {{}}}}
people:
  me: {{roles: [operator], os_user: {USER}}}
  ada: {{roles: [security], token: "file:tokens/ada"}}
  bob: {{roles: [security], token: "env:BOB_TOKEN"}}
"""
WEB = """
components:
  web: {kind: process, command: [/bin/sh, -c, exec sleep 600], health: [{process: true}]}
"""
GATED = ["run: echo before >> out.txt", "run: echo through >> out.txt\nid: gate\napprove: {by: security}"]


@pytest.fixture
def people(cli):
    (cli.home / "tokens").mkdir()
    token = cli.home / "tokens/ada"
    token.write_text("a-token-of-ada")
    token.chmod(0o600)
    return cli


# --- steps --------------------------------------------------------------------------------------------------

def test_steps_run_in_order_and_parallel_ones_before_what_follows(cli):
    cli.steps(append("first"), "parallel:\n    - {run: sleep 0.3; echo left >> out.txt, id: left}\n"
              "    - {run: echo right >> out.txt, id: right}", append("last"))
    done = cli.recover(code=0)
    lines = cli.lines()
    assert lines[0] == "first" and sorted(lines[1:3]) == ["left", "right"] and lines[3] == "last"
    assert "the run is done" in done.stdout and done.stderr == ""


def test_what_a_shell_step_announces_is_an_output_and_its_last_newline_is_not(cli):
    cli.steps("run: 'echo ::output host=db-7; echo done'\nid: find",
              "run: 'echo {{ steps.find.host }} >> out.txt'\nid: use",
              "run: 'echo [{{ steps.use.output }}] >> out.txt'")
    cli.run("check", code=0)
    cli.recover(code=0)
    assert cli.lines() == ["db-7", "[]"]


def test_outputs_fill_the_templates_of_later_steps(cli):
    cli.steps("run: printf 4711\nid: find", "run: 'echo got-{{ steps.find.output }} >> out.txt'")
    cli.recover(code=0)
    assert cli.lines() == ["got-4711"]


def test_what_may_be_repeated_is_tried_again_until_it_works(cli):
    cli.steps("run: {command: 'echo try >> out.txt; test $(wc -l < out.txt) -ge 4', idempotent: true}\nid: flaky\nretries: 5")
    cli.recover(code=0, env={"LIFEBOAT_TEST": "1"})
    assert cli.lines() == ["try"] * 4
    assert cli.step("flaky")["attempt"] == 4


def test_a_step_without_any_right_to_repetition_waits_for_a_person(cli):
    cli.steps("run: echo once >> out.txt; exit 3\nid: bad\nretries: 5", append("after"))
    done = cli.recover(code=6)
    assert cli.lines() == ["once"]
    run = cli.ask("runs")[0]["run"]
    assert "exit code 3" in done.stdout
    assert f"lifeboat retry|skip|bypass {run} bad" in done.stderr and f"lifeboat resume {run}" in done.stderr


def test_retry_skip_and_bypass_take_effect_at_the_next_resume(cli):
    cli.steps("run: test -e ready && echo retried >> out.txt\nid: one", "run: exit 1\nid: two",
              "run: exit 1\nid: three", "run: 'echo {{ steps.three.output }} >> out.txt'\nid: four")
    cli.recover(code=6)
    (cli.home / "ready").write_text("")
    assert cli.ask("retry", "latest", code=0)["driven_by"] is None
    cli.run("resume", code=6)
    assert cli.step("one")["status"] == "done" and cli.step("two")["status"] == "needs_person"
    assert "needs --reason" in cli.run("skip", "latest", code=2).stderr
    cli.run("skip", "latest", "two", "--reason", "not needed today", code=0)
    cli.run("resume", code=6)
    assert cli.step("two")["status"] == "skipped"
    assert "not NAME=VALUE" in cli.run("bypass", "latest", "--reason", "x", "--output", "nonsense", code=2).stderr
    cli.run("bypass", "latest", "three", "--reason", "done by hand", "--output", "output=by-hand", code=0)
    cli.run("resume", code=4)      # done, but for what was skipped
    assert cli.lines() == ["retried", "by-hand"]
    events = cli.run("runs", "latest", "--events", code=0).stdout
    assert "not needed today" in events and "done by hand" in events


def test_requests_that_make_no_sense_are_refused_at_once(cli):
    cli.steps(append("one"), "run: exit 1\nid: bad")
    assert "there are no runs" in cli.run("pause", "latest", code=8).stderr
    cli.recover(code=6)
    assert "has no step 'nine'" in cli.run("skip", "latest", "nine", "--reason", "x", code=8).stderr
    assert "no run 'zz'" in cli.run("skip", "zz", "--reason", "x", code=8).stderr
    cli.run("abort", "latest", "--reason", "enough", code=0)
    assert cli.run("resume").returncode == 8
    assert "is over: aborted" in cli.run("skip", "latest", "bad", "--reason", "x", code=5).stderr


# --- approvals ----------------------------------------------------------------------------------------------

def test_an_approval_needs_one_of_the_people_with_proof(people):
    people.steps(*GATED, more=PEOPLE)
    done = people.recover(code=6)
    assert "waits for approval" in done.stderr
    mine = people.run("approve", "latest", code=0)
    assert "satisfies no one of security" in mine.stderr
    people.run("resume", code=6)
    assert people.lines() == ["before"]
    assert "nobody's" in people.run("approve", "latest", "--token", "env:WRONG", env={"WRONG": "wrong-token"}, code=5).stderr
    people.run("approve", "latest", "--token", "file:tokens/ada", "--reason", "seen", code=0)
    people.run("resume", code=0)
    assert people.lines() == ["before", "through"]
    journal = people.run("runs", "latest", "--events").stdout
    assert "token:ada" in journal and "a-token-of-ada" not in journal


def test_a_token_may_come_from_the_environment(people):
    people.steps(*GATED, more=PEOPLE)
    people.recover(code=6)
    token = {"BOB_TOKEN": "a-token-of-bob", "MINE": "a-token-of-bob"}
    people.run("approve", "latest", "gate", "--token", "env:MINE", env=token, code=0)
    people.run("resume", code=0)
    assert people.lines() == ["before", "through"]


def test_the_user_of_this_machine_is_proof_where_the_plan_knows_him(people):
    people.steps(*[step.replace("security", "operator") for step in GATED], more=PEOPLE)
    people.recover(code=6)
    assert "satisfies" not in people.run("approve", "latest", code=0).stderr
    people.run("resume", code=0)
    assert people.lines() == ["before", "through"]


def test_an_unproven_person_satisfies_no_one(people):
    people.steps(*[step.replace("security", "operator") for step in GATED], more=PEOPLE.replace(USER, "somebody-else"))
    people.recover(code=6)
    assert "unproven" in people.run("approve", "latest", code=0).stderr
    people.run("resume", code=6)
    assert people.lines() == ["before"]


def test_breaking_the_glass_needs_a_reason_and_goes_through(people):
    people.steps(*GATED, more=PEOPLE)
    people.recover(code=6)
    assert "--reason" in people.run("approve", "latest", "--break-glass", code=2).stderr
    people.run("approve", "latest", "--break-glass", "--reason", "nobody answers", code=0)
    done = people.run("resume", code=0)
    assert people.lines() == ["before", "through"] and "BREAK GLASS" in done.stdout


def test_a_denied_step_does_not_act(people):
    people.steps(*GATED, more=PEOPLE)
    people.recover(code=6)
    people.run("approve", "latest", "--deny", "--reason", "not today", "--token", "file:tokens/ada", code=0)
    done = people.run("resume")
    assert done.returncode in (6, 8) and people.lines() == ["before"] and "not today" in done.stdout


# --- driven from elsewhere ----------------------------------------------------------------------------------

def test_another_process_pauses_approves_and_is_told_who_drives(people):
    people.steps(held("slow"), append("after"), more=PEOPLE)
    driver = people.start("recover", "test", "--yes")
    people.until(lambda: (people.home / "slow.begun").exists())
    asked = people.ask("pause", "latest", "--reason", "let me look", code=0)
    assert asked["asked"] == "pause_requested" and f"pid {driver.pid}" in asked["driven_by"]
    people.until(lambda: people.ask("runs", "latest")["status"] == "pausing")
    (people.home / "slow.go").touch()
    text, _ = driver.communicate(timeout=30)
    assert driver.returncode == 6 and "lifeboat resume run-" in text and "let me look" in text
    assert people.lines() == ["slow"] and people.ask("runs")[0]["status"] == "paused"
    people.run("resume", code=0)
    assert people.lines() == ["slow", "after"]


def test_reading_never_waits_for_whoever_drives(cli):
    cli.steps(held("slow"), more=WEB)
    driver = cli.start("recover", "test", "--yes")
    cli.until(lambda: (cli.home / "slow.begun").exists())
    assert cli.ask("runs", "latest")["status"] == "running"
    assert len(documents(cli.run("runs", "latest", "--events", "--json", code=0).stdout)) >= 2
    assert cli.ask("status")["components"][0]["component"] == "web"
    assert driver.poll() is None
    (cli.home / "slow.go").touch()
    assert driver.communicate(timeout=30) and driver.returncode == 0


def test_the_second_recovery_of_a_component_is_told_who_is_at_it(cli):
    cli.steps("start: web", held("slow"), more=WEB)
    first = cli.start("recover", "test", "--yes")
    cli.until(lambda: (cli.home / "slow.begun").exists())
    second = cli.run("recover", "test", "--yes", code=7)
    assert "component/web" in second.stderr and f"pid {first.pid}" in second.stderr
    answer = cli.ask("recover", "test", "--yes", code=7)
    assert answer["error"]["kind"] == "conflict"
    resumed = cli.run("resume", code=7)
    assert f"pid {first.pid}" in resumed.stderr
    (cli.home / "slow.go").touch()
    assert first.communicate(timeout=30) and first.returncode == 0
    stop(cli)


def test_aborting_takes_back_in_reverse_what_can_be_taken_back(cli):
    cli.steps("start: web", "stop: web", "run: exit 1\nid: bad", more=WEB)
    try:
        cli.recover(code=6)
        assert cli.ask("status")["components"][0]["health"] != "healthy"
        assert "--reason" in cli.run("abort", "latest", "--roll-back", code=2).stderr
        cli.run("abort", "latest", "--roll-back", "--reason", "wrong scenario", code=0)
        done = cli.run("resume", code=8)
        assert "undo-stop-web" in done.stdout and "aborted" in done.stdout
        assert cli.ask("status")["components"][0]["health"] == "healthy"
    finally:
        stop(cli)


def stop(cli):
    """Ends the service that a test has started."""
    cli.steps("stop: web", more=WEB, name="down")
    cli.run("recover", "down", "--yes", "--although-healthy", "end of the test", code=0)


# --- signals ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_pauses_the_run_cleanly(cli, number):
    cli.steps(held("slow"), append("after"))
    driver = cli.start("recover", "test", "--yes")
    cli.until(lambda: (cli.home / "slow.begun").exists())
    driver.send_signal(number)
    cli.until(lambda: cli.ask("runs", "latest")["status"] == "pausing")
    (cli.home / "slow.go").touch()
    text, _ = driver.communicate(timeout=30)
    assert driver.returncode == 6, text
    run = cli.ask("runs")[0]
    assert run["status"] == "paused" and f"lifeboat resume {run['run']}" in text
    assert cli.lines() == ["slow"]
    cli.run("resume", code=0)
    assert cli.lines() == ["slow", "after"]


def test_the_second_signal_leaves_the_run_as_it_stands(cli):
    cli.steps("run: {command: 'touch begun; sleep 600; echo slow >> out.txt', probe: 'grep -q slow out.txt'}\nid: slow",
              append("after"))
    driver = cli.start("recover", "test", "--yes")
    cli.until(lambda: (cli.home / "begun").exists())
    driver.send_signal(signal.SIGINT)
    cli.until(lambda: cli.ask("runs", "latest")["status"] == "pausing")
    driver.send_signal(signal.SIGINT)
    text, _ = driver.communicate(timeout=30)
    assert driver.returncode == 130 and "lifeboat resume run-" in text
    assert machine.living_below(cli.home) == []
    cli.out.write_text("slow\n")          # somebody finished it by hand: the probe finds it
    cli.run("resume", code=0)
    assert cli.lines() == ["slow", "after"]


# --- before anything acts -----------------------------------------------------------------------------------

def test_a_preview_lists_every_call_and_makes_none(cli):
    cli.steps(append("one"), "start: web", "run: echo {{ steps.one.output }}\nid: two", append("three"), more=WEB)
    done = cli.run("recover", "test", "--preview", code=0)
    assert "echo one >> out.txt" in done.stdout and "start-web" in done.stdout and "nothing was done" in done.stdout
    report = cli.ask("recover", "test", "--preview", code=0)
    assert [step["step"] for step in report["steps"]] == ["one", "start-web", "two", "three"]
    assert all(step["calls"] or step["problem"] for step in report["steps"])
    assert cli.lines() == [] and cli.ask("runs") == [] and not (cli.home / "sites").exists()


def test_a_pipe_needs_yes(cli):
    cli.steps(append("one"))
    done = cli.run("recover", "test", code=5)
    assert "--yes" in done.stderr and cli.lines() == [] and cli.ask("runs") == []


def test_no_scenario_and_a_wrong_one(cli):
    cli.write(WEB + """
scenarios:
  web-lost: {detect: [{unhealthy: web}], steps: [{run: echo web-lost >> out.txt}]}
""")
    done = cli.run("recover", "web-los", "--yes", code=8)
    assert "no scenario 'web-los'" in done.stderr and "'web-lost'" in done.stderr
    chosen = cli.run("recover", "--yes", code=0)      # web does not run: the scenario is found
    assert "scenario: web-lost" in chosen.stdout and cli.lines() == ["web-lost"]
    cli.write(WEB + "scenarios:\n  other: {detect: [{report: fire}], steps: [{run: 'true'}]}\n")
    done = cli.run("recover", "--yes", code=8)
    assert "no scenario of the plan matches" in done.stderr and "web" in done.stderr
    cli.write("scenarios:\n  other: {detect: [{report: fire}], steps: [{run: 'true'}]}\n")
    assert "nothing is unhealthy" in cli.run("recover", "--yes", code=8).stderr


def test_observe_mode_refuses_every_step_that_changes_something(cli):
    cli.steps(append("one"), more="mode: observe\n" + WEB)
    assert cli.recover().returncode == 5
    assert cli.lines() == []
    cli.steps("start: web", more="mode: observe\n" + WEB)
    assert cli.recover().returncode == 5
    assert cli.ask("status")["components"][0]["health"] != "healthy"
    assert cli.run("recover", "test", "--preview").returncode == 0


# --- the live view ------------------------------------------------------------------------------------------

def on_terminal(cli, *words, columns=100, rows=30, answer=b"", resize=None, controlling=False):
    """What a terminal of this size gets; (text, exit status)."""
    leader, follower = pty.openpty()

    def take_terminal():
        os.setsid()
        if controlling:      # Ctrl-C typed there becomes a signal
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(cli.command(*words), stdin=follower, stdout=follower, stderr=follower, cwd=cli.home,
                               env=cli.environment({"TERM": "xterm"}), preexec_fn=take_terminal)
    os.close(follower)
    seen = b""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        if select.select([leader], [], [], 0.1)[0]:
            try:
                piece = os.read(leader, 65536)
            except OSError:
                break
            if not piece:
                break
            seen += piece
            if answer and b"[yes/no]" in seen:
                os.write(leader, answer)
                answer = b""
            if resize and b"slow" in seen:
                fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, resize, 0, 0))
                resize = None
        elif process.poll() is not None:
            break
    os.close(leader)
    return seen.decode(), process.wait(timeout=30)     # whole characters only: decode() is strict


def frames(text):
    """The pictures between two jumps to the top of the block."""
    return re.split(r"\x1b\[\d+F\x1b\[J", text)


@pytest.mark.parametrize("columns", [100, 40, 20])
def test_the_live_view_shows_steps_and_clock_in_any_width(cli, columns):
    cli.steps("run: sleep 1\nid: slow", append("a-step-with-quite-a-long-name"), append("last"),
              more="components:\n  web: {kind: process, command: sleep 1, objectives: {rto: 30s}}\n")
    text, status = on_terminal(cli, "recover", "test", "--yes", columns=columns)
    assert status == 0, text
    pictures = frames(text)
    assert len(pictures) > 2
    middle = [without_escapes(picture) for picture in pictures[1:]]
    assert all("slow" in picture and "last" in picture for picture in middle)
    assert all(re.search(r"\d+(ms|s)", picture) for picture in middle)
    for picture in middle[:-1]:
        assert max(len(line) for line in picture.replace("\r", "").split("\n")) <= columns


def test_the_live_view_of_more_steps_than_rows_shows_what_goes_on(cli):
    cli.steps(*[append(f"before-{i}") for i in range(15)], "run: sleep 1\nid: slow", *[append(f"after-{i}") for i in range(15)])
    text, status = on_terminal(cli, "recover", "test", "--yes", columns=60, rows=10)
    assert status == 0
    busy = [without_escapes(picture) for picture in frames(text)[1:] if "slow" in picture and "working" in picture]
    assert busy and all(picture.count("\n") <= 10 and "more steps" in picture for picture in busy)


def test_a_terminal_that_shrinks_meanwhile_gets_narrower_rows(cli):
    cli.steps("run: sleep 1\nid: slow", append("last"))
    text, status = on_terminal(cli, "recover", "test", "--yes", columns=100, resize=30)
    assert status == 0
    last = without_escapes(frames(text)[-2]).replace("\r", "")
    assert max(len(line) for line in last.split("\n")) <= 30


def test_a_terminal_is_asked_and_only_yes_is_yes(cli):
    cli.steps(append("one"))
    text, status = on_terminal(cli, "recover", "test", answer=b"no\n")
    assert status == 5 and "Recover now?" in text and cli.lines() == []
    text, status = on_terminal(cli, "recover", "test", answer=b"yes\n")
    assert status == 0 and cli.lines() == ["one"]


def test_an_interrupted_question_is_no_yes(cli):
    cli.steps(append("one"))
    text, status = on_terminal(cli, "recover", "test", answer=b"\x03", controlling=True)
    assert status == 130 and "nothing was done" in text and cli.lines() == []


def test_resuming_what_is_over_says_so(cli):
    cli.steps(append("one"))
    cli.recover(code=0)
    assert "is over: done" in cli.run("resume", code=0).stderr
    assert cli.lines() == ["one"]


def test_json_of_a_run_is_a_line_per_event_and_a_result(cli):
    cli.steps(append("one"))
    rows = [documents(line)[0] for line in cli.recover("--json", code=0).stdout.splitlines()]
    assert rows[0]["type"] == "run_started" and rows[-1]["type"] == "result" and rows[-1]["outcome"] == "done"
