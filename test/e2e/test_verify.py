"""`lifeboat verify` from outside: a real PostgreSQL and Redis, copies that start, lie, hang and vanish."""
import glob
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

from cli import free_port

PROGRAMS = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
SERVERS_USER = "postgres" if os.getuid() == 0 else None


class Database:
    """A cluster with two tables, protected by a plan, backed up once."""

    def __init__(self, cli, more=""):
        self.cli, self.port, self.data = cli, free_port(), cli.home / "source"
        self.bin = pathlib.Path(PROGRAMS[-1])
        self.data.mkdir(mode=0o700)
        if SERVERS_USER:
            shutil.chown(self.data, SERVERS_USER)
        self.program("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--data-checksums", "-N")
        with open(self.data / "postgresql.conf", "a") as config:
            config.write(f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\n"
                         "max_slot_wal_keep_size = 256MB\nautovacuum = off\nlog_statement = all\n")
        self.program("pg_ctl", "-D", self.data, "-l", self.data / "log", "-w", "start")
        self.sql("CREATE TABLE orders (id bigserial PRIMARY KEY, note text)")
        self.sql("INSERT INTO orders (note) SELECT repeat('x', 100) FROM generate_series(1, 5000)")
        self.sql("CREATE TABLE products AS SELECT g AS id, 'product ' || g AS name FROM generate_series(1, 300) g")
        self.sql("CREATE INDEX orders_note ON orders (note, id)")
        self.write(more)
        cli.run("vault", "init", code=0)
        cli.run("backup", "database", code=0)

    def write(self, more="", verify='[{sql: "SELECT count(*) FROM products", expect: "= 300"}]'):
        self.cli.write(f"""
components:
  database: {{kind: postgres, port: {self.port}, data_directory: {self.data}, objectives: {{rto: 5m, rpo: 1h}},
             protect: [{{method: base, every: 1h, keep: 1d}}], verify: {verify}{more}}}
scenarios:
  database-lost: {{lost: [database], steps: [{{restore: database}}, {{verify: database}}]}}
""")

    def program(self, name, *words):
        command = [str(self.bin / name), *map(str, words)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=SERVERS_USER, cwd="/")

    def sql(self, text, port=None):
        done = subprocess.run([str(self.bin / "psql"), "-h", "127.0.0.1", "-p", str(port or self.port), "-U", "postgres", "-AtX",
                               "-v", "ON_ERROR_STOP=1", "-c", text], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def stop(self):
        subprocess.run([str(self.bin / "pg_ctl"), "-D", str(self.data), "-m", "immediate", "stop"], user=SERVERS_USER,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")

    def place(self, table, page=0, byte=4000):
        """Where a byte of a table's page stands in every copy."""
        return f"{self.sql(f'''SELECT pg_relation_filepath('{table}')''')}:{page * 8192 + byte}"

    def new_backup(self):
        self.cli.run("backup", "database", code=0)

    def verify(self, *words, code=0, env=None):
        return self.cli.ask("verify", *(words or ["database"]), code=code, env=env)["verifications"][0]


@pytest.fixture
def database(cli):
    if not PROGRAMS:
        pytest.skip("no PostgreSQL here")
    database = None
    try:
        database = Database(cli)
        yield database
    finally:
        if database:
            database.stop()
        kill_below(cli.home)


def processes_below(home):
    """Processes that work in a directory below; what a test ends or counts, never by name."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            where = os.readlink(entry / "cwd")
        except OSError:
            continue
        if where.startswith(str(home)):
            found.append((int(entry.name), where))
    return found


def kill_below(home):
    for pid, _ in processes_below(home):
        if pid != os.getpid():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def exams(verification):
    return {exam["name"]: exam for exam in verification["exams"]}


def leftovers(cli):
    """Copies that lie about, ports that are held, servers that run."""
    site = cli.home / "sites" / "primary"
    lying = [path.name for path in site.iterdir() if path.name != "ports"] if site.exists() else []
    ports = [path.name for path in (site / "ports").iterdir() if path.name.isdigit()] if (site / "ports").exists() else []
    return lying, ports, [where for _, where in processes_below(site)]


def test_a_good_point_is_proven_and_nothing_is_left(cli, database):
    verification = database.verify()
    assert verification["verdict"] == "proven", verification
    assert exams(verification)["sql SELECT count(*) FROM products"]["outcome"] == "passed"
    assert leftovers(cli) == ([], [], [])
