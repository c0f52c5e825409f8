"""The demo as a person plays it: it waits for a key before each disaster, stays up, and goes when told to."""
import json
import os
import pty
import subprocess
import sys
import time

from cli import PROGRAM, ROOT, machine

DEMO = ROOT / "examples" / "shop" / "demo.py"
PROMPT = b"press Enter to strike"


def play(words, limit):
    """Runs the demo on a terminal of its own and presses Enter whenever it asks. (exit status, what it showed)"""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, DEMO, "--lifeboat", PROGRAM, *words], stdin=theirs, stdout=theirs,
                               stderr=theirs, close_fds=True)
    os.close(theirs)
    shown, answered, end = b"", 0, time.monotonic() + limit
    try:
        while time.monotonic() < end:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the terminal is closed with its last user
                break
            if not piece:
                break
            shown += piece
            while shown.count(PROMPT) > answered:
                answered += 1
                os.write(ours, b"\n")
        return process.wait(timeout=30), shown.decode(errors="replace"), answered
    finally:
        process.kill()
        os.close(ours)


def test_it_waits_for_a_key_stays_up_when_kept_and_leaves_nothing_when_stopped(folder):
    home = folder / "demo"
    table = folder / "table.json"
    code, shown, answered = play(["--pause", "--keep", "--calm", "1", "--directory", str(home), "--json", str(table)], 300)
    try:
        assert code == 0, shown[-3000:]
        assert answered == 3
        result = json.loads(table.read_text())
        assert result["met"] and {row["disaster"] for row in result["objectives"]} == {1, 2, 3}
        assert all(row["measured_s"] <= row["promised_s"] for row in result["objectives"])
        assert result["proven"] and all(row["predicted_s"] is not None for row in result["objectives"])
        assert f"kept: {home}" in shown and "--stop" in shown
        assert any("postgres" in " ".join(machine.words_of(pid)) for pid in machine.living_below(home))
    finally:
        subprocess.run([sys.executable, DEMO, "--stop", str(home)], check=True, timeout=60)
    assert machine.living_below(home) == []
    assert not home.exists()
