#!/usr/bin/python3
"""The rules of the tree that no compiler knows: the module table, and what a source may contain.

usage: layers.py [ROOT]      prints each finding as FILE:LINE: TEXT; exit 1 if there is any

The table is src/modules.txt. A finding that is right on purpose is waived on its line by a comment
that begins "Allowed: WORD" and says why. Rules about single words stand in BANNED.
"""

import pathlib
import re
import sys
from dataclasses import dataclass

COLUMNS_MAX = 100
LINES_MAX = 500
TEST_LINES_MAX = 800


@dataclass(frozen=True)
class Ban:
    """A word that only some folders may use, and what the others use."""

    word: str
    pattern: str
    allowed: tuple  # path prefixes under src/
    instead: str
    in_tests: bool = False  # unit tests may use it


BANNED = (
    Ban("std::thread", r"\bstd::j?thread\b|\bstd::async\b", ("platform/task", "surface/app"),
        "TaskScope", True),
    Ban("std::mutex", r"\bstd::(shared_|recursive_|timed_)?mutex\b", ("platform/task",),
        "Mutex of platform/task, which the compiler checks", True),
    Ban("sleep_for", r"\bsleep_(for|until)\b|(?<![\w.>])u?sleep\(", ("platform/task", "platform/env"),
        "a wait with a Context"),
    Ban("system_clock::now", r"\bsystem_clock::now\b", ("platform/env", "platform/base"),
        "the Clock that was handed in"),
    Ban("steady_clock::now", r"\bsteady_clock::now\b",
        ("platform/env", "platform/base", "platform/task"), "the Clock that was handed in", True),
    Ban("getenv", r"\b(secure_)?getenv\b", ("platform/env", "main"), "Environment of platform/env",
        True),
    Ban("random_device", r"\brandom_device\b|\bmt19937", ("platform/env",),
        "Random of platform/env", True),
    Ban("throw", r"\bthrow\b", (), "return an Error", True),
    Ban("assert", r"(?<!static_)\bassert\s*\(", (), "CHECK"),
    Ban("std::regex", r"\bstd::regex\b", (), "the helpers of platform/base/text.h"),
    Ban("std::cout", r"\bstd::c(out|err|in)\b|(?<![\w:])f?printf\(", ("surface/cli", "main"),
        "the log, or the view of surface/cli", True),
    Ban("system", r"(?<![\w:.>])(::|std::)?(system|popen)\s*\(", (), "Processes of platform/env"),
    Ban("stoi", r"\bstd::sto(i|l|ll|ul|ull|d|f)\b|\bato[il]\(", (), "parse_… of platform/base"),
)

# Headers that only sources may include (they cost seconds each), and the one header that may.
HEAVY = {
    r"nlohmann/json\.hpp": ("platform/codec/json.h",),
    r"yaml-cpp/(yaml\.h|node/.*)": (),
    r"CLI/.*": (),
    r"libpq-fe\.h": (),
    r"sqlite3\.h": (),
    r"curl/.*": (),
    r"regex": (),
}
# What core/ may not see: it decides, it does not act.
ACTING = (r"<(thread|mutex|fstream|iostream|filesystem|random|condition_variable|future|unistd\.h"
          r"|sys/.*|fcntl\.h|signal\.h|csignal|cstdio|poll\.h|netinet/.*|arpa/.*|netdb\.h)>")


def is_test(name):
    """Unit tests, and what only they use (test_….h, testing.h)."""
    return name.endswith("_test.cc") or name.rpartition("/")[2].startswith(("test_", "testing."))


def strip(text):
    """The text with comments and what strings contain blanked; line numbers and columns stay."""
    pattern = re.compile(
        r'R"(?P<delimiter>[^()\s\\]{0,16})\(.*?\)(?P=delimiter)"'
        r'|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S)

    def blank(match):
        found = match.group(0)
        blanked = re.sub(r"[^\n]", " ", found)
        return f'"{blanked[1:-1]}"' if found[0] in 'R"' else blanked

    return pattern.sub(blank, text)


class Table:
    """src/modules.txt: which module may include which."""

    def __init__(self, text):
        self.problems = []  # (line, text)
        self.needs = {}
        lines = {}
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            match = re.fullmatch(r"([a-z0-9_/]+):((?: [a-z0-9_/]+(?:/\*)?)*)", line.rstrip())
            if not match:
                self.problems.append((number, f"not a module line: '{line}'"))
                continue
            module, needs = match.group(1), match.group(2).split()
            if module in self.needs:
                self.problems.append((number, f"module '{module}' stands twice"))
            self.needs[module] = needs
            lines[module] = number
        for module, needs in self.needs.items():
            expanded = []
            for need in needs:
                if need.endswith("/*"):
                    found = [other for other in self.needs if other.startswith(need[:-1])]
                else:
                    found = [need] if need in self.needs else []
                if not found:
                    self.problems.append((lines[module], f"'{module}' names no module: '{need}'"))
                expanded += found
            self.needs[module] = expanded
        self.lines = lines
        self._reach = {}
        for module in self.needs:
            self._walk(module, [])

    def _walk(self, module, path):
        if module in path:
            cycle = " -> ".join(path[path.index(module):] + [module])
            if not any("cycle" in problem for _, problem in self.problems):
                self.problems.append((self.lines[module], f"cycle: {cycle}"))
            return set()
        if module not in self._reach:
            reach = {module}
            for need in self.needs[module]:
                reach |= self._walk(need, path + [module])
            self._reach[module] = reach
        return self._reach[module]

    def may_include(self, module):
        return self._reach.get(module, set())


def in_tests_folder(source, name, target):
    """Whether a unit test includes something of test/, such as a contract suite."""
    tests = (source.parent / "test").resolve()
    for folder in (source.parent, (source / name).parent):
        path = (folder / target).resolve()
        if path.is_file() and path.is_relative_to(tests):
            return True
    return False


def check_includes(name, module, table, source, text):
    """Findings about the includes of one file under src/."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not match:
            continue
        quoted, target = match.group(1) == '"', match.group(2)
        waived = "Allowed: include" in line
        if not quoted:
            if name.endswith(".h") and not waived:
                for pattern, allowed in HEAVY.items():
                    if re.fullmatch(pattern, target) and name not in allowed:
                        yield number, f"<{target}> is for sources only: it costs seconds in every file"
            if module.startswith("core/") and re.fullmatch(ACTING, f"<{target}>"):
                if not is_test(name) and not waived:
                    yield number, f"core acts on nothing, so it has no use for <{target}>"
            continue
        if is_test(name) and in_tests_folder(source, name, target):
            continue
        if not (source / target).is_file():
            yield number, f"no such file under src/: \"{target}\""
            continue
        other = str(pathlib.PurePath(target).parent)
        if other not in table.may_include(module):
            yield number, f"{module} may not include {other} (src/modules.txt)"


def check_words(name, lines, code):
    """Findings about banned words and about where TRY stands."""
    for ban in BANNED:
        if (is_test(name) and ban.in_tests) or name.startswith(tuple(f"{a}/" for a in ban.allowed)):
            continue
        for number, line in enumerate(code, 1):
            if re.search(ban.pattern, line) and f"Allowed: {ban.word}" not in lines[number - 1]:
                if not line.lstrip().startswith("#"):
                    yield number, f"'{ban.word}' is not used here; instead: {ban.instead}"
    yield from check_try("\n".join(code))


def statement_start(code, position):
    """Where the statement around `position` begins; the semicolons of a for head end none."""
    depth = 0
    for at in range(position - 1, -1, -1):
        if code[at] in ";{}" and depth <= 0:
            return at + 1
        depth += {")": 1, "(": -1}.get(code[at], 0)
    return 0


def check_try(code):
    """No temporary may be built beside TRY in its statement: GCC 12 leaks it when TRY returns.

    A call, a literal or braces beside TRY may build one; names, casts and what encloses TRY do not.
    """
    heads = re.compile(r"^\s*(else\b\s*|(if|while|for)\s*\(.*\)\s*|case\b[^:]*:\s*|\w+:\s*)+", re.S)
    for match in re.finditer(r"\bTRY\(", code):
        number = code.count("\n", 0, match.start()) + 1
        if code[code.rfind("\n", 0, match.start()) + 1:match.start()].lstrip().startswith("#"):
            continue
        depth, end = 1, match.end()
        while end < len(code) and depth:
            depth += {"(": 1, ")": -1}.get(code[end], 0)
            end += 1
        start = statement_start(code, match.start())
        before = heads.sub("", code[start:match.start()])
        before = re.sub(r"\(void\)", "", before)
        opened = before.count("(") - before.count(")")
        in_condition = re.match(r"\s*(if|while|for)\s*\(", before) is not None
        after = ""
        for letter in code[end:]:
            opened += {"(": 1, ")": -1}.get(letter, 0)
            if letter in ";{" or (in_condition and opened == 0):
                break
            after += letter
        if re.search(r'[)"]', before) or re.search(r'[("]', after):
            yield number, "beside TRY a temporary may be built; give the value of TRY a name first"


def check_file(path, source, table):
    name = str(path.relative_to(source))
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    module = str(path.parent.relative_to(source))
    if module not in table.needs:
        yield 1, f"the folder src/{module} is no module of src/modules.txt"
    limit = TEST_LINES_MAX if is_test(name) else LINES_MAX
    if len(lines) > limit:
        yield limit + 1, f"{len(lines)} lines; the limit is {limit}: split by what it does"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            yield number, f"{len(line)} columns; the limit is {COLUMNS_MAX}"
    if name.endswith(".h"):
        if not lines or lines[0] != "#pragma once":
            yield 1, "a header begins with #pragma once"
        elif len(lines) < 2 or not lines[1].startswith("//"):
            yield 2, "under #pragma once stands what the header is, in a comment"
    yield from check_includes(name, module, table, source, text)
    yield from check_words(name, lines, strip(text).split("\n"))


def check_tree(root):
    """All findings, as (path, line, text)."""
    root = pathlib.Path(root)
    source = root / "src"
    table_path = source / "modules.txt"
    table = Table(table_path.read_text(encoding="utf-8"))
    findings = [(table_path.relative_to(root), line, text) for line, text in table.problems]
    for path in sorted(source.rglob("*")):
        if path.suffix in (".h", ".cc"):
            findings += [(path.relative_to(root), line, text)
                         for line, text in check_file(path, source, table)]
        elif path.suffix in (".hpp", ".cpp", ".cxx", ".c", ".hh"):
            findings.append((path.relative_to(root), 1, "sources end in .h or .cc"))
    return findings


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    findings = check_tree(root)
    for path, line, text in findings:
        print(f"{path}:{line}: {text}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
