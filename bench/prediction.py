#!/usr/bin/python3
"""./dev bench prediction: do recoveries take as long as `lifeboat status` says they will?

The demo's shop loses its database, its cache and its site again and again; between two losses of the
site it is brought home by the same steps the other way round. Before each strike the prediction is
read (p5 to p95 of the time to recover, from what was measured in this state directory until then), and
after it what the run really took. The first rounds only give the history; of the others it is counted
how often the measured time lies within the prediction. Prints a table, and JSON with --json FILE.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test" / "e2e"))
from shop import Shop, machine, now_us  # noqa: E402

# What each disaster is judged by.
JUDGED = {"database-lost": "database", "cache-lost": "cache", "site-lost": "shop"}


class Town(Shop):
    """A shop whose state lies outside of both sites, with a way home."""

    def __init__(self, directory):
        super().__init__(directory, rate=20, calm=1.0)
        self.state = self.home / "lifeboat"

    def build(self):
        super().build()
        text = self.plan.read_text()
        begin, end = text.index("  site-lost:"), text.index("    # The way home")
        home = text[begin:end].replace("site-lost", "dr-lost").replace("[primary]", "[dr]") \
            .replace("site_lost: primary", "site_lost: dr").replace("site: dr", "site: primary")
        self.plan.write_text(text[:begin] + home + "\n" + text[begin:])

    def strike(self, scenario):
        if scenario == "database-lost":
            self.lose_server("database", "PostgreSQL")
        elif scenario == "cache-lost":
            self.lose_server("cache", "Redis")
        else:
            site = self.home / ("primary" if scenario == "site-lost" else "dr")
            machine.kill_below(site)
            shutil.rmtree(site)

    def stand_again(self, scenario):
        """What was lost is there again, empty, before the next disaster needs it."""
        if scenario in ("site-lost", "dr-lost"):
            site = self.home / ("primary" if scenario == "site-lost" else "dr")
            site.mkdir()
            machine.hand_over(site)

    def wait_safe(self, limit=60):
        ends = time.monotonic() + limit
        while not self.is_safe():
            if time.monotonic() > ends:
                raise SystemExit("bench: it is not protected again")
            time.sleep(0.2)

    def suffer(self, scenario):
        """One disaster: what was predicted, and what was measured, by component."""
        predicted = self.predictions(scenario)
        struck = now_us()
        self.strike(scenario)
        done = self.run("recover", scenario, "--yes", "--although-healthy", "bench", "--disaster-at",
                        machine.rfc3339(struck), quiet=True, check=False)
        if done.returncode not in (0, 1):
            raise SystemExit(f"bench: {scenario} was not recovered ({done.returncode})\n{done.stdout}{done.stderr}")
        self.announced = next((line for line in done.stdout.splitlines() if line.startswith("time: ")), "")
        _, evidence = self.ask("evidence")
        newest = max((fact["at"] for fact in evidence["facts"] if fact["source"] == "run"))
        measured = {row["component"]: row["measured_s"] for row in evidence["evidence"]
                    if row["objective"] == "rto" and row["fact"] and row["fact"]["at"] == newest}
        self.stand_again(scenario)
        self.wait_safe()
        return {component: {**{key: predicted[component][key] for key in ("p5_s", "p50_s", "p95_s", "basis", "samples")},
                            "measured_s": seconds} for component, seconds in measured.items() if component in predicted}


def main():
    parser = argparse.ArgumentParser(prog="./dev bench prediction", description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=10, help="rounds that count (default 10)")
    parser.add_argument("--warm", type=int, default=5, help="rounds before, for the history (default 5)")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    home = pathlib.Path(tempfile.mkdtemp(prefix="lifeboat-bench-"))
    home.chmod(0o755)
    town = Town(home)
    rows = []
    try:
        with open(os.devnull, "w") as nowhere:
            shown, sys.stdout = sys.stdout, nowhere
            try:
                town.build()
            finally:
                sys.stdout = shown
        for number in range(-arguments.warm, arguments.rounds):
            for scenario in ("database-lost", "cache-lost", "site-lost", "dr-lost"):
                found = town.suffer(scenario)
                if scenario not in JUDGED:
                    continue
                row = {"round": number, "scenario": scenario, **found[JUDGED[scenario]]}
                row["announced"] = town.announced
                row["within"] = row["p5_s"] <= row["measured_s"] <= row["p95_s"]
                rows.append(row)
                print(f"{'warm-up' if number < 0 else f'round {number + 1:>2}'}  {scenario:<14} predicted {row['p5_s']:6.2f}"
                      f" – {row['p95_s']:6.2f} s ({row['basis']}, {row['samples']})  measured {row['measured_s']:6.2f} s"
                      f"  {'within' if row['within'] else 'OUTSIDE'}", flush=True)
    finally:
        town.stop()
        shutil.rmtree(home, ignore_errors=True)
    report(rows, arguments)


def report(rows, arguments):
    print(f"\n{platform.node()}, {os.cpu_count()} cores, {datetime.date.today()}, load {os.getloadavg()[0]:.1f}\n")
    print("| scenario | measured, median (min–max) | within p5–p95 |\n|---|---|---|")
    summary = {}
    for scenario in JUDGED:
        counted = [row for row in rows if row["scenario"] == scenario and row["round"] >= 0]
        times = sorted(row["measured_s"] for row in counted)
        within = sum(row["within"] for row in counted)
        summary[scenario] = {"within": within, "of": len(counted)}
        if times:
            print(f"| {scenario} | {times[len(times) // 2]:.2f} s ({times[0]:.2f}–{times[-1]:.2f}) | {within} of {len(times)} |")
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps({"rows": rows, "summary": summary}, indent=2) + "\n")


if __name__ == "__main__":
    main()
