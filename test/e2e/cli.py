"""The program seen from outside: one directory with a plan, a state directory, perhaps a vault."""
import contextlib
import getpass
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "examples" / "shop"))  # behind our own: there is a shop.py in both
import demo_machine as machine  # noqa: E402  what is found and ended by where it lives

PROGRAM = pathlib.Path(os.environ.get("LIFEBOAT_PROGRAM", ROOT / "build" / "lifeboat"))
USER = getpass.getuser()

HEAD = """\
lifeboat: 1
plan: test
sites:
  primary: {{local: {{directory: sites/primary, ports: {ports}}}}}
vault: {{directory: vault, key: keys/vault.key}}
"""


class Cli:
    """Commands on one plan. Nothing of the caller's environment that could matter reaches them."""

    def __init__(self, folder):
        self.home = pathlib.Path(folder)
        self.plan = self.home / "lifeboat.yaml"
        self.state = self.home / "state"
        self.out = self.home / "out.txt"
        self.started = []

    def write(self, body, ports="15700-15749"):
        """A plan with the usual head; `body` is its components and scenarios."""
        self.plan.write_text(HEAD.format(ports=ports) + body)
        return self

    def steps(self, *steps, more="", name="test"):
        """A plan with one scenario, `test`, of these steps (YAML, a step each)."""
        listed = "".join("      - " + step.strip().replace("\n", "\n        ") + "\n" for step in steps)
        return self.write(f"{more}\nscenarios:\n  {name}:\n    steps:\n{listed}")

    def environment(self, extra=None):
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "USER", "TMPDIR", "ASAN_OPTIONS") if name in os.environ}
        return kept | {"LC_ALL": "C.UTF-8"} | (extra or {})

    def command(self, *words):
        return [str(PROGRAM), *words, "--plan", str(self.plan), "--state", str(self.state)]

    def bare(self, *words, env=None, timeout=60, cwd=None, stdin=""):
        """Without --plan and --state."""
        return subprocess.run([str(PROGRAM), *words], capture_output=True, text=True, timeout=timeout, input=stdin,
                              cwd=cwd or self.home, env=self.environment(env))

    def run(self, *words, code=None, env=None, timeout=60):
        """Runs to the end; `code`, when given, is the exit status that it must have."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=timeout,
                              stdin=subprocess.DEVNULL, cwd=self.home, env=self.environment(env))
        if code is not None:
            assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def ask(self, *words, code=None, env=None):
        """With --json: the last document on standard output."""
        done = self.run(*words, "--json", code=code, env=env)
        return documents(done.stdout)[-1]

    def start(self, *words, env=None):
        """Runs beside the test; ended with it."""
        process = subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, cwd=self.home, env=self.environment(env))
        self.started.append(process)
        return process

    def recover(self, *words, code=None, scenario="test", env=None):
        return self.run("recover", scenario, "--yes", *words, code=code, env=env)

    def step(self, name, run="latest"):
        return next(step for step in self.ask("runs", run)["steps"] if step["id"] == name)

    def lines(self):
        """What the steps of a plan have written into out.txt."""
        return self.out.read_text().split() if self.out.exists() else []

    def until(self, what, limit=60):
        """Waits until `what()` is true; the reason that a test gives up is a bound, not a measure."""
        ends = time.monotonic() + limit
        while time.monotonic() < ends:
            found = what()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError("it did not happen in time")

    def stop(self):
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()


def documents(text):
    """All JSON documents in a text, one after the other; fails when there is anything else."""
    decoder = json.JSONDecoder()
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        document, end = decoder.raw_decode(text, at)
        found.append(document)
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return found


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextlib.contextmanager
def redis_server(cli, *options):
    """A Redis below the test's directory that answers: its port, its directory, its process."""
    port, data = free_port(), cli.home / "cache"
    data.mkdir()
    redis = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", data, "--save", "",
                              *options], stdout=subprocess.DEVNULL)
    try:
        cli.until(lambda: subprocess.run(["redis-cli", "-p", str(port), "PING"], capture_output=True).returncode == 0)
        yield port, data, redis
    finally:
        redis.kill()
        redis.wait()


def append(word):
    """A `run:` step that leaves a trace."""
    return f"run: echo {word} >> out.txt\nid: {word}"


def held(word):
    """A step that makes WORD.begun and ends when there is a WORD.go: what a test does meanwhile needs no haste."""
    command = f"touch {word}.begun; until test -e {word}.go; do sleep 0.02; done; echo {word} >> out.txt"
    return f"run: '{command}'\nid: {word}"


def exactly_once(word, seconds=0):
    """A step that acts, can be probed, and takes its time before and after it has acted."""
    return (f"run: {{command: 'sleep {seconds}; echo {word} >> out.txt; sleep {seconds}', "
            f"probe: 'cat out.txt 2>/dev/null | grep -qx {word}'}}\nid: {word}")


def without_escapes(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
