"""tus clients that others wrote, cut anywhere in a file of three chunks, get it through whole."""

import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

from server.db.session import Database, sqlite_url
from server.storage.disk import DiskStore
from tests.line import Line
from tests.phones import Phone
from tests.pictures import FILES, sha256
from tests.races.conftest import LONG
from tests.served import ROOT, Served
from tests.world import World

CHUNK, CHUNKS = 40, 3
STEP = 1 if LONG else 211  # bytes between two cuts; a prime, so that cuts fall everywhere
Place = tuple[Served, World, Phone]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Place]:
    home = tmp_path_factory.mktemp("tus")
    (home / "minhchung.db").write_bytes(sqlite_template.read_bytes())
    db = Database(sqlite_url(home))
    world = World(db)
    with Served(home, sqlite_url(home)) as served:
        yield served, world, Phone(served.client()).pair(world.chapter_code())  # type: ignore[arg-type]
    db.close()


def content_of(name: str) -> bytes:
    """Three chunks that begin as a JPEG does and belong to this name alone."""
    return (b"\xff\xd8\xff\xe0" + name.encode().ljust(60, b".")).ljust(CHUNK * CHUNKS, b"~")


def tries(line: Line, phone: Phone, content: bytes) -> tuple[int, str]:
    """Begins and goes on until all is there, as tuspy's users do: (times that it broke, the upload's URL)."""
    cookie = phone.client.session.cookies["mc_device"]  # type: ignore[attr-defined]
    client = TusClient(f"http://127.0.0.1:{line.port}{FILES}", headers={"Cookie": f"mc_device={cookie}"})
    url, broken = None, 0
    while broken < 5:
        try:
            sent: Any = client.uploader(
                file_stream=io.BytesIO(content), chunk_size=CHUNK, upload_checksum=True, url=url,
                metadata={"sha256": sha256(content), "type": "image/jpeg"},
            )  # fmt: skip
            url = url or sent.create_url()
            sent.set_url(url)
            sent.offset = sent.get_offset()
            sent.upload()
            return broken, url
        except (TusCommunicationError, requests.RequestException, TypeError, ValueError):  # tuspy on half an answer's head
            broken += 1
    raise AssertionError("five times broken")


@pytest.mark.parametrize("direction", ["up", "down"])
def test_tuspy_cut_anywhere_gets_its_file_through(place: Place, direction: str) -> None:
    served, world, phone = place
    line = Line(served.port)
    tries(line, phone, content_of(f"{direction} whole"))
    total = line.passed[direction]
    cuts = range(0, total, STEP)
    for cut in cuts:
        content = content_of(f"{direction} {cut}")
        line.cut_after(cut, direction)
        broken, url = tries(line, phone, content)
        assert line.was_cut
        assert broken <= 1, cut  # 0: half an answer was enough for it
        check(served, world, phone, url, content)
    print(f"\ntuspy, {direction}: {len(cuts)} cuts over {total} bytes, 0 lost")
    line.close()


@pytest.mark.parametrize("direction", ["up", "down"])
def test_tus_js_client_cut_anywhere_gets_its_file_through(place: Place, direction: str) -> None:
    served, world, phone = place
    cookie = phone.client.session.cookies["mc_device"]  # type: ignore[attr-defined]
    given = {
        "port": served.port, "path": FILES, "cookie": f"mc_device={cookie}", "direction": direction,
        "step": STEP, "chunk": CHUNK, "chunks": CHUNKS,
    }  # fmt: skip
    run = ["node", str(ROOT / "tests" / "races" / "tus-js-client.mjs"), json.dumps(given)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=3000, cwd=ROOT / "pwa")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert len(answer["uploads"]) > 5
    for upload in answer["uploads"]:
        check(served, world, phone, upload["url"], bytes.fromhex(upload["content"]))
    print(f"\ntus-js-client, {direction}: {len(answer['uploads'])} cuts over {answer['total']} bytes, 0 lost")


def check(served: Served, world: World, phone: Phone, url: str, content: bytes) -> None:
    path = url[url.index(FILES) :]
    answer = phone.client.head(path, headers={"Tus-Resumable": "1.0.0"})
    assert answer.headers["Upload-Receipt"] == f"sha256 {sha256(content)}"
    with DiskStore(served.log.parent / "photos").original(world.commune, sha256(content)) as file:
        assert file.read() == content
