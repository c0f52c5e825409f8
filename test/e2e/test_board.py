"""The board on a real shop: whose word counts, and whose does not any more."""
import os
import pathlib
import signal
import time


def protection_of(shop):
    """The pid of the shop's `lifeboat protect`."""
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"protect" in words and str(shop.plan).encode() in words:
            return int(entry.name)
    raise AssertionError("nobody protects the shop")


def row_of(shop, component):
    rows = shop.ask("status")[1]["components"]
    return next(row for row in rows if row["component"] == component)


def test_the_word_of_a_dead_protection_or_of_an_earlier_instance_does_not_count(shop):
    row = row_of(shop, "database")
    assert row["protected"] and row["exposure"] == "known" and row["live_rpo_s"] < 5
    assert row["facts"]["version"].count(".") == 1
    os.kill(protection_of(shop), signal.SIGKILL)
    ends = time.monotonic() + 30
    while row_of(shop, "database")["protected"] and time.monotonic() < ends:
        time.sleep(0.1)
    time.sleep(2)
    row = row_of(shop, "database")
    assert not row["protected"] and row["live_rpo_s"] >= 2      # what the vault holds, no more
    assert row["live_rpo_s"] >= row["last_report_s"] - 1
    assert "NOT running" in shop.run("status", quiet=True, check=False).stdout

    shop.lose_server("database", "PostgreSQL")
    done = shop.run("recover", "database-lost", "--yes", quiet=True, check=False)
    assert done.returncode in (0, 1) and "are estimates" in done.stdout, done.stdout
    row = row_of(shop, "database")
    # Nobody streams; the point that the recovery ended with is newer than all that the stream said.
    assert row["exposure"] == "known" and row["live_rpo_s"] < row["last_report_s"]
    assert row["newest_point"]["at"] > row["evidence"][0]["fact"]["conditions"]["target_time"]
    assert {promise["standing"] for promise in row["evidence"] if promise["objective"] == "rto"} == {"proven"}
    forecast = next(one for one in row["forecasts"] if one["scenario"] == "database-lost")
    assert forecast["basis"] == "measured" and forecast["samples"] == 1 and forecast["thin"]
