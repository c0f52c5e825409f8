"""Tests of tools/run_tests.py: how reports are counted and skips are judged."""

import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import run_tests
import stages


def test_a_gtest_report_is_counted_by_case(tmp_path):
    cases = [{"name": "a", "status": "RUN", "result": "COMPLETED"},
             {"name": "b", "status": "RUN", "result": "COMPLETED", "failures": [{"failure": "x"}]},
             {"name": "c", "status": "RUN", "result": "SKIPPED", "skipped": [{"message": "f.cc:1\nno server"}]},
             {"name": "d", "status": "NOTRUN", "result": "SUPPRESSED"}]
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"testsuites": [{"name": "S", "testsuite": cases}]}))
    count = run_tests.read_gtest(path, "test_x")
    assert str(count) == "1 passed, 1 failed, 1 skipped"
    assert count.failed == ["test_x.S.b"]
    assert count.skipped == [("test_x.S.c", "f.cc:1 no server")]


def test_a_program_that_crashes_without_a_report_is_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(run_tests, "OUT", tmp_path)
    program = tmp_path / "test_crash"
    program.write_text("#!/bin/sh\nkill -SEGV $$\n")
    program.chmod(0o755)
    name, ended, count = run_tests.run_gtest(program, 10)
    assert count.failed == ["test_crash (was ended by SIGSEGV)"]


def test_a_program_that_hangs_is_ended_with_its_children(tmp_path):
    mark = tmp_path / "mark"
    ended = stages.run(["sh", "-c", f"(sleep 3; touch {mark}) & sleep 600"], 0.5, tmp_path / "log")
    assert ended.code is None and ended.seconds < 60
    time.sleep(3)
    assert not mark.exists()


def test_a_junit_report_is_counted_by_case(tmp_path):
    path = tmp_path / "report.xml"
    path.write_text('<testsuites><testsuite><testcase classname="m" name="a"/>'
                    '<testcase classname="m" name="b"><failure/></testcase>'
                    '<testcase classname="m" name="c"><skipped message="why"/></testcase>'
                    '</testsuite></testsuites>')
    count = run_tests.read_junit(path, "e2e")
    assert (count.passed, count.failed, count.skipped) == (1, ["e2e.m.b"], [("e2e.m.c", "why")])


def test_in_ci_a_skip_without_a_reason_fails(tmp_path):
    (tmp_path / "skips.txt").write_text("# accepted skips\na.b: this machine has no systemd\n")
    accepted = run_tests.read_skips(tmp_path / "skips.txt")
    for ci, failed, skipped in ((False, 0, 2), (True, 1, 1)):
        count = run_tests.Count(skipped=[("a.b", "no systemd"), ("c.d", "")])
        run_tests.judge_skips(count, accepted, ci)
        assert (len(count.failed), len(count.skipped)) == (failed, skipped)
