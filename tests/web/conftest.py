"""Somebody signed in at the office."""

import pytest
from flask.testing import FlaskClient

from server.domain import staff
from tests.world import World


def sign_in(world: World, client: FlaskClient, role: str = "admin") -> FlaskClient:
    with world.db.write() as conn:
        login, password = staff.add(conn, world.commune, "Hoàng Thị Xã", role)
    answer = client.post("/sign-in", data={"login": login, "password": password})
    assert answer.status_code == 302
    return client


@pytest.fixture
def office(world: World, client: FlaskClient) -> FlaskClient:
    return sign_in(world, client)
