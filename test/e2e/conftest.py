import pathlib
import shutil
import signal
import tempfile

import pytest

from cli import Cli, machine

# Whoever started us may have gone under nohup, which the program honours: its hangups are tested here.
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def folder():
    """A directory that the servers' user can enter; afterwards nothing lives below it and it is gone."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="lifeboat-e2e-"))
    path.chmod(0o755)
    yield path
    machine.kill_below(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def cli(folder):
    cli = Cli(folder)
    try:
        yield cli
    finally:
        cli.stop()


@pytest.fixture
def database(cli):
    """A PostgreSQL with two tables, protected, backed up once."""
    from database import Database

    if not machine.POSTGRES.exists():
        pytest.skip("no PostgreSQL here")
    database = Database(cli)
    yield database
    database.stop()


@pytest.fixture
def shop(folder):
    from shop import Shop

    shop = Shop(folder)
    try:
        shop.build()
        yield shop
    finally:
        shop.stop()
