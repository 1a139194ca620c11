"""A wrong setting stops the start with one line that says which and why."""

from pathlib import Path

import pytest

from server import config
from server.config import WrongSetting

STRONG = "0123456789abcdefghijklmnopqrstuvwxyz"


def given(tmp_path: Path, **settings: str) -> dict[str, str]:
    return {"MINHCHUNG_HOME": str(tmp_path), **{f"MINHCHUNG_{k.upper()}": v for k, v in settings.items()}}


def test_an_empty_environment_gives_an_embedded_server_on_loopback(tmp_path: Path) -> None:
    made = config.from_env(given(tmp_path))
    assert made.database_url.startswith("sqlite:///")
    assert made.host == "127.0.0.1"
    assert not made.secure
    assert made.photos_url == (tmp_path / "photos").as_uri()


def test_the_local_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first, second = (config.from_env(given(tmp_path)).secret for _ in range(2))
    assert first == second
    assert len(first) >= 32
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"port": "99999"}, "MINHCHUNG_PORT"),
        ({"port": "web"}, "MINHCHUNG_PORT"),
        ({"origin": "minhchung.example"}, "MINHCHUNG_ORIGIN"),
        ({"origin": "https://x.example/path"}, "MINHCHUNG_ORIGIN"),
        ({"database_url": "mysql://x"}, "MINHCHUNG_DATABASE_URL"),
        ({"photos_url": "ftp://x"}, "MINHCHUNG_PHOTOS_URL"),
        ({"photos_url": "s3:///prefix"}, "MINHCHUNG_PHOTOS_URL"),
        ({"origin": "https://x.example"}, "MINHCHUNG_SECRET"),
        ({"origin": "https://x.example", "secret": "short"}, "MINHCHUNG_SECRET"),
        ({"origin": "https://x.example", "secret": "a" * 50}, "MINHCHUNG_SECRET"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, settings: dict[str, str], named: str) -> None:
    with pytest.raises(WrongSetting, match=named) as met:
        config.from_env(given(tmp_path, **settings))
    assert "\n" not in str(met.value)


def test_a_public_origin_with_its_own_secret(tmp_path: Path) -> None:
    made = config.from_env(given(tmp_path, origin="https://x.example/", secret=STRONG))
    assert made.origin == "https://x.example"
    assert made.secure
