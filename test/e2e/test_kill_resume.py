"""`lifeboat recover` is killed with -9 at random moments; `resume` ends each time in a shop that sells.

Twenty disasters in a row on one shop: each restores into a new instance beside the last, so the chain
of timelines grows as well. The seed is printed; LIFEBOAT_SEED repeats a run.
"""
import datetime
import json
import os
import pathlib
import random
import subprocess
import time

from cli import machine
from shop import now_us

ROUNDS = int(os.environ.get("LIFEBOAT_KILL_ROUNDS", "20"))


def runs(shop):
    return shop.ask("runs")[1]


def test_twenty_kills_at_random_moments_lose_nothing_that_was_received(shop):
    seed = int(os.environ.get("LIFEBOAT_SEED", random.randrange(1 << 30)))
    print(f"seed {seed}")
    dice = random.Random(seed)
    typical = 4.0
    for number in range(ROUNDS):
        shop.serve(0.5)
        received = wait_streaming(shop)
        struck = now_us()
        for _ in shop.lose_database():
            pass
        process = shop.start("recover", "database-lost", "--yes")
        began = time.monotonic()
        try:
            process.communicate(timeout=dice.uniform(0.05, typical))
            ended = True
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            ended = False
        if ended:
            typical = max(1.0, 0.5 * (typical + time.monotonic() - began))
            assert process.returncode in (0, 1)
        else:
            finish(shop, number, struck)
        assert shop.wait_open()["passed"], f"round {number}: the shop does not sell"
        lost = shop.missing(struck)
        # Of what was acknowledged before the last WAL received, nothing may be missing. What came after it
        # was lost with the server.
        oldest = lost["oldest_missing"]
        assert oldest is None or oldest["t_acked"] > received, f"round {number}: {lost}"
        assert primaries(shop) == 1, f"round {number}: two primaries"


def finish(shop, number, struck):
    """Whatever was under way goes on; a kill before the run began means to begin it, one after it had ended
    leaves nothing to do."""
    done = shop.run("runs", "latest", "--json", quiet=True, check=False)
    latest = json.loads(done.stdout) if done.returncode == 0 else {}
    if latest.get("status") == "finished" and latest["began"] > machine.rfc3339(struck):
        return
    open_run = latest.get("scenario") == "database-lost" and latest.get("status") != "finished"
    words = ("resume",) if open_run else ("recover", "database-lost", "--yes")
    done = shop.run(*words, quiet=True, check=False)
    assert done.returncode in (0, 1), f"round {number}: {words}: {done.stdout}{done.stderr}"


def wait_streaming(shop):
    """Until the vault holds all but the last moments; the time (us) up to which it does."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        _, status = shop.ask("status")
        row = next(r for r in status["components"] if r["component"] == "database")
        if row["health"] == "healthy" and row["live_rpo_s"] is not None and row["live_rpo_s"] < 2:
            at = datetime.datetime.fromisoformat(status["at"].replace("Z", "+00:00"))
            return int((at.timestamp() - row["live_rpo_s"]) * 1e6)
        time.sleep(0.2)
    raise AssertionError(f"protection does not follow: {row}")


def primaries(shop):
    """How many PostgreSQL servers of this shop take writes."""
    _, status = shop.ask("status")
    row = next(r for r in status["components"] if r["component"] == "database")
    assert row["role"] == "primary", row
    found = [machine.words_of(pid) for pid in machine.living_below(shop.home)]
    return sum(pathlib.Path(words[0]).name == "postgres" and "-D" in words for words in found if words)
