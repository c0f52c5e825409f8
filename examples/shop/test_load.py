"""The customers: what they remember, what they miss, when they can buy again."""

import json
import signal
import time

from world import (
    HANG, acked_orders, explains_itself, free_port, ledger_of, redirect, wait_until,
    with_servers)

pytestmark = with_servers


def wait_for_more(ledger, count, kind="order"):
    """Until so many more lines of this kind are in the ledger: orders are acknowledged ones."""
    def lines():
        return sum(record["kind"] == kind for record in ledger_of(ledger)) if ledger.exists() else 0

    wanted = lines() + count
    wait_until(lambda: lines() >= wanted, what=f"{count} more of {kind}")


def test_traffic_moves_under_load_and_no_acknowledged_order_is_lost(world):
    """Replicas are moved, ended and killed under load; only the kill may leave unknown orders."""
    a, b, c = (world.start_shop(name) for name in "abc")
    proxy = world.start_proxy([a, b])
    url, ledger = f"http://127.0.0.1:{proxy.port}", world.directory / "moving.ledger"
    load = world.start("load.py", "--url", url, "--ledger", ledger, "--rate", 100, name="moving")
    wait_for_more(ledger, 50)
    for turn in range(6):
        shops, site = ([c], "dr") if turn % 2 == 0 else ([a, b], "primary")
        assert redirect(proxy, site, shops)[0] == 200
        wait_for_more(ledger, 30)
    assert a.end() == 0  # gracefully, under load
    wait_for_more(ledger, 30)
    strike = time.time_ns() // 1000
    assert not [record for record in ledger_of(ledger) if record["kind"] == "unknown"]
    b.end(signal.SIGKILL)
    assert redirect(proxy, "dr", [c])[0] == 200
    wait_for_more(ledger, 50)
    assert load.end() == 0
    summary = json.loads(load.log.read_text().splitlines()[-1])
    assert summary["orders_acknowledged"] == len(acked_orders(ledger)) > 150
    assert summary["sessions_acknowledged"] > 0

    code, result = world.load("verify", "--url", url, "--ledger", ledger, "--strike", strike)
    assert code == 0 and result["error"] is None
    assert result["orders"]["present"] == summary["orders_acknowledged"]
    assert result["orders"]["missing"] == result["orders"]["altered"] == 0
    assert result["orders"]["rpo_us"] == 0 and result["sessions"]["missing"] == 0


def test_verify_finds_exactly_what_was_deleted(world):
    proxy = world.start_proxy([world.start_shop()])
    url, ledger = f"http://127.0.0.1:{proxy.port}", world.directory / "deleted.ledger"
    load = world.start("load.py", "--url", url, "--ledger", ledger, "--rate", 100,
                       "--session-every", 10, name="deleted")
    wait_for_more(ledger, 100)
    assert load.end() == 0
    orders = sorted(acked_orders(ledger), key=lambda record: record["t_acked"])
    sessions = [record for record in ledger_of(ledger) if record["kind"] == "session"]
    strike = orders[80]["t_acked"] + 1
    gone = [orders[index] for index in (40, 55, 80, 90)]
    names = ",".join(f"'{record['id']}'" for record in gone)
    world.postgres.sql(f"DELETE FROM orders WHERE id IN ({names})")
    world.redis.command(f"DEL session:{sessions[3]['token']}")

    verify = ("verify", "--url", url, "--ledger", ledger, "--strike", strike)
    code, result = world.load(*verify)
    found = result["orders"]
    assert code == 1 and found["missing"] == 4 and found["present"] == len(orders) - 4
    assert found["missing_shown"] == [record["id"] for record in gone]
    assert found["missing_after_strike"] == 1
    assert found["rpo_us"] == strike - gone[0]["t_acked"] > 0
    assert found["oldest_missing"]["id"] == gone[0]["id"]
    assert found["newest_missing"]["id"] == gone[3]["id"]
    assert result["sessions"]["missing_shown"] == [sessions[3]["token"]]
    assert result["sessions"]["rpo_us"] == max(0, strike - sessions[3]["t_acked"])

    until = gone[2]["t_acked"]
    code, result = world.load(*verify, "--until", until, "--only", "orders")
    assert code == 1 and result["orders"]["missing_shown"] == [r["id"] for r in gone[:2]]
    assert result["orders"]["acknowledged"] == sum(r["t_acked"] < until for r in orders)
    assert "sessions" not in result

    # What one disaster cost is not counted again as the cost of the next.
    known = ("--known", world.directory / "missing")
    code, result = world.load(*verify, *known)
    assert code == 1 and result["orders"]["missing"] == 4 and result["sessions"]["missing"] == 1
    code, result = world.load(*verify, *known)
    assert code == 0 and result["orders"] | {"missing": 0, "rpo_us": 0} == result["orders"]
    assert result["sessions"]["missing"] == 0
    world.postgres.sql(f"DELETE FROM orders WHERE id = '{orders[7]['id']}'")
    code, result = world.load(*verify, *known)
    assert code == 1 and result["orders"]["missing_shown"] == [orders[7]["id"]]


def test_verify_does_not_take_an_outage_for_a_loss(world):
    ledger = world.directory / "outage.ledger"
    ledger.write_text("")
    code, result = world.load("verify", "--url", f"http://127.0.0.1:{free_port()}", "--ledger",
                              ledger, "--strike", time.time_ns() // 1000, "--timeout", 0.3)
    assert code == 8 and "refused" in result["error"] and "orders" not in result


def test_load_and_watch_measure_a_database_outage(world):
    proxy = world.start_proxy([world.start_shop("a"), world.start_shop("b")])
    url, ledger = f"http://127.0.0.1:{proxy.port}", world.directory / "outage-2.ledger"
    load = world.start("load.py", "--url", url, "--ledger", ledger, name="outage-2")
    wait_for_more(ledger, 20)
    strike = time.time_ns() // 1000
    watch = world.start("load.py", "watch", "--url", url, "--after", strike, "--expect-outage",
                        "--session", "--steady", 3, name="watch")
    wait_for_more(ledger, 10)
    world.postgres.kill()
    wait_for_more(ledger, 30, "unknown")
    time.sleep(0.6)  # the length of the outage that is measured, at the least
    assert watch.child.poll() is None
    restarted = time.time_ns() // 1000
    world.postgres.start()
    assert watch.child.wait(HANG) == 0
    wait_for_more(ledger, 10)
    assert load.end() == 0

    result = json.loads(watch.log.read_text())
    assert result["passed"] and result["failures"] > 0 and result["site"] == "primary"
    assert strike < result["first_failure"] < restarted < result["first_success"]
    assert result["elapsed_us"] == result["first_success"] - strike
    summary = json.loads(load.log.read_text().splitlines()[-1])
    assert summary["orders_unknown"] >= 20 and summary["longest_outage_us"] > 500_000
    assert summary["failing_since"] is None
    code, result = world.load("verify", "--url", url, "--ledger", ledger, "--strike", strike)
    assert code == 0 and result["orders"]["unknown"] == summary["orders_unknown"]


def test_watch_gives_up_and_says_why(world):
    proxy = world.start_proxy([])
    code, result = world.load("watch", "--url", f"http://127.0.0.1:{proxy.port}", "--timeout", 0.5)
    assert code == 1 and not result["passed"] and result["first_success"] is None
    assert "no targets" in result["last_error"] and 1 <= result["attempts"] <= 11


def test_it_explains_itself_and_names_missing_settings():
    assert explains_itself("load.py")
