"""A home with a real server of several processes over it. `make races` runs these long, `make test` short."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.db.session import Database
from tests.conftest import empty_database
from tests.served import Served
from tests.world import World

LONG = bool(os.environ.get("MINHCHUNG_LONG_RACES"))


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def crowded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, World]]:
    """Three processes on one port, one database, one commune."""
    home: Path = tmp_path_factory.mktemp("crowded")
    url = empty_database(request.param, home, request)
    db = Database(url)
    world = World(db)
    with Served(home, url, "--processes", "3") as served:
        yield served, world
    db.close()
