"""A real Redis that is protected: what is refused, what the vault holds, who is at it."""
import os
import re
import shutil
import signal
import subprocess

import pytest

from cli import redis_server


@pytest.fixture
def cache(cli):
    """A Redis protected by the plan of `cli`, backed up once: its port."""
    with redis_server(cli) as (port, data, _):
        cli.write(f"""
components:
  cache: {{kind: redis, port: {port}, data_directory: {data}, protect: [{{method: snapshot, every: 1h, keep: 1d}}],
          objectives: {{rto: 1m, rpo: 1h}}, health: [{{redis: PING, expect: PONG}}]}}
scenarios:
  cache-lost: {{detect: [{{unhealthy: cache}}], steps: [{{restore: cache}}, {{verify: cache}}]}}
""")
        cli.run("vault", "init", code=0)
        cli.run("backup", "--all", code=0)
        yield port


def test_a_healthy_component_is_not_recovered_unless_meant(cli, cache):
    done = cli.run("recover", "cache-lost", "--yes", code=5)
    assert "cache is healthy" in done.stderr and "--although-healthy" in done.stderr
    assert cli.ask("runs") == [] and not (cli.home / "sites").exists()
    assert "nothing is unhealthy" in cli.run("recover", "--yes", code=8).stderr
    preview = cli.ask("recover", "cache-lost", "--preview", code=0)
    assert preview["steps"][0]["calls"]


def test_points_status_and_vault_agree_about_what_was_backed_up(cli, cache):
    points = cli.ask("points", code=0)["points"]
    assert len(points) == 1 and points[0]["component"] == "cache" and points[0]["problem"] == ""
    assert cli.run("complete", "point", code=0).stdout.split() == [points[0]["point"]]
    row = cli.ask("status")["components"][0]
    assert row["health"] == "healthy" and row["live_rpo_s"] is not None and not row["protected"]
    assert cli.ask("vault", "status", code=0)["points"] == 1
    assert cli.ask("vault", "verify", code=0)["findings"] == []
    restored = cli.home / "restored"
    cli.run("vault", "restore", points[0]["point"], str(restored), code=0)
    assert any(restored.rglob("*.rdb"))
    assert cli.run("vault", "restore", points[0]["point"], str(restored)).returncode != 0     # never over anything
    shutil.rmtree(cli.state)
    assert len(cli.ask("points", code=0)["points"]) == 1       # the catalog is the vault's


def test_observe_mode_looks_and_restores_nothing(cli, cache):
    cli.plan.write_text(cli.plan.read_text() + "mode: observe\n")
    assert cli.run("recover", "cache-lost", "--yes", "--although-healthy", "a test").returncode == 5
    assert not (cli.home / "sites").exists()
    assert cli.ask("runs")[0]["outcome"] == "refused"
    assert cli.ask("status")["components"][0]["health"] == "healthy"
    assert "mode is observe" in cli.run("backup", "cache", code=5).stderr      # it would enter as a replica
    assert len(cli.ask("points", code=0)["points"]) == 1


def test_two_backups_at_once_and_two_protections_at_once(cli, cache):
    first = cli.start("protect")
    cli.until(lambda: cli.ask("status")["components"][0]["protected"])
    second = cli.run("protect", code=7)
    assert f"pid {first.pid}" in second.stderr and "protect/cache" in second.stderr
    cli.run("backup", "cache", code=0)                          # beside it
    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=30) == 0
    cli.until(lambda: not cli.ask("status")["components"][0]["protected"])


def fill_redis(port, megabytes):
    """Bytes that no compression makes smaller."""
    for number in range(megabytes):
        subprocess.run(["redis-cli", "-p", str(port), "-x", "SET", f"blob:{number}"], input=os.urandom(1 << 20),
                       check=True, capture_output=True)


def test_a_disk_that_fills_up_in_mid_backup_fails_it_and_harms_no_earlier_point(cli, cache):
    vault = cli.home / "vault"
    kept = cli.home / "kept"
    shutil.move(vault, kept)
    vault.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", vault], capture_output=True)
    if mounted.returncode != 0:
        shutil.rmtree(vault)
        shutil.move(kept, vault)
        pytest.skip("tmpfs cannot be mounted here")
    try:
        subprocess.run(["cp", "-a", f"{kept}/.", vault], check=True)
        before = cli.ask("points", code=0)["points"]
        fill_redis(cache, 12)
        done = cli.run("backup", "cache")
        assert done.returncode == 8, done.stdout + done.stderr
        assert re.search("full|space", done.stderr), done.stderr
        assert cli.ask("points", code=0)["points"] == before
        assert cli.ask("vault", "verify", code=0)["findings"] == []
        cli.run("vault", "restore", before[0]["point"], str(cli.home / "restored"), code=0)
        cli.run("vault", "prune")                              # what the failed one left goes
        assert cli.ask("vault", "verify", code=0)["findings"] == []
    finally:
        subprocess.run(["umount", "-l", vault], check=True)
