"""The proxy: who is asked, who is passed over, who may change it."""

import http.client
import json
import signal
import socket

import pytest

from world import (
    HANG, addresses, call, end_while_talking, explains_itself, order, redirect, wait_until,
    with_servers)

pytestmark = with_servers


def test_the_proxy_goes_round_and_passes_over_a_dead_replica(world):
    shops = [world.start_shop("a"), world.start_shop("b")]
    proxy = world.start_proxy(shops)

    def replicas(times):
        return [call(proxy.port, "GET", "/livez")[1]["replica"] for _ in range(times)]

    assert sorted(replicas(4)) == ["a", "a", "b", "b"]
    shops[0].end(signal.SIGKILL)
    assert replicas(4) == ["b"] * 4
    wait_until(lambda: replicas(2) and call(proxy.admin, "GET", "/-/targets")[1]["skipped"]
               == addresses(shops[:1]), what="the dead one is passed over")
    shops[1].end(signal.SIGKILL)
    status, answer = call(proxy.port, "POST", "/orders", order())
    assert (status, answer["outcome"]) == (503, "none")


def test_a_replica_that_took_the_request_is_not_asked_again(world):
    """A POST that was sent must not be repeated elsewhere: its outcome is unknown."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        shop = world.start_shop()
        proxy = world.start_proxy([])
        targets = [f"127.0.0.1:{port}", f"127.0.0.1:{shop.port}"]
        call(proxy.admin, "PUT", "/-/targets", {"site": "x", "targets": targets})
        placed = [order() for _ in range(4)]
        answers = [call(proxy.port, "POST", "/orders", one) for one in placed]
    assert {status for status, _ in answers} == {201, 504}
    for one, (status, answer) in zip(placed, answers):
        assert status == 201 or answer["outcome"] == "unknown"
        kept = call(shop.port, "GET", f"/orders/{one['id']}")[0]
        assert kept == (200 if status == 201 else 404)


def test_targets_are_kept_durably_and_read_again_when_the_file_changes(world):
    a, b = world.start_shop("a"), world.start_shop("b")
    proxy = world.start_proxy(None)
    assert call(proxy.port, "GET", "/livez")[0] == 503
    status, state = redirect(proxy, "primary", [a])
    wanted = {"site": "primary", "targets": addresses([a])}
    assert status == 200 and state == wanted | {"skipped": [], "error": None}
    assert json.loads(proxy.file.read_text()) == wanted

    new = proxy.file.with_suffix(".hand")
    new.write_text(json.dumps({"site": "dr", "targets": addresses([b])}))
    new.rename(proxy.file)
    assert call(proxy.port, "GET", "/livez")[1]["replica"] == "b"
    assert call(proxy.admin, "GET", "/-/targets")[1]["site"] == "dr"

    new.write_text('{"site": "dr", "targets": ["nonsense"]}')
    new.rename(proxy.file)
    assert call(proxy.port, "GET", "/livez")[1]["replica"] == "b"
    state = call(proxy.admin, "GET", "/-/targets")[1]
    assert state["targets"] == addresses([b]) and "nonsense" in state["error"]

    for bad in (b"{", {"site": "x"}, {"site": "x", "targets": ["a:b"]},
                {"site": "x", "targets": addresses([a, a])}):
        assert call(proxy.admin, "PUT", "/-/targets", bad)[0] == 400
    assert call(proxy.admin, "GET", "/-/targets")[1]["targets"] == addresses([b])
    assert call(proxy.port, "GET", "/-/targets")[0] == 404  # only on the admin port


def test_the_admin_port_wants_its_token(world):
    token = world.directory / "token"
    token.write_text("open-sesame\n")
    proxy = world.start_proxy([], token=str(token))
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "open-sesame"}):
        assert redirect(proxy, "dr", [], headers=headers)[0] == 401
        assert call(proxy.admin, "GET", "/-/targets", headers=headers)[0] == 401
    assert redirect(proxy, "dr", [], headers={"Authorization": "Bearer open-sesame"})[0] == 200
    token.unlink()
    assert redirect(proxy, "x", [], headers={"Authorization": "Bearer open-sesame"})[0] == 500


@pytest.mark.parametrize("data, status", [
    (b"nonsense\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nbad line\r\n\r\n", 400),
    (b"POST /orders HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
    (b"POST /orders HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    (b"POST /orders HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
    (b"POST /orders HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
    (b"GET / HTTP/1.1\r\nA: " + b"x" * 20_000 + b"\r\n\r\n", 413)])
def test_the_proxy_refuses_malformed_requests(world, data, status):
    proxy = world.start_proxy([])
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=HANG) as connection:
        connection.sendall(data)
        assert int(connection.recv(65536).split()[1]) == status
    assert proxy.end() == 0


def test_sigterm_ends_the_proxy_whoever_is_still_connected(world):
    proxy = world.start_proxy([])
    idle = http.client.HTTPConnection("127.0.0.1", proxy.port)
    idle.request("GET", "/")
    assert idle.getresponse().read()
    with socket.create_connection(("127.0.0.1", proxy.port)) as endless:
        assert end_while_talking(proxy, endless) == 0
    idle.close()


def test_it_explains_itself_and_names_missing_settings():
    assert explains_itself("proxy.py")
