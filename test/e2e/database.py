"""A real PostgreSQL below the test's directory that a plan protects."""
import subprocess

from cli import free_port, machine


class Database:
    """A cluster with two tables, protected by a plan, backed up once."""

    def __init__(self, cli, more=""):
        self.cli, self.port, self.data = cli, free_port(), cli.home / "source"
        first = free_port()
        self.ports = f"{first}-{min(first + 30, 65535)}"
        self.data.mkdir(mode=0o700)
        machine.hand_over(self.data)
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

    def write(self, more="", protect="{method: base, every: 1h, keep: 1d}", verify='[{sql: "SELECT count(*) FROM products", expect: "= 300"}]'):
        self.cli.write(f"""
components:
  database: {{kind: postgres, port: {self.port}, data_directory: {self.data}, objectives: {{rto: 5m, rpo: 1h}},
             protect: [{protect}], verify: {verify}{more}}}
scenarios:
  database-lost: {{lost: [database], steps: [{{restore: database}}, {{verify: database}}]}}
""", ports=self.ports)

    def program(self, name, *words):
        command = machine.as_user([str(machine.POSTGRES / name), *map(str, words)])
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")

    def sql(self, text, port=None):
        done = subprocess.run([str(machine.POSTGRES / "psql"), "-h", "127.0.0.1", "-p", str(port or self.port),
                               "-U", "postgres", "-AtX", "-v", "ON_ERROR_STOP=1", "-c", text],
                              check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def stop(self):
        stop = machine.as_user([str(machine.POSTGRES / "pg_ctl"), "-D", str(self.data), "-m", "immediate", "stop"])
        subprocess.run(stop, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")

    def place(self, table, page=0, byte=4000):
        """Where a byte of a table's page stands in every copy."""
        return f"{self.sql(f'''SELECT pg_relation_filepath('{table}')''')}:{page * 8192 + byte}"

    def new_backup(self):
        self.cli.run("backup", "database", code=0)

    def verify(self, *words, code=0, env=None):
        return self.cli.ask("verify", *(words or ["database"]), code=code, env=env)["verifications"][0]


def exams(verification):
    return {exam["name"]: exam for exam in verification["exams"]}
