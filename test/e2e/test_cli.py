"""The command line itself: help, errors, exit statuses, JSON, options, completion, schema, check."""
import json
import re
import shutil
import subprocess

import jsonschema
import pytest
import yaml

from cli import PROGRAM, ROOT, append, documents

COMMANDS = ["init", "check", "schema", "status", "protect", "backup", "points", "vault init", "vault status",
            "vault verify", "vault restore", "vault prune", "vault key test", "recover", "runs", "resume", "approve",
            "retry", "skip", "bypass", "pause", "abort", "completion", "version"]
NEEDS_PLAN = ["status", "protect", "backup", "points", "vault init", "vault status", "vault verify", "vault restore p d",
              "vault prune", "vault key test k", "recover", "resume"]
NEEDS_RUN = ["runs latest", "approve latest", "retry latest", "skip latest --reason x", "bypass latest --reason x",
             "pause latest", "abort latest --reason x"]
WEB = """
components:
  web: {kind: process, command: sleep 1000, health: [{process: true}]}
"""


def error_of(done):
    return documents(done.stdout)[-1]["error"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_its_exit_status(cli, command):
    done = cli.bare(*command.split(), "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert "Exit status: 0 done" in done.stdout
    summary = done.stdout.splitlines()[0]
    assert len(summary) > 10 and f"Usage: lifeboat {command}" in done.stdout.replace(" [OPTIONS]", "")


def test_the_overview_lists_every_command_under_its_group(cli):
    text = cli.bare("--help").stdout
    for command in COMMANDS:
        assert f"\n  {command.split()[0]} " in text
    for group in ("Plan:", "Protection:", "Vault:", "Recovery:", "Help:"):
        assert f"\n{group}\n" in text
    assert "wal-fetch" not in text and "commands-page" not in text and "complete " not in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_without_a_command_the_overview_is_shown_and_the_status_is_usage(cli):
    done = cli.bare()
    assert done.returncode == 2 and "Recovery:" in done.stdout


@pytest.mark.parametrize("words, what, meant", [
    (["recovr"], "unknown command 'recovr'", "'recover'"),
    (["vault", "verfy"], "unknown command 'verfy' of `lifeboat vault`", "'verify'"),
    (["recover", "--previw"], "unknown option '--previw' of `lifeboat recover`", "'--preview'"),
    (["--jsn", "runs"], "unknown option '--jsn'", "'--json'"),
    (["check", "--plann=x"], "unknown option '--plann'", "'--plan'"),
    (["xyzzy"], "unknown command 'xyzzy'", "`lifeboat --help` lists"),
    (["vault"], "needs a command: init, status, verify, restore, prune, key", "`lifeboat vault --help`"),
    (["vault", "key", "test"], "`lifeboat vault key test`: COPY is required", "`lifeboat vault key test --help`"),
    (["runs", "--color", "purple"], "purple", "`lifeboat runs --help`"),
    (["runs", "a", "b"], "`lifeboat runs`", "--help"),
])
def test_a_wrong_command_line_is_named_with_what_was_probably_meant(cli, words, what, meant):
    done = cli.bare(*words)
    assert done.returncode == 2 and done.stdout == ""
    assert "lifeboat: error: " in done.stderr and what in done.stderr and meant in done.stderr
    asked = cli.bare(*words, "--json")
    assert asked.returncode == 2
    error = error_of(asked)
    assert error["kind"] == "invalid" and what in error["message"] and meant in error["hint"]


@pytest.mark.parametrize("command", NEEDS_PLAN)
def test_without_a_plan_every_command_says_how_to_name_one(cli, command):
    done = cli.run(*command.split(), "--json", code=3)
    error = error_of(done)
    assert str(cli.plan) in error["message"] and "$LIFEBOAT_PLAN" in error["hint"]
    plain = cli.run(*command.split())
    assert plain.stdout == "" and plain.stderr.startswith("lifeboat: error: ")


@pytest.mark.parametrize("command", NEEDS_RUN)
def test_without_a_run_every_command_that_takes_part_in_one_says_so(cli, command):
    cli.write(WEB)
    done = cli.run(*command.split(), "--json", code=8)
    assert error_of(done)["message"] == "there are no runs" and "`lifeboat runs`" in error_of(done)["hint"]


@pytest.mark.parametrize("command", NEEDS_PLAN)
def test_a_plan_with_mistakes_is_status_3_and_its_lines_are_shown(cli, command):
    cli.write("componets: {}\n")
    done = cli.run(*command.split())
    assert done.returncode == 3
    assert "lifeboat.yaml:6:1: error" in done.stderr and "did you mean 'components'" in done.stderr
    assert error_of(cli.run(*command.split(), "--json", code=3))["kind"] == "invalid"


def test_json_of_every_reading_command_is_one_document(cli):
    cli.write(WEB)
    cli.run("vault", "init", code=0)
    for words in (["check"], ["schema"], ["status"], ["points"], ["vault", "status"], ["vault", "verify"],
                  ["vault", "prune", "--dry-run"], ["runs"], ["version"]):
        done = cli.run(*words, "--json")
        assert done.returncode in (0, 1), done.stderr
        assert len(documents(done.stdout)) == 1 and done.stderr == "", words


def test_the_plan_and_the_state_are_found_by_option_and_by_environment(cli, folder):
    cli.steps(append("one"))
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    other = folder / "other-state"
    by_environment = {"LIFEBOAT_PLAN": str(cli.plan), "LIFEBOAT_STATE": str(other)}
    assert cli.bare("recover", "test", "--yes", env=by_environment, cwd=elsewhere).returncode == 0
    assert (other / "state.db").exists() and cli.lines() == ["one"]   # commands run beside the plan
    assert len(documents(cli.bare("runs", "--json", env=by_environment).stdout)[0]) == 1
    assert cli.ask("runs") == []                                       # the option wins over nothing
    option = cli.bare("runs", "--json", "--state", str(cli.state), env=by_environment)
    assert documents(option.stdout) == [[]]                            # … and over the environment
    assert cli.bare("--plan", str(cli.plan), "check").returncode == 0  # before the command as well
    assert cli.bare("check", cwd=folder).returncode == 0               # lifeboat.yaml of the directory


def test_a_state_directory_of_its_own_per_plan_is_the_default(cli, folder):
    cli.steps(append("one"))
    home = {"HOME": str(folder / "home"), "XDG_STATE_HOME": str(folder / "home/state")}
    done = cli.bare("runs", "--verbose", "--plan", str(cli.plan), env=home)
    assert done.returncode in (0, 8)   # 8: another user's /var/lib/lifeboat


@pytest.mark.parametrize("command", ["status", "points", "backup", "protect"])
def test_a_component_that_the_plan_does_not_have_is_named_with_the_nearest(cli, command):
    cli.write(WEB)
    done = cli.run(command, "wbe", code=8)
    assert "no component 'wbe'" in done.stderr and "'web'" in done.stderr


def test_json_is_json_where_text_is_the_result(cli):
    assert "_lifeboat" in documents(cli.bare("completion", "bash", "--json").stdout)[0]["script"]
    assert "lifeboat: 1" in documents(cli.bare("init", "--print", "--json").stdout)[0]["text"]


# --- check, schema ------------------------------------------------------------------------------------------

def test_check_names_every_mistake_with_its_line(cli):
    cli.write("""
components:
  database: {kind: postgress}
  web: {kind: process, needs: [databse], command: ./web, objectives: {rto: soon}, objectivs: 1}
scenarios:
  lost:
    steps:
      - restore: databas
      - promot: database
""")
    done = cli.run("check", code=3)
    for line, words in ((8, "postgress"), (9, "objectivs"), (9, "databse"), (9, "soon"), (13, "databas"), (14, "promot")):
        assert any(f"lifeboat.yaml:{line}:" in row and words in row for row in done.stdout.splitlines()), (line, words, done.stdout)
    report = cli.ask("check", code=3)
    assert report["errors"] >= 6
    assert {8, 9, 13, 14} <= {diagnostic["line"] for diagnostic in report["diagnostics"]}


def check(cli, example, *words, code):
    done = cli.bare("check", *words, "--state", str(cli.state), str(ROOT / "examples" / example))
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_check_says_which_promises_of_the_written_plan_cannot_be_kept(cli):
    report = documents(check(cli, "ecommerce-aws.yaml", "--json", code=1))[0]
    assert report["components"] == 16 and report["scenarios"] == 5
    assert report["errors"] > 0 and report["warnings"] > 0 and report["unmet"] == len(report["objectives"]) == 10
    found = {(remark["line"], remark["id"]) for remark in report["diagnostics"]}
    assert {(92, "rpo-unreachable"), (213, "better-point-unused"), (99, "unprotected"), (252, "stated-time-over-rto"),
            (66, "needs-slower"), (284, "control-plane-lost"), (552, "drill-destroys"), (232, "literal-secret")} <= found
    forecasts = {(one["component"], one["scenario"]): one for one in report["forecasts"]}
    database = forecasts[("database", "region-failure")]
    assert database["loss_s"] == 6 * 3600 + 20 * 60 and database["by"] == "snapshot @dr" and not database["rpo_kept"]
    assert [part["what"] for part in database["loss_parts"]] == ["interval", "snapshot", "copy to dr"]
    assert not forecasts[("backend", "region-failure")]["recovers"]


def test_check_shows_the_line_the_reason_and_the_mend_and_then_the_table(cli):
    text = check(cli, "ecommerce-aws.yaml", code=1)
    assert """ecommerce-aws.yaml:92:9: error[rpo-unreachable]: cache may lose at most 1h, but can lose 24h6m
   92 |       - {method: snapshot, every: 24h, keep: 7d}
      |         ^ worst case: interval 24h + snapshot 6m (estimate)
      = try: every: 54m, or method: replica
""" in text
    rows = [row.split() for row in text.splitlines()]
    assert ["component", "objective", "at", "best", "by", "scenario", "evidence"] in rows
    assert ["backend", "RTO", "30m", "never", "✗"] in [row[:5] for row in rows]
    assert "errors" in text.splitlines()[-1] and "10 of 10 objectives cannot be met" in text.splitlines()[-1]
    assert "\ndatabase-failure  database   hit" not in text and "database-failure  database" in check(
        cli, "ecommerce-aws.yaml", "--all", code=1)


def test_check_has_nothing_against_the_mended_plan_but_missing_providers(cli):
    report = documents(check(cli, "ecommerce-aws-mended.yaml", "--json", code=0))[0]
    assert report["errors"] == 0 and report["unmet"] == 0
    assert {remark["id"] for remark in report["diagnostics"]} == {"no-provider"}
    assert all(row["kept"] and row["standing"] == "none" for row in report["objectives"])


def test_check_accepts_the_plan_of_the_demo(cli):
    report = documents(check(cli, "shop/plan.yaml", "--json", code=0))[0]
    assert report["errors"] == 0 and all(row["kept"] for row in report["objectives"])


def test_check_needs_no_state_and_makes_none(cli):
    check(cli, "shop/plan.yaml", code=0)
    assert not cli.state.exists()


def test_nothing_unproven_is_green(cli):
    text = check(cli, "ecommerce-aws-mended.yaml", "--color", "always", code=0)
    table = text[text.index("component  objective"):]
    assert "\x1b[33m" in table and "\x1b[32m" not in table


def test_what_was_measured_here_stands_beside_its_objective_and_is_green(cli):
    cli.write("""
components:
  web: {kind: process, command: [/bin/sleep, "600"], objectives: {rto: 1m}, health: [{process: true}]}
scenarios:
  web-down:
    lost: [web]
    detect: [{unhealthy: web, for: 1s}]
    steps: [{start: web}, {verify: web}]
  end: {steps: [{stop: web}]}
""")
    before, = cli.ask("check", code=0)["objectives"]
    assert before["kept"] and before["standing"] == "none" and before["measured_s"] is None
    assert "2 of 2 steps are estimates" in cli.run("check", code=0).stdout
    cli.run("recover", "web-down", "--yes", code=0)
    report = cli.ask("check", code=0)
    after, = report["objectives"]
    assert after["standing"] == "proven" and 0 < after["measured_s"] < 60 and after["age_s"] >= 0
    # One look at how fast somebody notices is no measure of it; a step that was done was measured.
    bases = {part["what"]: part["basis"] for part in report["forecasts"][0]["path"]}
    assert bases.pop("detection") != "measured" and set(bases.values()) == {"measured"}, bases
    assert "(measured once)" in cli.run("check", "--all", code=0).stdout
    text = cli.run("check", "--color", "always", code=0).stdout
    assert "\x1b[32m" in text and " ✓" in text
    cli.run("recover", "end", "--yes", "--although-healthy", "the test is over", code=0)


def test_check_speaks_sarif(cli):
    log = documents(check(cli, "ecommerce-aws.yaml", "--sarif", code=1))[0]
    assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-2.1.0.json")
    run, = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "lifeboat" and len({rule["id"] for rule in rules}) == len(rules)
    assert len(run["results"]) == documents(check(cli, "ecommerce-aws.yaml", "--json", code=1))[0]["errors"] + sum(
        result["level"] == "warning" for result in run["results"])
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] and result["level"] in ("error", "warning")
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"].startswith("file:///") and place["region"]["startLine"] > 0
        assert result["message"]["text"]
    broken = cli.write("components: {db: {kind: postgress}}\n").run("check", "--sarif", code=3)
    assert documents(broken.stdout)[0]["runs"][0]["results"][0]["ruleId"] == "unknown-kind"


class _Loader(yaml.SafeLoader):
    """Dates stay texts, as they are for JSON."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def test_the_schema_is_valid_and_accepts_the_examples(cli):
    schema = documents(cli.bare("schema").stdout)[0]
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    for example in ("ecommerce-aws.yaml", "ecommerce-aws-mended.yaml", "shop/plan.yaml"):
        plan = yaml.load((ROOT / "examples" / example).read_text(), _Loader)
        problems = [f"{list(e.absolute_path)}: {e.message[:200]}" for e in validator(schema).iter_errors(plan)]
        assert problems == [], example
    bad = {"lifeboat": 1, "plan": "x", "componets": {}}
    assert any(True for _ in validator(schema).iter_errors(bad))


def test_version_says_what_this_build_can_do(cli):
    version = documents(cli.bare("version", "--json").stdout)[0]
    assert {"postgres", "redis", "process", "http", "shell"} <= set(version["kinds"])
    assert version["plan_format"] == 1 and version["version"] in cli.bare("version").stdout


# --- completion ---------------------------------------------------------------------------------------------

def complete(cli, *words):
    """What bash offers for the last of these words."""
    script = cli.bare("completion", "bash").stdout
    (cli.home / "bin").mkdir(exist_ok=True)
    if not (cli.home / "bin/lifeboat").exists():
        (cli.home / "bin/lifeboat").symlink_to(PROGRAM)
    text = script + f"""
PATH={cli.home}/bin:$PATH
COMP_WORDS=({" ".join(repr(word) for word in words)})
COMP_CWORD={len(words) - 1}
_lifeboat
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, cwd=cli.home,
                          env=cli.environment({"LIFEBOAT_STATE": str(cli.state)}))
    assert done.stderr == ""
    return done.stdout.split()


def test_completion_in_bash_offers_what_may_follow(cli):
    cli.steps(append("one"), more=WEB)
    cli.recover(code=0)
    assert subprocess.run(["bash", "-n"], input=cli.bare("completion", "bash").stdout, text=True).returncode == 0
    assert complete(cli, "lifeboat", "reco") == ["recover"]
    assert {"init", "recover", "vault"} <= set(complete(cli, "lifeboat", ""))
    assert complete(cli, "lifeboat", "recover", "te") == ["test"]
    assert complete(cli, "lifeboat", "recover", "--prev") == ["--preview"]
    assert complete(cli, "lifeboat", "recover", "--preview", "te") == ["test"]
    assert complete(cli, "lifeboat", "--plan", "lifeboat.yaml", "recover", "te") == ["test"]
    assert complete(cli, "lifeboat", "vault", "ver") == ["verify"]
    assert complete(cli, "lifeboat", "vault", "key", "t") == ["test"]
    assert complete(cli, "lifeboat", "backup", "w") == ["web"]
    assert complete(cli, "lifeboat", "resume", "lat") == ["latest"]
    run = cli.ask("runs")[0]["run"]
    assert complete(cli, "lifeboat", "runs", "run-") == [run]
    assert complete(cli, "lifeboat", "--color", "al") == ["always"]
    assert complete(cli, "lifeboat", "check", "lifeb") == ["lifeboat.yaml"]
    assert complete(cli, "lifeboat", "recover", "--reason", "te") == []
    assert "wal-fetch" not in complete(cli, "lifeboat", "vault", "")


def commands_of(cli, *path):
    """Each command with the options and commands that its --help lists, from the top down."""
    text = cli.bare(*path, "--help").stdout
    listed = text[text.index("\nOptions:"):]
    listed = listed[:listed.find("\nEvery command also takes")]
    options = set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", listed, re.M))
    below = re.findall(r"^  ([a-z][a-z-]*)(?:  |$)", listed, re.M)
    yield path, options, below
    for name in below:
        yield from commands_of(cli, *path, name)


def test_completion_offers_every_option_and_command_that_help_lists(cli):
    every = list(commands_of(cli))
    assert len(every) > 30 and ("vault", "key", "test") in [path for path, *_ in every]
    everywhere = every[0][1]
    fish = cli.bare("completion", "fish").stdout
    for path, options, below in every:
        offered = complete(cli, "lifeboat", *path, "--")
        assert len(offered) == len(set(offered)), path
        assert set(offered) == options | everywhere, path
        if below:
            assert set(below) <= set(complete(cli, "lifeboat", *path, "")), path
        for option in options:
            assert re.search(rf" -l {option[2:]}\b", fish), (path, option)
    assert "--all" in complete(cli, "lifeboat", "evidence", "--")


def test_names_for_completion_come_from_the_plan_even_with_mistakes(cli):
    cli.steps(append("one"), more=WEB + "componets: {}\n")
    assert cli.run("complete", "scenario", code=0).stdout.split() == ["test"]
    assert cli.run("complete", "component", code=0).stdout.split() == ["web"]
    assert cli.run("complete", "planet").returncode == 2


def test_completion_exists_for_zsh_and_fish_and_for_nothing_else(cli):
    zsh = cli.bare("completion", "zsh").stdout
    assert "bashcompinit" in zsh and "complete -o filenames -F _lifeboat lifeboat" in zsh
    fish = cli.bare("completion", "fish").stdout
    assert "complete -c lifeboat -n __fish_use_subcommand -a recover" in fish.replace("'", "")
    assert "(lifeboat complete scenario)" in fish
    for shell, script, check in (("zsh", zsh, ["zsh", "-n"]), ("fish", fish, ["fish", "--no-execute"])):
        if shutil.which(shell):
            assert subprocess.run(check, input=script, text=True).returncode == 0
    done = cli.bare("completion", "tcsh")
    assert done.returncode == 2 and "bash, zsh and fish" in done.stderr


# --- the page of commands -----------------------------------------------------------------------------------

def test_the_page_of_commands_is_what_the_program_says(cli):
    page = (ROOT / "docs/commands.md").read_text()
    assert cli.bare("commands-page").stdout.strip() in page
    for command in COMMANDS:
        assert f"### lifeboat {command}\n" in page


# --- output -------------------------------------------------------------------------------------------------

def test_a_pipe_gets_no_colours_unless_asked(cli):
    cli.steps(append("one"))
    assert "\x1b" not in cli.recover(code=0).stdout + cli.run("runs").stdout
    assert "\x1b[" in cli.run("check", "--color", "always").stdout
    assert "\x1b" not in cli.run("check", "--color", "never").stdout


def test_the_log_goes_to_standard_error_for_people_or_machines(cli):
    cli.steps(append("one"))
    done = cli.recover("--verbose", "--log-json", code=0)
    rows = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert rows and all("message" in row for row in rows), done.stderr
    assert "{" not in done.stdout


def test_init_refuses_to_overwrite_and_prints_when_asked(cli):
    cli.plan.write_text("mine\n")
    done = cli.run("init", code=5)
    assert "exists" in done.stderr and cli.plan.read_text() == "mine\n"
    text = cli.run("init", "--print", "--name", "acme", code=0).stdout
    assert "\nplan: acme\n" in text and cli.plan.read_text() == "mine\n"
    cli.run("init", "--force", code=0)
    assert "lifeboat: 1" in cli.plan.read_text()


def test_vault_key_and_second_copy(cli, folder):
    cli.write(WEB)
    made = cli.run("vault", "init", code=0)
    assert "second copy" in made.stdout and "vault key test" in made.stdout
    key = folder / "keys/vault.key"
    assert (key.stat().st_mode & 0o077) == 0
    copy = folder / "copy.key"
    copy.write_bytes(key.read_bytes())
    copy.chmod(0o600)
    assert "opens vault" in cli.run("vault", "key", "test", str(copy), code=0).stdout
    stranger = folder / "stranger"
    (stranger / "keys").mkdir(parents=True)
    other = type(cli)(stranger).write(WEB)
    other.run("vault", "init", code=0)
    wrong = cli.run("vault", "key", "test", str(stranger / "keys/vault.key"))
    assert wrong.returncode not in (0, 1) and "key" in wrong.stderr
    again = cli.run("vault", "init")
    assert again.returncode != 0 and key.read_bytes() == copy.read_bytes()
