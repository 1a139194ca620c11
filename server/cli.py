"""The command `minhchung`: sets up a home, serves it, and manages who may use it."""

import json
import sys
from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy.exc import InternalError, OperationalError

from server import cli_backup, config, demo
from server.cli_serve import serve_until_stopped
from server.db import migrate
from server.db.session import Database
from server.doctor import findings
from server.domain import communes, devices, pairing, people, places, staff
from sync.errors import Problem
from sync.protocol import timestamp


class Teaching(click.Group):
    """Turns what people meet every day into one line, without a trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except config.WrongSetting as error:
            raise click.ClickException(f"setting: {error}") from error
        except migrate.NewerSchema as error:
            raise click.ClickException(
                f"database: written by a newer version (revision {error}); install that version"
            ) from error
        except Problem as problem:
            raise click.ClickException(f"{problem.code}: {problem.message}") from problem
        except (OperationalError, InternalError) as error:
            raise click.ClickException(f"database: {str(error.orig or error).splitlines()[0]}") from error


@click.group(cls=Teaching)
def main() -> None:
    """Minh Chứng: field evidence for a commune's Learning Citizen programme.

    Settings come from the environment (MINHCHUNG_HOME, _DATABASE_URL, _PHOTOS_URL, _SECRET, _ORIGIN,
    _HOST, _PORT); docs/operations.md lists them. Begin with `minhchung demo` or `minhchung init`.
    """


def _now() -> str:
    return timestamp(datetime.now(UTC))


def _open() -> tuple[config.Config, Database]:
    settings = config.from_env()
    settings.home.mkdir(parents=True, exist_ok=True)
    db = Database.of_home(settings.database_url, settings.home)
    migrate.upgrade(db)
    migrate.check_writable(db)
    return settings, db


def _commune(db: Database, number: int | None) -> int:
    with db.read() as conn:
        known = [row["id"] for row in communes.all_of(conn)]
    if number is not None and number not in known:
        raise click.ClickException(f"commune {number} is not here; there are: {known}")
    if number is None and len(known) != 1:
        hint = "run `minhchung init` first" if not known else f"say which with --commune: {known}"
        raise click.ClickException(f"{len(known)} communes here; {hint}")
    return number if number is not None else int(known[0])


commune_option = click.option("--commune", type=int, help="which commune; optional while there is one")
json_option = click.option("--json", "as_json", is_flag=True, help="print one JSON object")


def _say(as_json: bool, content: dict[str, Any], text: str) -> None:
    click.echo(json.dumps(content, ensure_ascii=False) if as_json else text)


@main.command()
@click.option("--name", default="Xã", show_default=True, help="the commune's name")
@click.option("--year", type=int, default=lambda: datetime.now(UTC).year, help="the programme year")
def init(name: str, year: int) -> None:
    """Make a home: database, photo folder, a commune, this year's programme with ten indicators."""
    settings, db = _open()
    with db.write() as conn:
        known = communes.all_of(conn)
        if known:
            click.echo(f"{settings.home} is set up already: {known[0]['name']}")
            return
        communes.add(conn, name, year, _now())
    click.echo(f"made {name}, year {year}, in {settings.home}\nnext: minhchung staff add NAME, minhchung place add NAME")


@main.command()
@click.option("--host", help="address to bind (default 127.0.0.1)")
@click.option("--port", type=int, help="port (default 8765)")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="servers on the one port")
def serve(host: str | None, port: int | None, processes: int) -> None:
    """Serve the phone app, the staff site and the sync, with one photo worker."""
    settings, db = _open()
    db.close()
    serve_until_stopped(settings, host or settings.host, port or settings.port, processes)


@main.command("demo")
@click.option("--no-serve", is_flag=True, help="only fill the home and print the addresses")
def run_demo(no_serve: bool) -> None:
    """Fill an empty home with the practice commune Xã Mẫu, print how to enter, and serve."""
    settings, db = _open()
    with db.write() as conn:
        entry = demo.fill(conn, _now())
    demo.show(settings, entry)
    db.close()
    if not no_serve:
        serve_until_stopped(settings, settings.host, settings.port)


@main.group("staff")
def staff_group() -> None:
    """Commune staff who review on the web."""


@staff_group.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(["staff", "admin", "viewer"]), default="staff", show_default=True)
@commune_option
@json_option
def staff_add(name: str, role: str, commune: int | None, as_json: bool) -> None:
    """Add a member of staff; prints the login and a fresh password once."""
    _, db = _open()
    number = _commune(db, commune)
    with db.write() as conn:
        login, password = staff.add(conn, number, name, role)
    _say(as_json, {"login": login, "password": password}, f"login {login}\npassword {password}")


@main.group("place")
def place_group() -> None:
    """Hamlets and learning units."""


@place_group.command("add")
@click.argument("name")
@click.option("--kind", type=click.Choice(["hamlet", "unit"]), default="hamlet", show_default=True)
@commune_option
@json_option
def place_add(name: str, kind: str, commune: int | None, as_json: bool) -> None:
    """Add a place; prints its number."""
    _, db = _open()
    number = _commune(db, commune)
    with db.write() as conn:
        ident = places.add(conn, number, name, _now(), kind)
    _say(as_json, {"id": ident}, f"{name}: {ident}")


@main.group("citizen")
def citizen_group() -> None:
    """People who take part."""


@citizen_group.command("add")
@click.argument("name")
@click.option("--place", type=int, required=True, help="number of the place")
@click.option("--birth-year", type=int, required=True)
@click.option("--group", type=click.IntRange(1, 3), default=1, show_default=True)
@commune_option
@json_option
def citizen_add(name: str, place: int, birth_year: int, group: int, commune: int | None, as_json: bool) -> None:
    """Register a citizen; prints the id."""
    _, db = _open()
    number = _commune(db, commune)
    with db.write() as conn:
        ident = people.add_citizen(conn, number, name, place, _now(), birth_year=birth_year, group=group)
    _say(as_json, {"id": ident}, f"{name}: {ident}")


@main.command()
@click.option("--role", type=click.Choice(["chapter", "citizen", "head", "contact"]), required=True)
@click.option("--place", type=int, required=True, help="number of the place")
@click.option("--citizen", help="id of the citizen (for --role citizen)")
@click.option("--name", help="name of the person (for the other roles)")
@commune_option
@json_option
def pair(role: str, place: int, citizen: str | None, name: str | None, commune: int | None, as_json: bool) -> None:
    """Make a pairing code for one phone: 8 characters, once, 14 days."""
    settings, db = _open()
    number = _commune(db, commune)
    with db.write() as conn:
        places.check(conn, number, place)
        code, expires_at = pairing.make_code(conn, number, role, place, citizen, name=name)
    link = f"{settings.origin}/app/#pair={code}"
    content = {"code": code, "link": link, "expires_at": expires_at}
    _say(as_json, content, f"code {code}\nlink {link}\nuntil {expires_at}")


@main.command("devices")
@commune_option
@json_option
def list_devices(commune: int | None, as_json: bool) -> None:
    """List phones: when last seen, how much waits there."""
    _, db = _open()
    number = _commune(db, commune)
    with db.read() as conn:
        rows = devices.all_of(conn, number)
    keep = ("id", "name", "platform", "last_seen_at", "waiting", "revoked_at")
    short = [{k: row[k] for k in keep} for row in rows]
    if as_json:
        click.echo(json.dumps(short, ensure_ascii=False))
    for row in [] if as_json else short:
        waits = row["waiting"] or {}
        state = "revoked" if row["revoked_at"] else f"{waits.get('mutations', 0)} entries, {waits.get('photos', 0)} photos wait"
        click.echo(f"{row['id']}  {row['name'] or '?':20}  {row['last_seen_at'] or 'never seen':24}  {state}")


@main.command()
@click.argument("device")
@commune_option
def revoke(device: str, commune: int | None) -> None:
    """Take a phone's rights away; what it holds can still be handed in as a file."""
    _, db = _open()
    number = _commune(db, commune)
    with db.write() as conn:
        devices.revoke(conn, number, device, _now())
    click.echo(f"{device} is revoked")


@main.command()
def doctor() -> None:
    """Check settings, database, photo storage, clock and disk; exit 1 where something is wrong."""
    wrong = 0
    for ok, name, text in findings():
        wrong += not ok
        click.echo(f"{'ok   ' if ok else 'WRONG'} {name}: {text}")
    sys.exit(1 if wrong else 0)


for command in (cli_backup.backup, cli_backup.restore, cli_backup.verify):
    main.add_command(command)


if __name__ == "__main__":
    main()
