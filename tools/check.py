#!/usr/bin/python3
"""./dev check: everything that can be found without running the product.

usage: check.py [STAGE...]      layers format gcc clang tidy sanitizers fuzz docs; all of them by
                              default

Stages go on after one has failed; the exit code is 1 if any did. Logs go to out/check.
"""

import os
import sys

import stages
from stages import ROOT, Stage, run, tail, tell

OUT = ROOT / "out" / "check"
PYTHON = "/usr/bin/python3"


def command(name, words, limit, keep=200):
    """A stage that is one command: returns True if it ended well."""
    with Stage(name) as stage:
        ended = run(words, limit, OUT / f"{name}.log")
        if not ended.ok:
            stage.fail(f"    {ended.why()}\n{tail(stages.readable(ended.output), keep)}")
        elif name == "tidy":
            stage.note = ended.output.strip().splitlines()[-1]
        return ended.ok


def layers():
    return command("layers", [PYTHON, "tools/layers.py"], 120)


def formatting():
    return command("format", ["bash", "tools/dev/format.sh", "--check"], 600)


def gcc():
    return command("gcc", ["bash", "tools/dev/compile.sh", "gcc", "all"], 3600)


def clang():
    """clang-19 with the sanitizers built in: its warnings, and programs for the stage after."""
    return command("clang", ["bash", "tools/dev/compile.sh", "clang", "all"], 3600)


def tidy():
    """Needs the headers precompiled by the clang stage."""
    if not (ROOT / "build-clang/compile_commands.json").is_file() and not clang():
        return False
    return command("tidy", [PYTHON, "tools/tidy.py"], 3600)


def sanitizers():
    """The unit tests and the fuzz corpora under AddressSanitizer and UndefinedBehaviorSanitizer."""
    if not (ROOT / "build-clang/build.ninja").is_file() and not clang():
        return False
    env = dict(os.environ, UBSAN_OPTIONS="print_stacktrace=1",
               ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1")

    def one(program):
        argument = "--gtest_brief=1"
        if program.name.startswith("fuzz_"):
            argument = ROOT / "test/fuzz/corpus" / program.name.removeprefix("fuzz_")
        return program, run([program, argument], 900, OUT / f"sanitized_{program.name}.log", env)

    with Stage("sanitizers") as stage:
        programs = [path for path in sorted((ROOT / "build-clang").iterdir())
                    if path.name.startswith(("test_", "fuzz_")) and path.is_file()
                    and os.access(path, os.X_OK)]
        bad = 0
        for program, ended in stages.each(one, programs):
            if not ended.ok:
                bad += 1
                stage.fail(f"    {program.name}: {ended.why()}\n{tail(ended.output, 100)}")
        stage.note = f"{len(programs)} programs, {bad} with findings"
    return not bad


def fuzz():
    """Every parser of foreign bytes, ten seconds each: an hour each is for a person to start."""
    with Stage("fuzz") as stage:
        ended = run(["bash", "tools/dev/fuzz.sh", "all", "10"], 3600, OUT / "fuzz.log")
        if not ended.ok:
            stage.fail(f"    {ended.why()}\n{tail(ended.output, 100)}")
        stage.note = f"{ended.output.count(': Done ')} fuzzers"
        return ended.ok


def docs():
    return command("docs", [PYTHON, "tools/docs.py", "--check"], 600)


STAGES = {"layers": layers, "format": formatting, "gcc": gcc, "clang": clang, "tidy": tidy,
          "sanitizers": sanitizers, "fuzz": fuzz, "docs": docs}


def main():
    names = sys.argv[1:] or list(STAGES)
    for name in names:
        if name not in STAGES:
            tell(f"check: no stage '{name}'; there are: {' '.join(STAGES)}")
            return 2
    bad = [name for name in names if not STAGES[name]()]
    tell(f"check: failed in {', '.join(bad)}" if bad else "check: clean")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
