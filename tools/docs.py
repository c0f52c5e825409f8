#!/usr/bin/python3
"""Generated parts of the documents, and links that lead nowhere.

usage: docs.py [--check]      writes the parts again; with --check says which are stale, exit 1

A generated part stands between two comments and is the output of a command (run in the root of the
clone; "lifeboat" is build/lifeboat) or a part of a file:

    <!-- generated: lifeboat --help -->        <!-- generated: file src/modules.txt -->
    ```text
    …
    ```
    <!-- end -->

Output that is Markdown itself is included as it is:

    <!-- included: lifeboat commands-page -->
    …
    <!-- end -->
"""

import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PART = re.compile(r"(<!-- generated: (?P<command>[^\n]+?) -->\n```(?P<kind>\w*)\n).*?(\n```\n<!-- end -->)", re.S)
WHOLE = re.compile(r"(<!-- included: (?P<command>[^\n]+?) -->\n).*?(\n<!-- end -->)", re.S)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")


def output_of(command, root):
    words = shlex.split(command)
    if words[0] == "file":
        return (root / words[1]).read_text(encoding="utf-8").rstrip()
    if words[0] == "lifeboat":
        words[0] = str(root / "build/lifeboat")
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, timeout=60)
    return (done.stdout or done.stderr).rstrip()


def renewed(text, root):
    text = WHOLE.sub(lambda part: part.group(1) + output_of(part.group("command"), root) + part.group(3), text)
    return PART.sub(lambda part: part.group(1) + output_of(part.group("command"), root) + part.group(4), text)


def anchors(text):
    """The anchors of a Markdown file's headings, as forges make them."""
    found = set()
    for heading in re.findall(r"^#+ +(.+)$", text, re.M):
        plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def dead_links(path, text, root):
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.S)
    for link in LINK.finditer(prose):
        target = link.group("target")
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name) if name else path
        if not file.exists():
            yield f"{path.relative_to(root)}: link to '{target}': there is no such file"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
            yield f"{path.relative_to(root)}: link to '{target}': there is no such heading"


def documents(root):
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "src/**/*.md"):
        yield from sorted(root.glob(pattern))


def main(arguments, root=ROOT):
    check = "--check" in arguments
    problems = []
    for path in documents(root):
        text = path.read_text(encoding="utf-8")
        new = renewed(text, root)
        if new != text and check:
            problems.append(f"{path.relative_to(root)}: generated parts are stale; run ./dev docs")
        elif new != text:
            path.write_text(new, encoding="utf-8")
            print(f"wrote {path.relative_to(root)}")
        problems += dead_links(path, new, root)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
