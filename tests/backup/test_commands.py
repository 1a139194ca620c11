"""`minhchung backup`, `restore`, `verify`: what they print, and how they end."""

import json
from pathlib import Path

import pytest

from server.backup import lock
from tests.test_cli import Command


@pytest.fixture
def minhchung(tmp_path: Path) -> Command:
    made = Command(tmp_path / "home")
    made("demo", "--no-serve")
    return made


def test_a_backup_goes_to_another_machine_by_two_commands(minhchung: Command, tmp_path: Path) -> None:
    done = minhchung("backup", str(tmp_path / "out"), "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["rows"] > 100
    there = Command(tmp_path / "there")
    done = there("restore", str(tmp_path / "out"))
    assert done.exit_code == 0 and "next: minhchung serve" in done.output
    for words in (["verify"], ["verify", str(tmp_path / "out")]):
        done = there(*words)
        assert done.exit_code == 0 and "WRONG" not in done.output, done.output
        assert len(done.output.splitlines()) >= 5


def test_what_is_wrong_is_one_line_with_its_code(minhchung: Command, tmp_path: Path) -> None:
    minhchung("backup", str(tmp_path / "one.zip"))
    for words, code in (
        (["restore", str(tmp_path / "nowhere")], "backup.missing"),
        (["restore", str(tmp_path / "one.zip")], "restore.not_empty"),
        (["backup", str(tmp_path / "one.zip")], "backup.exists"),
        (["verify", str(tmp_path / "nowhere")], "backup.missing"),
    ):
        done = minhchung(*words)
        assert done.exit_code == 1 and f"{code}: " in done.output
        assert len(done.output.strip().splitlines()) == 1
    with lock.in_use(minhchung.home):
        assert "restore.serving: " in minhchung("restore", str(tmp_path / "one.zip"), "--replace").output
    with lock.alone(minhchung.home):
        for words in (["serve"], ["backup", str(tmp_path / "two.zip")]):
            assert "restore.running: " in minhchung(*words).output


def test_verify_ends_with_1_where_a_promise_is_broken(minhchung: Command, tmp_path: Path) -> None:
    minhchung("backup", str(tmp_path / "out"))
    for file in (tmp_path / "out").glob("*/rows/citizen.jsonl.gz"):
        file.write_bytes(file.read_bytes()[:-9])
    done = minhchung("verify", str(tmp_path / "out"))
    assert done.exit_code == 1 and "WRONG rows/citizen.jsonl.gz" in done.output
