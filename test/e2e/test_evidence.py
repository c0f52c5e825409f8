"""What was really measured: kept, weighed, exported, checked by somebody else; and the board that shows it."""
import json
import signal
import subprocess
import sys

import pytest

from cli import ROOT, documents, redis_server

SCRIPT = ROOT / "docs" / "verify_evidence.py"
SITE = "primary: {local:"


@pytest.fixture
def lost(cli):
    """A Redis with a vault, a point, and the plan to bring it back; the server is dead."""
    with redis_server(cli, "--repl-diskless-sync-delay", "0") as (port, data, redis):
        cli.write(f"""
evidence: {{valid: 30d}}
components:
  cache: {{kind: redis, port: {port}, data_directory: {data}, protect: [{{method: snapshot, every: 1h, keep: 1d}}],
          objectives: {{rto: 1m, rpo: 1h}}, health: [{{redis: PING, expect: PONG}}]}}
scenarios:
  cache-lost: {{lost: [cache], detect: {{any: [{{unhealthy: cache}}]}}, steps: [{{restore: cache}}, {{verify: cache}}]}}
""")
        cli.run("vault", "init", code=0)
        cli.run("backup", "--all", code=0)
        redis.kill()
        redis.wait()
        yield cli


def recover(cli):
    return cli.recover(scenario="cache-lost", code=0).stdout


def standings(cli):
    row = cli.ask("status")["components"][0]
    return {promise["objective"]: promise["standing"] for promise in row["evidence"]}


def test_a_run_proves_its_objectives_until_the_plan_reads_differently(lost):
    assert standings(lost) == {"rto": "none", "rpo": "none"}
    assert "2 of 2 steps are estimates, nothing like it has run here" in recover(lost)
    assert standings(lost) == {"rto": "proven", "rpo": "proven"}
    listed = lost.ask("evidence", code=0)
    assert {fact["source"] for fact in listed["facts"]} == {"run", "backup"}
    proof = next(row for row in listed["evidence"] if row["objective"] == "rto")
    assert proof["fact"]["scenario"] == "cache-lost" and 0 < proof["measured_s"] < 60 and proof["age_s"] >= 0
    assert proof["fact"]["versions"]["lifeboat"] and proof["fact"]["conditions"]["point"]
    good = lost.plan.read_text()
    lost.plan.write_text(good.replace("rto: 1m", "rto: 2m"))
    assert standings(lost) == {"rto": "plan_changed", "rpo": "plan_changed"}
    lost.plan.write_text(good.replace("plan: test", "plan: test\ntitle: The same in all that counts"))
    assert standings(lost) == {"rto": "proven", "rpo": "proven"}
    lost.plan.write_text(good.replace("valid: 30d", "valid: 1ms"))
    assert standings(lost) == {"rto": "expired", "rpo": "expired"}


def test_what_is_measured_against_an_emulator_is_shown_and_never_proven(lost):
    lost.plan.write_text(lost.plan.read_text().replace(
        SITE, "primary: {aws: {region: x, endpoint: 'http://127.0.0.1:9'}, local:"))
    recover(lost)
    board = lost.ask("status")
    assert board["environment"] == "emulated"
    assert standings(lost) == {"rto": "emulated", "rpo": "emulated"}
    assert all(fact["environment"] == "emulated" for fact in lost.ask("evidence")["facts"] if fact["source"] == "run")
    text = lost.run("status", "--color", "always").stdout
    assert "emulated only" in text and "\x1b[32mRTO" not in text


def test_an_export_is_checked_by_lifeboat_and_without_it(lost):
    recover(lost)
    file = lost.home / "evidence.json"
    first = lost.ask("evidence", "export", str(file), code=0)
    assert first["entries"] >= 3
    good = json.loads(file.read_text())
    key = good["public_key"]
    assert key == first["public_key"]
    assert lost.ask("evidence", "verify", str(file), "--key", key, code=0)["entries"] == first["entries"]
    assert check_alone(file, key).returncode == 0

    def refused(change, words):
        changed = json.loads(file.read_text())
        change(changed)
        other = lost.home / "changed.json"
        other.write_text(json.dumps(changed))
        done = lost.run("evidence", "verify", str(other), code=1)
        assert words in done.stderr, done.stderr
        alone = check_alone(other)
        assert alone.returncode == 1 and "NOT GENUINE" in alone.stderr, alone.stderr

    def lie(changed):
        changed["entries"][1]["fact"]["met"] = not changed["entries"][1]["fact"]["met"]

    def lie_well(changed):
        entry = changed["entries"][1]
        entry["fact"]["subject"] = "run-nobody"
        event = json.loads(entry["text"])
        event["payload"]["subject"] = "run-nobody"
        entry["text"] = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    refused(lie, "entry 2 shows another fact")
    refused(lie_well, "breaks at entry 2")
    refused(lambda changed: changed["entries"].pop(), "were signed")
    refused(lambda changed: changed["entries"].reverse(), "breaks at entry 1")
    refused(lambda changed: changed.update(signed=changed["signed"].replace('"plan":"test"', '"plan":"toast"')), "signature")
    assert check_alone(file, "0" * 64).returncode == 1
    lost.run("evidence", "verify", str(file), "--key", "0" * 64, code=1)
    torn = lost.home / "torn.json"
    torn.write_text(file.read_text()[:-200])
    assert lost.run("evidence", "verify", str(torn)).returncode != 0 and check_alone(torn).returncode == 1


def check_alone(file, *key):
    return subprocess.run(["/usr/bin/python3" if sys.prefix != "/usr" else sys.executable, str(SCRIPT), str(file), *key],
                          capture_output=True, text=True)


def test_a_later_export_continues_an_earlier_one_and_the_key_outlives_the_state(lost):
    early, late = lost.home / "early.json", lost.home / "late.json"
    key = lost.ask("evidence", "export", str(early), code=0)["public_key"]
    recover(lost)
    lost.run("evidence", "export", str(late), code=0)
    lost.run("evidence", "verify", str(late), "--after", str(early), code=0)
    assert "had" in lost.run("evidence", "verify", str(early), "--after", str(late), code=1).stderr
    lost.state.rename(lost.home / "lost-state")
    assert lost.ask("evidence", "export", str(early), code=0) | {"entries": 0} == {
        "file": str(early), "entries": 0, "public_key": key}


def test_without_a_vault_a_key_beside_the_state_signs(cli):
    cli.write("components:\n  web: {kind: process, command: sleep 1}\n")
    cli.plan.write_text(cli.plan.read_text().replace("vault: {directory: vault, key: keys/vault.key}\n", ""))
    done = cli.run("evidence", "export", code=0)
    document = documents(done.stdout)[0]
    assert document["entries"] == [] and document["public_key"] in done.stderr
    assert documents(cli.run("evidence", "export", code=0).stdout)[0]["public_key"] == document["public_key"]
    assert (cli.state / "evidence.key").stat().st_mode & 0o77 == 0


def test_the_board_shows_unknown_where_a_source_does_not_answer(lost):
    row = lost.ask("status")["components"][0]
    assert row["exposure"] == "known" and row["live_rpo_s"] >= 0 and row["newest_point"]["method"] == "snapshot"
    assert row["predicted_rto"]["basis"] != "measured" and row["predicted_rto"]["thin"]
    assert "~" in lost.run("status").stdout
    (lost.home / "vault").rename(lost.home / "unplugged")
    row = lost.ask("status")["components"][0]
    assert row["exposure"] == "unknown" and row["live_rpo_s"] is None and row["newest_point"] is None
    assert "no vault" in row["warning"]
    done = lost.run("status")
    assert "unknown" in done.stdout and "vault: there is no vault" in done.stderr


def test_a_watch_tells_a_block_per_interval_and_ends_cleanly(lost):
    watch = lost.start("status", "--watch", "--interval", "100ms", "--json")
    rows = [documents(watch.stdout.readline())[0] for _ in range(3)]
    watch.send_signal(signal.SIGINT)
    assert watch.wait(timeout=20) == 0
    assert len({row["at"] for row in rows}) == 3
    assert rows[0]["components"][0]["component"] == "cache"
    assert lost.run("status", "--watch", "--interval", "1ms").returncode == 2


def test_what_a_killed_engine_could_not_keep_is_kept_later(lost):
    recover(lost)
    before = lost.ask("evidence")["facts"]
    # A state of which only the runs' journals are left knows what they measured.
    runs = lost.ask("runs")
    assert len(runs) == 1 and [fact["subject"] for fact in before if fact["source"] == "run"] == [runs[0]["run"]] * 2
    lost.run("resume", code=0)
    assert lost.ask("evidence")["facts"] == before
    assert "measured only 1 time here, too little history" in recover(lost)


@pytest.mark.parametrize("words", ["evidence", "evidence export", "evidence verify", "status"])
def test_each_command_explains_itself(cli, words):
    done = cli.bare(*words.split(), "--help")
    assert done.returncode == 0 and f"lifeboat {words}" in done.stdout
    assert "unknown command 'exprot'" in cli.bare("evidence", "exprot").stderr
