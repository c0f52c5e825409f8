"""Tests of tools/docs.py: generated parts and dead links."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import docs

PART = "# Title\n<!-- generated: echo new -->\n```text\nold\n```\n<!-- end -->\n"


def test_a_stale_part_is_named_and_written_again(tmp_path, capsys):
    path = tmp_path / "README.md"
    path.write_text(PART)
    assert docs.main(["--check"], tmp_path) == 1
    assert "stale" in capsys.readouterr().out
    assert docs.main([], tmp_path) == 0
    assert "\nnew\n" in path.read_text()
    assert docs.main(["--check"], tmp_path) == 0


def test_markdown_is_included_as_it_is(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("<!-- included: echo '# New' -->\n\nold\n```\nx\n```\n<!-- end -->\n")
    assert docs.main([], tmp_path) == 0
    assert path.read_text() == "<!-- included: echo '# New' -->\n# New\n<!-- end -->\n"
    assert docs.main(["--check"], tmp_path) == 0


def test_links_that_lead_nowhere_are_named(tmp_path, capsys):
    (tmp_path / "A.md").write_text("# One two\n[a](B.md) [b](#one-two) [c](#three) [d](https://x.y) `[e](F.md)`\n")
    assert docs.main(["--check"], tmp_path) == 1
    assert capsys.readouterr().out.count("link to") == 2
