#!/usr/bin/python3
"""./dev test: builds everything and runs every test, stage by stage.

usage: run_tests.py [WORD]      only the tests whose name contains WORD

The last line is "N passed, N failed, N skipped" and counts test cases. With CI=true a skip counts as a
failure unless test/skips.txt names it with its reason. Logs and reports go to out/test.
"""

import json
import os
import shutil
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

import stages
from stages import ROOT, Stage, run, tail, tell

OUT = ROOT / "out" / "test"
SIMULATED_SECONDS = 20  # of hostile runs, as many as fit


@dataclass
class Count:
    """What ran: passed test cases, and the names of the others."""

    passed: int = 0
    failed: list = field(default_factory=list)
    skipped: list = field(default_factory=list)  # (name, reason)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        return f"{self.passed} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"


def read_gtest(path, program):
    """The report of a GoogleTest program; None if there is none (it crashed)."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    count = Count()
    for suite in report.get("testsuites", []):
        for test in suite.get("testsuite", []):
            name = f"{program}.{suite['name']}.{test['name']}"
            if test.get("failures"):
                count.failed.append(name)
            elif test.get("result") == "SKIPPED":
                reasons = [skip.get("message", "") for skip in test.get("skipped", [])]
                count.skipped.append((name, " ".join(" ".join(reasons).split())))
            elif test.get("status") == "RUN":
                count.passed += 1
    return count


def read_junit(path, program):
    """The report of pytest; None if there is none."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return None
    count = Count()
    for case in root.iter("testcase"):
        name = f"{program}.{case.get('classname', '')}.{case.get('name', '')}"
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            count.failed.append(name)
        elif skip is not None:
            count.skipped.append((name, skip.get("message", "")))
        else:
            count.passed += 1
    return count


def read_skips(path):
    """test/skips.txt: the skips that CI accepts, "NAME: REASON" a line."""
    accepted = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            name, colon, reason = line.partition(": ")
            if line.strip() and not line.startswith("#") and colon and reason.strip():
                accepted[name.strip()] = reason.strip()
    return accepted


def judge_skips(count, accepted, ci):
    """With CI=true, a skip that nobody has accepted is a failure."""
    if not ci:
        return
    for name, _ in count.skipped[:]:
        if name not in accepted:
            tell(f"    {name}: skipped, and test/skips.txt gives no reason for it")
            count.failed.append(name)
    count.skipped = [skip for skip in count.skipped if skip[0] in accepted]


def one_result(name, ended):
    """Counts a command as one test case."""
    return Count(passed=1) if ended.ok else Count(failed=[name])


def run_gtest(program, limit):
    """Runs one GoogleTest program; returns (its name, how it ended, its count)."""
    report = OUT / f"{program.name}.json"
    ended = run([program, f"--gtest_output=json:{report}", "--gtest_color=no"], limit,
                OUT / f"{program.name}.log")
    count = read_gtest(report, program.name)
    if count is None or (not ended.ok and not count.failed):
        count = count or Count()
        count.failed.append(f"{program.name} ({ended.why()})")
    return program.name, ended, count


def gtest_stage(title, programs, limit, total):
    if not programs:
        return
    with Stage(title) as stage:
        mine = Count()
        for name, ended, count in stages.each(lambda program: run_gtest(program, limit), programs):
            mine.add(count)
            tell(f"   {name:30} {ended.seconds:6.1f} s  {count}")
            if count.failed:
                stage.fail(tail(ended.output))
        stage.note = str(mine)
        total.add(mine)


def pytest_stage(title, folder, limit, word, total):
    """One pytest run over the test files of a folder."""
    if not any((ROOT / folder).glob("*test*.py")):
        return
    name = folder.replace("/", "_")
    report = OUT / f"{name}.xml"
    with Stage(title) as stage:
        command = ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short",
                   "-o", "python_files=test_*.py *_test.py", f"--junitxml={report}", folder]
        if word and word not in name:
            command += ["-k", word]
        ended = run(command, limit, OUT / f"{name}.log")
        count = read_junit(report, name)
        if ended.code == 5:  # nothing was selected
            count = Count()
        elif count is None or (not ended.ok and not count.failed):
            count = count or Count()
            count.failed.append(f"{folder} ({ended.why()})")
        if count.failed:
            stage.fail(tail(ended.output))
        stage.note = str(count)
        total.add(count)


def command_stage(title, name, command, limit, total):
    """A stage that is one command and counts as one test."""
    with Stage(title) as stage:
        ended = run(command, limit, OUT / f"{name}.log")
        count = one_result(name, ended)
        if count.failed:
            stage.fail(f"    {ended.why()}\n{tail(ended.output)}")
        stage.note = str(count)
        total.add(count)


def programs_of(pattern, word):
    """The built programs of a kind; the build has removed those whose source is gone."""
    found = []
    for program in sorted((ROOT / "build").glob(pattern)):
        if program.is_file() and os.access(program, os.X_OK) and word in program.name:
            found.append(program)
    return found


def fuzz_stage(word, total):
    """Each fuzzer once over its corpus."""
    programs = programs_of("fuzz_*", word)
    if not programs:
        return
    with Stage("fuzz corpora") as stage:
        mine = Count()
        for program in programs:
            corpus = ROOT / "test/fuzz/corpus" / program.name.removeprefix("fuzz_")
            ended = run([program, corpus], 300, OUT / f"{program.name}.log")
            mine.add(one_result(program.name, ended))
            if not ended.ok:
                stage.fail(f"    {program.name}: {ended.why()}\n{tail(ended.output)}")
        stage.note = str(mine)
        total.add(mine)


def read_not_gating(path):
    """Beginnings of names whose failure is shown and counted, and does not yet stop a submission."""
    lines = path.read_text().splitlines() if path.is_file() else []
    return tuple(line.split(":")[0].strip() for line in lines if line.strip() and line[0] != "#")


def run_all(word):
    total = Count()
    with Stage("build") as stage:
        ended = stages.build("gcc", ["all"], OUT / "build.log")
        if not ended.ok:
            stage.fail(tail(stages.readable(ended.output), 100))
            total.failed.append("build")
            return total
    pytest_stage("tooling", "tools", 300, word, total)
    gtest_stage("unit tests", programs_of("test_*", word), 600, total)
    fuzz_stage(word, total)
    sim = ROOT / "build/lifeboat_sim"
    if sim.is_file() and word in "simulation":
        command_stage("simulation", "simulation",
                      [sim, "--seed", 1, "--runs", 10_000_000, "--seconds", SIMULATED_SECONDS], 900,
                      total)
        command_stage("simulated defects", "simulated defects", [sim, "--mutants", "--runs", 4000],
                      900, total)
    gtest_stage("against real servers", programs_of("server_*", word), 1200, total)
    pytest_stage("the demo's shop", "examples/shop", 600, word, total)
    pytest_stage("end to end", "test/e2e", 1500, word, total)
    if (ROOT / "examples/shop/demo.py").is_file() and word in "demo":
        command = ["/usr/bin/python3", "examples/shop/demo.py", "--json", OUT / "demo.json"]
        command_stage("demo", "demo", command, 900, total)
    return total


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    total = run_all(word)
    judge_skips(total, read_skips(ROOT / "test/skips.txt"), os.environ.get("CI") == "true")
    for name, reason in total.skipped:
        tell(f"skipped: {name}: {reason}")
    for name in total.failed:
        tell(f"FAILED: {name}")
    if not total.passed and not total.failed and not total.skipped:
        tell(f"no test has '{word}' in its name")
        total.failed.append(word)
    tell(str(total))
    if os.environ.get("CI") != "true":
        return 1 if total.failed else 0
    shown_only = read_not_gating(ROOT / ".ci/not-gating.txt")
    return 1 if [name for name in total.failed if not name.startswith(shown_only)] else 0


if __name__ == "__main__":
    sys.exit(main())
