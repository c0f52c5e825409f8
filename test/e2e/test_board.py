"""The board on a real shop: whose word counts, and whose does not any more."""
import os
import re
import signal
import subprocess
import time

from cli import machine, redis_server


def protection_of(shop):
    """The pid of the shop's `lifeboat protect`."""
    return next(pid for pid in machine.living_below(shop.home) if "protect" in machine.words_of(pid))


def row_of(shop, component):
    rows = shop.ask("status")[1]["components"]
    return next(row for row in rows if row["component"] == component)


def row_when(shop, holds):
    """The database's row, once it is as it must become."""
    ends = time.monotonic() + 60
    while not holds(row := row_of(shop, "database")):
        assert time.monotonic() < ends, row
        time.sleep(0.1)
    return row


def test_the_word_of_a_dead_protection_or_of_an_earlier_instance_does_not_count(shop):
    row = row_when(shop, lambda row: row["protected"] and row["exposure"] == "known" and row["live_rpo_s"] < 5)
    assert row["facts"]["version"].count(".") == 1
    os.kill(protection_of(shop), signal.SIGKILL)
    row = row_when(shop, lambda row: not row["protected"] and row["live_rpo_s"] >= 2)     # what the vault holds, no more
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
    assert forecast["basis"] != "measured" and forecast["samples"] == 1 and forecast["thin"]


def test_what_does_not_answer_is_unknown_with_its_age_for_every_single_look(cli):
    with redis_server(cli) as (port, data, _):
        cli.write(f"""
components:
  cache: {{kind: redis, port: {port}, data_directory: {data}}}
""")
        def admit(password, by):
            subprocess.run(["redis-cli", "-p", str(port), *by, "CONFIG", "SET", "requirepass", password], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        admit("other", by=[])
        assert "unknown, never known" in cli.run("status").stdout
        admit("", by=["-a", "other"])
        assert cli.ask("status")["components"][0]["unknown_for_s"] is None
        admit("other", by=[])
        row = cli.ask("status")["components"][0]
        assert row["health"] == "unknown" and row["unknown_for_s"] > 0, row
        time.sleep(1)
        assert re.search(r"unknown for \d", cli.run("status").stdout)
