"""Tests of tools/layers.py: each rule with a tree that breaks it, and this tree, which keeps them all."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import layers

TABLE = """# table
platform/base:
core/plan: platform/base
providers/a: core/plan
providers/b: core/plan
app: providers/*
"""
HEADER = "#pragma once\n/// A thing.\n"


def findings(tmp_path, files, table=TABLE):
    for name, text in {"modules.txt": table, **files}.items():
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [f"{path}:{line}: {text}" for path, line, text in layers.check_tree(tmp_path)]


def test_a_module_includes_what_it_lists_and_what_that_includes(tmp_path):
    assert findings(tmp_path, {
        "platform/base/x.h": HEADER,
        "providers/a/y.h": HEADER + '#include "platform/base/x.h"\n',
        "app/z.cc": '#include "providers/a/y.h"\n#include "platform/base/x.h"\n',
    }) == []


def test_an_include_against_the_table_is_named(tmp_path):
    assert findings(tmp_path, {
        "providers/a/x.h": HEADER,
        "providers/b/y.cc": '#include "providers/a/x.h"\n',
    }) == ["src/providers/b/y.cc:1: providers/b may not include providers/a (src/modules.txt)"]


def test_a_unit_test_may_include_a_contract_suite(tmp_path):
    (tmp_path / "test/contract").mkdir(parents=True)
    (tmp_path / "test/contract/c.h").write_text(HEADER)
    text = '#include "test/contract/c.h"\n#include "../../test/contract/c.h"\n'
    assert findings(tmp_path, {"app/x_test.cc": text}) == []
    assert len(findings(tmp_path, {"app/x.cc": text})) == 2


def test_an_include_of_nothing_is_named(tmp_path):
    assert findings(tmp_path, {"app/x.cc": '#include "core/plan/gone.h"\n'}) == [
        'src/app/x.cc:1: no such file under src/: "core/plan/gone.h"']


def test_a_cycle_in_the_table_is_named(tmp_path):
    found = findings(tmp_path, {}, "a: b\nb: c\nc: a\n")
    assert found == ["src/modules.txt:1: cycle: a -> b -> c -> a"]


def test_an_unknown_module_and_a_malformed_line_are_named(tmp_path):
    found = findings(tmp_path, {}, "a: nothing\nnot a line\n")
    assert found == ["src/modules.txt:2: not a module line: 'not a line'",
                     "src/modules.txt:1: 'a' names no module: 'nothing'"]


def test_a_folder_outside_the_table_is_named(tmp_path):
    assert "no module" in findings(tmp_path, {"other/x.cc": ""})[0]


def test_core_includes_nothing_that_acts(tmp_path):
    assert "core acts on nothing" in findings(tmp_path, {"core/plan/x.cc": "#include <thread>\n"})[0]


def test_a_heavy_header_is_for_sources_only(tmp_path):
    found = findings(tmp_path, {"app/x.h": HEADER + "#include <sqlite3.h>\n",
                                "app/x.cc": "#include <sqlite3.h>\n"})
    assert len(found) == 1 and found[0].startswith("src/app/x.h:3: <sqlite3.h>")


def test_a_header_needs_its_guard_and_its_comment(tmp_path):
    found = findings(tmp_path, {"app/x.h": "int x;\n", "app/y.h": "#pragma once\nint y;\n"})
    assert len(found) == 2


def test_lines_and_files_have_a_limit(tmp_path):
    found = findings(tmp_path, {"app/x.cc": "//" + "x" * 99 + "\n", "app/y.cc": "\n" * 501,
                                "app/y_test.cc": "\n" * 501})
    assert found == ["src/app/x.cc:1: 101 columns; the limit is 100",
                     "src/app/y.cc:501: 501 lines; the limit is 500: split by what it does"]


def test_banned_words_are_named_in_code_and_not_in_comments_or_strings(tmp_path):
    found = findings(tmp_path, {"app/x.cc": '// throw\nauto a = "throw";\nauto b = R"(throw)";\nthrow 1;\n'})
    assert [line.split(": ")[0] for line in found] == ["src/app/x.cc:4"]


def test_every_ban_finds_its_word(tmp_path):
    code = {"std::thread": "std::jthread t;", "std::mutex": "std::mutex m;", "sleep_for": "::usleep(3);",
            "system_clock::now": "std::chrono::system_clock::now();",
            "steady_clock::now": "std::chrono::steady_clock::now();", "getenv": "std::getenv(x);",
            "random_device": "std::random_device d;", "throw": "throw 1;", "assert": "assert(x);",
            "std::regex": "std::regex r;", "std::cout": "std::cerr << 1;", "system": "std::system(x);",
            "stoi": "std::stoi(x);"}
    assert set(code) == {ban.word for ban in layers.BANNED}
    for word, line in code.items():
        found = findings(tmp_path, {"app/x.cc": line + "\n"})
        assert len(found) == 1 and f"'{word}'" in found[0], (word, found)
        assert findings(tmp_path, {"app/x.cc": f"{line}  // Allowed: {word}, because\n"}) == []


def test_words_that_only_contain_a_banned_one_pass(tmp_path):
    assert findings(tmp_path, {"app/x.cc": "static_assert(x); file_system(y); my.system(z); rethrow();\n"
                                           "std::snprintf(a, 1, b);\n"}) == []


def test_beside_try_nothing_is_built(tmp_path):
    good = ("TRY(f());\nauto x = TRY(g(a, b));\nreturn TRY(h());\nif (a) TRY(f());\nx = TRY(g());\n"
            "for (int i = 0; i < 3; ++i) {\n    TRY(f(i));\n}\nelse TRY(f());\ncase 3: TRY(f());\n"
            "const std::map<int, int> m = TRY(\n    g(1));\nif (auto y = TRY(g())) f(y);\n"
            "for (auto& z : m) TRY(f(z));\nfor (auto& z : TRY(g())) f(z);\nauto& w = *TRY(g());\n"
            'p.port = static_cast<int>(TRY(get(value, "port")));\nports.push_back(TRY(g()));\n'
            "found.emplace(name, TRY(g(name)));\nif (!TRY(g())) f();\n(void)TRY(g());\n"
            "auto n = TRY(g()).size;\nfor (int i = 0; i < v.size(); ++i) TRY(f());\n"
            "if (auto t = f(); !t.empty()) x = TRY(g());\nf(1);\n    x.push_back(TRY(g()));\n")
    assert findings(tmp_path, {"app/x.cc": good}) == []
    for bad in ("f(a(), TRY(g()));", "f(TRY(g()), a());", 'f("text", TRY(g()));', "a().f(TRY(g()));",
                "auto x = b ? c(TRY(g())) : d();", 'auto x = Json{{"a", TRY(g())}};'):
        assert len(findings(tmp_path, {"app/x.cc": bad + "\n"})) == 1, bad


def test_this_tree_keeps_its_rules():
    root = pathlib.Path(__file__).resolve().parent.parent
    assert [f"{path}:{line}: {text}" for path, line, text in layers.check_tree(root)] == []
