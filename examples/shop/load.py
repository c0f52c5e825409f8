#!/usr/bin/python3
"""The demo shop's customers, who remember everything that was acknowledged to them.

  load.py --url URL --ledger FILE     places orders until SIGTERM, then prints a summary
  load.py verify --url URL ...        counts acknowledged orders and sessions that are missing now
  load.py watch --url URL ...         waits until a full purchase passes: the end of the RTO

All answers are one line of JSON on stdout. A moment is given as Unix time in microseconds, as in
the ledger, or as RFC 3339 (2025-01-31T12:00:00Z). `load.py COMMAND --help` says more.

The ledger has one JSON line per attempt, written with one write() before the next attempt starts:
  {"kind": "order", "id", "seq", "t_sent", "t_acked"}                acknowledged (201 or 200)
  {"kind": "session", "token", "t_sent", "t_acked", "t_expires"}     acknowledged (201)
  {"kind": "unknown", "what": "order", "id", "t_sent", "t_failed", "error"}    never counted as lost
"""

import argparse
import collections
import datetime
import http.client
import json
import os
import random
import signal
import sys
import threading
import time
import urllib.parse
import uuid

ANSWER_TIMEOUT = 3.0    # seconds; the proxy answers within two, good or bad
LATE_SECONDS = 1.0      # slots older than this are given up, so an outage ends without a burst
PAGE = 5000
SHOWN_MAX = 20          # missing orders that are named one by one
SAMPLES_MAX = 100_000
ITEMS = ("life jacket", "flare", "compass", "rope", "water, 5 l")


def now_us():
    return time.time_ns() // 1000


class Failed(Exception):
    """No acknowledgement: what was asked for may have happened or not."""


class NotFound(Failed):
    """The shop answered, and says that it does not have it."""


class Client:
    """One kept connection to the shop. Never repeats a request by itself."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self._connection = http.client.HTTPConnection(
            parts.hostname, parts.port or 80, timeout=ANSWER_TIMEOUT)
        self.site = self.replica = None  # who gave the last answer

    def call(self, method, path, wanted, value=None):
        """The shop's answer, which holds `wanted`; anything else is Failed."""
        body = None if value is None else json.dumps(value).encode()
        try:
            self._connection.request(method, path, body)
            response = self._connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection.close()
            raise Failed(f"{type(error).__name__}: {error}") from None
        self.site = response.headers.get("X-Site")
        self.replica = response.headers.get("X-Replica")
        answer = answer if isinstance(answer, dict) else {}
        if response.status in (200, 201) and wanted in answer:
            return answer
        kind = NotFound if response.status == 404 and "error" in answer else Failed
        raise kind(f"{response.status}: {answer.get('error')}")

    def order(self, order, item, quantity):
        value = {"id": order, "item": item, "quantity": quantity}
        return self.call("POST", "/orders", "seq", value)

    def session(self):
        return self.call("POST", "/session", "token", {})


class Ledger:
    """Appends lines. One write() each, so a killed load leaves whole lines."""

    def __init__(self, path):
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def append(self, **record):
        line = json.dumps(record).encode() + b"\n"
        if os.write(self._file, line) != len(line):
            raise OSError("the ledger's disk is full")


def read_ledger(path):
    """All records. Only a last line that is being written right now may be incomplete."""
    with open(path, "rb") as file:
        *lines, _ = file.read().split(b"\n")
    return [json.loads(line) for line in lines]


class Load:
    """Orders at a fixed rate, whether the shop answers or not."""

    def __init__(self, options):
        self._options = options
        self._ledger = Ledger(options.ledger)
        self._lock = threading.Lock()
        self._slot = 0
        self._counts = collections.Counter()
        self._samples = collections.deque(maxlen=SAMPLES_MAX)
        self._failing_since = None
        self._longest_outage = 0
        self._error = None
        self.stop = threading.Event()

    def run(self):
        self._began = time.monotonic()
        workers = [threading.Thread(target=self._work) for _ in range(self._options.workers)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print(json.dumps(self._summary()), flush=True)
        return 8 if self._error else 0

    def _work(self):
        client = Client(self._options.url)
        try:
            while (slot := self._next_slot()) is not None:
                self._order(client)
                if self._options.session_every and slot % self._options.session_every == 0:
                    self._session(client)
        except OSError as error:  # the ledger cannot be kept: what follows would be worth nothing
            self._error = str(error)
            self.stop.set()

    def _next_slot(self):
        """Waits for the next moment to place an order; None when it is time to end."""
        while not self.stop.is_set():
            with self._lock:
                slot, self._slot = self._slot, self._slot + 1
            due = self._began + slot / self._options.rate
            if self._options.duration and due - self._began >= self._options.duration:
                return None
            wait = due - time.monotonic()
            if wait < -LATE_SECONDS:
                self._count("given_up")
            elif wait <= 0 or not self.stop.wait(wait):
                return slot
        return None

    def _order(self, client):
        order, sent = str(uuid.uuid4()), now_us()
        try:
            answer = client.order(order, random.choice(ITEMS), random.randint(1, 9))
        except Failed as error:
            return self._unknown("order", sent, error, id=order)
        acked = now_us()
        self._ledger.append(kind="order", id=order, seq=answer["seq"], t_sent=sent, t_acked=acked)
        self._acknowledged("orders_acknowledged", sent, acked)

    def _session(self, client):
        sent = now_us()
        try:
            answer = client.session()
        except Failed as error:
            return self._unknown("session", sent, error)
        acked = now_us()
        self._ledger.append(kind="session", token=answer["token"], t_sent=sent, t_acked=acked,
                            t_expires=acked + answer["expires_in"] * 1_000_000)
        self._count("sessions_acknowledged")

    def _unknown(self, what, sent, error, **name):
        self._ledger.append(kind="unknown", what=what, **name, t_sent=sent, t_failed=now_us(),
                            error=str(error)[:200])
        self._count(f"{what}s_unknown")
        if what == "order":
            with self._lock:
                self._failing_since = self._failing_since or sent

    def _acknowledged(self, name, sent, acked):
        with self._lock:
            self._counts[name] += 1
            self._samples.append(acked - sent)
            if self._failing_since:
                self._longest_outage = max(self._longest_outage, acked - self._failing_since)
                self._failing_since = None

    def _count(self, name):
        with self._lock:
            self._counts[name] += 1

    def _summary(self):
        samples = sorted(self._samples) or [None]
        names = ("orders_acknowledged", "orders_unknown", "sessions_acknowledged",
                 "sessions_unknown", "given_up")
        return {**{name: self._counts[name] for name in names},
                "duration_us": int((time.monotonic() - self._began) * 1e6),
                "latency_us": {"p50": samples[len(samples) // 2],
                               "p99": samples[len(samples) * 99 // 100], "max": samples[-1]},
                "longest_outage_us": self._longest_outage,
                "failing_since": self._failing_since, "error": self._error}


class Verify:
    """Compares the ledger with what the shop has now."""

    def __init__(self, options):
        self._options = options
        self._client = Client(options.url)
        self._end = time.monotonic() + options.timeout
        self._missing = []

    def run(self):
        options = self._options
        until = options.until or now_us()
        result = {"strike": options.strike, "until": until, "error": None}
        try:
            records = read_ledger(options.ledger)  # before asking the shop: it may only gain more
            known = read_known(options.known)
            records = [r for r in records if r.get("id", r.get("token")) not in known]
            if options.only != "sessions":
                result["orders"] = self._orders(records, until)
            if options.only != "orders":
                result["sessions"] = self._sessions(records, until)
        except (OSError, ValueError, Failed) as error:
            result["error"] = str(error)
        else:
            self._remember()
        print(json.dumps(result), flush=True)
        if result["error"]:
            return 8
        return int(any(result.get(part, {}).get("missing") for part in ("orders", "sessions")))

    def _orders(self, records, until):
        there = self._all_orders()
        acked = [r for r in records if r["kind"] == "order" and r["t_acked"] < until]
        unknown = [r for r in records if r["kind"] == "unknown" and r["what"] == "order"
                   and r["t_sent"] < until]
        return {**self._loss(acked, [r for r in acked if r["id"] not in there], ("id", "seq")),
                "altered": sum(r["id"] in there and there[r["id"]] != r["seq"] for r in acked),
                "unknown": len(unknown),
                "unknown_present": sum(r["id"] in there for r in unknown)}

    def _sessions(self, records, until):
        acked = [r for r in records if r["kind"] == "session" and r["t_acked"] < until
                 and r["t_expires"] > now_us()]
        missing = [r for r in acked if not self._has_session(r["token"])]
        return self._loss(acked, missing, ("token",))

    def _loss(self, acked, missing, names):
        """The span lost: from the acknowledgement of the oldest missing one to the strike."""
        missing.sort(key=lambda r: r["t_acked"])
        self._missing += [r[names[0]] for r in missing]
        strike = self._options.strike

        def show(record):
            return {name: record[name] for name in (*names, "t_acked")} | {
                "age_us": strike - record["t_acked"]}

        return {"acknowledged": len(acked), "present": len(acked) - len(missing),
                "missing": len(missing),
                "missing_after_strike": sum(r["t_acked"] >= strike for r in missing),
                "rpo_us": max(0, strike - missing[0]["t_acked"]) if missing else 0,
                "oldest_missing": show(missing[0]) if missing else None,
                "newest_missing": show(missing[-1]) if missing else None,
                "missing_shown": [r[names[0]] for r in missing[:SHOWN_MAX]]}

    def _remember(self):
        """What one disaster cost is not counted as the cost of the next."""
        if self._options.known and self._missing:
            with open(self._options.known, "a", encoding="utf-8") as known:
                known.writelines(f"{name}\n" for name in self._missing)

    def _all_orders(self):
        orders, after = {}, 0
        while after is not None:
            page = self._ask(f"/orders?after={after}&limit={PAGE}", "next")
            orders.update((order["id"], order["seq"]) for order in page["orders"])
            after = page["next"]
        return orders

    def _has_session(self, token):
        try:
            self._ask(f"/session/{token}", "created_at")
        except NotFound:
            return False
        return True

    def _ask(self, path, wanted):
        """Asks until the shop knows: an outage is no proof that something is missing."""
        while True:
            try:
                return self._client.call("GET", path, wanted)
            except NotFound:
                raise
            except Failed:
                if time.monotonic() > self._end:
                    raise
            time.sleep(0.05)


class Watch:
    """The outside check: buys something and looks whether it is there."""

    def __init__(self, options):
        self._options = options
        self._client = Client(options.url)
        self.stop = threading.Event()

    def run(self):
        options = self._options
        after = options.after or now_us()
        result = {"passed": False, "after": after, "first_failure": None, "first_success": None,
                  "elapsed_us": None, "attempts": 0, "failures": 0, "last_error": None,
                  "site": None, "replica": None}
        end = time.monotonic() + max(0, after - now_us()) / 1e6 + options.timeout
        self.stop.wait(max(0, after - now_us()) / 1e6)
        row, first = 0, None
        while row < options.steady and time.monotonic() < end and not self.stop.is_set():
            began = time.monotonic()
            result["attempts"] += 1
            try:
                self._purchase()
                counts = result["first_failure"] or not options.expect_outage
                first = first or now_us()
                row = row + 1 if counts else 0
            except Failed as error:
                row, result["last_error"] = 0, str(error)
                result["failures"] += 1
                result["first_failure"] = result["first_failure"] or now_us()
            if row == 0:
                first = None
            self.stop.wait(max(0, began + options.interval / 1000 - time.monotonic()))
        if row >= options.steady:
            result |= {"passed": True, "first_success": first, "elapsed_us": first - after,
                       "site": self._client.site, "replica": self._client.replica}
        print(json.dumps(result), flush=True)
        return 0 if result["passed"] else 1

    def _purchase(self):
        order = str(uuid.uuid4())
        seq = self._client.order(order, "outside check", 1)["seq"]
        if self._client.call("GET", f"/orders/{order}", "seq")["seq"] != seq:
            raise Failed("the order that was read is not the one that was placed")
        if self._options.session:
            token = self._client.session()["token"]
            self._client.call("GET", f"/session/{token}", "created_at")


def read_known(path):
    if not path or not os.path.exists(path):
        return frozenset()
    with open(path, encoding="utf-8") as known:
        return frozenset(known.read().split())


def moment(text):
    if text.isascii() and text.isdigit():
        value = int(text)
    else:
        value = int(datetime.datetime.fromisoformat(text).astimezone().timestamp() * 1_000_000)
    if not 10**14 < value < 10**17:
        raise ValueError("not Unix time in microseconds")
    return value


def web_address(text):
    parts = urllib.parse.urlsplit(text)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError("not an http:// address")
    return f"http://{parts.netloc}"


def positive(text):
    value = float(text)
    if not 0 < value < 1e6:
        raise ValueError("out of range")
    return value


def count(text):
    value = int(text)
    if not 0 < value <= 1000:
        raise ValueError("out of range")
    return value


def parse(arguments):
    command = arguments[0] if arguments[:1] in (["verify"], ["watch"], ["run"]) else None
    title = __doc__ if command is None else {
        "run": __doc__,
        "verify": "Counts acknowledged orders and sessions that the shop does not have now, and the"
                  " span lost: strike minus acknowledgement of the oldest missing one (rpo_us)."
                  " Exit code: 0 nothing is missing, 1 something is, 8 the shop could not tell.",
        "watch": "Repeats a full purchase (place an order, read it back) and reports when it first"
                 " passed (first_success). Exit code: 0 it passed, 1 it did not in time."}[command]
    parser = argparse.ArgumentParser(
        prog=f"load.py {command or ''}".strip(), description=title,
        formatter_class=argparse.RawDescriptionHelpFormatter if title is __doc__
        else argparse.HelpFormatter)
    add = parser.add_argument
    add("--url", required=True, type=web_address, help="the shop's proxy")
    if command in ("run", None):
        add("--ledger", required=True, metavar="FILE", help="grows; made if absent")
        add("--rate", type=positive, default=50, metavar="N", help="orders per second (50)")
        add("--workers", type=count, default=8, metavar="N", help="at the same time (8)")
        add("--session-every", type=int, default=20, metavar="N",
            help="also one session per N orders (20; 0: none)")
        add("--duration", type=positive, metavar="SECONDS", help="end by itself")
    elif command == "verify":
        add("--ledger", required=True, metavar="FILE")
        add("--strike", required=True, type=moment, metavar="T", help="when the disaster struck")
        add("--until", type=moment, metavar="T", help="judge what was acknowledged before T (now)")
        add("--known", metavar="FILE", help="ids that are known to be missing are left out; those"
            " found now are added")
        add("--only", choices=("orders", "sessions"), help="judge only these")
        add("--timeout", type=positive, default=30, metavar="SECONDS",
            help="how long to wait for a shop that is away (30)")
    else:
        add("--after", type=moment, metavar="T", help="begin at T (now)")
        add("--expect-outage", action="store_true", help="only a success after a failure counts")
        add("--session", action="store_true", help="a purchase also makes and reads a session")
        add("--steady", type=count, default=1, metavar="N",
            help="N successes in a row; the first one's time is reported (1)")
        add("--interval", type=positive, default=50, metavar="MS", help="between attempts (50)")
        add("--timeout", type=positive, default=120, metavar="SECONDS", help="give up (120)")
    return command, parser.parse_args(arguments[1:] if command else arguments)


def main():
    command, options = parse(sys.argv[1:])
    if command == "verify":
        return Verify(options).run()
    stop = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)  # before any thread: only sigwait() sees them
    try:
        task = Watch(options) if command == "watch" else Load(options)
    except OSError as error:
        print(f"load.py: cannot open {options.ledger}: {error.strerror}", file=sys.stderr)
        return 2

    def wait_for_signal():
        signal.sigwait(stop)
        task.stop.set()

    threading.Thread(target=wait_for_signal, daemon=True).start()
    return task.run()


if __name__ == "__main__":
    sys.exit(main())
