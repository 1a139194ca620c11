"""The commands `backup`, `restore` and `verify`."""

import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from server import config
from server.backup import checking, lock, reading
from server.backup import making as backups
from server.backup import restore as restores
from server.db import migrate
from server.db.session import Database
from server.storage import open_store
from sync.protocol import timestamp

existing = click.argument("path", type=click.Path(path_type=Path))
snapshot = click.option("--backup", "name", help="which of a folder's backups; the newest where left out")


def _now() -> str:
    return timestamp(datetime.now(UTC))


def _database(settings: config.Config) -> Database:
    db = Database.of_home(settings.database_url, settings.home)
    migrate.upgrade(db)
    return db


@click.command()
@existing
@click.option("--json", "as_json", is_flag=True, help="print one JSON object")
def backup(path: Path, as_json: bool) -> None:
    """Back up database and photos while serving; exit 1 where photos are missing or damaged.

    PATH is a folder, to which later backups add only what is new, or a file that ends in .zip.
    """
    settings = config.from_env()
    with lock.in_use(settings.home):
        db = _database(settings)
        done = backups.backup(db, open_store(settings.photos_url), path, _now())
        db.close()
    if as_json:
        click.echo(json.dumps({k: v for k, v in vars(done).items() if k != "named"}))
    else:
        copied = f"{done.copied} of them copied now ({done.copied_bytes / 1e6:.1f} MB)"
        click.echo(f"backup {done.name}: {done.rows} rows, {done.photos} photos, {copied}")
    for commune_id, sha256 in done.named:
        click.echo(f"WRONG photo {sha256} of commune {commune_id} is missing or damaged here", err=True)
    if not done.complete:
        click.echo(f"{done.missing} receipts have no bytes, {done.damaged} originals are damaged; the rest is backed up", err=True)
        sys.exit(1)


@click.command()
@existing
@snapshot
@click.option("--replace", is_flag=True, help="take the place of what the database holds; that is kept aside")
@click.option("--leave-out-damaged", is_flag=True, help="go on without photos that are damaged in the backup; phones are asked for them")
def restore(path: Path, name: str | None, replace: bool, leave_out_damaged: bool) -> None:
    """Put a backup back, of this or another kind of database; the server must be stopped."""
    settings = config.from_env()
    place = restores.Place(settings.home, settings.database_url, open_store(settings.photos_url))
    done = restores.restore(place, path, _now(), name=name, replace=replace, leave_out_damaged=leave_out_damaged)
    click.echo(f"restored the backup of {done.at}: {done.rows} rows, {done.photos} photos put back")
    if done.again:
        click.echo(f"{done.again} later revocations and deletions were done again")
    if done.owed:
        click.echo(f"{done.owed} photos are in no backup; their phones are asked for them again")
    if done.kept_aside:
        click.echo(f"what stood there before is in {done.kept_aside}")
    click.echo("next: minhchung serve; phones send by themselves what this backup lacks")


@click.command()
@click.argument("path", type=click.Path(path_type=Path), required=False)
@snapshot
def verify(path: Path | None, name: str | None) -> None:
    """Check the home, or the backup at PATH, against its own promises; exit 1 where one is broken."""
    if path is not None:
        _show(reading.findings(*reading.open_backup(path, name)))
        return
    settings = config.from_env()
    with lock.in_use(settings.home):
        db = _database(settings)
        _show(checking.findings(db, open_store(settings.photos_url)))


def _show(findings: Iterable[reading.Finding]) -> None:
    wrong = 0
    for fine, name, text in findings:
        wrong += not fine
        click.echo(f"{'ok   ' if fine else 'WRONG'} {name}: {text}")
    sys.exit(1 if wrong else 0)

