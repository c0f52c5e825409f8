"""Where results go when they cannot go there: a full disk, a closed descriptor, a reader that has left."""
import fcntl
import os
import pathlib
import pty
import signal
import subprocess
import termios
import time

import pytest

from cli import append, held, redis_server

WEB = """
components:
  web: {kind: process, command: [/bin/sh, -c, exec sleep 600], health: [{process: true}], objectives: {rto: 1h}}
scenarios:
  web-lost: {lost: [web], detect: {any: [{unhealthy: web}]}, steps: [{start: web}, {verify: web}]}
"""
COMMANDS = [
    "check", "check --json", "check --sarif", "check --all", "schema", "status", "status --json", "evidence", "evidence --all",
    "evidence --json", "evidence export", "evidence export --json", "points", "points --json", "vault status", "vault verify",
    "simulate --runs 20", "simulate --runs 20 --json", "simulate --explain 1", "recover web-lost --preview",
    "recover web-lost --preview --json", "runs", "runs --json", "version", "version --json", "completion bash",
    "completion zsh", "completion fish", "completion bash --json", "commands-page", "complete scenario", "init --print",
    "init --print --json", "--help", "recover --help", "backup nobody --json", "nonsense --json",
]


def ends(cli, words, stdout, **more):
    return subprocess.run(cli.command(*words), stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True,
                          timeout=60, cwd=cli.home, env=cli.environment(), **more)


@pytest.fixture
def ready(cli):
    cli.write(WEB)
    cli.run("vault", "init", code=0)
    return cli


@pytest.mark.parametrize("words", COMMANDS)
def test_a_result_that_does_not_fit_is_told_and_fails(ready, words):
    with open("/dev/full", "w") as full:
        done = ends(ready, words.split(), full)
    told = [line for line in done.stderr.splitlines() if "standard output" in line]
    assert done.returncode == 8, done.stderr
    assert told == ["lifeboat: error: unable to write to standard output ('/dev/full'): No space left on device"]


@pytest.mark.parametrize("words", COMMANDS)
def test_a_closed_output_is_told_and_fails(ready, words):
    done = subprocess.run(["/bin/sh", "-c", 'exec "$@" >&-', "sh", *ready.command(*words.split())], text=True, timeout=60,
                          stderr=subprocess.PIPE, cwd=ready.home, env=ready.environment())
    told = [line for line in done.stderr.splitlines() if "standard output" in line]
    assert done.returncode == 8 and told == ["lifeboat: error: unable to write to standard output: it is closed"]


def test_what_is_for_people_never_gets_into_a_file_that_was_opened_in_its_place(ready):
    """Closed descriptors: the first file that a program opens takes their number."""
    for closed in (">&-", "2>&-", "<&-", "<&- >&- 2>&-"):
        subprocess.run(["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *ready.command("recover", "web-lost", "--yes", "--json")],
                       capture_output=True, timeout=60, cwd=ready.home, env=ready.environment())
    assert b"run_started" not in (ready.state / "state.db").read_bytes()[:100]
    assert ready.ask("runs", code=0) and ready.run("status", code=0)
    ready.steps("stop: web", more=WEB.split("scenarios")[0], name="down").run(
        "recover", "down", "--yes", "--although-healthy", "end of the test", code=0)


def test_a_file_on_a_full_file_system_is_told(ready):
    small = ready.home / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(small)], capture_output=True).returncode:
        pytest.skip("no right to mount a file system")
    try:
        with open(small / "schema.json", "w") as file:
            done = ends(ready, ["schema"], file)
        assert done.returncode == 8 and f"'{small}/schema.json'): No space left on device" in done.stderr
        (small / "schema.json").unlink()
        (small / "filler").write_bytes(b"x" * 12288)
        page = ends(ready, ["simulate", "--runs", "20", "--html", str(small / "page.html")], subprocess.PIPE)
        assert page.returncode == 8 and str(small) in page.stderr and not (small / "page.html").exists()
        file = ends(ready, ["evidence", "export", str(small / "evidence.json")], subprocess.PIPE)
        assert file.returncode in (0, 8) and (file.returncode == 0) == (small / "evidence.json").exists()
        assert sorted(path.name for path in small.iterdir() if path.name.startswith(".")) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.parametrize("words", ["check --all", "check --json", "schema", "completion bash", "simulate --runs 20 --json",
                                   "evidence export", "--help"])
def test_a_reader_that_has_seen_enough_is_no_failure(ready, words):
    normal = ready.run(*words.split()).returncode
    reader, writer = os.pipe()
    os.close(reader)
    done = ends(ready, words.split(), writer)
    os.close(writer)
    assert done.returncode == normal and "standard output" not in done.stderr


def test_a_watch_ends_when_nobody_watches(ready):
    watch = subprocess.Popen(ready.command("status", "--watch", "--interval", "100ms"), stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, cwd=ready.home, env=ready.environment())
    watch.stdout.readline()
    watch.stdout.close()
    assert watch.wait(timeout=30) == 0 and watch.stderr.read() == ""
    watch.stderr.close()


def test_a_reader_that_is_slow_gets_everything(ready):
    """Standard output that does not block, as shells and terminals share it: a full pipe is no error."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writer, False)
    process = subprocess.Popen(ready.command("schema"), stdout=writer, stderr=subprocess.PIPE, text=True, cwd=ready.home,
                               env=ready.environment())
    os.close(writer)
    time.sleep(0.3)
    text = b""
    while piece := os.read(reader, 1 << 20):
        text += piece
    os.close(reader)
    assert process.wait(timeout=30) == 0 and process.stderr.read() == ""
    process.stderr.close()
    assert text.decode() == ready.run("schema").stdout


# --- a recovery goes on -------------------------------------------------------------------------------------

@pytest.mark.parametrize("json", [[], ["--json"]])
def test_a_recovery_goes_on_when_its_reader_has_left(cli, json):
    cli.steps(held("slow"), append("after"))
    driver = cli.start("recover", "test", "--yes", *json)
    cli.until(lambda: (cli.home / "slow.begun").exists())
    driver.stdout.close()
    (cli.home / "slow.go").touch()
    assert driver.wait(timeout=30) == 0
    assert cli.lines() == ["slow", "after"] and cli.ask("runs")[0]["outcome"] == "done"
    driver.stdout = open(os.devnull)


def test_a_recovery_onto_a_full_disk_is_carried_out_and_says_that_it_could_not_tell(cli):
    cli.steps(append("one"), append("two"))
    with open("/dev/full", "w") as full:
        done = ends(cli, ["recover", "test", "--yes"], full)
    assert done.returncode == 8 and done.stderr.count("unable to write") == 1
    assert cli.lines() == ["one", "two"] and cli.ask("runs")[0]["outcome"] == "done"


def test_hangups_pause_a_recovery_and_never_abandon_it(cli):
    cli.steps(held("slow"), append("after"))
    driver = cli.start("recover", "test", "--yes")
    cli.until(lambda: (cli.home / "slow.begun").exists())
    driver.send_signal(signal.SIGHUP)                 # the kernel's
    cli.until(lambda: cli.ask("runs", "latest")["status"] == "pausing")
    for _ in range(3):                                # the shell's, the session's
        driver.send_signal(signal.SIGHUP)
        time.sleep(0.1)
    assert driver.poll() is None                      # what runs is finished first
    (cli.home / "slow.go").touch()
    assert driver.wait(timeout=30) == 6
    cli.run("resume", code=0)
    assert cli.lines() == ["slow", "after"]


def test_nohup_carries_a_recovery_through_the_end_of_its_terminal(cli):
    cli.steps(held("slow"), append("after"))
    driver = subprocess.Popen(["nohup", *cli.command("recover", "test", "--yes")], stdin=subprocess.DEVNULL, cwd=cli.home,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=cli.environment())
    cli.started.append(driver)
    cli.until(lambda: (cli.home / "slow.begun").exists())
    driver.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert cli.ask("runs", "latest")["status"] == "running"
    (cli.home / "slow.go").touch()
    assert driver.wait(timeout=30) == 0
    assert cli.lines() == ["slow", "after"]


@pytest.mark.parametrize("json", [[], ["--json"]])
def test_a_recovery_goes_on_when_nobody_takes_what_it_says(cli, json):
    """Ctrl-S, a pager that nobody scrolls, a connection that hangs: the pipe is full and stays so."""
    cli.steps(*[append(f"a-step-with-a-name-that-takes-its-place-in-a-pipe-{i}") for i in range(60)])
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    driver = subprocess.Popen(cli.command("recover", "test", "--yes", *json), stdin=subprocess.DEVNULL, stdout=writer,
                              stderr=writer, cwd=cli.home, env=cli.environment())
    os.close(writer)
    try:
        cli.until(lambda: len(cli.lines()) == 60)
        cli.until(lambda: cli.ask("runs", "latest")["outcome"] == "done")
        text = b""
        while piece := os.read(reader, 1 << 20):
            text += piece
        assert driver.wait(timeout=30) == 0
    finally:
        driver.kill()
        driver.wait()
        os.close(reader)
    assert len(text) > 4096, "all of it came, once somebody took it"
    assert (b'"result"' if json else b"time: ") in text


def test_a_recovery_goes_on_when_its_terminal_hangs(cli):
    cli.steps(held("slow"), append("after"))
    leader, follower = pty.openpty()
    driver = subprocess.Popen(cli.command("recover", "test", "--yes"), stdin=follower, stdout=follower, stderr=follower,
                              cwd=cli.home, env=cli.environment({"TERM": "xterm"}))
    try:
        cli.until(lambda: (cli.home / "slow.begun").exists())
        termios.tcflow(follower, termios.TCOOFF)      # what Ctrl-S does
        time.sleep(0.5)                               # some frames
        (cli.home / "slow.go").touch()
        cli.until(lambda: cli.lines() == ["slow", "after"])
        cli.until(lambda: cli.ask("runs", "latest")["outcome"] == "done")
        termios.tcflow(follower, termios.TCOON)
        os.close(follower)
        while True:
            try:
                if not os.read(leader, 65536):
                    break
            except OSError:
                break
        assert driver.wait(timeout=30) == 0
    finally:
        driver.kill()
        driver.wait()
        os.close(leader)


def test_protection_goes_on_when_its_reader_has_left(cli):
    with redis_server(cli, "--repl-diskless-sync-delay", "0") as (port, data, _):
        cli.write(f"""
components:
  cache: {{kind: redis, port: {port}, data_directory: {data}, protect: [{{method: snapshot, every: 1s, keep: 1d}}]}}
""")
        cli.run("vault", "init", code=0)
        protect = cli.start("protect", "--json")
        protect.stdout.readline()
        protect.stdout.close()
        before = len(cli.ask("points", code=0)["points"])
        cli.until(lambda: len(cli.ask("points", code=0)["points"]) > before + 1)
        assert protect.poll() is None
        protect.send_signal(signal.SIGINT)
        assert protect.wait(timeout=30) == 0
        protect.stdout = open(os.devnull)


# --- files in places where there are none --------------------------------------------------------------------

@pytest.mark.parametrize("words", ["evidence export {}", "simulate --runs 20 --html {}"])
def test_a_device_is_written_to_and_never_replaced(ready, words):
    pipe = ready.home / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True)
    done = ready.run(*words.format(pipe).split())
    text, _ = reader.communicate(timeout=30)
    assert done.returncode == 0 and len(text) > 100 and pathlib.Path(pipe).is_fifo()
