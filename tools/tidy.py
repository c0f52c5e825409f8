#!/usr/bin/python3
"""clang-tidy over the sources, remembering what was clean.

usage: tidy.py [FILE...]      needs build-clang/compile_commands.json

A source is looked at again only when it, a header of ours that it includes, the rules or the tool have
changed: the fingerprints of clean sources are kept in ~/.cache/lifeboat/tidy, for all clones of this
user. So the first run takes minutes and the next ones seconds.
"""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

import stages
from stages import ROOT

TREE = ROOT / "build-clang"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "lifeboat/tidy"
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
FILE_LIMIT_SECONDS = 600


class Fingerprints:
    """Hashes of a source with everything of ours that it includes."""

    def __init__(self):
        version = subprocess.run(["clang-tidy-19", "--version"], capture_output=True, check=True)
        self.rules = version.stdout + (ROOT / ".clang-tidy").read_bytes()
        self.files = {}  # path -> (hash of the content, paths included)

    def _file(self, path):
        if path not in self.files:
            content = path.read_bytes()
            included = set()
            for target in INCLUDE.findall(content.decode("utf-8", "replace")):
                for folder in (ROOT / "src", ROOT, path.parent, ROOT / "cmake"):
                    if (folder / target).is_file():
                        included.add((folder / target).resolve())
                        break
            self.files[path] = (hashlib.sha256(content).hexdigest(), included)
        return self.files[path]

    def of(self, path, arguments):
        seen, queue = set(), [path, ROOT / "cmake/pch_test.h", ROOT / "cmake/pch.h"]
        while queue:
            current = queue.pop()
            if current not in seen:
                seen.add(current)
                queue += self._file(current)[1]
        digest = hashlib.sha256(self.rules)
        digest.update(arguments.replace(str(ROOT), "").encode())
        for current in sorted(seen):
            digest.update(f"{current.relative_to(ROOT)} {self._file(current)[0]}\n".encode())
        return digest.hexdigest()


def look(job):
    path, mark = job
    ended = stages.run(["clang-tidy-19", "-p", TREE, "--quiet", path], FILE_LIMIT_SECONDS,
                       ROOT / "out/tidy" / (str(path.relative_to(ROOT)).replace("/", "_") + ".log"))
    if ended.ok:
        mark.touch()
    return path, ended


def sources(chosen):
    """(path, compiler arguments) of every source of ours that the build compiles."""
    for entry in json.loads((TREE / "compile_commands.json").read_text(encoding="utf-8")):
        path = pathlib.Path(entry["file"])
        if path.is_relative_to(TREE) or not path.is_file():
            continue
        if chosen and path not in chosen:
            continue
        yield path, entry["command"]


def main():
    chosen = {pathlib.Path(name).resolve() for name in sys.argv[1:]}
    CACHE.mkdir(parents=True, exist_ok=True)
    fingerprints = Fingerprints()
    jobs, clean = {}, 0
    for path, arguments in sources(chosen):
        mark = CACHE / fingerprints.of(path, arguments)
        if mark.exists():
            mark.touch()
            clean += 1
        else:
            jobs[path] = mark
    bad = 0
    for path, ended in stages.each(look, list(jobs.items())):
        if not ended.ok:
            bad += 1
            print(f"{path.relative_to(ROOT)}: {ended.why()}\n{ended.output}", flush=True)
    print(f"{len(jobs)} looked at, {clean} clean since before, {bad} with findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
