#!/usr/bin/python3
"""The demo shop's front door: a small HTTP proxy that sends requests to the replicas of one site.

It lives outside both sites, and moving traffic from one site to the other is one PUT to it: this is
what Lifeboat's verb `redirect` calls.

Settings come from the environment:
  LISTEN            host:port for customers                                   (required)
  ADMIN_LISTEN      host:port for PUT and GET /-/targets                      (required)
  TARGETS_FILE      JSON: {"site": "primary", "targets": ["127.0.0.1:8001"]}  (required)
                    read again whenever it changes; replace it by rename
  ADMIN_TOKEN_FILE  file with the bearer token that admin requests must carry (optional)

Admin port:
  GET /-/targets    {"site", "targets", "skipped", "error"}
  PUT /-/targets    {"site", "targets"}: kept in TARGETS_FILE durably, then in force; same answer
  GET /-/livez      200 while the process is up (needs no token)

Requests go round the replicas. One that fails is passed over for 500 ms as long as another one is
left. A request is tried again at another replica only if it was never sent; one that was sent and
got no whole answer is answered 502 or 504 with {"outcome": "unknown"}. No replica at all: 503.
"""

import argparse
import asyncio
import hmac
import json
import os
import signal
import sys
import time

CONNECT_TIMEOUT = 0.3   # seconds, per replica
ANSWER_TIMEOUT = 1.5    # the shop answers within one second, or is ill
SKIP_SECONDS = 0.5
IDLE_SECONDS = 60       # a silent customer is let go
DRAIN_SECONDS = 0.6
CLIENTS_MAX = 512
HEAD_BYTES_MAX = 16 * 1024
BODY_BYTES_MAX = 1024 * 1024
ANSWER_BYTES_MAX = 16 * 1024 * 1024
TARGETS_MAX = 16
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "upgrade", "expect"}
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found",
           405: "Method Not Allowed", 411: "Length Required", 413: "Content Too Large",
           500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
           504: "Gateway Timeout"}


def log(message):
    print(f"{time.strftime('%H:%M:%S')} proxy: {message}", file=sys.stderr, flush=True)


class Refused(Exception):
    """A request that is answered by the proxy itself."""

    def __init__(self, status, error, **more):
        super().__init__(error)
        self.status, self.value = status, {"error": error, **more}


def split_address(text):
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        raise ValueError(f"'{text}' is not host:port")
    return host.strip("[]"), int(port)


def check_targets(value):
    """The checked {"site", "targets"}, or ValueError with what is wrong."""
    if not isinstance(value, dict) or set(value) != {"site", "targets"}:
        raise ValueError("must be an object of exactly 'site' and 'targets'")
    site, targets = value["site"], value["targets"]
    if not (isinstance(site, str) and site.isascii() and site.isprintable() and len(site) <= 100):
        raise ValueError("'site' must be a short plain name")
    if not isinstance(targets, list) or len(targets) > TARGETS_MAX:
        raise ValueError(f"'targets' must be a list of at most {TARGETS_MAX}")
    for target in targets:
        if not isinstance(target, str):
            raise ValueError("a target must be a text host:port")
        split_address(target)
    if len(set(targets)) < len(targets):
        raise ValueError("a target stands there twice")
    return {"site": site, "targets": targets}


class Targets:
    """Where requests go: what TARGETS_FILE says, and which replicas failed a moment ago."""

    def __init__(self, path):
        self.path = path
        self.site, self.targets, self.error = "", [], None
        self._seen = None       # identity of the file last read
        self._skipped = {}      # target -> until when
        self._turn = 0
        self._writing = asyncio.Lock()

    def refresh(self):
        """Reads the file again if it is another one. A bad file changes nothing but `error`."""
        try:
            status = os.stat(self.path)
            seen = (status.st_mtime_ns, status.st_ino, status.st_size)
        except OSError as error:
            seen, problem = error.strerror, f"cannot read {self.path}: {error.strerror}"
        if seen == self._seen:
            return
        self._seen = seen
        try:
            if isinstance(seen, tuple):
                with open(self.path, "rb") as file:
                    self._apply(check_targets(json.loads(file.read(HEAD_BYTES_MAX))))
                return
        except (OSError, ValueError, RecursionError) as error:
            problem = f"{self.path}: {error}"
        self.error = problem
        log(f"{problem}; still sending to {self._text()}")

    async def change(self, value):
        """Durable when it returns: the file and its name are on disk, then it is in force."""
        async with self._writing:
            await asyncio.to_thread(self._persist, value)
            self._apply(value)

    def _persist(self, value):
        temporary = f"{self.path}.new"
        with open(temporary, "w", encoding="ascii") as file:
            file.write(json.dumps(value) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, self.path)
        directory = os.open(os.path.dirname(os.path.abspath(self.path)), os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _apply(self, value):
        self.error = None
        if (value["site"], value["targets"]) != (self.site, self.targets):
            self.site, self.targets = value["site"], value["targets"]
            self._skipped.clear()
            log(f"sending to {self._text()}")

    def _text(self):
        return f"site '{self.site}': {', '.join(self.targets) or 'no targets'}"

    def skip(self, target):
        self._skipped[target] = time.monotonic() + SKIP_SECONDS

    def skipped(self):
        now = time.monotonic()
        return [target for target in self.targets if self._skipped.get(target, 0) > now]

    def order(self):
        """The targets as the next request shall try them: round robin, the failed ones last."""
        self._turn += 1
        start = self._turn % max(1, len(self.targets))
        turn = self.targets[start:] + self.targets[:start]
        skipped = self.skipped()
        return sorted(turn, key=lambda target: target in skipped)

    def state(self):
        return {"site": self.site, "targets": self.targets, "skipped": self.skipped(),
                "error": self.error}


class Request:
    """One request, read whole: so it can be sent to another replica."""

    def __init__(self, head, body):
        try:
            lines = head.decode("latin-1").split("\r\n")
            self.method, self.path, self.version = lines[0].split(" ")
            self.headers = [tuple(line.split(":", 1)) for line in lines[1:] if line]
            if any(name != name.strip() or not name for name, _ in self.headers):
                raise ValueError
        except ValueError:
            raise Refused(400, "not an HTTP request") from None
        self.body = body

    def header(self, name):
        values = [value.strip() for key, value in self.headers if key.lower() == name]
        if len(values) > 1 and name == "content-length":
            raise Refused(400, "more than one Content-Length")
        return values[0] if values else ""

    def keeps_connection(self):
        return self.version == "HTTP/1.1" and self.header("connection").lower() != "close"

    def wire(self):
        lines = [f"{self.method} {self.path} HTTP/1.1", "Connection: close"]
        lines += [f"{key}:{value}" for key, value in self.headers if key.lower() not in HOP_BY_HOP]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


async def read_request(reader):
    """The next request, or None at the end of the connection."""
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), IDLE_SECONDS)
    except asyncio.LimitOverrunError:
        raise Refused(413, "the head of the request is too long") from None
    except (asyncio.IncompleteReadError, TimeoutError):
        return None
    request = Request(head[:-4], b"")
    if request.header("transfer-encoding"):
        raise Refused(411, "a body needs Content-Length")
    length = request.header("content-length") or "0"
    if not (length.isascii() and length.isdigit()):
        raise Refused(400, "Content-Length is not a number")
    if int(length) > BODY_BYTES_MAX:
        raise Refused(413, f"a body has at most {BODY_BYTES_MAX} bytes")
    if int(length):
        request.body = await asyncio.wait_for(reader.readexactly(int(length)), IDLE_SECONDS)
    return request


async def read_answer(reader):
    """A replica's whole answer as (head lines, body). Replicas close after each answer."""
    data = bytearray()
    while block := await reader.read(64 * 1024):
        data += block
        if len(data) > ANSWER_BYTES_MAX:
            raise ValueError("the answer is too long")
    head, gap, body = bytes(data).partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    length = [line.split(":", 1)[1].strip() for line in lines
              if line.lower().startswith("content-length:")]
    if not gap or not lines[0].startswith("HTTP/1.") or length != [str(len(body))]:
        raise ValueError("the answer is cut short")
    return lines, body


def compose(lines, body, keep):
    lines = lines + [f"Connection: {'keep-alive' if keep else 'close'}"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def answer(status, value, keep):
    body = json.dumps(value).encode() + b"\n"
    return compose([f"HTTP/1.1 {status} {REASONS[status]}", "Content-Type: application/json",
                    f"Content-Length: {len(body)}"], body, keep)


class Front:
    """The customers' side."""

    def __init__(self, targets):
        self._targets = targets

    async def respond(self, request, keep):
        self._targets.refresh()
        site = self._targets.site
        target, reader, writer = await self._connect()
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                writer.write(request.wire())
                lines, body = await read_answer(reader)
        except (OSError, ValueError) as error:  # TimeoutError is an OSError
            self._targets.skip(target)
            status = 504 if isinstance(error, TimeoutError) else 502
            raise Refused(status, f"{target} took the request and did not answer it whole",
                          outcome="unknown") from None
        finally:
            writer.close()
        lines = [line for line in lines if line.split(":")[0].lower() not in HOP_BY_HOP]
        return compose(lines + [f"X-Site: {site}"], body, keep)

    async def _connect(self):
        order = self._targets.order()
        for target in order:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    return target, *await asyncio.open_connection(*split_address(target))
            except OSError:
                self._targets.skip(target)
        where = f"site '{self._targets.site}'"
        problem = f"no replica of {where} answers" if order else f"{where} has no targets"
        raise Refused(503, problem, outcome="none")


class Admin:
    """The side that Lifeboat and operators use."""

    def __init__(self, targets, token_path):
        self._targets, self._token_path = targets, token_path

    async def respond(self, request, keep):
        if request.path == "/-/livez":
            return answer(200, {"status": "ok"}, keep)
        self._authenticate(request)
        if request.path != "/-/targets":
            raise Refused(404, "no such page")
        if request.method == "PUT":
            await self._put(request.body)
        elif request.method != "GET":
            raise Refused(405, "use GET or PUT")
        self._targets.refresh()
        return answer(200, self._targets.state(), keep)

    def _authenticate(self, request):
        if not self._token_path:
            return
        try:
            with open(self._token_path, "rb") as file:
                token = file.read(4096).strip()
        except OSError as error:
            raise Refused(500, f"cannot read the token file: {error.strerror}") from None
        given = request.header("authorization").encode("latin-1")
        if not token or not hmac.compare_digest(given, b"Bearer " + token):
            raise Refused(401, "the bearer token is missing or wrong")

    async def _put(self, body):
        try:
            value = check_targets(json.loads(body))
        except (ValueError, RecursionError) as error:
            raise Refused(400, str(error)) from None
        try:
            await self._targets.change(value)
        except OSError as error:
            raise Refused(500, f"cannot keep the targets: {error.strerror}") from None


class Listener:
    """One port: reads requests, lets `side` respond, counts what is in flight."""

    def __init__(self, side):
        self._side = side
        self._clients = 0
        self.busy = 0
        self.closing = False
        self._server = None

    async def open(self, address):
        host, port = split_address(address)
        self._server = await asyncio.start_server(
            self._serve, host, port, limit=HEAD_BYTES_MAX, backlog=256)

    def close(self):
        self.closing = True
        self._server.close()

    async def _serve(self, reader, writer):
        self._clients += 1
        try:
            while self._clients <= CLIENTS_MAX and await self._serve_one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass  # the customer went away
        finally:
            self._clients -= 1
            writer.close()

    async def _serve_one(self, reader, writer):
        keep = False
        try:
            request = await read_request(reader)
            if request is None:
                return False
            self.busy += 1
            try:
                keep = request.keeps_connection() and not self.closing
                data = await self._side.respond(request, keep)
            finally:
                self.busy -= 1
        except Refused as refused:
            data = answer(refused.status, refused.value, keep)
        writer.write(data)
        await asyncio.wait_for(writer.drain(), IDLE_SECONDS)
        return keep


async def run(settings):
    targets = Targets(settings["TARGETS_FILE"])
    targets.refresh()
    front, admin = Listener(Front(targets)), Listener(Admin(targets, settings["ADMIN_TOKEN_FILE"]))
    for name, listener in (("LISTEN", front), ("ADMIN_LISTEN", admin)):
        try:
            await listener.open(settings[name])
        except OSError as error:
            print(f"proxy: cannot listen on {settings[name]}: {error}", file=sys.stderr)
            return 1
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    log(f"listens on {settings['LISTEN']}, admin on {settings['ADMIN_LISTEN']}")
    await stop.wait()
    front.close()
    admin.close()
    end = time.monotonic() + DRAIN_SECONDS
    while front.busy + admin.busy and time.monotonic() < end:
        await asyncio.sleep(0.01)
    log("ends")
    return 0


def main():
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    names = ("LISTEN", "ADMIN_LISTEN", "TARGETS_FILE", "ADMIN_TOKEN_FILE")
    settings = {name: os.environ.get(name, "") for name in names}
    problems = [f"{name} is not set" for name in names[:3] if not settings[name]]
    for name in names[:2]:
        try:
            if settings[name]:
                split_address(settings[name])
        except ValueError as error:
            problems.append(f"{name}: {error}")
    if problems:
        print(f"proxy: {'; '.join(problems)} (see --help)", file=sys.stderr)
        return 2
    return asyncio.run(run(settings))


if __name__ == "__main__":
    sys.exit(main())
