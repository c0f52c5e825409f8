"""`lifeboat init` beside real servers."""
import http.server
import signal
import subprocess
import threading

import pytest

from cli import free_port, machine, redis_server


class Server(threading.Thread):
    """An HTTP server of this process."""

    def __init__(self):
        super().__init__(daemon=True)
        handler = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.port = self.server.server_address[1]

    def run(self):
        self.server.serve_forever()


@pytest.fixture
def servers(cli):
    """A PostgreSQL, a Redis and an HTTP server: (their ports by kind)."""
    data, port = cli.home / "pg", free_port()
    data.mkdir()
    machine.hand_over(data)
    subprocess.run(machine.as_user([machine.POSTGRES / "initdb", "-D", data / "data", "-A", "trust", "-N"]), check=True,
                   capture_output=True, cwd=data)
    with redis_server(cli) as (redis, _, _):
        command = [machine.POSTGRES / "postgres", "-D", data / "data", "-p", str(port), "-k", data, "-h", "127.0.0.1"]
        postgres = subprocess.Popen(machine.as_user(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=data)
        web = Server()
        web.start()
        try:
            ports = {"postgres": port, "redis": redis, "http": web.port}
            cli.until(lambda: all(map(machine.accepts, ports.values())))
            yield ports
        finally:
            web.server.shutdown()
            postgres.send_signal(signal.SIGINT)
            postgres.wait(timeout=60)


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
