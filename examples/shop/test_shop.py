"""The shop itself: orders, sessions, health, and stores that die or hang."""

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import uuid

import pytest

from demo_machine import POSTGRES
from world import (
    HANG, HERE, PASSWORD, PYTHON, call, end_while_talking, explains_itself, free_port, order,
    wait_until, with_servers)

pytestmark = with_servers


def test_orders_are_kept_and_found_again(world):
    port = world.start_shop().port
    first, second = order(), order(item="flare", quantity=3)
    status, answer = call(port, "POST", "/orders", first)
    assert status == 201 and answer["id"] == first["id"]
    again, same = call(port, "POST", "/orders", first)
    assert (again, same) == (200, answer)
    assert call(port, "POST", "/orders", first | {"quantity": 9})[0] == 409
    later = call(port, "POST", "/orders", second)[1]
    assert later["seq"] > answer["seq"]

    status, found = call(port, "GET", f"/orders/{second['id']}")
    assert status == 200 and (found["item"], found["quantity"]) == ("flare", 3)
    assert call(port, "GET", f"/orders/{uuid.uuid4()}")[0] == 404

    page = call(port, "GET", f"/orders?after={answer['seq'] - 1}&limit=1")[1]
    assert page == {"orders": [answer], "next": answer["seq"]}
    rest = call(port, "GET", f"/orders?after={page['next']}&limit=10")[1]
    assert rest == {"orders": [later], "next": None}
    count = call(port, "GET", "/orders/count")[1]
    assert count == {"count": int(world.postgres.sql("SELECT count(*) FROM orders")),
                     "last_seq": later["seq"]}
    assert len(call(port, "GET", "/products")[1]["products"]) == 5


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"\xff", b"[" * 50_000, order(identity="7"), order(item=""),
    order(item="a\0"), order(item="\ud800"), order(quantity=0), order(quantity=True),
    order(quantity="2"), {"id": None}])
def test_a_senseless_order_is_refused(world, body):
    status, answer = call(world.start_shop().port, "POST", "/orders", body)
    assert status == 400 and answer["error"]


def test_sessions_are_kept_in_redis(world):
    port = world.start_shop().port
    status, answer = call(port, "POST", "/session")
    assert status == 201
    status, session = call(port, "GET", f"/session/{answer['token']}")
    assert status == 200 and session["replica"] == "a"
    assert call(port, "GET", "/session/none")[0] == 404


def test_two_replicas_may_create_the_schema_at_the_same_time(world):
    world.postgres.sql("CREATE DATABASE fresh", "postgres")
    url = f"postgresql://shop@127.0.0.1:{world.postgres.port}/fresh"
    shops = [world.start_shop(name, DATABASE_URL=url) for name in "abcd"]
    with contextlib.ExitStack() as stack:
        clients = []
        for shop in shops:
            client = http.client.HTTPConnection("127.0.0.1", shop.port, timeout=HANG)
            stack.callback(client.close)
            client.request("GET", "/products")
            clients.append(client)
        answers = [client.getresponse() for client in clients]
        assert [answer.status for answer in answers] == [200] * 4
        for answer in answers:
            answer.read()


def test_health_names_what_is_wrong(world):
    port = world.start_shop().port
    status, health = call(port, "GET", "/healthz")
    assert status == 200 and health["database"]["server"] == f"127.0.0.1:{world.postgres.port}"

    world.redis.command(f"REPLICAOF 127.0.0.1 {free_port()}")
    status, health = call(port, "GET", "/healthz")
    world.redis.command("REPLICAOF NO ONE")
    assert status == 503 and health["redis"] == {"ok": False, "error": "redis is a replica"}
    assert health["database"]["ok"]

    readonly = world.start_shop("b", PGOPTIONS="-c default_transaction_read_only=on")
    status, health = call(readonly.port, "GET", "/healthz")
    assert status == 503 and health["database"]["error"] == "database is read-only"


def test_a_dead_database_is_answered_503_and_found_again(world):
    port = world.start_shop().port
    before = order()
    assert call(port, "POST", "/orders", before)[0] == 201
    world.postgres.kill()
    try:
        status, answer = call(port, "POST", "/orders", order())
        assert (status, answer["outcome"]) == (503, "none")
        status, health = call(port, "GET", "/healthz")
        assert status == 503
        assert health["redis"]["ok"] and "Connection refused" in health["database"]["error"]
        assert call(port, "GET", "/livez")[0] == 200
        assert call(port, "POST", "/session")[0] == 201
    finally:
        world.postgres.start()
    assert call(port, "POST", "/orders", order())[0] == 201
    assert call(port, "GET", f"/orders/{before['id']}")[0] == 200


def test_a_restart_of_the_database_costs_no_request_after_it(world):
    port = world.start_shop().port
    assert call(port, "POST", "/orders", order())[0] == 201
    world.postgres.stop()
    world.postgres.start()
    assert call(port, "POST", "/orders", order())[0] == 201


def test_a_standby_serves_reads_and_takes_orders_once_promoted(world):
    port = world.start_shop().port
    known = order()
    assert call(port, "POST", "/orders", known)[0] == 201
    world.postgres.stop()
    world.postgres.run_as_owner("touch", world.postgres.directory / "standby.signal")
    world.postgres.start()
    assert call(port, "GET", f"/orders/{known['id']}")[0] == 200
    assert call(port, "POST", "/orders", order())[0] == 503
    status, health = call(port, "GET", "/healthz")
    assert status == 503 and health["database"]["error"] == "database is in recovery"
    world.postgres.run_as_owner(POSTGRES / "pg_ctl", "-D", world.postgres.directory, "promote")
    assert call(port, "GET", "/healthz")[0] == 200
    assert call(port, "POST", "/orders", order())[0] == 201


def test_a_hanging_database_is_answered_503_and_found_again(world):
    port = world.start_shop().port
    assert call(port, "POST", "/orders", order())[0] == 201
    world.postgres.signal_all(signal.SIGSTOP)
    try:
        for outcome in ("unknown", "none"):  # on the old connection, then on a new one
            status, answer = call(port, "POST", "/orders", order())
            assert (status, answer["outcome"]) == (503, outcome)
        status, _ = call(port, "GET", "/healthz")
        assert status == 503
    finally:
        world.postgres.signal_all(signal.SIGCONT)
    wait_until(lambda: call(port, "POST", "/orders", order())[0] == 201, "orders again")


def test_a_dead_or_hanging_redis_is_answered_503_and_found_again(world):
    port = world.start_shop().port
    assert call(port, "POST", "/session")[0] == 201
    world.redis.server.child.send_signal(signal.SIGSTOP)
    status, _ = call(port, "POST", "/session")
    assert status == 503
    world.redis.server.end(signal.SIGKILL)
    try:
        status, answer = call(port, "POST", "/session")
        assert status == 503
        assert PASSWORD not in json.dumps(answer)
        assert call(port, "POST", "/orders", order())[0] == 201
    finally:
        world.redis.start()
    assert call(port, "POST", "/session")[0] == 201


def test_nothing_uncommitted_is_acknowledged(world):
    """A commit that cannot finish, because another transaction holds the table."""
    shop = world.start_shop()
    waiting = order()
    locker = subprocess.Popen(
        [POSTGRES / "psql", "-qX", "-h", "127.0.0.1", "-p", str(world.postgres.port), "-U", "shop",
         "-d", "shop"], env={"PGPASSWORD": PASSWORD}, stdin=subprocess.PIPE, text=True)
    try:
        locker.stdin.write("BEGIN;\nLOCK TABLE orders;\n")
        locker.stdin.flush()
        wait_until(lambda: world.postgres.sql(
            "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted"
            " AND relation = 'orders'::regclass") == "1", what="the lock")
        status, answer = call(shop.port, "POST", "/orders", waiting)
        assert (status, answer["outcome"]) == (503, "unknown")
    finally:
        locker.communicate("COMMIT;\n", timeout=HANG)
    assert call(shop.port, "GET", f"/orders/{waiting['id']}")[0] == 404


def test_sigterm_ends_a_replica_whoever_is_still_talking_to_it(world):
    shop = world.start_shop()
    with socket.create_connection(("127.0.0.1", shop.port)) as endless:
        assert end_while_talking(shop, endless) == 0
    assert call(shop.port, "GET", "/livez")[0] == 0


def test_no_secret_is_printed(world):
    for bad in ({"DATABASE_URL": f"postgresql://shop:{PASSWORD}@[::1/x"},
                {"REDIS_URL": f"http://:{PASSWORD}@127.0.0.1"}):
        good = {"DATABASE_URL": "postgresql://127.0.0.1/x", "REDIS_URL": "redis://127.0.0.1"}
        done = subprocess.run([PYTHON, HERE / "shop.py"], capture_output=True, text=True,
                              env={"LISTEN": "127.0.0.1:1", **good, **bad})
        assert done.returncode == 2 and next(iter(bad)) in done.stderr
        assert PASSWORD not in done.stderr + done.stdout
    shop = world.start_shop()
    call(shop.port, "GET", "/healthz")
    shop.end()
    for log in world.directory.glob("*.log"):
        assert PASSWORD not in log.read_text(errors="replace"), log


def test_it_explains_itself_and_names_missing_settings():
    assert explains_itself("shop.py")
