"""The world of the shop's tests: real servers, the shop, the proxy and the customers.

Everything lives in one temporary directory, on free ports of 127.0.0.1; servers are stopped by
their process ids. The database password goes by PGPASSWORD, as in the demo. No test asserts how
fast an answer is: whatever takes longer than HANG hangs.
"""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import uuid

import pytest

from demo_machine import POSTGRES, accepts, as_user, hand_over, is_alive

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"  # Debian's, which has psycopg2 and redis
REDIS = pathlib.Path("/usr/bin/redis-server")
PASSWORD = "s3cret-of-the-test"
HANG = 60  # seconds


def missing_tools():
    imports = [PYTHON, "-c", "import psycopg2, redis"]
    if not pathlib.Path(PYTHON).exists() or subprocess.run(imports, capture_output=True).returncode:
        return "python3-psycopg2 or python3-redis is not installed"
    lacking = [str(path) for path in (POSTGRES / "postgres", REDIS) if not path.exists()]
    return f"not installed: {', '.join(lacking)}" if lacking else ""


with_servers = pytest.mark.skipif(bool(missing_tools()), reason=missing_tools() or "-")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what):
    end = time.monotonic() + HANG
    while not condition():
        assert time.monotonic() < end, f"not within {HANG} s: {what}"
        time.sleep(0.02)


def call(port, method, path, value=None, headers=None):
    """One request: (status, JSON). Status 0 when there is no answer."""
    body = None if value is None else value if isinstance(value, bytes) else json.dumps(value)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANG)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except (OSError, http.client.HTTPException):
        return 0, None
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

    def end(self, number=signal.SIGTERM, timeout=HANG):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGCONT)
            self.child.send_signal(number)
        return self.child.wait(timeout)


class PostgresServer:
    def __init__(self, directory):
        self.directory, self.port, self.server = directory / "pg", free_port(), None
        password = directory / "password"
        password.write_text(PASSWORD)
        hand_over(directory)
        hand_over(password)
        self.run_as_owner(
            POSTGRES / "initdb", "-D", self.directory, "-U", "shop", "-A", "scram-sha-256",
            f"--pwfile={password}", "--no-sync", "--locale=C.UTF-8")
        self.start()
        self.sql("CREATE DATABASE shop", "postgres")

    def run_as_owner(self, *arguments):
        subprocess.run(as_user(arguments), check=True, capture_output=True,
                       cwd=self.directory.parent)

    def start(self):
        self.server = Process(
            as_user([POSTGRES / "postgres", "-D", self.directory, "-p", str(self.port),
                     "-h", "127.0.0.1", "-k", "", "-c", "fsync=off", "-c", "max_connections=40"]),
            self.directory.parent, "postgres", cwd=self.directory.parent)
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
        """Until the last backend is gone: before, a connection may still break in mid-request."""
        pids = self.processes()
        self.signal_all(signal.SIGKILL)
        self.server.child.wait(HANG)
        wait_until(lambda: not any(map(is_alive, pids)), what="PostgreSQL is gone")

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
        wait_until(lambda: accepts(self.port), what="Redis answers")

    def command(self, text):
        """One inline command; the first answer after AUTH."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=HANG) as connection:
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

    def load(self, *arguments):
        """Runs load.py to its end: (exit code, JSON)."""
        done = subprocess.run([PYTHON, HERE / "load.py", *map(str, arguments)],
                              capture_output=True, text=True, timeout=HANG)
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


def ledger_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def acked_orders(path):
    return [record for record in ledger_of(path) if record["kind"] == "order"]


def end_while_talking(process, connection):
    """The exit status after SIGTERM, while a customer goes on with a request that has no end."""
    process.child.send_signal(signal.SIGTERM)
    end = time.monotonic() + HANG
    while process.child.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError):
            connection.send(b"x")
        time.sleep(0.05)
    return process.child.poll()


def explains_itself(program):
    """Whether it has a --help, and names the settings that it misses."""
    done = subprocess.run([PYTHON, HERE / program, "--help"], capture_output=True, text=True,
                          env={})
    bare = subprocess.run([PYTHON, HERE / program], capture_output=True, text=True, env={})
    return (done.returncode == 0 and len(done.stdout) > 500
            and bare.returncode == 2 and bool(bare.stderr))
