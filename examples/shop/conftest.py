import pathlib
import shutil
import signal
import tempfile

import pytest

from world import World


@pytest.fixture(scope="session")
def servers():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="shop-test-", dir="/tmp"))
    world = None
    try:
        world = World(directory)
        yield world
    finally:
        if world:
            world.close()
        shutil.rmtree(directory)


@pytest.fixture
def world(servers):
    yield servers
    servers.end_started()
    servers.postgres.signal_all(signal.SIGCONT)
    servers.redis.server.child.send_signal(signal.SIGCONT)
