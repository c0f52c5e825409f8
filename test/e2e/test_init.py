"""`lifeboat init` beside real servers."""
import http.server
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from cli import free_port


class Server(threading.Thread):
    """An HTTP server of this process."""

    def __init__(self):
        super().__init__(daemon=True)
        handler = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.port = self.server.server_address[1]

    def run(self):
        self.server.serve_forever()


def as_server_user(folder):
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "postgres")
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


@pytest.fixture
def servers(folder):
    """A PostgreSQL, a Redis and an HTTP server: (their ports by kind)."""
    ports = {"postgres": free_port(), "redis": free_port()}
    data = folder / "pg"
    data.mkdir()
    prefix = as_server_user(data)
    binaries = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    subprocess.run([*prefix, binaries / "initdb", "-D", data / "data", "-A", "trust", "-N"], check=True, capture_output=True, cwd=data)
    postgres = subprocess.Popen([*prefix, binaries / "postgres", "-D", data / "data", "-p", str(ports["postgres"]),
                                 "-k", data, "-h", "127.0.0.1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=data)
    redis = subprocess.Popen(["redis-server", "--port", str(ports["redis"]), "--bind", "127.0.0.1", "--dir", folder],
                             stdout=subprocess.DEVNULL)
    web = Server()
    web.start()
    ports["http"] = web.port
    try:
        for port in ports.values():
            ends = time.monotonic() + 30
            while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
                assert time.monotonic() < ends
                time.sleep(0.05)
        yield ports
    finally:
        web.server.shutdown()
        for process in (postgres, redis):
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)


def test_init_finds_what_runs_here_and_writes_a_plan_that_passes(cli, servers):
    found = cli.ask("init", code=0)["found"]
    kinds = {row["port"]: row["kind"] for row in found}
    for kind, port in servers.items():
        assert kinds.get(port) == kind, found
    text = cli.plan.read_text()
    assert f"port: {servers['postgres']}" in text and "# what the business can bear" in text
    report = cli.ask("check", code=0)
    assert report["errors"] == 0 and report["components"] == len(found)
    assert report["scenarios"] == sum(row["kind"] != "http" for row in found)
    status = cli.ask("status")
    health = {row["component"]: row["health"] for row in status["components"]}
    for row in found:
        if row["port"] == servers["redis"] or row["port"] == servers["http"]:
            assert health[row["component"]] == "healthy", status


def test_init_where_nothing_runs_still_writes_a_plan(cli):
    cli.run("init", code=0)
    assert cli.run("check").returncode == 0
