#!/usr/bin/python3
"""The demo shop: an HTTP service that keeps orders in PostgreSQL and sessions in Redis.

One process is one replica. The promise that the demo measures Lifeboat by: 201 (or 200) for an
order is answered only after PostgreSQL has committed it. When a store is away the shop answers
503 within a second, and finds the store again by itself once it is back.

Settings come from the environment only (never from arguments: they may hold a password):
  LISTEN        host:port to listen on                                    (required)
  DATABASE_URL  libpq URI; give the password by PGPASSWORD or a passfile  (required)
  REDIS_URL     redis://[user:password@]host:port/number                  (required)
  REPLICA       name of this replica, shown in answers                    (default: shop)

Endpoints:
  POST /orders {id, item, quantity}   201 {id, seq}; 200 when this order is already there
  GET  /orders/ID                     the order
  GET  /orders?after=SEQ&limit=N      {orders: [{seq, id}], next}; `next` is null at the end
  GET  /orders/count                  {count, last_seq}
  GET  /products                      what is for sale
  POST /session                       201 {token, expires_in}
  GET  /session/TOKEN                 the session
  GET  /healthz                       200 if database and Redis answer and both take writes
  GET  /livez                         200 while the process is up
"""

import argparse
import contextlib
import http.server
import json
import os
import secrets
import select
import signal
import socket
import socketserver
import sys
import threading
import time
import urllib.parse
import uuid

import psycopg2
import psycopg2.extensions
import redis

REQUEST_BUDGET = 0.9    # seconds; the answer, good or bad, is out within one second
HEALTH_BUDGET = 0.5     # the database's share of a health check; Redis has the rest
REDIS_TIMEOUT = 0.4
STATEMENT_TIMEOUT_MS = 800
CONNECTIONS_MAX = 8     # to each store
REQUESTS_MAX = 128      # at the same time; more are turned away at the door
BODY_BYTES_MAX = 64 * 1024
PAGE_MAX = 10_000
DRAIN_SECONDS = 0.6     # how long requests in flight may take after SIGTERM
SESSION_SECONDS = 86_400

SCHEMA = """
SELECT pg_advisory_xact_lock(7354001);  -- replicas start together; only one may create
CREATE TABLE IF NOT EXISTS orders (
    seq bigserial NOT NULL UNIQUE, id uuid PRIMARY KEY, item text NOT NULL,
    quantity int NOT NULL, created_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE IF NOT EXISTS products (item text PRIMARY KEY, price_cents int NOT NULL);
INSERT INTO products VALUES ('life jacket', 4900), ('flare', 1900), ('compass', 2900),
    ('rope', 1200), ('water, 5 l', 700) ON CONFLICT DO NOTHING;
"""


def log(message):
    print(f"{time.strftime('%H:%M:%S')} shop: {message}", file=sys.stderr, flush=True)


def first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class Unavailable(Exception):
    """A store is away. `outcome` says what became of the write: 'none' or 'unknown'."""

    def __init__(self, store, reason):
        super().__init__(f"{store} unavailable: {reason}")
        self.outcome = "none"


class Invalid(Exception):
    """The caller's request makes no sense."""


# The deadline of the request that the current thread serves.
_request = threading.local()


def _wait_for_database(connection):
    """Makes psycopg2 wait with a deadline.

    libpq's own limits do not suffice: connect_timeout is rounded up to two seconds, and neither
    statement_timeout nor tcp_user_timeout ends the wait for a server that is stopped or hangs.
    """
    while (state := connection.poll()) != psycopg2.extensions.POLL_OK:
        left = _request.deadline - time.monotonic()
        poller = select.poll()
        poller.register(connection.fileno(), select.POLLIN
                        if state == psycopg2.extensions.POLL_READ else select.POLLOUT)
        if left <= 0 or not poller.poll(left * 1000):
            raise psycopg2.OperationalError("no answer in time")


class Database:
    """A small pool of connections. Every wait ends at the deadline of the request."""

    def __init__(self, url, replica):
        self._settings = psycopg2.extensions.parse_dsn(url)
        given = self._settings.get("options", os.environ.get("PGOPTIONS", ""))
        self._settings |= {
            "application_name": f"shop {replica}",
            "tcp_user_timeout": "1000",
            "options": f"{given} -c statement_timeout={STATEMENT_TIMEOUT_MS}".strip(),
        }
        self._slots = threading.BoundedSemaphore(CONNECTIONS_MAX)
        self._idle = []  # list.append and list.pop are atomic
        self._schema_known = False
        self._up = None
        psycopg2.extensions.set_wait_callback(_wait_for_database)

    @contextlib.contextmanager
    def cursor(self):
        """A cursor in autocommit mode: a statement that returned is committed."""
        connection = None
        if not self._slots.acquire(timeout=max(0, _request.deadline - time.monotonic())):
            raise Unavailable("database", "every connection is waiting for it")
        try:
            connection = self._take_idle() or self._connect()
            with connection.cursor() as cursor:
                yield cursor
            self._idle.append(connection)
            self._note(True)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if not isinstance(error, psycopg2.Error):
                raise
            self._idle.clear()  # they lead to the same server
            self._note(False, first_line(error))
            raise Unavailable("database", first_line(error)) from None
        finally:
            self._slots.release()

    def _take_idle(self):
        """A live idle connection or None. One that is readable has been closed by the server."""
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                break
            poller = select.poll()
            poller.register(connection.fileno(), select.POLLIN)
            if not poller.poll(0):
                return connection
            connection.close()
        return None

    def _connect(self):
        connection = psycopg2.connect(**self._settings)
        connection.autocommit = True
        if not self._schema_known:
            with connection.cursor() as cursor:
                cursor.execute("SELECT to_regclass('orders') IS NULL OR"
                               " to_regclass('products') IS NULL, pg_is_in_recovery()")
                absent, standby = cursor.fetchone()
                if absent and not standby:
                    cursor.execute(SCHEMA)
                self._schema_known = not (absent and standby)
        return connection

    def _note(self, up, reason=""):
        if up != self._up:
            self._up = up
            log(f"database {'answers' if up else 'is away: ' + reason}")


class Sessions:
    """Sessions in Redis."""

    def __init__(self, url):
        self._redis = redis.Redis(connection_pool=redis.BlockingConnectionPool.from_url(
            url, max_connections=CONNECTIONS_MAX, timeout=REDIS_TIMEOUT,
            socket_timeout=REDIS_TIMEOUT, socket_connect_timeout=REDIS_TIMEOUT))

    @contextlib.contextmanager
    def _store(self):
        try:
            yield self._redis
        except redis.RedisError as error:
            raise Unavailable("redis", first_line(error)) from None

    def create(self, replica):
        token = secrets.token_hex(16)
        value = json.dumps({"created_at": time.time_ns() // 1000, "replica": replica})
        with self._store() as store:
            store.set(f"session:{token}", value, ex=SESSION_SECONDS)
        return token

    def find(self, token):
        with self._store() as store:
            value = store.get(f"session:{token}")
        return json.loads(value) if value else None

    def role(self):
        with self._store() as store:
            store.ping()  # ROLE answers while Redis is still loading its data, PING does not
            return store.execute_command("ROLE")[0].decode()


class Shop:
    """What the shop can do; each method answers (status, JSON value)."""

    def __init__(self, database, sessions, replica):
        self.database, self.sessions, self.replica = database, sessions, replica

    def create_order(self, body):
        order, item, quantity = check_order(body)
        sent = False
        try:
            with self.database.cursor() as cursor:
                sent = True
                cursor.execute("INSERT INTO orders (id, item, quantity) VALUES (%s, %s, %s)"
                               " ON CONFLICT (id) DO NOTHING RETURNING seq",
                               (order, item, quantity))
                row = cursor.fetchone()
                if row is not None:
                    return 201, {"id": order, "seq": row[0]}
                cursor.execute("SELECT seq, item, quantity FROM orders WHERE id = %s", (order,))
                seq, *there = cursor.fetchone() or (None,)
        except Unavailable as error:
            error.outcome = "unknown" if sent else "none"
            raise
        if there != [item, quantity]:
            return 409, {"error": f"order {order} exists with another content"}
        return 200, {"id": order, "seq": seq}

    def find_order(self, text):
        with self.database.cursor() as cursor:
            cursor.execute("SELECT seq, id::text, item, quantity, created_at FROM orders"
                           " WHERE id = %s", (check_uuid(text),))
            row = cursor.fetchone()
        if row is None:
            return 404, {"error": f"no order {text}"}
        seq, order, item, quantity, created_at = row
        return 200, {"seq": seq, "id": order, "item": item, "quantity": quantity,
                     "created_at": created_at.isoformat()}

    def list_orders(self, query):
        after = check_number(query, "after", 0, 2**63 - 1)
        limit = max(1, check_number(query, "limit", 100, PAGE_MAX))
        with self.database.cursor() as cursor:
            cursor.execute("SELECT seq, id::text FROM orders WHERE seq > %s ORDER BY seq LIMIT %s",
                           (after, limit))
            rows = cursor.fetchall()
        return 200, {"orders": [{"seq": seq, "id": order} for seq, order in rows],
                     "next": rows[-1][0] if len(rows) == limit else None}

    def count_orders(self):
        with self.database.cursor() as cursor:
            cursor.execute("SELECT count(*), max(seq) FROM orders")
            count, last = cursor.fetchone()
        return 200, {"count": count, "last_seq": last}

    def list_products(self):
        with self.database.cursor() as cursor:
            cursor.execute("SELECT item, price_cents FROM products ORDER BY item")
            rows = cursor.fetchall()
        return 200, {"products": [{"item": item, "price_cents": price} for item, price in rows]}

    def create_session(self):
        token = self.sessions.create(self.replica)
        return 201, {"token": token, "expires_in": SESSION_SECONDS}

    def find_session(self, token):
        session = self.sessions.find(token)
        return (200, session) if session else (404, {"error": "no such session"})

    def health(self):
        _request.deadline = time.monotonic() + HEALTH_BUDGET
        database, sessions = self._database_health(), self._sessions_health()
        status, text = (200, "ok") if database["ok"] and sessions["ok"] else (503, "unavailable")
        return status, {"status": text, "replica": self.replica, "database": database,
                        "redis": sessions}

    def _database_health(self):
        try:
            with self.database.cursor() as cursor:
                cursor.execute("SELECT NOT pg_is_in_recovery(),"
                               " current_setting('transaction_read_only') = 'off'")
                primary, writable = cursor.fetchone()
                server = "{0.host}:{0.port}".format(cursor.connection.info)
        except Unavailable as error:
            return {"ok": False, "error": str(error)}
        if primary and writable:
            return {"ok": True, "server": server}
        state = "read-only" if primary else "in recovery"
        return {"ok": False, "server": server, "error": f"database is {state}"}

    def _sessions_health(self):
        try:
            role = self.sessions.role()
        except Unavailable as error:
            return {"ok": False, "error": str(error)}
        return {"ok": True} if role == "master" else {"ok": False, "error": "redis is a replica"}


def check_uuid(text):
    try:
        return str(uuid.UUID(text))
    except (ValueError, TypeError, AttributeError):
        raise Invalid("'id' must be a UUID") from None


def check_order(body):
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Invalid("the body must be a JSON object")
    item, quantity = value.get("item"), value.get("quantity")
    if not (isinstance(item, str) and 0 < len(item) <= 200 and item.isprintable()):
        raise Invalid("'item' must be a text of 1 to 200 printable characters")
    if type(quantity) is not int or not 1 <= quantity <= 10_000:
        raise Invalid("'quantity' must be a whole number from 1 to 10000")
    return check_uuid(value.get("id")), item, quantity


def check_number(query, name, default, largest):
    text = query.get(name, [str(default)])[-1]
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise Invalid(f"'{name}' must be a whole number")
    return min(int(text), largest)


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection, one request: so a closing replica never cuts a request it has not seen."""

    protocol_version = "HTTP/1.1"
    server_version = "shop"
    sys_version = ""
    timeout = 5
    wbufsize = -1  # head and body leave in one packet

    def do_GET(self):
        path, _, query = self.path.partition("?")
        shop = self.server.shop
        match path.strip("/").split("/"):
            case ["livez"]:
                self._answer(lambda: (200, {"status": "ok", "replica": shop.replica}))
            case ["healthz"]:
                self._answer(shop.health)
            case ["orders"]:
                self._answer(lambda: shop.list_orders(urllib.parse.parse_qs(query)))
            case ["orders", "count"]:
                self._answer(shop.count_orders)
            case ["orders", order]:
                self._answer(lambda: shop.find_order(order))
            case ["products"]:
                self._answer(shop.list_products)
            case ["session", token]:
                self._answer(lambda: shop.find_session(token))
            case _:
                self._answer(lambda: (404, {"error": "no such page"}))

    def do_POST(self):
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > BODY_BYTES_MAX:
            return self._answer(lambda: (413, {"error": f"at most {BODY_BYTES_MAX} bytes"}))
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            return self._answer(lambda: (400, {"error": "the body is cut short"}))
        match self.path.strip("/"):
            case "orders":
                self._answer(lambda: self.server.shop.create_order(body))
            case "session":
                self._answer(self.server.shop.create_session)
            case _:
                self._answer(lambda: (404, {"error": "no such page"}))

    def _answer(self, action):
        _request.deadline = time.monotonic() + REQUEST_BUDGET
        try:
            status, value = action()
        except Invalid as error:
            status, value = 400, {"error": str(error)}
        except Unavailable as error:
            status, value = 503, {"error": str(error), "outcome": error.outcome}
        except Exception as error:  # a bug must cost one request, not the connection's answer
            log(f"{type(error).__name__} in {self.command} {self.path.split('/')[1]}: "
                f"{first_line(error)}")
            status, value = 500, {"error": "internal error", "outcome": "unknown"}
        body = json.dumps(value).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Replica", self.server.shop.replica)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass  # one line per request would cost more than the request, and would hold tokens


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, address, shop):
        self.shop = shop
        self.busy = 0
        self._lock = threading.Lock()
        super().__init__(address, Handler)

    def server_bind(self):
        # Not HTTPServer's: it asks the name service for our name, which may take seconds.
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request, client_address):
        if self.busy >= REQUESTS_MAX:
            request.close()
            return
        with self._lock:
            self.busy += 1
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self.busy -= 1

    def handle_error(self, request, client_address):
        pass  # the client went away, or was silent for too long

    def drain(self):
        """Takes what is already connected, closes the port, lets requests in flight end."""
        self.shutdown()
        self.timeout = 0
        while select.select([self.socket], [], [], 0)[0]:
            self.handle_request()
        self.server_close()
        end = time.monotonic() + DRAIN_SECONDS
        while self.busy and time.monotonic() < end:
            time.sleep(0.01)


def fail(message, status):
    print(f"shop: {message}", file=sys.stderr)
    sys.exit(status)


def read_settings():
    missing = [name for name in ("LISTEN", "DATABASE_URL", "REDIS_URL") if not os.environ.get(name)]
    if missing:
        fail(f"not set: {' '.join(missing)} (see --help)", 2)
    host, _, port = os.environ["LISTEN"].rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        fail(f"LISTEN must be host:port, not '{os.environ['LISTEN']}'", 2)
    replica = os.environ.get("REPLICA", "shop")
    if not (replica.isascii() and replica.isprintable() and len(replica) <= 60):
        fail("REPLICA must be a short plain name", 2)
    # The URLs may hold a password, and so may the parsers' messages: neither is printed.
    try:
        database = Database(os.environ["DATABASE_URL"], replica)
    except psycopg2.Error:
        fail("DATABASE_URL is not a valid libpq URI", 2)
    try:
        sessions = Sessions(os.environ["REDIS_URL"])
    except ValueError:
        fail("REDIS_URL is not a valid Redis URL", 2)
    return (host.strip("[]"), int(port)), Shop(database, sessions, replica)


def main():
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    stop = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)  # before any thread: only sigwait() sees them
    address, shop = read_settings()
    Server.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    try:
        server = Server(address, shop)
    except OSError as error:
        fail(f"cannot listen on {os.environ['LISTEN']}: {error.strerror}", 1)
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    log(f"replica {shop.replica} listens on {os.environ['LISTEN']}")
    signal.sigwait(stop)
    server.drain()
    log(f"replica {shop.replica} ends")
    os._exit(0)  # not exit(): threads that outlived the drain must not hold it up


if __name__ == "__main__":
    main()
