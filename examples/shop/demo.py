#!/usr/bin/python3
"""The demo: a shop on this machine loses its database, its cache, its whole site, and gets them back.

Everything lives under one directory; nothing is left running, unless --keep. The loss is counted from
the orders that were acknowledged to customers and are missing afterwards; the time runs from the strike
to the first purchase that passes from outside. Exit code 0 only if every objective was met.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))
import demo_machine as machine  # noqa: E402


class Failed(Exception):
    """The demo cannot go on; the message is for the person."""


class Screen:
    """Headings and remarks; colours only on a terminal."""

    def __init__(self, quiet):
        self.colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self.quiet = quiet

    def paint(self, code, text):
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    def title(self, text):
        print(f"\n{self.paint('1;36', '━━ ' + text + ' ')}{self.paint('36', '━' * max(0, 90 - len(text)))}", flush=True)

    def say(self, text):
        print(f"{self.paint('2', '·')} {text}", flush=True)

    def strike(self, text):
        print(f"\n{self.paint('1;31', '✗ ' + text)}", flush=True)


class Demo:
    def __init__(self, arguments):
        self.arguments = arguments
        self.screen = Screen(False)
        base = arguments.directory or tempfile.mkdtemp(prefix="lifeboat-demo-")
        self.home = pathlib.Path(base).resolve()
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o755)  # the servers' user must get through
        self.lifeboat = [str(arguments.lifeboat)]
        self.state = self.home / "primary" / "lifeboat"
        self.rows = []
        self.load = None
        self.ledger = self.home / "customers" / "ledger.jsonl"
        self.password = os.urandom(12).hex()

    # --- building up -----------------------------------------------------------------------------

    def build(self):
        screen = self.screen
        screen.title("a shop on this machine")
        first, self.reserved = machine.free_block(200)  # for 15400 to 15599 of the plan, which leaves out 15400
        plan_text = (HERE / "plan.yaml").read_text()
        plan_text = re.sub(r"\b15([45]\d\d)\b", lambda m: str(first - 400 + int(m[1])), plan_text)
        self.ports = first + 100
        self.plan = self.home / "plan.yaml"
        for folder in ("primary", "dr", "customers", "front", "keys"):
            (self.home / folder).mkdir(exist_ok=True)
        machine.hand_over(self.home / "primary")
        machine.hand_over(self.home / "dr")
        self.plan.write_text(plan_text)
        for name in ("shop.py",):
            shutil.copy(HERE / name, self.home / name)
        self.front = first + 80
        self.admin = first + 81
        self.url = f"http://127.0.0.1:{self.front}"
        secret = self.home / "keys" / "database.password"
        secret.write_text(self.password + "\n")
        secret.chmod(0o600)

        self.database = machine.start_postgres(self.home / "primary" / "database", self.ports, self.password)
        screen.say(f"PostgreSQL {self.database['version']} on port {self.ports}")
        self.cache = machine.start_redis(self.home / "primary" / "cache", self.ports + 1)
        screen.say(f"Redis {self.cache['version']} on port {self.ports + 1}")
        machine.start_proxy(HERE / "proxy.py", self.home / "front", self.front, self.admin)
        screen.say(f"proxy on {self.url}")
        self.run("vault", "init", quiet=True)
        screen.say(f"vault in {self.home / 'vault'}, its key in {self.home / 'keys'}")
        self.run("check", quiet=True)
        self.run("recover", "open-shop", "--yes", quiet=True)
        screen.say("two replicas of the shop, started by Lifeboat")
        self.protect()
        self.load = machine.start_load(HERE / "load.py", self.url, self.ledger, self.arguments.rate)
        screen.say(f"customers: {self.arguments.rate} orders a second, each acknowledged one remembered")
        self.serve(self.arguments.calm)
        self.run("status")

    def run(self, *words, quiet=False, check=True):
        """Runs lifeboat; its output is the demo's."""
        command = [*self.lifeboat, *words, "--plan", str(self.plan), "--state", str(self.state)]
        done = subprocess.run(command, capture_output=quiet, text=True, env=self.environment(), cwd=self.home)
        if check and done.returncode != 0:
            detail = (done.stdout + done.stderr) if quiet else ""
            raise Failed(f"lifeboat {' '.join(words)} ended with {done.returncode}\n{detail}")
        return done

    def environment(self):
        return {**os.environ, "LIFEBOAT_DEMO": str(self.home)}

    def protect(self):
        """Starts `lifeboat protect` and waits until every component is safe in the vault."""
        log = self.state.parent / "protect.log"
        machine.spawn([*self.lifeboat, "protect", "--plan", str(self.plan), "--state", str(self.state)],
                      log, self.environment(), self.state.parent)
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            if self.is_safe():
                self.screen.say("protected: every WAL record streams into the vault, points are made")
                return
            time.sleep(0.1)
        raise Failed(f"protection did not come up within 60 s:\n{log.read_text()[-3000:]}")

    def is_safe(self):
        done = self.run("status", "--json", quiet=True, check=False)
        try:
            rows = json.loads(done.stdout)["components"]
        except (ValueError, KeyError):
            return False
        wanted = [row for row in rows if row["component"] in ("database", "cache")]
        points = self.run("points", "--json", quiet=True, check=False)
        try:
            usable = {p["component"] for p in json.loads(points.stdout)["points"] if not p["problem"]}
        except (ValueError, KeyError):
            return False
        return all(row["live_rpo_s"] is not None and row["protected"] for row in wanted) \
            and usable >= {"database", "cache"}

    def serve(self, seconds):
        """Lets customers buy for a while; the shop must be open."""
        time.sleep(seconds)
        count = sum(1 for line in self.ledger.open() if '"kind": "order"' in line or '"kind":"order"' in line)
        if count == 0:
            raise Failed("customers cannot buy anything: see " + str(self.home))
        self.screen.say(f"{count} orders acknowledged so far")

    # --- striking and recovering -------------------------------------------------------------------

    def disaster(self, number, scenario, title, strike, objectives, session=False, after=None):
        self.screen.title(f"disaster {number}: {title}")
        predicted = self.predictions(scenario)
        if self.arguments.pause and sys.stdin.isatty():
            input("press Enter to strike ")
        struck = time.time_ns() // 1000
        watch = machine.start_watch(HERE / "load.py", self.url, struck, session, self.home / "customers")
        for line in strike():
            self.screen.strike(line)
        if after:
            after()
        when = machine.rfc3339(struck)
        done = self.run("recover", "--yes", "--disaster-at", when, check=False)
        if done.returncode not in (0, 1):
            raise Failed(f"the recovery ended with {done.returncode}")
        outside = machine.finish_watch(watch)
        if not outside["passed"]:
            raise Failed(f"the shop does not sell again: {outside['last_error']}")
        loss = machine.verify(HERE / "load.py", self.url, self.ledger, struck, self.home / "customers" / "missing")
        rto = outside["elapsed_us"] / 1e6
        for component, kind, promised in objectives:
            row = self.judge(component, kind, promised, rto, loss)
            self.rows.append({"disaster": number, **row, **self.predicted(predicted.get(component), kind)})
        self.show(number)
        self.serve(self.arguments.calm)

    def predictions(self, scenario):
        """What `status` predicts for each component, should this happen now."""
        rows = json.loads(self.run("status", "--json", quiet=True, check=False).stdout)["components"]
        return {row["component"]: forecast for row in rows for forecast in row["forecasts"]
                if forecast["scenario"] == scenario}

    def predicted(self, forecast, kind):
        """The worst that was to be expected: p95 of the time; the loss in the worst case."""
        if forecast is None or not forecast["recovers"]:
            return {"predicted_s": None, "thin": True}
        if kind == "RPO":
            return {"predicted_s": forecast["worst_loss_s"], "thin": True}
        return {"predicted_s": forecast["p95_s"], "thin": forecast["thin"]}

    def judge(self, component, kind, promised, rto, loss):
        what = "sessions" if component == "cache" else "orders"
        if kind == "RTO":
            measured, detail = rto, "strike to first purchase from outside"
        else:
            measured = loss[what]["rpo_us"] / 1e6
            detail = f"{loss[what]['missing']} of {loss[what]['acknowledged']} acknowledged {what} missing"
        return {"component": component, "objective": kind, "promised_s": promised, "measured_s": round(measured, 3),
                "met": measured <= promised, "detail": detail}

    def show(self, number=None):
        screen = self.screen
        print()
        rows = [row for row in self.rows if number in (None, row["disaster"])]
        print(screen.paint("2", f"  {'':<3}{'component':<12}{'objective':<11}{'promised':>9}{'predicted':>12}{'measured':>11}   "))
        for row in rows:
            verdict = screen.paint("32", "met   ") if row["met"] else screen.paint("1;31", "MISSED")
            worst = "?" if row["predicted_s"] is None else f"{'~' if row['thin'] else ''}{row['predicted_s']:.1f} s"
            print(f"  {row['disaster']:<3}{row['component']:<12}{row['objective']:<11}{row['promised_s']:>7} s{worst:>12}"
                  f"{row['measured_s']:>9.2f} s   {verdict}  {screen.paint('2', row['detail'])}")
        print(screen.paint("2", "  ~ by estimates, or from too few runs; predicted: p95 of the time, the worst case of the loss"))
        sys.stdout.flush()

    def lose_database(self):
        yield self.lose_server("database", "PostgreSQL")

    def lose_cache(self):
        yield self.lose_server("cache", "Redis")

    def lose_server(self, component, title):
        found = self.current(component)
        machine.kill_below(found["directory"])
        shutil.rmtree(found["directory"])
        return f"kill -9 of {title}, and rm -rf {found['directory']}"

    def lose_site(self):
        primary = self.home / "primary"
        gone = machine.kill_below(primary)
        shutil.rmtree(primary)
        yield f"site primary is gone: {gone} processes killed, rm -rf {primary}"
        yield "Lifeboat's own state, and its protection, were there too"

    def move_to_dr(self):
        self.state = self.home / "dr" / "lifeboat"
        self.screen.say("what is left: the plan, the vault, the key")

    def current(self, component):
        """Process and directory of the component's current instance, as `status` tells."""
        rows = json.loads(self.run("status", "--json", quiet=True, check=False).stdout)["components"]
        row = next(row for row in rows if row["component"] == component)
        return machine.server_at(int(row["endpoint"].rsplit(":", 1)[1]))

    # --- the end -----------------------------------------------------------------------------------

    def finish(self):
        self.protect()
        self.serve(self.arguments.calm)
        self.screen.title("what is in the vault is started and looked at")
        self.run("verify")
        summary = machine.stop_load(self.load)
        self.load = None
        final = machine.verify(HERE / "load.py", self.url, self.ledger, time.time_ns() // 1000)
        self.screen.title("promised, predicted and measured")
        self.show()
        print(f"\n  {summary['orders_acknowledged']} orders acknowledged in all, "
              f"{final['orders']['missing']} of them missing; longest outage "
              f"{summary['longest_outage_us'] / 1e6:.1f} s")
        met = all(row["met"] for row in self.rows)
        print("  " + (self.screen.paint("1;32", "every objective was met") if met else
                      self.screen.paint("1;31", "an objective was missed")))
        self.screen.title("what is proven now")
        self.run("status", check=False)
        unproven = self.unproven()
        for promise in unproven:
            print("  " + self.screen.paint("1;31", f"{promise['component']} {promise['objective']}: {promise['standing']}"))
        if self.arguments.json:
            result = {"met": met, "proven": not unproven, "objectives": self.rows,
                      "orders_acknowledged": summary["orders_acknowledged"],
                      "orders_missing": final["orders"]["missing"]}
            pathlib.Path(self.arguments.json).write_text(json.dumps(result, indent=2) + "\n")
        return 0 if met and not unproven else 1

    def unproven(self):
        """Objectives whose evidence does not count now."""
        rows = json.loads(self.run("status", "--json", quiet=True, check=False).stdout)["components"]
        return [promise for row in rows for promise in row["evidence"] if promise["standing"] != "proven"]

    def clean(self):
        if self.load:
            machine.stop_load(self.load)
        if self.arguments.keep:
            print(f"\n  kept: {self.home}\n"
                  f"    cd {self.home}\n"
                  f"    export LIFEBOAT_PLAN={self.plan} LIFEBOAT_STATE={self.state}\n"
                  f"    {self.lifeboat[0]} status | points | runs\n"
                  f"    curl {self.url}/orders/count\n"
                  f"    stop it all with: {HERE / 'demo.py'} --stop {self.home}")
            return
        stop(self.home, self.arguments.directory is None)


def stop(home, remove):
    machine.kill_below(pathlib.Path(home))
    if remove:
        shutil.rmtree(home, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__.split("\n\n")[0])
    parser.add_argument("--keep", action="store_true", help="leave it all up, and say how to play with it")
    parser.add_argument("--pause", action="store_true", help="wait for a key before each disaster")
    parser.add_argument("--json", metavar="FILE", help="write the table for machines")
    parser.add_argument("--directory", metavar="DIR", help="where (default: a new one, removed afterwards)")
    parser.add_argument("--rate", type=int, default=50, help="orders a second (default 50)")
    parser.add_argument("--calm", type=float, default=4, help="seconds of calm between disasters (default 4)")
    parser.add_argument("--lifeboat", default=ROOT / "build" / "lifeboat", help=argparse.SUPPRESS)
    parser.add_argument("--stop", metavar="DIR", help="stop and remove a demo that was kept")
    arguments = parser.parse_args()
    if arguments.stop:
        stop(arguments.stop, True)
        return 0
    demo = Demo(arguments)
    try:
        demo.build()
        demo.disaster(1, "database-lost", "the database is lost", demo.lose_database,
                      [("database", "RTO", 30), ("database", "RPO", 5), ("shop", "RTO", 45)])
        demo.disaster(2, "cache-lost", "the cache is lost", demo.lose_cache,
                      [("cache", "RTO", 15), ("cache", "RPO", 60)], session=True)
        demo.disaster(3, "site-lost", "the whole primary site is lost", demo.lose_site,
                      [("database", "RTO", 30), ("database", "RPO", 5), ("cache", "RTO", 15), ("cache", "RPO", 60),
                       ("shop", "RTO", 45)], session=True, after=demo.move_to_dr)
        return demo.finish()
    except Failed as failure:
        print(f"\ndemo: {failure}", file=sys.stderr)
        return 8
    except KeyboardInterrupt:
        return 130
    finally:
        demo.clean()


if __name__ == "__main__":
    sys.exit(main())
