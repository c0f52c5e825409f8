"""What the demo does to this machine: servers, processes, ports. All below the demo's own directory."""
import datetime
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time

POSTGRES = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1] if pathlib.Path(
    "/usr/lib/postgresql").exists() else pathlib.Path("/usr/lib/postgresql/15/bin")


def servers_user():
    """PostgreSQL refuses root: as root the servers run as the user that its package made."""
    return pwd.getpwnam("postgres") if os.getuid() == 0 else None


def as_user(command):
    user = servers_user()
    if user is None:
        return command
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups", *command]


def hand_over(path):
    user = servers_user()
    if user is not None:
        os.chown(path, user.pw_uid, user.pw_gid)


def free_block(size):
    """A block of `size` ports that are all free, below the range that the kernel gives away: the first one, and
    the socket that holds it, so that another demo does not take the same block before its servers listen."""
    for first in range(15500, 32000, size):
        held = []
        try:
            for port in range(first, first + size):
                held.append(socket.socket())
                held[-1].bind(("127.0.0.1", port))
            return first, held.pop(0)
        except OSError:
            continue
        finally:
            for probe in held:
                probe.close()
    raise SystemExit("demo: no block of free ports")


def spawn(command, log, environment=None, cwd=None):
    with open(log, "ab") as out:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment, cwd=cwd,
                                start_new_session=True)


def wait_until(what, ready, limit=30):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if ready():
            return
        time.sleep(0.05)
    raise SystemExit(f"demo: {what} did not come up within {limit} s")


def start_postgres(home, port, password):
    data = home
    data.mkdir(mode=0o700)
    hand_over(data)
    subprocess.run(as_user([str(POSTGRES / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-k", "-N",
                            "--no-instructions"]), check=True, capture_output=True, cwd="/")
    with open(data / "postgresql.conf", "a") as conf:
        conf.write(f"listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\n"
                   "max_slot_wal_keep_size = '1GB'\nshared_buffers = '32MB'\nmax_connections = 50\n"
                   "wal_sender_timeout = '10s'\n")
    with open(data / "pg_hba.conf", "w") as hba:
        hba.write("host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
                  "host replication lifeboat 127.0.0.1/32 scram-sha-256\n")
    spawn(as_user([str(POSTGRES / "postgres"), "-D", str(data)]), home.parent / "postgres.log", cwd="/")

    def sql(text, database="postgres"):
        return subprocess.run([str(POSTGRES / "psql"), "-h", "127.0.0.1", "-p", str(port), "-U", "postgres",
                               "-d", database, "-qAt", "-v", "ON_ERROR_STOP=1"], input=text, capture_output=True,
                              text=True)

    wait_until("PostgreSQL", lambda: sql("SELECT 1").returncode == 0)
    made = sql(f"CREATE ROLE shop LOGIN PASSWORD '{password}';"
               f"CREATE ROLE lifeboat LOGIN REPLICATION PASSWORD '{password}' IN ROLE pg_monitor, pg_read_all_data;"
               "CREATE DATABASE shop OWNER shop;")
    granted = sql("GRANT EXECUTE ON FUNCTION pg_promote TO lifeboat;", "shop")  # rights are of one database
    if made.returncode != 0 or granted.returncode != 0:
        raise SystemExit("demo: " + made.stderr + granted.stderr)
    return {"version": sql("SHOW server_version").stdout.split()[0]}


def start_redis(home, port):
    home.mkdir()
    hand_over(home)
    spawn(as_user(["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", str(home), "--daemonize", "no",
                   "--save", "60", "1000"]), home / "server.log", cwd=home)
    wait_until("Redis", lambda: accepts(port))
    version = subprocess.run(["redis-server", "--version"], capture_output=True, text=True).stdout
    return {"version": version.split("v=")[1].split()[0]}


def start_proxy(program, home, port, admin):
    environment = {**os.environ, "LISTEN": f"127.0.0.1:{port}", "ADMIN_LISTEN": f"127.0.0.1:{admin}",
                   "TARGETS_FILE": str(home / "targets.json")}
    spawn([sys.executable, str(program)], home / "proxy.log", environment, home)
    wait_until("the proxy", lambda: accepts(admin))


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
        return True
    except OSError:
        return False


# --- customers -------------------------------------------------------------------------------------


def start_load(program, url, ledger, rate):
    return subprocess.Popen([sys.executable, str(program), "--url", url, "--ledger", str(ledger), "--rate", str(rate)],
                            stdout=subprocess.PIPE, stderr=open(ledger.parent / "load.log", "ab"), text=True,
                            cwd=ledger.parent, start_new_session=True)


def stop_load(process):
    process.send_signal(signal.SIGTERM)
    return json.loads(process.communicate(timeout=20)[0])


def start_watch(program, url, struck, session, home):
    command = [sys.executable, str(program), "watch", "--url", url, "--after", str(struck), "--expect-outage"]
    if session:
        command.append("--session")
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=open(home / "watch.log", "ab"), text=True, cwd=home,
                            start_new_session=True)


def finish_watch(process):
    return json.loads(process.communicate(timeout=180)[0])


def verify(program, url, ledger, struck, known=None):
    """What is missing now; with `known`, a file, only what the verifications before have not found."""
    command = [sys.executable, str(program), "verify", "--url", url, "--ledger", str(ledger), "--strike", str(struck)]
    if known:
        command += ["--known", str(known)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(f"demo: the loss could not be counted: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def rfc3339(micros):
    moment = datetime.datetime.fromtimestamp(micros / 1e6, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# --- processes: found by where they live, never by name ----------------------------------------------


def processes():
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            yield int(entry)


def parent_of(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[1])


def words_of(pid):
    """A process's arguments; none when it is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def lives_below(pid, directory):
    """Its working directory, its arguments or an open file is below the directory."""
    prefix = str(directory) + "/"
    process = pathlib.Path(f"/proc/{pid}")
    try:
        cwd = os.readlink(process / "cwd")
        if (cwd + "/").startswith(prefix):
            return True
        if any(prefix in word + "/" for word in words_of(pid)):
            return True
        for descriptor in os.listdir(process / "fd"):
            try:
                if os.readlink(process / "fd" / descriptor).startswith(prefix):
                    return True
            except OSError:
                continue
    except OSError:
        return False
    return False


def own_line():
    """This process and its ancestors: never to be killed."""
    line, pid = set(), os.getpid()
    while pid and pid > 1:
        line.add(pid)
        pid = parent_of(pid)
    return line


def kill(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    end = time.monotonic() + 10
    while time.monotonic() < end:
        for pid in pids:  # reap our own children
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass
        if not any(is_alive(pid) for pid in pids):
            return
        time.sleep(0.02)


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def living_below(directory):
    """The processes that live below the directory, but for our own line."""
    spared = own_line()
    return [pid for pid in processes() if pid not in spared and is_alive(pid) and lives_below(pid, directory)]


def kill_below(directory):
    """Kills every process that lives below the directory; how many. Again, for what was just forking."""
    killed = set()
    for _ in range(5):
        found = living_below(directory)
        if not found:
            break
        kill(found)
        killed.update(found)
    return len(killed)


def server_at(port):
    """The process that listens on the port, and the directory that it works in."""
    wanted = f":{port:04X}"
    inodes = set()
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(wanted) and fields[3] == "0A":
            inodes.add(f"socket:[{fields[9]}]")
    for pid in processes():
        try:
            links = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
        except OSError:
            continue
        if links & inodes and parent_of(pid) is not None:
            listeners = {pid}
            while parent_of(pid) and any_link(parent_of(pid), inodes):
                pid = parent_of(pid)
                listeners.add(pid)
            return {"pid": pid, "directory": os.readlink(f"/proc/{pid}/cwd")}
    raise SystemExit(f"demo: nobody listens on port {port}")


def any_link(pid, inodes):
    try:
        return any(os.readlink(f"/proc/{pid}/fd/{fd}") in inodes for fd in os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return False
