"""`lifeboat verify` from outside: a real PostgreSQL and Redis, copies that start, lie, hang and vanish."""
import re
import signal
import subprocess

import pytest

from cli import machine, redis_server
from database import exams


def leftovers(cli):
    """Copies that lie about, ports that are held, processes that have to do with either."""
    site = site_of(cli)
    lying = [path.name for path in site.iterdir() if path.name != "ports"] if site.exists() else []
    ports = [path.name for path in (site / "ports").iterdir() if path.name.isdigit()] if (site / "ports").exists() else []
    return lying, ports, machine.living_below(site)


def site_of(cli):
    return cli.home / "sites" / "primary"


def wait_asked(cli):
    """Until a copy's server is at a question: it says so in its title."""
    def titles():
        return [word for pid in machine.living_below(site_of(cli)) for word in machine.words_of(pid)]

    cli.until(lambda: any(re.match("postgres: .* SELECT", title) for title in titles()))


def test_a_good_point_is_proven_and_nothing_is_left(cli, database):
    verification = database.verify()
    assert verification["verdict"] == "proven", verification
    assert exams(verification)["sql SELECT count(*) FROM products"]["outcome"] == "passed"
    assert leftovers(cli) == ([], [], [])


def test_every_proof_of_a_good_point(cli, database):
    found = exams(database.verify())
    for name in ("starts", "unchanged tables", "pg_dump to nowhere", "amcheck", "page checksums"):
        assert found[name]["outcome"] == "passed", found[name]
    assert "every row found in each" in found["amcheck"]["detail"]
    assert "none bad" in found["page checksums"]["detail"]
    assert found["canary"]["outcome"] == "unseen"
    point = cli.ask("points", code=0)["points"][0]
    assert point["verdict"] == "proven" and point["verified_at"]
    assert "proven" in cli.run("points", code=0).stdout


def test_the_source_is_only_read_and_keeps_its_own(cli, database):
    written = "SELECT pg_snapshot_xmax(pg_current_snapshot())"                          # the next transaction's number
    before = database.sql(written)
    slots = database.sql("SELECT string_agg(slot_name, ',') FROM pg_replication_slots")
    mark = len((database.data / "log").read_text())
    database.verify()
    assert database.sql(written) == before
    assert database.sql("SELECT string_agg(slot_name, ',') FROM pg_replication_slots") == slots
    assert database.sql("SELECT count(*) FROM pg_stat_replication") == "0"
    said = (database.data / "log").read_text()[mark:]
    assert not re.search(r"statement: (INSERT|UPDATE|DELETE|CREATE|START_REPLICATION)", said), said
    assert "default_transaction_read_only = on" in said and "statement_timeout" in said


def test_a_flipped_byte_names_the_table_and_the_point_goes_bad(cli, database):
    hook = {"LIFEBOAT_TEST_FLIP": database.place("orders", page=3)}
    verification = database.verify(code=1, env=hook)
    assert verification["verdict"] == "bad" and "orders" in verification["why"]
    pages = exams(verification)["page checksums"]
    assert re.match(r"table public\.orders: 1 damaged page, \d+ rows", pages["objects"][0]), pages
    assert any("public.orders" in line for line in exams(verification)["amcheck"]["objects"])
    assert leftovers(cli) == ([], [], [])
    said = cli.run("points", code=0).stdout
    assert "bad" in said and "public.orders" in said
    # Bad as it is, it can be verified again; and the later proof speaks last.
    assert database.verify()["verdict"] == "proven"
    assert [p["verdict"] for p in cli.ask("points", code=0)["points"]] == ["proven", "proven"]


def test_a_bad_point_is_taken_only_by_name(cli, database):
    database.verify(code=1, env={"LIFEBOAT_TEST_FLIP": database.place("orders", page=3)})
    base, latest = cli.ask("points", code=0)["points"]
    assert base["verdict"] == "bad" and latest["verdict"] == "bad"
    database.stop()
    refused = cli.run("recover", "database-lost", "--yes")
    assert refused.returncode not in (0, 1) and "found bad" in refused.stdout + refused.stderr
    assert leftovers(cli)[0] == []
    assert base["point"] in refused.stdout + refused.stderr or latest["position"] in refused.stdout + refused.stderr
    cli.run("recover", "database-lost", "--yes", "--to", base["point"], code=0)


def test_of_two_points_with_the_same_loss_the_bad_one_is_left_out(cli, database):
    first = cli.ask("points", code=0)["points"][0]["point"]
    database.new_backup()
    second = [p["point"] for p in cli.ask("points", code=0)["points"] if p["method"] == "base"][-1]
    verification = database.verify(second, code=1, env={"LIFEBOAT_TEST_FLIP": database.place("orders", page=3)})
    assert verification["point"] == second
    assert database.verify()["point"] == first                   # the older one with more WAL, and it is good
    latest = [p for p in cli.ask("points", code=0)["points"] if p["point"] == "latest"][0]
    assert latest["verdict"] == "proven"
    database.stop()
    cli.run("recover", "database-lost", "--yes", code=0)
    assert cli.ask("runs", "latest")["steps"][0]["outputs"]["point"] == first


def test_a_damaged_index_alone_is_found_by_amcheck(cli, database):
    # With checksums off nothing else sees it: the index lies, the table is whole.
    path, _ = database.place("orders_note").split(":")
    verification = database.verify(code=1, env={"LIFEBOAT_TEST_FLIP": f"{path}:{8192 * 3 + 8192 - 40}"})
    found = exams(verification)
    assert any(line.startswith("index public.orders_note") for line in found["amcheck"]["objects"]), found["amcheck"]
    assert not any(line.startswith("table") for line in found["amcheck"]["objects"])
    assert found["pg_dump to nowhere"]["outcome"] == "passed"


def test_fewer_rows_than_the_source_are_counted(cli, database):
    # Ten rows whose transaction the copy takes for aborted: it starts, and every page is whole.
    database.write(verify='[{sql: "SELECT count(*) FROM products", expect: "> 0"}]')
    for _ in range(8):
        database.sql("SELECT txid_current()")                      # its neighbours in that byte are nobody's
    xid = int(database.sql("WITH made AS (INSERT INTO products SELECT g, 'late' FROM generate_series(301, 310) g RETURNING 1) "
                           "SELECT txid_current() FROM made LIMIT 1"))
    for _ in range(8):
        database.sql("SELECT txid_current()")
    database.new_backup()
    hook = {"LIFEBOAT_TEST_FLIP": f"pg_xact/0000:{xid // 4}"}
    found = exams(database.verify(code=1, env=hook))["unchanged tables"]
    assert found["objects"] == ["table public.products: 300 rows, the source has 310: 10 missing"], found
    # And when the table was written to since: at least so many.
    database.sql("INSERT INTO products SELECT g, 'later' FROM generate_series(311, 312) g")
    newest = [p["point"] for p in cli.ask("points", code=0)["points"] if p["method"] == "base"][-1]
    found = exams(database.verify(newest, code=1, env=hook))["row counts"]
    assert "300 rows, at least 10 missing: the source has 312, having written 2" in found["objects"][0], found
    assert database.verify(newest)["verdict"] == "proven"          # the point itself is good


def test_a_plans_question_that_fails_names_itself(cli, database):
    database.write(verify='[{sql: "SELECT count(*) FROM products", expect: "= 301"}]')
    verification = database.verify(code=1)
    assert verification["why"].startswith("sql SELECT count(*) FROM products: 300, expected = 301")


def test_a_question_that_never_ends_fails_cleanly_and_marks_nothing(cli, database):
    database.write(verify='[{sql: "SELECT pg_sleep(1000)", timeout: 2s}]')
    verification = database.verify(code=8)                         # within the minute that a command has
    assert verification["verdict"] == "undecided" and "no answer within 2" in verification["why"]
    assert leftovers(cli) == ([], [], [])
    assert cli.ask("points", code=0)["points"][0]["verdict"] == ""


def test_a_copy_that_does_not_start_is_a_finding(cli, database):
    verification = database.verify(code=1, env={"LIFEBOAT_TEST_FLIP": "global/pg_control:10"})
    assert exams(verification)["starts"]["outcome"] == "failed"
    assert leftovers(cli) == ([], [], [])


def test_killed_half_way_the_next_one_takes_everything_away(cli, database):
    database.write(verify='[{sql: "SELECT pg_sleep(1000)", timeout: 90s}]')
    running = cli.start("verify", "database")
    wait_asked(cli)
    running.send_signal(signal.SIGKILL)
    running.wait()
    lying, ports, processes = leftovers(cli)
    assert len(lying) == 1 and len(ports) == 1 and processes
    assert cli.ask("verify", "--clean", code=0)["cleared"] == ["database"]
    assert leftovers(cli) == ([], [], [])
    assert cli.ask("verify", "--clean", code=0)["cleared"] == []
    database.write()
    database.verify()


def test_interrupted_it_takes_everything_away_itself(cli, database):
    database.write(verify='[{sql: "SELECT pg_sleep(1000)", timeout: 90s}]')
    running = cli.start("verify", "database")
    wait_asked(cli)
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=60) == 130
    assert leftovers(cli) == ([], [], [])


def test_a_second_verification_names_the_first(cli, database):
    database.write(verify='[{sql: "SELECT pg_sleep(1000)", timeout: 90s}]')
    running = cli.start("verify", "database")
    wait_asked(cli)
    refused = cli.run("verify", "database", code=7)
    assert f"pid {running.pid}" in refused.stderr
    running.send_signal(signal.SIGINT)
    running.wait(timeout=60)


def test_canaries_measure_the_loss_and_are_compared_exactly(cli, database):
    database.write(more=", canary: true", protect="{method: continuous}, {method: base, every: 1h}")
    protect = cli.start("protect")
    try:
        cli.until(lambda: database.sql("SELECT count(*) FROM pg_stat_replication") == "1")
        first = database.verify()
        assert exams(first)["canary"]["outcome"] == "passed" and 0 <= first["rpo_s"] < 60, first
        assert 0 <= database.verify()["rpo_s"] < 60
    finally:
        protect.send_signal(signal.SIGTERM)
        protect.wait(timeout=30)
    # Rows that say of themselves that they were committed before the copy's end, and are not in the copy.
    database.sql("INSERT INTO lifeboat.canary (begun) VALUES ('0/100'), ('0/200')")
    missing = exams(database.verify(code=1))["canary"]
    assert missing["outcome"] == "failed" and "is missing" in missing["objects"][0]


def test_observe_mode_proves_and_writes_no_canary(cli, database):
    database.write(more=", canary: true")
    cli.plan.write_text(cli.plan.read_text() + "mode: observe\n")
    assert database.verify()["verdict"] == "proven"
    assert database.sql("SELECT to_regclass('lifeboat.canary')") == ""


def test_a_disk_too_small_is_refused_up_front(cli, database):
    site = site_of(cli)
    site.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m,mode=755", "none", str(site)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no right to mount a small disk")
    try:
        refused = cli.run("verify", "database", code=5)
        assert "are missing" in refused.stderr and "nothing was written" in refused.stderr
        assert not list(site.iterdir())
    finally:
        subprocess.run(["umount", str(site)], check=True)


def test_what_is_neither_component_nor_point_is_named(cli, database):
    assert "neither a component nor a point" in cli.run("verify", "nobody").stderr


@pytest.fixture
def cache(cli):
    """A Redis with four keys, protected by a plan, backed up once: how to talk to it."""
    with redis_server(cli) as (port, data, _):
        def ask(*words):
            subprocess.run(["redis-cli", "-p", str(port), *words], check=True, capture_output=True)

        ask("SET", "greeting", "hello")
        ask("HSET", "session:1", "user", "42")
        ask("RPUSH", "queue", "a", "b", "c")
        ask("SET", "short", "lived", "EX", "3600")
        cli.write(f"""
components:
  cache: {{kind: redis, port: {port}, data_directory: {data}, protect: [{{method: snapshot, every: 1h, keep: 1d}}],
          objectives: {{rto: 1m, rpo: 1h}}, verify: [{{redis: GET greeting, expect: hello}}]}}
scenarios:
  cache-lost: {{lost: [cache], steps: [{{restore: cache}}, {{verify: cache}}]}}
""")
        cli.run("vault", "init", code=0)
        cli.run("backup", "--all", code=0)
        yield ask


def test_a_redis_point_is_proven_by_type_expiry_and_value(cli, cache):
    verification = cli.ask("verify", "cache", code=0)["verifications"][0]
    found = exams(verification)
    assert verification["verdict"] == "proven"
    assert "4 keys" in found["keys by type"]["detail"] and "1 hash" in found["keys by type"]["detail"]
    assert found["expiries"]["detail"].startswith("1 keys expire")
    assert found["digest"]["outcome"] in ("passed", "unseen") and verification["conditions"]["digest"]
    assert leftovers(cli) == ([], [], [])
    assert cli.ask("points", code=0)["points"][0]["verdict"] == "proven"


def test_a_bad_redis_point_gives_way_to_an_older_good_one(cli, cache):
    first = cli.ask("points", code=0)["points"][0]["point"]
    cache("SET", "greeting", "wrong")
    cli.run("backup", "cache", code=0)
    verification = cli.ask("verify", code=1)["verifications"][0]
    assert verification["verdict"] == "bad" and "expected hello" in verification["why"]
    second = cli.ask("verify", "cache", code=0)["verifications"][0]
    assert second["point"] == first
