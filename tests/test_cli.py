"""The command: what it makes, what it prints for scripts, and that a wrong start is one plain line."""

import json
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from server import cli
from server.db import tables
from server.db.session import Database, sqlite_url


class Command:
    """Runs `minhchung` over a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.env: dict[str, str | None] = {
            "MINHCHUNG_HOME": str(home), "MINHCHUNG_DATABASE_URL": None, "MINHCHUNG_PHOTOS_URL": None,
            "MINHCHUNG_SECRET": None, "MINHCHUNG_ORIGIN": None, "MINHCHUNG_HOST": None, "MINHCHUNG_PORT": None,
        }  # fmt: skip

    def __call__(self, *words: str, **env: str) -> Result:
        return CliRunner().invoke(cli.main, list(words), env={**self.env, **env})

    def json(self, *words: str) -> Any:
        done = self(*words, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.output)

    def count(self, table: type[tables.Stored]) -> int:
        db = Database(sqlite_url(self.home))
        with db.read() as conn:
            number = conn.execute(select(func.count()).select_from(table.__table__)).scalar_one()
        db.close()
        return int(number)


@pytest.fixture
def minhchung(tmp_path: Path) -> Command:
    return Command(tmp_path / "home")


def test_an_empty_home_gets_a_practice_commune_and_the_way_in(minhchung: Command) -> None:
    done = minhchung("demo", "--no-serve")
    assert done.exit_code == 0, done.output
    assert (minhchung.count(tables.Place), minhchung.count(tables.Citizen)) == (3, 40)
    for words in ("practice", "login", "password", "/app/#pair=", "adb reverse", "MINHCHUNG_ORIGIN", "█"):
        assert words in done.output


def test_a_second_demo_changes_nothing(minhchung: Command) -> None:
    minhchung("demo", "--no-serve")
    kinds = (tables.Commune, tables.Place, tables.Citizen, tables.Staff, tables.PairingCode)
    before = [minhchung.count(kind) for kind in kinds]
    again = minhchung("demo", "--no-serve")
    assert "stays as it is" in again.output and "password" not in again.output
    assert [minhchung.count(kind) for kind in kinds] == before


def test_the_practice_people_have_forty_different_names(minhchung: Command) -> None:
    minhchung("demo", "--no-serve")
    db = Database(sqlite_url(minhchung.home))
    with db.read() as conn:
        names = conn.execute(select(tables.Citizen.__table__.c.full_name)).scalars().all()
    db.close()
    assert len(set(names)) == len(names)


def test_a_commune_is_set_up_by_commands_that_scripts_can_read(minhchung: Command) -> None:
    assert minhchung("init", "--name", "Xã Thử", "--year", "2026").exit_code == 0
    assert minhchung.count(tables.Reference) >= 11  # the programme and its ten indicators at least
    assert {"login", "password"} <= set(minhchung.json("staff", "add", "Nguyễn Thị Hạnh"))
    place = minhchung.json("place", "add", "Thôn Nà Nát")["id"]
    citizen = minhchung.json("citizen", "add", "Nông Văn Páo", "--place", str(place), "--birth-year", "1971")["id"]
    paired = minhchung.json("pair", "--role", "citizen", "--place", str(place), "--citizen", citizen)
    assert set(paired) >= {"code", "link", "expires_at"}
    assert len(paired["code"]) == 8 and paired["link"].endswith(f"/app/#pair={paired['code']}")
    assert minhchung.json("devices") == []


def test_a_second_init_leaves_the_home_as_it_is(minhchung: Command) -> None:
    minhchung("init", "--name", "Xã Thử")
    again = minhchung("init", "--name", "Xã Khác")
    assert again.exit_code == 0 and "set up already" in again.output
    assert minhchung.count(tables.Commune) == 1


@pytest.mark.parametrize(
    ("setting", "value", "why"),
    [
        ("MINHCHUNG_PORT", "0", "MINHCHUNG_PORT"),
        ("MINHCHUNG_ORIGIN", "xa.example", "MINHCHUNG_ORIGIN"),
        ("MINHCHUNG_ORIGIN", "https://xa.example", "MINHCHUNG_SECRET is missing"),
        ("MINHCHUNG_SECRET", "short", "too weak"),
        ("MINHCHUNG_DATABASE_URL", "mysql://x", "MINHCHUNG_DATABASE_URL"),
        ("MINHCHUNG_PHOTOS_URL", "ftp://x", "MINHCHUNG_PHOTOS_URL"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(minhchung: Command, setting: str, value: str, why: str) -> None:
    done = minhchung("serve", **{setting: value})
    assert done.exit_code == 1
    assert why in done.output and len(done.output.strip().splitlines()) == 1


def test_a_port_in_use_is_one_plain_line(minhchung: Command) -> None:
    minhchung("init")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = minhchung("serve", "--port", str(taken.getsockname()[1]))
    assert done.exit_code == 1 and "is in use" in done.output


def test_a_database_from_a_newer_version_is_left_alone(minhchung: Command) -> None:
    minhchung("init")
    db = Database(sqlite_url(minhchung.home))
    with db.write() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = 'from-the-future'")
    db.close()
    done = minhchung("devices")
    assert done.exit_code == 1 and "newer version" in done.output


def test_commands_before_init_say_what_to_do(minhchung: Command) -> None:
    assert "minhchung init" in minhchung("place", "add", "Thôn Nà Nát").output


def test_an_unknown_place_or_phone_is_told_by_its_code(minhchung: Command) -> None:
    minhchung("init")
    assert minhchung("pair", "--role", "chapter", "--place", "99").exit_code == 1
    assert minhchung("revoke", "no-such-phone").exit_code == 1


def test_the_doctor_finds_a_fresh_home_well(minhchung: Command) -> None:
    minhchung("init")
    done = minhchung("doctor")
    assert done.exit_code == 0, done.output
    for name in ("database", "disk"):
        assert name in done.output


def test_a_database_that_may_not_be_written_stops_the_start_with_one_line(minhchung: Command) -> None:
    minhchung("init")
    url = f"sqlite:///file:{minhchung.home / 'minhchung.db'}?mode=ro&uri=true"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = minhchung("serve", "--port", str(taken.getsockname()[1]), MINHCHUNG_DATABASE_URL=url)
    assert done.exit_code == 1 and "readonly" in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_a_database_that_another_process_holds_locked_is_one_plain_line(minhchung: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.db.session.WRITE_WAIT_MS", 50)
    minhchung("init")
    holder = sqlite3.connect(minhchung.home / "minhchung.db")
    holder.execute("BEGIN EXCLUSIVE")
    done = minhchung("place", "add", "Thôn Nà Nát")
    holder.rollback()
    holder.close()
    assert done.exit_code == 1 and "locked" in done.output
    assert len(done.output.strip().splitlines()) == 1
    assert minhchung.count(tables.Place) == 0


def test_a_home_that_cannot_be_written_is_one_plain_line(minhchung: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    done = minhchung("init", MINHCHUNG_HOME=str(tmp_path / "file" / "home"))
    assert done.exit_code == 1 and "MINHCHUNG_HOME" in done.output
    assert len(done.output.strip().splitlines()) == 1
