"""A backup holds everything, only once, is never half, and goes back whole on either database."""

import errno
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, null, select, update

from server.backup import lock, making, reading
from server.backup.making import Report, sealed
from server.backup.vessel import MANIFEST, new_backup, photo_name
from server.db import tables
from server.db.session import Database, sqlite_url
from server.domain import devices, restoring
from tests.backup.conftest import PICTURES, Rows, Site, code_of, wrong_with
from tests.phones import Phone
from tests.pictures import jpeg, send, sha256
from tests.world import NOW, World, new_id

Save = Callable[..., Report]
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what is about the backup's files alone
_LOG, _PHOTO, _RECEIPT = tables.MutationLog.__table__, tables.Photo.__table__, tables.Receipt.__table__


def told_apart(rows: Rows) -> Rows:
    """Without what a restore changes on purpose, and what it leaves out."""
    changed = {"epoch", "revision_floor", "value", "state", "attempts"}
    kept = {name: found for name, found in rows.items() if name not in ("upload", "attempt")}
    return {name: sorted(({k: v for k, v in r.items() if k not in changed} for r in found), key=str) for name, found in kept.items()}


@pytest.mark.parametrize(("where", "there"), [("backups", "fresh"), ("one.zip", "fresh_postgres")])
def test_everything_goes_back_whole_on_either_database(
    save: Save, here: Site, chapter: Phone, request: pytest.FixtureRequest, tmp_path: Path, where: str, there: str
) -> None:
    fresh: Site = request.getfixturevalue(there)
    report = save(tmp_path / where)
    assert (report.photos, report.copied, report.complete) == (3, 3, True)
    assert wrong_with(tmp_path / where) == []
    done = fresh.restore(tmp_path / where)
    assert (done.photos, done.owed, done.left_out, done.kept_aside) == (3, 0, 0, None)
    assert told_apart(fresh.rows()) == told_apart(here.rows())
    assert fresh.wrong() == []


@pytest.mark.parametrize("there", ["fresh", "fresh_postgres"])
def test_nothing_and_null_stay_two_things(
    save: Save, here: Site, db: Database, world: World, request: pytest.FixtureRequest, folder: Path, there: str
) -> None:
    fresh: Site = request.getfixturevalue(there)
    row = {"commune_id": world.commune, "device_id": new_id(), "digest": "x", "at": NOW, "spent_id": True}
    with db.write() as conn:
        conn.execute(insert(_LOG).values(**row, seq=2**62, mutation_id=new_id(), result=None))
        conn.execute(insert(_LOG).values(**row, seq=1, mutation_id=new_id(), result=null()))
        conn.execute(insert(_LOG).values(**row, seq=2, mutation_id=new_id(), result={"a": [1.5, "\\u0000 \u2028 'ệ"]}))
    save()
    fresh.restore(folder)
    there = fresh.open()
    with there.read() as conn:
        assert conn.execute(select(_LOG.c.seq).where(_LOG.c.result.is_(null()))).scalars().all() == [1]
    there.close()
    assert fresh.rows()["mutation_log"] == here.rows()["mutation_log"]


def test_a_restored_server_begins_a_new_epoch_above_all_numbers(
    save: Save, here: Site, chapter: Phone, fresh: Site, folder: Path, world: World
) -> None:
    save()
    fresh.restore(folder)
    before, after = here.rows(), fresh.rows()
    assert after["commune"][0]["epoch"] != before["commune"][0]["epoch"]
    assert all(row["value"] > 1_700_000_000_000 for row in after["counter"])
    assert after["photo"][0]["state"] == "received", "its clean copies are made anew"
    assert after["upload"] == []


@ON_SQLITE
def test_a_second_backup_copies_only_new_photos(save: Save, chapter: Phone, folder: Path) -> None:
    save()
    before = {p: p.stat().st_mtime_ns for p in (folder / "photos").rglob("*") if p.is_file()}
    more = jpeg(colour="white")
    send(chapter, more, chapter.person["id"])
    second = save()
    assert (second.photos, second.copied, second.copied_bytes) == (4, 1, len(more))
    after = {p: p.stat().st_mtime_ns for p in (folder / "photos").rglob("*") if p.is_file()}
    assert after.keys() - before.keys() == {folder / photo_name(1, sha256(more))}
    assert {p: after[p] for p in before} == before
    assert wrong_with(folder) == []


@ON_SQLITE
def test_an_older_backup_of_a_folder_can_be_chosen(save: Save, chapter: Phone, fresh: Site, folder: Path) -> None:
    first = save()
    send(chapter, jpeg(colour="white"), chapter.person["id"])
    save()
    fresh.restore(folder, name=first.name)
    assert len(fresh.rows()["receipt"]) == 3
    assert code_of(lambda: fresh.restore(folder, name="2020-01-01")) == "backup.missing"


@ON_SQLITE
def test_a_backup_that_broke_off_is_never_taken_for_one(
    save: Save, chapter: Phone, fresh: Site, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(making, "_check_receipts", stop)
        with pytest.raises(KeyboardInterrupt):
            save()
    assert code_of(lambda: fresh.restore(folder)) == "backup.unfinished"
    (folder / ".partial-2026").mkdir()  # as a power cut leaves it
    good = save()
    assert good.copied == 0, "photos that were copied stay"
    assert not list(folder.glob(".partial-*"))
    assert wrong_with(folder) == []


@ON_SQLITE
@pytest.mark.parametrize("where", ["backups", "one.zip"])
def test_a_full_disk_is_one_plain_problem_and_earlier_backups_stand(
    save: Save, chapter: Phone, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    save()
    writes = 0

    def full(fd: int) -> None:
        nonlocal writes
        writes += 1
        if writes == (30 if where == "backups" else 1):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    send(chapter, jpeg(colour="white"), chapter.person["id"])
    with monkeypatch.context() as patched:
        patched.setattr("server.backup.vessel.os.fsync", full)
        assert code_of(lambda: save(tmp_path / where)) == "backup.disk_full"
    assert len(list(folder.glob(f"*/{MANIFEST}"))) == 1
    assert not list(tmp_path.rglob(".partial-*")) and not (tmp_path / "one.zip").exists()
    assert wrong_with(folder) == []


@ON_SQLITE
def test_a_backup_is_written_over_nothing(save: Save, chapter: Phone, tmp_path: Path) -> None:
    save(tmp_path / "one.zip")
    assert code_of(lambda: save(tmp_path / "one.zip")) == "backup.exists"
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "beach.jpg").write_bytes(b"x")
    assert code_of(lambda: save(tmp_path / "holiday")) == "backup.foreign"
    assert code_of(lambda: save(tmp_path / "one.zip" / "below")) == "backup.unwritable"


@ON_SQLITE
def test_two_backups_into_one_folder_take_turns(save: Save, chapter: Phone, folder: Path) -> None:
    with new_backup(folder, "first"):
        assert code_of(save) == "backup.busy"
    assert save().complete


@ON_SQLITE
def test_bytes_that_the_home_lost_are_told_and_asked_for_again(
    save: Save, here: Site, chapter: Phone, fresh: Site, folder: Path, tmp_path: Path
) -> None:
    lost, rotten = (next((tmp_path / "photos").rglob(f"originals/**/{sha256(c)}")) for c in PICTURES[:2])
    lost.unlink()
    rotten.write_bytes(b"\xff\xd8rotten")
    report = save()
    assert (report.missing, report.damaged, report.complete) == (2, 1, False)
    assert {sha for _, sha in report.named} == {sha256(c) for c in PICTURES[:2]}
    done = fresh.restore(folder)
    assert (done.photos, done.owed) == (1, 2)
    assert [r["sha256"] for r in fresh.rows()["receipt"]] == [sha256(PICTURES[2])]
    assert fresh.wrong() == []


@ON_SQLITE
def test_a_damaged_original_in_the_home_is_mended_from_the_backup(
    save: Save, here: Site, db: Database, chapter: Phone, folder: Path, tmp_path: Path
) -> None:
    save()
    rotten = next((tmp_path / "photos").rglob(f"originals/**/{sha256(PICTURES[0])}"))
    rotten.write_bytes(b"\xff\xd8rotten")
    assert [line.split(":")[0] for line in here.wrong()] == ["receipt", "receipts"]
    db.close()
    assert here.restore(folder, replace=True).photos == 1
    assert here.wrong() == []


# wrong input
def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x55
    path.write_bytes(content)


@ON_SQLITE
@pytest.mark.parametrize("part", ["manifest.json", "rows/dossier.jsonl.gz", "photos.txt.gz", "revocations.jsonl", "photo"])
def test_damage_anywhere_is_found_before_anything_is_touched(
    save: Save, here: Site, db: Database, world: World, chapter: Phone, folder: Path, part: str
) -> None:
    world.poster(), world.poster()
    report = save()
    damage(folder / photo_name(1, sha256(PICTURES[0])) if part == "photo" else folder / report.name / part)
    if part != "manifest.json":
        assert any(part in line or part == "photo" for line in wrong_with(folder))
    db.close()
    before = here.rows()
    assert code_of(lambda: here.restore(folder, replace=True)) == "backup.damaged"
    assert here.rows() == before
    assert not list(here.home.glob("before-restore-*"))


@ON_SQLITE
def test_one_rotten_photo_does_not_cost_the_whole_backup(save: Save, chapter: Phone, fresh: Site, folder: Path) -> None:
    save()
    damage(folder / photo_name(1, sha256(PICTURES[0])))
    done = fresh.restore(folder, leave_out_damaged=True)
    assert (done.left_out, done.owed, done.photos) == (1, 1, 2)
    assert fresh.wrong() == []


@ON_SQLITE
@pytest.mark.parametrize("part", ["manifest.json", "rows/dossier.jsonl.gz", "photos.txt.gz"])
def test_a_missing_part_is_damage_or_no_backup(save: Save, chapter: Phone, fresh: Site, folder: Path, part: str) -> None:
    (folder / save().name / part).unlink()
    expected = "backup.unfinished" if part == "manifest.json" else "backup.damaged"
    assert code_of(lambda: fresh.restore(folder)) == expected


@ON_SQLITE
def test_a_file_that_was_cut_anywhere_is_refused(save: Save, chapter: Phone, fresh: Site, tmp_path: Path) -> None:
    save(tmp_path / "one.zip")
    whole = (tmp_path / "one.zip").read_bytes()
    for keep in (0, 1, len(whole) // 2, len(whole) - 30, len(whole) - 1):
        (tmp_path / "cut.zip").write_bytes(whole[:keep])
        assert code_of(lambda: fresh.restore(tmp_path / "cut.zip")) == "backup.damaged"
    damaged = bytearray(whole)
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        at = archive.getinfo(photo_name(1, sha256(PICTURES[0]))).header_offset
    damaged[at + 200] ^= 0x55
    (tmp_path / "bad.zip").write_bytes(damaged)
    assert code_of(lambda: fresh.restore(tmp_path / "bad.zip")) == "backup.damaged"


def test_what_is_no_backup_is_told_apart(fresh: Site, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "nowhere", tmp_path / "empty"):
        assert code_of(lambda path=path: fresh.restore(path)) == "backup.missing"  # type: ignore[misc]
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("letter.txt", "Kính gửi")
    assert code_of(lambda: fresh.restore(tmp_path / "other.zip")) == "backup.unfinished"


@ON_SQLITE
@pytest.mark.parametrize("change", [{"format": 2}, {"schema": "9999"}])
def test_a_backup_of_a_newer_version_is_refused(save: Save, chapter: Phone, fresh: Site, folder: Path, change: dict[str, Any]) -> None:
    _, manifest = reading.open_backup(folder, save().name)
    (folder / "2026-12-01" / "rows").mkdir(parents=True)
    (folder / "2026-12-01" / MANIFEST).write_bytes(sealed(manifest | change | {"software": "2027.5.1"}))
    with pytest.raises(Exception, match=r"2027\.5\.1"):
        fresh.restore(folder)
    assert code_of(lambda: fresh.restore(folder)) == "backup.newer"


# where something is already
def test_a_database_that_is_served_is_not_restored_into(save: Save, here: Site, db: Database, chapter: Phone, folder: Path) -> None:
    save()
    with lock.in_use(here.home), lock.in_use(here.home):
        assert code_of(lambda: here.restore(folder, replace=True)) == "restore.serving"
    if not db.is_sqlite:  # another machine serves the same database
        with db.read() as conn:
            conn.execute(select(1))
            assert code_of(lambda: here.restore(folder, replace=True)) == "restore.serving"
    with lock.alone(here.home), pytest.raises(Exception, match="put back"), lock.in_use(here.home):
        pass


def test_what_stands_there_gives_way_only_when_told_and_is_kept(
    save: Save, here: Site, db: Database, chapter: Phone, world: World, fresh: Site, folder: Path
) -> None:
    save()
    chapter.do("update", "dossier", world.dossier(), {"self.3": 5})
    db.close()
    later = here.rows()
    assert code_of(lambda: here.restore(folder)) == "restore.not_empty"
    assert here.rows() == later
    done = here.restore(folder, replace=True)
    assert [row["self_3"] for row in here.rows()["dossier"]] == [9]
    assert here.wrong() == []
    assert done.kept_aside is not None
    if db.is_sqlite:
        kept = Site(here.home, sqlite_url(done.kept_aside), here.photos)
        assert kept.rows() == later
    else:
        fresh.restore(done.kept_aside)
        assert [row["self_3"] for row in fresh.rows()["dossier"]] == [5]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_tables_of_another_program_in_the_same_postgres_stay(save: Save, chapter: Phone, fresh_postgres: Site, folder: Path) -> None:
    save()
    other = fresh_postgres.open()
    with other.write() as conn:
        conn.exec_driver_sql("CREATE TABLE village_fund (dong bigint)")
        conn.exec_driver_sql("INSERT INTO village_fund VALUES (7000000)")
    other.close()
    assert code_of(lambda: fresh_postgres.restore(folder)) == "restore.not_empty"
    fresh_postgres.restore(folder, replace=True)
    fresh_postgres.restore(folder, replace=True)
    with other.read() as conn:
        assert conn.exec_driver_sql("SELECT dong FROM village_fund").scalar_one() == 7000000
    other.close()
    assert fresh_postgres.wrong() == []


def test_a_restore_that_breaks_off_changes_nothing(
    save: Save, here: Site, db: Database, chapter: Phone, world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save()
    chapter.do("update", "dossier", world.dossier(), {"self.3": 5})
    db.close()
    before = here.rows()

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(restoring, "begin_anew", stop)
        with pytest.raises(KeyboardInterrupt):
            here.restore(folder, replace=True)
    assert here.rows() == before
    assert not list(here.home.glob(".*restoring*"))
    assert here.restore(folder, replace=True).rows > 0


@ON_SQLITE
def test_a_database_file_that_cannot_be_read_gives_way_too(save: Save, here: Site, db: Database, chapter: Phone, folder: Path) -> None:
    save()
    db.close()
    file = here.home / "minhchung.db"
    file.write_bytes(b"not a database" * 1000)
    assert code_of(lambda: here.restore(folder)) == "restore.not_empty"
    done = here.restore(folder, replace=True)
    assert done.kept_aside is not None
    assert (done.kept_aside / "minhchung.db").read_bytes().startswith(b"not a database")
    assert here.wrong() == []


def test_revocations_after_the_backup_hold_in_the_same_home_and_in_a_new_one(
    save: Save, here: Site, db: Database, chapter: Phone, world: World, fresh: Site, folder: Path
) -> None:
    save()
    with db.write() as conn:
        devices.revoke(conn, world.commune, chapter.id, NOW)
    fresh.home.mkdir()
    shutil.copy(here.home / "revocations.jsonl", fresh.home)  # a new home, with the log of the old one put there
    assert fresh.restore(folder).again == 1
    assert fresh.rows()["device"][0]["revoked_at"]
    db.close()
    assert here.restore(folder, replace=True).again == 1
    assert here.rows()["device"][0]["revoked_at"]


# the home by itself
def test_a_sound_home_is_found_sound(here: Site, chapter: Phone) -> None:
    assert here.wrong() == []


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("missing", "receipt: "),
        ("rotten", "receipt: "),
        ("counter", "counters: place:1 stands at 0"),
        ("number", "numbers: phone "),
        ("copy", "clean copies: "),
    ],
)
def test_each_broken_promise_is_found(here: Site, db: Database, chapter: Phone, tmp_path: Path, fault: str, told: str) -> None:
    original = next((tmp_path / "photos").rglob(f"originals/**/{sha256(PICTURES[1])}"))
    with db.write() as conn:
        if fault == "counter":
            conn.execute(update(tables.Counter.__table__).where(tables.Counter.__table__.c.scope == "place:1").values(value=0))
        if fault == "number":
            conn.execute(update(tables.Device.__table__).values(last_seq=1))
    if fault == "missing":
        original.unlink()
    if fault == "rotten":
        damage(original)
    if fault == "copy":
        next((tmp_path / "photos").rglob("clean/screen/**/*.jpg")).unlink()
    assert any(line.startswith(told) for line in here.wrong()), here.wrong()


@ON_SQLITE
def test_a_child_without_its_parent_is_found(here: Site, db: Database, chapter: Phone, world: World) -> None:
    with db.engine.connect() as conn:
        conn.exec_driver_sql("COMMIT")
        conn.exec_driver_sql("PRAGMA foreign_keys=OFF")
        conn.execute(delete(tables.Dossier.__table__))
    db.close()
    assert here.wrong() == ["foreign keys: 3 of evidence without their dossier"]


@pytest.mark.parametrize("kept", sorted((Path(__file__).parent / "kept").glob("*.zip")), ids=lambda path: path.stem)
@pytest.mark.parametrize("there", ["fresh", "fresh_postgres"])
def test_a_backup_of_an_earlier_version_still_goes_back(kept: Path, there: str, request: pytest.FixtureRequest) -> None:
    """One ZIP of each earlier schema is kept here, as the software wrote it then."""
    fresh: Site = request.getfixturevalue(there)
    done = fresh.restore(kept)
    assert (done.photos, done.owed) == (3, 0)
    assert [(row["self_3"], row["note_3"]) for row in fresh.rows()["dossier"]] == [(9, "Đọc sách 📚 'mỗi ngày'\n")]
    assert fresh.wrong() == []
