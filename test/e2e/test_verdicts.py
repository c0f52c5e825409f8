"""What a verdict is worth for other points: an old proof makes nothing newer green, and takes no finding back."""


def standing(cli, objective="restorable"):
    rows = cli.ask("evidence")["evidence"]
    return next(row["standing"] for row in rows if row["objective"] == objective)


def latest(cli):
    return next(point for point in cli.ask("points", code=0)["points"] if point["point"] == "latest")


def test_the_proof_of_an_old_point_neither_proves_the_newest_nor_takes_back_that_it_is_bad(cli, database):
    old = cli.ask("points", code=0)["points"][0]["point"]
    hook = {"LIFEBOAT_TEST_FLIP": database.place("orders", page=3)}
    database.sql("INSERT INTO orders (note) VALUES ('newer')")
    database.new_backup()
    newest = latest(cli)
    assert database.verify(code=1, env=hook)["verdict"] == "bad"
    assert standing(cli) == "missed"
    assert database.verify(old)["verdict"] == "proven"
    assert standing(cli) == "missed", "it goes less far than what was found bad"
    assert "restorable MISSED" in cli.run("status").stdout
    assert latest(cli)["verdict"] != "proven" and latest(cli)["position"] == newest["position"]
    assert database.verify()["verdict"] == "proven"
    assert standing(cli) == "proven" and latest(cli)["verdict"] == "proven"


def test_a_check_has_all_the_time_that_the_plan_gives_it(cli, database):
    database.write(verify='[{sql: "SELECT count(*) FROM (SELECT pg_sleep(11)) AS slow", expect: "= 1", timeout: 60s}]')
    verification = database.verify()
    assert verification["verdict"] == "proven", verification
