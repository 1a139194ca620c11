"""Every MUST that tus 1.0.0 lays on a server, and on what it announces, as a table (https://tus.io/protocols/resumable-upload)."""

import base64
import hashlib
import shutil
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from server.db.session import sqlite_url
from tests.phones import Phone
from tests.pictures import FILES, OCTETS, TUS, create, head, metadata, noisy, patch, sha256
from tests.world import World

CONTENT = noisy(9000)
GONE = f"{FILES}/00000000-0000-4000-8000-000000000000"
Check = Callable[[Phone], None]
MUSTS: list[tuple[str, Check]] = []


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The protocol does not care which database there is: one is enough."""
    url = sqlite_url(tmp_path)
    shutil.copy(sqlite_template, url.removeprefix("sqlite:///"))
    return url


def must(words: str) -> Callable[[Check], Check]:
    """Enters a check in the table under the protocol's demand."""

    def enter(check: Check) -> Check:
        MUSTS.append((words, check))
        return check

    return enter


@pytest.fixture
def one(world: World, phone: Callable[..., Phone]) -> Phone:
    return phone().pair(world.chapter_code())


def begun(one: Phone, offset: int = 0) -> str:
    """The URL of an upload that stands at `offset`."""
    url: str = create(one, CONTENT).headers["Location"]
    if offset:
        assert patch(one, url, 0, CONTENT[:offset]).status_code == 204
    return url


def offset_of(one: Phone, url: str) -> str:
    found: str = head(one, url).headers["Upload-Offset"]
    return found


@must("core: HEAD always carries Upload-Offset, also 0 and at the end")
def _(one: Phone) -> None:
    url = begun(one)
    assert offset_of(one, url) == "0"
    patch(one, url, 0, CONTENT)
    assert offset_of(one, url) == str(len(CONTENT))


@must("core: HEAD carries Upload-Length where it is known")
def _(one: Phone) -> None:
    assert head(one, begun(one)).headers["Upload-Length"] == str(len(CONTENT))


@must("core: HEAD of nothing is 403, 404 or 410 without Upload-Offset")
def _(one: Phone) -> None:
    answer = head(one, GONE)
    assert answer.status_code in (403, 404, 410)
    assert "Upload-Offset" not in answer.headers


@must("core: HEAD is never cached")
def _(one: Phone) -> None:
    assert head(one, begun(one)).headers["Cache-Control"] == "no-store"


@must("core: PATCH of another content type is refused with 415")
def _(one: Phone) -> None:
    url = begun(one)
    assert patch(one, url, 0, CONTENT, **{"Content-Type": "application/json"}).status_code == 415
    assert offset_of(one, url) == "0"


@must("core: PATCH at another offset is 409 and changes nothing")
def _(one: Phone) -> None:
    url = begun(one, 3000)
    for offset in (0, 2999, 3001, len(CONTENT)):
        assert patch(one, url, offset, b"abc").status_code == 409
    assert offset_of(one, url) == "3000"


@must("core: a PATCH that is taken is 204 with the new Upload-Offset")
def _(one: Phone) -> None:
    url = begun(one)
    answer = patch(one, url, 0, CONTENT[:3000])
    assert (answer.status_code, answer.headers["Upload-Offset"], answer.data) == (204, "3000", b"")
    answer = patch(one, url, 3000, CONTENT[3000:])
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(len(CONTENT)))


@must("core: PATCH of nothing is 404")
def _(one: Phone) -> None:
    assert patch(one, GONE, 0, b"abc").status_code in (404, 410)


@must("core: OPTIONS is 200 or 204 with Tus-Version")
def _(one: Phone) -> None:
    answer = one.client.options(FILES)
    assert answer.status_code in (200, 204)
    assert "1.0.0" in answer.headers["Tus-Version"].split(",")


@must("core: OPTIONS needs no Tus-Resumable; every other request does")
def _(one: Phone) -> None:
    url = begun(one)
    assert one.client.options(url).status_code == 204
    for method, at in (("POST", FILES), ("HEAD", url), ("PATCH", url), ("DELETE", url)):
        assert one.client.open(at, method=method).status_code == 412


@must("core: every answer but OPTIONS carries Tus-Resumable")
def _(one: Phone) -> None:
    url = begun(one)
    answers = [create(one, CONTENT), head(one, url), head(one, GONE), patch(one, url, 5, b"x"), patch(one, url, 0, CONTENT)]
    answers.append(one.client.delete(GONE, headers=TUS))
    assert {answer.headers["Tus-Resumable"] for answer in answers} == {"1.0.0"}


@must("core: another version is 412 with Tus-Version, and is not processed")
def _(one: Phone) -> None:
    url = begun(one)
    answer = patch(one, url, 0, CONTENT, **{"Tus-Resumable": "2.0.0"})
    assert answer.status_code == 412
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert offset_of(one, url) == "0"


@must("core: Upload-Offset and Upload-Length are non-negative integers")
def _(one: Phone) -> None:
    url = begun(one)
    for wrong in ("-1", "1.0", "", "x", "1e3"):
        assert patch(one, url, 0, b"abc", **{"Upload-Offset": wrong}).status_code == 400
        assert create(one, CONTENT, **{"Upload-Length": wrong}).status_code == 400
    assert offset_of(one, url) == "0"


@must("core: Tus-Max-Size is a non-negative integer, Tus-Extension a comma-separated list")
def _(one: Phone) -> None:
    headers = one.client.options(FILES).headers
    assert headers["Tus-Max-Size"].isdigit()
    known = {"creation", "creation-with-upload", "checksum", "expiration", "termination"}
    assert set(headers["Tus-Extension"].split(",")) == known


@must("core: X-HTTP-Method-Override stands for the method")
def _(one: Phone) -> None:
    url = begun(one)

    def as_post(method: str, data: bytes = b"", **more: str) -> Any:
        return one.client.post(url, data=data, headers=TUS | {"X-HTTP-Method-Override": method} | more)

    assert as_post("PATCH", CONTENT[:3000], **{"Upload-Offset": "0", "Content-Type": OCTETS}).headers["Upload-Offset"] == "3000"
    assert as_post("HEAD").headers["Upload-Offset"] == "3000"
    assert as_post("DELETE").status_code == 204
    assert head(one, url).status_code == 404


@must("creation: POST is 201 with Location")
def _(one: Phone) -> None:
    answer = create(one, CONTENT)
    assert answer.status_code == 201
    assert head(one, answer.headers["Location"]).status_code == 200


@must("creation: longer than Tus-Max-Size is 413")
def _(one: Phone) -> None:
    most = int(one.client.options(FILES).headers["Tus-Max-Size"])
    assert create(one, CONTENT, **{"Upload-Length": str(most + 1)}).status_code == 413
    assert create(one, CONTENT, **{"Upload-Length": str(most)}).status_code == 201


@must("creation: without a length it is refused, for creation-defer-length is not announced")
def _(one: Phone) -> None:
    headers = TUS | {"Upload-Metadata": metadata(sha256(CONTENT))}
    assert one.client.post(FILES, headers=headers).status_code == 400
    assert one.client.post(FILES, headers=headers | {"Upload-Defer-Length": "1"}).status_code == 400
    assert "creation-defer-length" not in one.client.options(FILES).headers["Tus-Extension"]


@must("creation: a key of Upload-Metadata may have no value; a value is base64")
def _(one: Phone) -> None:
    assert create(one, CONTENT, **{"Upload-Metadata": metadata(sha256(CONTENT)) + ",is_confidential"}).status_code == 201
    assert create(one, CONTENT, **{"Upload-Metadata": metadata(sha256(CONTENT)) + ",name ?"}).status_code == 400


@must("creation-with-upload: the answer carries Upload-Offset of what was taken")
def _(one: Phone) -> None:
    headers = TUS | {"Upload-Length": str(len(CONTENT)), "Upload-Metadata": metadata(sha256(CONTENT)), "Content-Type": OCTETS}
    answer = one.client.post(FILES, data=CONTENT[:5000], headers=headers)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "5000")
    assert offset_of(one, answer.headers["Location"]) == "5000"


@must("checksum: Tus-Checksum-Algorithm is announced, sha1 among them")
def _(one: Phone) -> None:
    assert "sha1" in one.client.options(FILES).headers["Tus-Checksum-Algorithm"].split(",")


@must("checksum: a chunk that has its sum is taken, one that has not is 460, an unknown kind 400; neither is kept")
def _(one: Phone) -> None:
    url = begun(one)
    for name in one.client.options(FILES).headers["Tus-Checksum-Algorithm"].split(","):
        at = int(offset_of(one, url))
        chunk = CONTENT[at : at + 2000]
        total = f"{name} {base64.b64encode(hashlib.new(name, chunk).digest()).decode()}"
        assert patch(one, url, at, chunk[::-1], **{"Upload-Checksum": total}).status_code == 460
        assert patch(one, url, at, chunk, **{"Upload-Checksum": "crc32 AAAAAA=="}).status_code == 400
        assert offset_of(one, url) == str(at)
        assert patch(one, url, at, chunk, **{"Upload-Checksum": total}).status_code == 204


@must("expiration: Upload-Expires is in the answer to POST and to each PATCH, as an HTTP date to come")
def _(one: Phone) -> None:
    made = create(one, CONTENT)
    going = patch(one, made.headers["Location"], 0, CONTENT[:100])
    for answer in (made, going):
        text = answer.headers["Upload-Expires"]
        assert text.endswith(" GMT")
        assert parsedate_to_datetime(text) > parsedate_to_datetime("Tue, 24 Nov 2026 00:00:00 GMT")


@must("termination: DELETE is 204, and afterwards the URL is 404 or 410")
def _(one: Phone) -> None:
    url = begun(one, 3000)
    assert one.client.delete(url, headers=TUS).status_code == 204
    assert head(one, url).status_code in (404, 410)
    assert patch(one, url, 3000, CONTENT[3000:]).status_code in (404, 410)


@pytest.mark.parametrize(("words", "check"), MUSTS, ids=[words for words, _ in MUSTS])
def test_must(words: str, check: Check, one: Phone) -> None:
    check(one)
