#!/usr/bin/python3
"""./dev bench engine: what a journaled step costs, beside the peers, in one run.

200 steps, each of them appending one line to a file, carried out by a bash script, by Ansible and by
`lifeboat recover` with its durable journal; order shuffled in each round. Correctness is checked in the
same run: a tool whose file does not hold 200 lines in order scores nothing. Also: reading and checking
a plan of 1,000 components, and the simulation's rate. Prints a table, and JSON with --json FILE.
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIFEBOAT = ROOT / "build" / "lifeboat"
STEPS = 200


def spread(values, digits=3):
    ordered = sorted(values)
    return {"median": round(statistics.median(ordered), digits), "min": round(ordered[0], digits),
            "max": round(ordered[-1], digits), "runs": len(ordered)}


def timed(command, cwd, environment=None):
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **(environment or {})}, capture_output=True, text=True)
    took = time.perf_counter() - begin
    if done.returncode != 0:
        raise SystemExit(f"bench: {command[0]} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return took


class Bash:
    name = "bash script"

    def prepare(self, home):
        lines = "\n".join(f"/bin/sh -c 'echo {i} >> {home}/out'" for i in range(STEPS))
        (home / "run.sh").write_text("set -e\n" + lines + "\n")

    def run(self, home):
        return timed(["bash", "run.sh"], home)


class Ansible:
    name = "Ansible"

    def prepare(self, home):
        tasks = "\n".join(f"    - shell: echo {i} >> {home}/out" for i in range(STEPS))
        (home / "play.yml").write_text(f"- hosts: localhost\n  gather_facts: no\n  tasks:\n{tasks}\n")

    def run(self, home):
        return timed(["ansible-playbook", "-i", "localhost,", "-c", "local", "play.yml"], home,
                     {"ANSIBLE_LOCALHOST_WARNING": "False", "ANSIBLE_HOME": str(home / "ansible")})


def plan_of(steps):
    """A plan with one scenario, `all`, of these steps."""
    return ("lifeboat: 1\nplan: bench\nowner: bench\nsites: {here: {}}\ncomponents: {}\n"
            "scenarios:\n  all:\n    steps:\n" + "".join(f"      - {step}\n        id: s{i}\n" for i, step in enumerate(steps)))


class Lifeboat:
    name = "lifeboat"

    def prepare(self, home):
        (home / "plan.yaml").write_text(plan_of(f'run: "echo {i} >> {home}/out"' for i in range(STEPS)))

    def run(self, home):
        shutil.rmtree(home / "state", ignore_errors=True)
        return timed([str(LIFEBOAT), "recover", "all", "--yes", "--plan", "plan.yaml", "--state", "state"], home)


class NoOp:
    """What the engine itself costs: 200 journaled steps that start no process."""
    name = "lifeboat, steps that do nothing"

    def prepare(self, home):
        (home / "plan.yaml").write_text(plan_of("wait: 1us" for _ in range(STEPS)))

    def run(self, home):
        took = Lifeboat.run(self, home)
        done = subprocess.run([str(LIFEBOAT), "runs", "latest", "--json", "--plan", "plan.yaml", "--state", "state"],
                              cwd=home, capture_output=True, text=True, check=True)
        steps = json.loads(done.stdout)["steps"]
        if len(steps) != STEPS or any(step["status"] != "done" for step in steps):
            raise SystemExit("bench: not every step was done: it scores nothing")
        return took


def check(home, tool):
    out = (home / "out").read_text().split()
    if out != [str(i) for i in range(STEPS)]:
        raise SystemExit(f"bench: {tool} did {len(out)} of {STEPS} steps, or not in order: it scores nothing")
    (home / "out").unlink()


def engine(rounds, base):
    tools = [Bash(), Lifeboat(), NoOp()]
    if shutil.which("ansible-playbook"):
        tools.append(Ansible())
    homes = {}
    for tool in tools:
        homes[tool.name] = base / tool.name.replace(" ", "-")
        homes[tool.name].mkdir()
        tool.prepare(homes[tool.name])
    seconds = {tool.name: [] for tool in tools}
    for number in range(rounds + 1):
        for tool in random.sample(tools, len(tools)):
            if tool.name == "Ansible" and number > max(2, rounds // 3):
                continue  # minutes per run: fewer rounds, said in the table
            took = tool.run(homes[tool.name])
            if tool.name != NoOp.name:
                check(homes[tool.name], tool.name)
            if number > 0:  # the first round warms caches
                seconds[tool.name].append(took)
    return seconds


def plan_check(rounds, base):
    components = "".join(
        f"  c{i}:\n    kind: process\n    site: here\n    priority: P{i % 4}\n"
        f"    command: [\"/bin/true\"]\n" + (f"    needs: [c{i - 1}]\n" if i % 10 else "") for i in range(1000))
    (base / "large.yaml").write_text("lifeboat: 1\nplan: large\nowner: bench\n"
                                     "sites: {here: {local: {directory: here, ports: 20000-29999}}}\n"
                                     f"components:\n{components}scenarios: {{}}\n")
    (base / "small.yaml").write_text("lifeboat: 1\nplan: small\nowner: bench\nsites: {here: {}}\ncomponents: {}\nscenarios: {}\n")
    times = {"small": [], "large": []}
    for _ in range(rounds):
        for size in times:
            times[size].append(timed([str(LIFEBOAT), "check", f"{size}.yaml"], base))
    return times


def simulation(runs):
    program = ROOT / "build" / "lifeboat_sim"
    if not program.exists():
        return None
    begin = time.perf_counter()
    subprocess.run([str(program), "--seed", "1", "--runs", str(runs)], check=True, capture_output=True)
    return runs / (time.perf_counter() - begin)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sim-runs", type=int, default=20000)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lifeboat-bench-") as folder:
        base = pathlib.Path(folder)
        seconds = engine(arguments.rounds, base)
        checks = plan_check(arguments.rounds, base)
    rate = simulation(arguments.sim_runs)
    bash = statistics.median(seconds["bash script"])
    result = {"steps": STEPS, "tools": {}, "check_1000_components_ms": {}, "sim_runs_per_second": rate}
    print(f"{STEPS} steps, each a shell that appends a line   (seconds: median, min–max; ratio to bash)")
    for name, values in seconds.items():
        s = spread(values)
        over = (s["median"] - (0 if name == NoOp.name else bash)) / STEPS * 1000
        result["tools"][name] = {**s, "ratio_to_bash": round(s["median"] / bash, 2), "overhead_ms_per_step": round(over, 3)}
        over_what = "a step" if name == NoOp.name else "a step over bash"
        print(f"  {name:<31} {s['median']:8.3f}  ({s['min']:.3f}–{s['max']:.3f}, {s['runs']} runs)   ×{s['median'] / bash:6.2f}"
              f"   {over:+.3f} ms {over_what}")
    for size, values in checks.items():
        s = spread([v * 1000 for v in values], 1)
        result["check_1000_components_ms"][size] = s
        print(f"  check of a {size} plan: {s['median']} ms ({s['min']}–{s['max']}), the whole process")
    if rate:
        print(f"  simulation: {rate:.0f} runs a second, both cores")
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
