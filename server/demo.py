"""The practice commune: real-looking people in three hamlets, and the addresses to enter by."""

import io
import random
import re
from dataclasses import dataclass

import click
import segno
from sqlalchemy import Connection

from server.config import Config
from server.domain import communes, pairing, people, places, staff

HAMLETS = ("Khe Pặn Giữa", "Nà Nát", "Bắc Hoà")
_FAMILIES = ("Hoàng", "Nông", "Lương", "Vi", "Lý", "Triệu", "Bàn", "Đặng", "Phùng", "Chu", "Hà", "Lộc", "La", "Nguyễn", "Dương")
_WOMEN = ("Thị Mẩy", "Thị Sơn", "Thị Phương Thảo", "Mùi Pham", "Thị Bích Ngọc", "Thị Đào", "Mùi Khé", "Thị Hồng Nhung", "Thị Lan", "Thị Én")
_MEN = ("Văn Cao", "Văn Thành", "Đức Thắng", "Văn Páo", "Quang Huy", "Chòi Hín", "Văn Đường", "Tiến Dũng", "Văn Sính", "Minh Khôi")
PEOPLE = 40
SEED = 677  # the programme's decision


@dataclass(frozen=True)
class Entry:
    """How to enter; the password is None where the home was filled before."""

    login: str | None
    password: str | None
    code: str | None


def fill(conn: Connection, now: str) -> Entry:
    """Fills an empty home; one that holds a commune is left as it is."""
    if communes.all_of(conn):
        return Entry(None, None, None)
    year = int(now[:4])
    commune_id = communes.add(conn, "Xã Mẫu", year, now, practice=True)
    hamlets = [places.add(conn, commune_id, f"Thôn {name}", now) for name in HAMLETS]
    login, password = staff.add(conn, commune_id, "Nguyễn Thị Hạnh", "admin")
    chance = random.Random(SEED)
    consent = [{"version": "mẫu-1", "how": "spoken", "by": "practice", "at": now}]
    for n in range(PEOPLE):
        woman = n % 2 == 0
        given = (_WOMEN if woman else _MEN)[(n // 2) % 10]
        people.add_citizen(
            conn, commune_id, f"{_FAMILIES[(n * 7) % len(_FAMILIES)]} {given}", hamlets[n % 3], now,
            birth_year=chance.randint(1948, 2004), gender="female" if woman else "male",
            group=chance.choice([1, 1, 1, 2, 3]), consent=consent,
        )  # fmt: skip
    code, _ = pairing.make_code(conn, commune_id, "chapter", hamlets[0], name="Lương Văn Cao")
    return Entry(login, password, code)


def show(settings: Config, entry: Entry) -> None:
    """One screen: where to sign in, how a phone joins, and what a real phone needs."""
    click.echo(f"\n  MINH CHỨNG – xã để tập dùng (practice), {settings.home}\n")
    click.echo(f"  Staff site   {settings.origin}/")
    if entry.login is None or entry.code is None:
        click.echo(f"  Phone app    {settings.origin}/app/\n")
        click.echo("  This home was filled before and stays as it is. With .venv/bin on the PATH:")
        click.echo("    a new phone             minhchung pair --role chapter --place 1 --name NAME")
        click.echo("    a new member of staff   minhchung staff add NAME   (also for one who cannot get in)\n")
        return
    link = f"{settings.origin}/app/#pair={entry.code}"
    click.echo(f"    login      {entry.login}\n    password   {entry.password}   (shown this once)\n")
    click.echo(f"  Phone link   {link}\n    code       {entry.code}   (once, 14 days)\n")
    picture = io.StringIO()
    segno.make(link, error="m").terminal(out=picture, compact=True)
    click.echo(re.sub(r"(?m)^", "  ", picture.getvalue()))
    click.echo(_real_phone(settings))


def _real_phone(settings: Config) -> str:
    if settings.secure:
        return ""
    return (
        "  A real phone needs a secure origin (camera, offline work and storage are refused on plain http):\n"
        f"    by cable    adb reverse tcp:{settings.port} tcp:{settings.port}   then open the link on the phone\n"
        "    by name     MINHCHUNG_ORIGIN=https://your.name MINHCHUNG_SECRET=...   behind a TLS front (docs/operations.md)\n"
    )


