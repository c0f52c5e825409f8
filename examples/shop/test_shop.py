"""Tests of the demo shop against real servers: python3 -m pytest examples/shop/test_shop.py

Everything lives in one temporary directory, on free ports of 127.0.0.1; servers are stopped by
their process ids. The database password goes by PGPASSWORD, as in the demo.
"""

import contextlib
import http.client
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid

import pytest

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"  # Debian's, which has psycopg2 and redis
POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")
REDIS = pathlib.Path("/usr/bin/redis-server")
PASSWORD = "s3cret-of-the-test"


def missing_tools():
    imports = [PYTHON, "-c", "import psycopg2, redis"]
    if not pathlib.Path(PYTHON).exists() or subprocess.run(imports, capture_output=True).returncode:
        return "python3-psycopg2 or python3-redis is not installed"
    lacking = [str(path) for path in (POSTGRES / "postgres", REDIS) if not path.exists()]
    return f"not installed: {', '.join(lacking)}" if lacking else ""


pytestmark = pytest.mark.skipif(bool(missing_tools()), reason=missing_tools() or "-")


PROMPT = 10  # seconds: an answer, not a hang; how fast it is, is measured elsewhere


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds=10.0, what="condition"):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def call(port, method, path, value=None, headers=None, timeout=5):
    """One request: (status, JSON, seconds). Status 0 when there is no answer."""
    body = None if value is None else value if isinstance(value, bytes) else json.dumps(value)
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        answer = json.loads(response.read())
        return response.status, answer, time.monotonic() - began
    except (OSError, http.client.HTTPException):
        return 0, None, time.monotonic() - began
    finally:
        connection.close()


def order(identity=None, item="rope", quantity=2):
    return {"id": identity or str(uuid.uuid4()), "item": item, "quantity": quantity}


class Process:
    """A child whose output goes to a file; ended by its own id."""

    def __init__(self, arguments, directory, name, **options):
        self.log = directory / f"{name}.log"
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)

    def end(self, number=signal.SIGTERM, timeout=10):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGCONT)
            self.child.send_signal(number)
        return self.child.wait(timeout)


class PostgresServer:
    def __init__(self, directory):
        self.directory, self.port, self.server = directory / "pg", free_port(), None
        self.user = {}
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            account = pwd.getpwnam("postgres")
            self.user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            os.chown(directory, account.pw_uid, account.pw_gid)
        password = directory / "password"
        password.write_text(PASSWORD)
        if self.user:
            os.chown(password, self.user["user"], self.user["group"])
        self.run_as_owner(
            POSTGRES / "initdb", "-D", self.directory, "-U", "shop", "-A", "scram-sha-256",
            f"--pwfile={password}", "--no-sync", "--locale=C.UTF-8")
        self.start()
        self.sql("CREATE DATABASE shop", "postgres")

    def run_as_owner(self, *arguments):
        subprocess.run(arguments, check=True, capture_output=True, cwd=self.directory.parent,
                       **self.user)

    def start(self):
        self.server = Process(
            [POSTGRES / "postgres", "-D", self.directory, "-p", str(self.port), "-h", "127.0.0.1",
             "-k", "", "-c", "fsync=off", "-c", "max_connections=40"],
            self.directory.parent, "postgres", cwd=self.directory.parent, **self.user)
        wait_until(lambda: subprocess.run(
            [POSTGRES / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        ).returncode == 0, what="PostgreSQL answers")

    def processes(self):
        pid = self.server.child.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def signal_all(self, number):
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self):
        """Returns when the last backend is gone: until then a connection may still break in mid-request."""
        pids = self.processes()
        self.signal_all(signal.SIGKILL)
        self.server.child.wait(10)
        wait_until(lambda: not any(is_alive(pid) for pid in pids), what="PostgreSQL's processes are gone")

    def stop(self):
        if self.server.child.poll() is None:
            self.signal_all(signal.SIGCONT)
            self.server.end(signal.SIGQUIT)

    def sql(self, text, database="shop"):
        return subprocess.run(
            [POSTGRES / "psql", "-qAtX", "-h", "127.0.0.1", "-p", str(self.port), "-U", "shop",
             "-d", database, "-c", text], env={"PGPASSWORD": PASSWORD},
            check=True, capture_output=True, text=True).stdout.strip()


class RedisServer:
    def __init__(self, directory):
        self.directory, self.port = directory, free_port()
        self.start()

    def start(self):
        self.server = Process(
            [REDIS, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--requirepass", PASSWORD, "--dir", self.directory], self.directory, "redis")
        wait_until(self._answers, what="Redis answers")

    def _answers(self):
        with contextlib.suppress(OSError):
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        return False

    def command(self, text):
        """One inline command; the first answer after AUTH."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(f"AUTH {PASSWORD}\r\n{text}\r\nQUIT\r\n".encode())
            return connection.makefile().read().splitlines()[1]


class World:
    """The servers, and whatever processes a test starts."""

    def __init__(self, directory):
        self.directory = directory
        self._started = []
        self.postgres = PostgresServer(directory)
        self.redis = RedisServer(directory)

    def start(self, program, *arguments, name=None, **environment):
        process = Process([PYTHON, HERE / program, *map(str, arguments)], self.directory,
                          name or program, env={"PATH": "/usr/bin:/bin", **environment})
        self._started.append(process)
        return process

    def start_shop(self, replica="a", **environment):
        port = free_port()
        shop = self.start(
            "shop.py", name=f"shop-{replica}", LISTEN=f"127.0.0.1:{port}", REPLICA=replica,
            **({"DATABASE_URL": f"postgresql://shop@127.0.0.1:{self.postgres.port}/shop",
                "PGPASSWORD": PASSWORD,
                "REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:{self.redis.port}/0"} | environment))
        shop.port = port
        wait_until(lambda: call(port, "GET", "/livez")[0] == 200, what="the shop lives")
        return shop

    def start_proxy(self, targets, site="primary", token=None):
        file = self.directory / f"targets-{uuid.uuid4().hex}.json"
        if targets is not None:
            file.write_text(json.dumps({"site": site, "targets": addresses(targets)}))
        port, admin = free_port(), free_port()
        proxy = self.start(
            "proxy.py", name="proxy", LISTEN=f"127.0.0.1:{port}", TARGETS_FILE=str(file),
            ADMIN_LISTEN=f"127.0.0.1:{admin}", **({"ADMIN_TOKEN_FILE": token} if token else {}))
        proxy.port, proxy.admin, proxy.file = port, admin, file
        wait_until(lambda: call(admin, "GET", "/-/livez")[0] == 200, what="the proxy lives")
        return proxy

    def load(self, *arguments, timeout=60):
        """Runs load.py to its end: (exit code, JSON)."""
        done = subprocess.run([PYTHON, HERE / "load.py", *map(str, arguments)],
                              capture_output=True, text=True, timeout=timeout)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def end_started(self):
        for process in reversed(self._started):
            process.end(signal.SIGKILL)
        self._started.clear()

    def close(self):
        self.end_started()
        self.redis.server.end(signal.SIGKILL)
        self.postgres.stop()


def addresses(shops):
    return [f"127.0.0.1:{shop.port}" for shop in shops]


def redirect(proxy, site, shops, **options):
    return call(proxy.admin, "PUT", "/-/targets",
                {"site": site, "targets": addresses(shops)}, **options)


@pytest.fixture(scope="module")
def servers():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="shop-test-", dir="/tmp"))
    world = None
    try:
        world = World(directory)
        yield world
    finally:
        if world:
            world.close()
        shutil.rmtree(directory)


@pytest.fixture
def world(servers):
    yield servers
    servers.end_started()
    servers.postgres.signal_all(signal.SIGCONT)
    servers.redis.server.child.send_signal(signal.SIGCONT)


def ledger_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def acked_orders(path):
    return [record for record in ledger_of(path) if record["kind"] == "order"]


# --- shop.py -------------------------------------------------------------------------------------


def test_orders_are_kept_and_found_again(world):
    port = world.start_shop().port
    first, second = order(), order(item="flare", quantity=3)
    status, answer, _ = call(port, "POST", "/orders", first)
    assert status == 201 and answer["id"] == first["id"]
    again, same, _ = call(port, "POST", "/orders", first)
    assert (again, same) == (200, answer)
    assert call(port, "POST", "/orders", first | {"quantity": 9})[0] == 409
    later = call(port, "POST", "/orders", second)[1]
    assert later["seq"] > answer["seq"]

    status, found, _ = call(port, "GET", f"/orders/{second['id']}")
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
    status, answer, _ = call(world.start_shop().port, "POST", "/orders", body)
    assert status == 400 and answer["error"]


def test_sessions_are_kept_in_redis(world):
    port = world.start_shop().port
    status, answer, _ = call(port, "POST", "/session")
    assert status == 201
    status, session, _ = call(port, "GET", f"/session/{answer['token']}")
    assert status == 200 and session["replica"] == "a"
    assert call(port, "GET", "/session/none")[0] == 404


def test_two_replicas_may_create_the_schema_at_the_same_time(world):
    world.postgres.sql("CREATE DATABASE fresh", "postgres")
    url = f"postgresql://shop@127.0.0.1:{world.postgres.port}/fresh"
    shops = [world.start_shop(name, DATABASE_URL=url) for name in "abcd"]
    with contextlib.ExitStack() as stack:
        clients = []
        for shop in shops:
            client = http.client.HTTPConnection("127.0.0.1", shop.port, timeout=5)
            stack.callback(client.close)
            client.request("GET", "/products")
            clients.append(client)
        answers = [client.getresponse() for client in clients]
        assert [answer.status for answer in answers] == [200] * 4
        for answer in answers:
            answer.read()


def test_health_names_what_is_wrong(world):
    port = world.start_shop().port
    status, health, _ = call(port, "GET", "/healthz")
    assert status == 200 and health["database"]["server"] == f"127.0.0.1:{world.postgres.port}"

    world.redis.command(f"REPLICAOF 127.0.0.1 {free_port()}")
    status, health, _ = call(port, "GET", "/healthz")
    world.redis.command("REPLICAOF NO ONE")
    assert status == 503 and health["redis"] == {"ok": False, "error": "redis is a replica"}
    assert health["database"]["ok"]

    readonly = world.start_shop("b", PGOPTIONS="-c default_transaction_read_only=on")
    status, health, _ = call(readonly.port, "GET", "/healthz")
    assert status == 503 and health["database"]["error"] == "database is read-only"


def test_a_dead_database_is_answered_503_at_once_and_found_again(world):
    port = world.start_shop().port
    before = order()
    assert call(port, "POST", "/orders", before)[0] == 201
    world.postgres.kill()
    try:
        status, answer, seconds = call(port, "POST", "/orders", order())
        assert (status, answer["outcome"]) == (503, "none") and seconds < PROMPT
        status, health, seconds = call(port, "GET", "/healthz")
        assert status == 503 and seconds < PROMPT
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
    status, health, _ = call(port, "GET", "/healthz")
    assert status == 503 and health["database"]["error"] == "database is in recovery"
    world.postgres.run_as_owner(POSTGRES / "pg_ctl", "-D", world.postgres.directory, "promote")
    assert call(port, "GET", "/healthz")[0] == 200
    assert call(port, "POST", "/orders", order())[0] == 201


def test_a_hanging_database_is_answered_503_within_about_a_second(world):
    port = world.start_shop().port
    assert call(port, "POST", "/orders", order())[0] == 201
    world.postgres.signal_all(signal.SIGSTOP)
    try:
        for outcome in ("unknown", "none"):  # on the old connection, then on a new one
            status, answer, seconds = call(port, "POST", "/orders", order())
            assert (status, answer["outcome"]) == (503, outcome) and seconds < PROMPT
        status, _, seconds = call(port, "GET", "/healthz")
        assert status == 503 and seconds < PROMPT
    finally:
        world.postgres.signal_all(signal.SIGCONT)
    wait_until(lambda: call(port, "POST", "/orders", order())[0] == 201, 5, "orders again")


def test_a_dead_or_hanging_redis_is_answered_503_and_found_again(world):
    port = world.start_shop().port
    assert call(port, "POST", "/session")[0] == 201
    world.redis.server.child.send_signal(signal.SIGSTOP)
    status, _, seconds = call(port, "POST", "/session")
    assert status == 503 and seconds < PROMPT
    world.redis.server.end(signal.SIGKILL)
    try:
        status, answer, seconds = call(port, "POST", "/session")
        assert status == 503 and seconds < PROMPT
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
         "-d", "shop", "-c", "BEGIN; LOCK TABLE orders; SELECT pg_sleep(2); COMMIT"],
        env={"PGPASSWORD": PASSWORD}, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: world.postgres.sql(
            "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted"
            " AND relation = 'orders'::regclass") == "1", what="the lock")
        status, answer, seconds = call(shop.port, "POST", "/orders", waiting)
        assert (status, answer["outcome"]) == (503, "unknown") and seconds < PROMPT
    finally:
        locker.wait(10)
    assert call(shop.port, "GET", f"/orders/{waiting['id']}")[0] == 404


def test_sigterm_ends_a_replica_within_a_second(world):
    shop = world.start_shop()
    silent = socket.create_connection(("127.0.0.1", shop.port))
    began = time.monotonic()
    assert shop.end() == 0
    assert time.monotonic() - began < 1.0
    silent.close()
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


@pytest.mark.parametrize("program", ["shop.py", "proxy.py", "load.py"])
def test_each_part_explains_itself_and_names_missing_settings(program):
    done = subprocess.run([PYTHON, HERE / program, "--help"], capture_output=True, text=True,
                          env={})
    assert done.returncode == 0 and len(done.stdout) > 500
    assert subprocess.run([PYTHON, HERE / program], capture_output=True, env={}).returncode == 2


# --- proxy.py ------------------------------------------------------------------------------------


def test_the_proxy_goes_round_and_passes_over_a_dead_replica(world):
    shops = [world.start_shop("a"), world.start_shop("b")]
    proxy = world.start_proxy(shops)

    def replicas(times):
        return [call(proxy.port, "GET", "/livez")[1]["replica"] for _ in range(times)]

    assert sorted(replicas(4)) == ["a", "a", "b", "b"]
    shops[0].end(signal.SIGKILL)
    assert replicas(4) == ["b"] * 4
    assert call(proxy.admin, "GET", "/-/targets")[1]["skipped"] == addresses(shops[:1])
    shops[1].end(signal.SIGKILL)
    status, answer, _ = call(proxy.port, "POST", "/orders", order())
    assert (status, answer["outcome"]) == (503, "none")


def test_a_replica_that_took_the_request_is_not_asked_again(world):
    """A POST that was sent must not be repeated elsewhere: its outcome is unknown."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        shop = world.start_shop()
        proxy = world.start_proxy([])
        targets = [f"127.0.0.1:{port}", f"127.0.0.1:{shop.port}"]
        call(proxy.admin, "PUT", "/-/targets", {"site": "x", "targets": targets})
        answers = [call(proxy.port, "POST", "/orders", order()) for _ in range(4)]
    statuses = [status for status, _, _ in answers]
    assert statuses.count(504) == 1 and statuses.count(201) == 3  # then it is passed over
    assert answers[statuses.index(504)][1]["outcome"] == "unknown"


def test_targets_are_kept_durably_and_read_again_when_the_file_changes(world):
    a, b = world.start_shop("a"), world.start_shop("b")
    proxy = world.start_proxy(None)
    assert call(proxy.port, "GET", "/livez")[0] == 503
    status, state, _ = redirect(proxy, "primary", [a])
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
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as connection:
        connection.sendall(data)
        assert int(connection.recv(65536).split()[1]) == status
    assert proxy.end() == 0


def test_sigterm_ends_the_proxy_within_a_second(world):
    proxy = world.start_proxy([])
    idle = http.client.HTTPConnection("127.0.0.1", proxy.port)
    idle.request("GET", "/")
    assert idle.getresponse().read()
    began = time.monotonic()
    assert proxy.end() == 0 and time.monotonic() - began < 1.0
    idle.close()


# --- load.py -------------------------------------------------------------------------------------


def test_traffic_moves_under_load_and_no_acknowledged_order_is_lost(world):
    """Replicas are moved, ended and killed under load; only the kill may leave unknown orders."""
    a, b, c = (world.start_shop(name) for name in "abc")
    proxy = world.start_proxy([a, b])
    url, ledger = f"http://127.0.0.1:{proxy.port}", world.directory / "moving.ledger"
    load = world.start("load.py", "--url", url, "--ledger", ledger, "--rate", 100, name="moving")
    wait_until(lambda: ledger.exists() and len(acked_orders(ledger)) > 50, what="orders")
    for turn in range(6):
        shops, site = ([c], "dr") if turn % 2 == 0 else ([a, b], "primary")
        assert redirect(proxy, site, shops)[0] == 200
        time.sleep(0.3)
    assert a.end() == 0  # gracefully, under load
    time.sleep(0.3)
    strike = time.time_ns() // 1000
    assert not [record for record in ledger_of(ledger) if record["kind"] == "unknown"]
    b.end(signal.SIGKILL)
    assert redirect(proxy, "dr", [c])[0] == 200
    time.sleep(0.5)
    assert load.end() == 0
    summary = json.loads(load.log.read_text().splitlines()[-1])
    assert summary["orders_acknowledged"] == len(acked_orders(ledger)) > 150
    assert summary["sessions_acknowledged"] > 5 and summary["given_up"] == 0

    code, result = world.load("verify", "--url", url, "--ledger", ledger, "--strike", strike)
    assert code == 0 and result["error"] is None
    assert result["orders"]["present"] == summary["orders_acknowledged"]
    assert result["orders"]["missing"] == result["orders"]["altered"] == 0
    assert result["orders"]["rpo_us"] == 0 and result["sessions"]["missing"] == 0


def test_verify_finds_exactly_what_was_deleted(world):
    proxy = world.start_proxy([world.start_shop()])
    url, ledger = f"http://127.0.0.1:{proxy.port}", world.directory / "deleted.ledger"
    code, _ = world.load("--url", url, "--ledger", ledger, "--rate", 100, "--duration", 1,
                         "--session-every", 10)
    assert code == 0
    orders = sorted(acked_orders(ledger), key=lambda record: record["t_acked"])
    sessions = [record for record in ledger_of(ledger) if record["kind"] == "session"]
    assert len(orders) == 100 and len(sessions) == 10
    strike = orders[80]["t_acked"] + 1
    gone = [orders[index] for index in (40, 55, 80, 90)]
    names = ",".join(f"'{record['id']}'" for record in gone)
    world.postgres.sql(f"DELETE FROM orders WHERE id IN ({names})")
    world.redis.command(f"DEL session:{sessions[3]['token']}")

    verify = ("verify", "--url", url, "--ledger", ledger, "--strike", strike)
    code, result = world.load(*verify)
    found = result["orders"]
    assert code == 1 and found["missing"] == 4 and found["present"] == 96
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
    wait_until(lambda: ledger.exists() and len(acked_orders(ledger)) > 20, what="orders")
    strike = time.time_ns() // 1000
    watch = world.start("load.py", "watch", "--url", url, "--after", strike, "--expect-outage",
                        "--session", "--steady", 3, name="watch")
    time.sleep(0.3)
    world.postgres.kill()
    time.sleep(0.7)
    assert watch.child.poll() is None
    restarted = time.time_ns() // 1000
    world.postgres.start()
    assert watch.child.wait(10) == 0
    time.sleep(0.5)
    assert load.end() == 0

    result = json.loads(watch.log.read_text())
    assert result["passed"] and result["failures"] >= 5 and result["site"] == "primary"
    assert strike < result["first_failure"] < restarted < result["first_success"]
    assert result["elapsed_us"] == result["first_success"] - strike
    summary = json.loads(load.log.read_text().splitlines()[-1])
    assert summary["orders_unknown"] > 20 and summary["longest_outage_us"] > 500_000
    assert summary["failing_since"] is None
    code, result = world.load("verify", "--url", url, "--ledger", ledger, "--strike", strike)
    assert code == 0 and result["orders"]["unknown"] == summary["orders_unknown"]


def test_watch_gives_up_in_time_and_says_why(world):
    proxy = world.start_proxy([])
    code, result = world.load("watch", "--url", f"http://127.0.0.1:{proxy.port}", "--timeout", 0.5)
    assert code == 1 and not result["passed"] and result["first_success"] is None
    assert "no targets" in result["last_error"] and 5 <= result["attempts"] <= 11
