"""What the test and check commands share: running commands with a limit, in parallel, and telling it."""

import concurrent.futures
import os
import pathlib
import signal
import subprocess
import time
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORKERS = min(2, os.cpu_count() or 1)


@dataclass
class Ended:
    """How a command ended. `code` is negative for a signal, None when the limit ended it."""

    code: int | None
    output: str
    seconds: float

    @property
    def ok(self):
        return self.code == 0

    def why(self):
        if self.code is None:
            return f"did not end within {self.seconds:.0f} s"
        if self.code < 0:
            return f"was ended by {signal.Signals(-self.code).name}"
        return f"exit code {self.code}"


def run(command, limit, log=None, env=None):
    """Runs a command in a process group of its own, which ends with it, and keeps its output."""
    began = time.monotonic()
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
    path = log or pathlib.Path(os.devnull)
    with open(path, "wb") as sink:
        process = subprocess.Popen(
            [str(word) for word in command], cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
            stdout=sink, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end_group(process)
    output = path.read_text(encoding="utf-8", errors="replace") if log else ""
    return Ended(code, output, time.monotonic() - began)


def _end_group(process):
    """Ends what the command left in its own process group; others are never touched."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()


def each(work, items):
    """work(item) for all items, WORKERS at a time; yields results in the order of completion."""
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        pending = [pool.submit(work, item) for item in items]
        for done in concurrent.futures.as_completed(pending):
            yield done.result()


def tell(text=""):
    print(text, flush=True)


def tail(text, lines=60):
    kept = text.rstrip().splitlines()
    if len(kept) > lines:
        kept = [f"… ({len(kept) - lines} lines before)"] + kept[-lines:]
    return "\n".join(f"    {line}" for line in kept)


def readable(output):
    """A build's output without the command lines that ninja repeats."""
    return "\n".join(line for line in output.splitlines() if "/tools/compile.sh " not in line)


class Stage:
    """Prints a stage's name, how it went and what it took: `with Stage("unit tests") as stage:`."""

    width = 24

    def __init__(self, name):
        self.name = name
        self.note = ""
        self.failed = False

    def __enter__(self):
        self.began = time.monotonic()
        tell(f"── {self.name}")
        return self

    def fail(self, text):
        self.failed = True
        tell(text)

    def __exit__(self, kind, error, trace):
        state = "FAILED" if self.failed or error else "ok"
        seconds = time.monotonic() - self.began
        tell(f"── {self.name:{self.width}} {state:6}  {seconds:7.1f} s  {self.note}".rstrip())
        return False


def build(tree, targets, log):
    """Builds in one of the trees of tools/dev/compile.sh."""
    return run(["bash", "tools/dev/compile.sh", tree, *targets], 3600, log)
