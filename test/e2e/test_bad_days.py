"""What the program does when the machine, the disk, the files or a person let it down."""
import os
import pathlib
import random
import re
import shutil
import socket
import sqlite3
import subprocess

import pytest

from cli import append, documents, exactly_once, machine

WEB = """
components:
  web: {kind: process, command: [/bin/sh, -c, exec sleep 600], health: [{process: true}]}
"""
KILLS = int(os.environ.get("LIFEBOAT_KILLS", "25"))


# --- kill -9 ------------------------------------------------------------------------------------------------

def test_killed_at_any_moment_and_resumed_no_step_acts_twice(cli):
    words = [f"step{i}" for i in range(8)]
    cli.steps(*[exactly_once(word, 0.03) for word in words])
    seed = int(os.environ.get("LIFEBOAT_SEED", random.randrange(1 << 30)))
    print(f"seed {seed}")
    dice = random.Random(seed)
    kills = rounds = 0
    while kills < KILLS:
        rounds += 1
        assert rounds < 10 * KILLS
        cli.out.unlink(missing_ok=True)
        command = ("recover", "test", "--yes")
        while True:
            process = cli.start(*command)
            try:
                text, _ = process.communicate(timeout=dice.uniform(0.01, 0.5))
                assert process.returncode == 0, text
                break
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                kills += 1
            runs = cli.ask("runs")
            if len(runs) == rounds:
                command = ("resume",)
        assert cli.lines() == words, f"seed {seed}, round {rounds}: {command}: {text}"
        cli.until(lambda: len(cli.ask("runs")) >= 1)
        rounds = len(cli.ask("runs"))


def test_what_only_a_person_can_tell_is_asked_after_a_crash(cli):
    cli.steps("run: touch begun; sleep 600\nid: blind", append("after"))
    process = cli.start("recover", "test", "--yes")
    cli.until(lambda: (cli.home / "begun").exists())
    process.kill()
    process.communicate()
    done = cli.run("resume", code=6)
    assert "outcome not known: looking" in done.stdout and "only a person can tell" in done.stdout
    assert cli.lines() == []
    cli.run("bypass", "latest", "--reason", "looked: it had happened", code=0)
    cli.run("resume", code=0)
    assert cli.lines() == ["after"]


def test_a_killed_engine_leaves_no_step_running(cli):
    cli.steps("run: touch begun; sleep 600\nid: slow")
    process = cli.start("recover", "test", "--yes")
    cli.until(lambda: (cli.home / "begun").exists())
    process.kill()
    process.communicate()
    cli.until(lambda: not machine.living_below(cli.home))


# --- the state directory ------------------------------------------------------------------------------------

def alter(cli, sql, *values):
    database = sqlite3.connect(cli.state / "state.db")
    database.execute(sql, values)
    database.commit()
    database.close()


@pytest.mark.parametrize("sql", [
    "UPDATE events SET payload = replace(payload, 'one', 'two') WHERE version = 2",
    "UPDATE events SET at = at + 1 WHERE version = 3",
    "DELETE FROM events WHERE version = 3",
    "DELETE FROM events WHERE version = (SELECT max(version) FROM events)",
    "UPDATE events SET type = 'step_failed' WHERE type = 'step_succeeded'",
])
def test_an_altered_journal_is_found_and_named(cli, sql):
    cli.steps(append("one"), append("two"))
    cli.recover(code=0)
    run = cli.ask("runs")[0]["run"]
    alter(cli, sql)
    shown = cli.run("runs", run, "--events")
    assert shown.returncode == 8 and run in shown.stderr, shown.stdout + shown.stderr
    error = documents(cli.run("runs", run, "--json").stdout)[0]["error"]
    assert error["kind"] == "corrupt" and error["hint"]
    listed = cli.run("runs", code=1)
    assert run in listed.stdout
    assert cli.run("resume").returncode == 8
    assert cli.lines() == ["one", "two"]


def test_a_torn_state_file_is_named(cli):
    cli.steps(append("one"))
    cli.recover(code=0)
    file = cli.state / "state.db"
    data = bytearray(file.read_bytes())
    for at in range(4096, len(data), 512):
        data[at:at + 64] = os.urandom(64)
    file.write_bytes(data)
    done = cli.run("runs", "latest", "--events")
    assert done.returncode == 8 and str(file) in done.stderr
    assert cli.recover().returncode == 8 and cli.lines() == ["one"]


def test_a_state_of_a_newer_program_is_refused_and_left_alone(cli):
    cli.steps(append("one"))
    cli.recover(code=0)
    alter(cli, "PRAGMA user_version = 4711")
    before = (cli.state / "state.db").read_bytes()
    for words in (["runs"], ["recover", "test", "--yes"], ["status"]):
        error = documents(cli.run(*words, "--json", code=8).stdout)[-1]["error"]
        assert error["kind"] == "unsupported" and "4711" in error["message"] and "newer" in error["message"]
    assert (cli.state / "state.db").read_bytes() == before and cli.lines() == ["one"]


def test_a_state_directory_that_cannot_be_made_is_named(cli):
    cli.steps(append("one"))
    cli.state.write_text("a file is in the way")
    done = cli.recover()
    assert done.returncode in (5, 8) and str(cli.state) in done.stderr and cli.lines() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_full_disk_under_the_state_ends_the_run_and_not_the_journal(cli):
    cli.state.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", cli.state], capture_output=True).returncode != 0:
        pytest.skip("tmpfs cannot be mounted here")
    try:
        cli.steps(append("one"), "run: dd if=/dev/zero of=state/filler bs=4k 2>/dev/null; true\nid: fill",
                  *[f"run: {{command: 'echo {word} >> out.txt', probe: 'grep -qx {word} out.txt'}}\nid: {word}"
                    for word in ("two", "three", "four")])
        done = cli.recover(code=8)
        assert "error:" in done.stderr and re.search("full|space", done.stderr), done.stderr
        acted = cli.lines()
        assert len(acted) == len(set(acted))
        listed = cli.run("runs")
        assert listed.returncode in (0, 8)
        (cli.state / "filler").unlink()
        cli.steps(append("one"), "run: 'true'\nid: fill")
        done = cli.run("resume")
        # The step that filled the disk is unknown to the journal: a person says that it was done.
        if done.returncode == 6:
            cli.run("bypass", "latest", "fill", "--reason", "it did", code=0)
            done = cli.run("resume")
        assert done.returncode == 0, done.stdout + done.stderr
        assert cli.lines() == ["one", "two", "three", "four"]
    finally:
        subprocess.run(["umount", "-l", cli.state], check=True)


def test_an_empty_state_directory_begins_anew(cli):
    cli.steps(append("one"), more=WEB)
    cli.recover(code=0)
    shutil.rmtree(cli.state)
    assert cli.ask("runs") == []
    assert cli.ask("status")["components"][0]["component"] == "web"
    cli.recover(code=0)
    assert cli.lines() == ["one", "one"]


# --- the vault ----------------------------------------------------------------------------------------------

PROTECTED = """
components:
  cache: {kind: redis, port: 15790, data_directory: cache, protect: [{method: snapshot, every: 1h, keep: 1d}]}
"""


@pytest.mark.parametrize("words", [["vault", "status"], ["vault", "verify"], ["points"], ["protect"],
                                   ["vault", "prune"], ["vault", "restore", "p", "d"]])
def test_without_a_vault_each_command_says_how_to_make_one(cli, words):
    cli.write(PROTECTED)
    done = cli.run(*words, code=8)
    assert "vault" in done.stderr and "lifeboat vault init" in done.stderr, done.stderr
    assert not (cli.home / "vault").exists()


def test_a_missing_key_and_the_key_of_another_vault(cli):
    cli.write(PROTECTED)
    cli.run("vault", "init", code=0)
    key = cli.home / "keys/vault.key"
    other = cli.home / "other.key"
    key.rename(other)
    done = cli.run("vault", "verify", code=8)
    assert str(key) in done.stderr
    shutil.rmtree(cli.home / "vault")
    cli.run("vault", "init", code=0)
    key.unlink()
    other.rename(key)
    done = cli.run("vault", "verify")
    assert done.returncode in (5, 8) and "key" in done.stderr
    again = cli.run("vault", "init")
    assert again.returncode not in (0, 1)
    status = cli.run("status")
    assert status.returncode in (0, 1) and "vault:" in status.stderr     # what needs no vault goes on


def test_a_flipped_byte_in_the_vault_is_found_and_named(cli):
    cli.write(PROTECTED)
    cli.run("vault", "init", code=0)
    assert cli.run("vault", "verify", code=0)
    files = [path for path in (cli.home / "vault").rglob("*") if path.is_file() and path.stat().st_size > 0]
    assert files
    data = bytearray(files[0].read_bytes())
    data[len(data) // 2] ^= 1
    files[0].chmod(0o600)
    files[0].write_bytes(data)
    done = cli.run("vault", "verify")
    assert done.returncode in (1, 3, 5, 8) and files[0].name.split(".")[0] in done.stdout + done.stderr


# --- what runs beside us ------------------------------------------------------------------------------------

def test_an_unreachable_database_is_unhealthy_and_cannot_be_backed_up(cli):
    cli.write("""
components:
  database: {kind: postgres, port: 15791, data_directory: /nowhere, protect: [{method: base, every: 1h}],
             health: [{tcp: true}]}
""")
    cli.run("vault", "init", code=0)
    done = cli.run("status", code=1)
    assert "unhealthy" in done.stdout and "15791" in done.stdout
    failed = cli.run("backup", "database")
    assert failed.returncode == 8 and "database" in failed.stderr and "15791" in failed.stderr
    answer = cli.ask("backup", "--all", code=8)
    assert answer["backups"][0]["error"]["kind"] == "unavailable"
    assert cli.run("backup", "databse", code=8).stderr


def test_a_taken_port_is_named(cli):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        cli.steps("start: web", more=f"""
components:
  web: {{kind: process, command: [/bin/sh, -c, exec sleep 600], port: {port}, ready_within: 2s, health: [{{tcp: true}}]}}
""")
        done = cli.recover()
        assert done.returncode in (6, 8) and str(port) in done.stdout, done.stdout
    assert not machine.living_below(cli.home)


def test_a_step_that_floods_its_output_is_bounded(cli):
    cli.steps("run: yes a-long-line-of-nothing | head -c 20000000\nid: flood", append("after"))
    done = cli.recover(code=0)
    assert len(done.stdout) < 100_000 and cli.lines() == ["after"]
    assert sum(file.stat().st_size for file in cli.state.iterdir()) < 8_000_000
    assert len(cli.step("flood")["outputs"]["output"]) < 100_000


def test_a_step_that_never_ends_is_ended_with_its_children(cli):
    cli.steps("run: {command: 'sleep 600 & sleep 600', idempotent: true}\nid: endless\ntimeout: 1s\nretries: 0")
    done = cli.recover()
    assert done.returncode in (6, 8) and "endless" in done.stdout
    cli.until(lambda: not machine.living_below(cli.home))


def test_a_step_that_forks_away_does_not_keep_the_run(cli):
    cli.steps("run: (sleep 600 &) ; echo forked >> out.txt\nid: fork", append("after"))
    done = cli.recover(code=0)
    assert cli.lines() == ["forked", "after"], done.stdout
    cli.until(lambda: not machine.living_below(cli.home))


# --- secrets ------------------------------------------------------------------------------------------------

def test_a_secret_is_in_no_journal_output_log_or_process_list(cli):
    word = "s3cret-W0rd-that-nobody-sees"
    (cli.home / "keys").mkdir()
    (cli.home / "keys/password").write_text("f1le-S3cret-of-the-plan\n")
    (cli.home / "keys/password").chmod(0o600)
    secrets = [word, "f1le-S3cret-of-the-plan"]
    cli.steps(
        "run: {command: 'touch begun; sleep 1; echo \"said $PASSWORD and $OTHER\"; echo \"$PASSWORD\" >&2; test -n \"$PASSWORD\"', "
        "environment: {PASSWORD: 'env:THE_SECRET', OTHER: 'file:keys/password'}}\nid: tell",
        "run: {command: 'echo $PASSWORD >&2; exit 3', environment: {PASSWORD: 'env:THE_SECRET'}}\nid: fail",
        more="""
components:
  web: {kind: process, command: [/bin/sh, -c, 'echo $PASSWORD; exec sleep 600'], environment: {PASSWORD: 'env:THE_SECRET'},
        health: [{process: true}]}
""")
    env = {"THE_SECRET": word}
    process = cli.start("recover", "test", "--yes", "--verbose", env=env)
    cli.until(lambda: (cli.home / "begun").exists())
    arguments = b" ".join(read(path) for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"))
    text, _ = process.communicate(timeout=30)
    assert process.returncode == 6
    texts = [text.encode(), arguments]
    for words in (["runs"], ["runs", "latest"], ["runs", "latest", "--events"], ["runs", "latest", "--json"], ["status"],
                  ["recover", "test", "--preview"], ["check"], ["recover", "test", "--yes", "--json"]):
        done = cli.run(*words, env=env)
        texts += [done.stdout.encode(), done.stderr.encode()]
    texts += [read(path) for path in cli.state.rglob("*")]
    for secret in secrets:
        assert secret.encode() not in b"".join(texts)
    assert "‹secret›" in text or "‹secret›" in cli.run("runs", "latest", "--events", env=env).stdout


def read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_secret_that_is_missing_is_named_and_not_shown(cli):
    cli.steps("run: {command: 'true', environment: {PASSWORD: 'env:NOT_THERE'}}\nid: tell")
    done = cli.recover()
    assert done.returncode in (6, 8) and "NOT_THERE" in done.stdout


# --- large and broken plans ---------------------------------------------------------------------------------

def test_a_plan_with_twenty_mistakes_names_all_twenty(cli):
    broken = "".join(f"  c{i}: {{kind: process, command: x, objectivs{i}: 1}}\n" for i in range(20))
    report = cli.write("components:\n" + broken).ask("check", code=3)
    assert report["errors"] == 20
    assert [d["line"] for d in report["diagnostics"]] == list(range(7, 27))


def test_a_plan_of_five_thousand_components_is_read_and_looked_at(cli):
    cli.write("components:\n" + "".join(f"  c{i}: {{kind: process, command: 'true'}}\n" for i in range(5000)))
    assert cli.ask("check", code=0)["components"] == 5000
    assert len(cli.run("complete", "component").stdout.split()) == 5000


def test_a_broken_file_is_shown_where_it_breaks(cli):
    cli.plan.write_text("lifeboat: 1\nplan: 'x\n")
    assert "lifeboat.yaml:" in cli.run("check", code=3).stdout
    cli.plan.write_bytes(b"\xff\xfe\x00")
    assert cli.run("check").returncode == 3
    cli.plan.write_text("")
    assert cli.run("check").returncode == 3
    cli.plan.unlink()
    cli.plan.mkdir()
    assert str(cli.plan) in cli.run("check", code=3).stderr
