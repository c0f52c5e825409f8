"""Canaries that `protect` writes, and copies that are entered although the plan's role may do little."""
from database import exams


def canaries(database):
    if database.sql("SELECT to_regclass('lifeboat.canary')") == "":
        return 0
    return int(database.sql("SELECT count(*) FROM lifeboat.canary"))


def test_protect_writes_canaries_where_the_plan_says_so_and_an_older_point_is_held_to_them(cli, database):
    database.write(", canary: true", protect="{method: continuous}, {method: base, every: 1h, keep: 1d}")
    cli.start("protect")
    cli.until(lambda: canaries(database) == 1)
    early = database.sql("SELECT pg_current_wal_insert_lsn()")
    database.sql("INSERT INTO orders (note) VALUES ('later')")
    cli.until(lambda: cli.ask("status")["components"][0]["exposure"] == "known")
    assert exams(database.verify())["canary"]["outcome"] == "passed"            # it has written the second
    assert canaries(database) == 2
    found = exams(database.verify("database", "--to", early))["canary"]
    assert found["outcome"] == "passed" and found["detail"].startswith("1 row,"), found
    # One that was altered behind everybody's back is found, by number.
    database.sql("ALTER TABLE lifeboat.canary ALTER at DROP NOT NULL; UPDATE lifeboat.canary SET at = 'epoch' WHERE sequence = 1")
    verification = database.verify("database", "--to", early, code=1)
    assert "canary 1 says" in exams(verification)["canary"]["objects"][0]


def test_protect_writes_nothing_unless_it_may(cli, database):
    database.write(protect="{method: continuous}, {method: base, every: 1h, keep: 1d}")
    cli.start("protect")
    cli.until(lambda: database.sql("SELECT count(*) FROM pg_stat_replication") == "1")
    cli.until(lambda: cli.ask("status")["components"][0]["exposure"] == "known")
    assert canaries(database) == 0


def test_rows_of_a_history_that_was_given_up_speak_against_no_point(cli, database):
    """Promoted from before the canary: the source has lost it by right, and a copy from before has it."""
    database.write(", canary: true", protect="{method: continuous}, {method: base, every: 1h, keep: 1d}")
    cli.start("protect")
    cli.until(lambda: canaries(database) == 1)
    before = database.sql("SELECT pg_current_wal_insert_lsn()")
    assert exams(database.verify())["canary"]["outcome"] == "passed"            # it has written another
    database.new_backup()
    behind = max(cli.ask("points", code=0)["points"], key=lambda point: point["at"])["point"]
    cli.stop()
    database.stop()
    cli.plan.write_text(cli.plan.read_text().replace("{restore: database}", "{restore: database}, {promote: database}, {rebuild-protection: database}"))
    cli.run("recover", "database-lost", "--to", before, "--yes", code=0)
    found = exams(database.verify(behind))["canary"]
    assert found["outcome"] == "unseen" and "another history" in found["detail"], found


def test_a_role_with_few_rights_proves_all_that_a_superuser_does(cli, database):
    database.sql("CREATE ROLE guard LOGIN REPLICATION IN ROLE pg_monitor, pg_read_all_data")
    database.sql("CREATE TABLE secret (id int); INSERT INTO secret VALUES (1); ALTER TABLE secret ENABLE ROW LEVEL SECURITY")
    database.write(", user: guard")
    database.new_backup()
    found = exams(database.verify())
    assert found["amcheck"]["outcome"] == "passed" and "every row found" in found["amcheck"]["detail"], found["amcheck"]
    assert found["pg_dump to nowhere"]["outcome"] == "passed", found["pg_dump to nowhere"]
    assert database.sql("SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'") == "0"
