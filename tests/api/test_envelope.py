"""What is wrong with a whole request: sizes, encodings, versions, nonsense; each with its stable code."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.phones import Phone
from tests.world import World

Make = Callable[..., Phone]


@pytest.fixture
def one(world: World, phone: Make) -> Phone:
    return phone().pair(world.chapter_code())


def refused(answer: Any) -> tuple[int, str]:
    assert answer.mimetype == "application/problem+json"
    return answer.status_code, answer.get_json()["code"]


def send(one: Phone, raw: bytes, encoding: str | None = None) -> Any:
    headers = {"Content-Encoding": encoding} if encoding else {}
    return one.client.post("/api/v1/sync", data=raw, content_type="application/json", headers=headers)


def test_gzip_is_taken(one: Phone) -> None:
    assert one.post(one.body(), gzipped=True).status_code == 200


def test_a_gzip_bomb_is_stopped(one: Phone) -> None:
    bomb = gzip.compress(b" " * 60_000_000)
    answer = send(one, bomb, "gzip")
    assert refused(answer) == (413, "too_large")
    assert answer.get_json()["max"] > 0


def test_too_much_sent(one: Phone) -> None:
    assert refused(send(one, b" " * 300_000)) == (413, "too_large")


def test_an_encoding_that_we_do_not_speak(one: Phone) -> None:
    answer = send(one, b"x", "zstd")
    assert refused(answer) == (415, "encoding")
    assert "gzip" in answer.headers["Accept-Encoding"]


@pytest.mark.parametrize(
    "raw", [b"{", b"[]", b"null", b"5", b'"x"', b"\xff\xfe", b'{"v":2}', b'{"v":1}', b"[" * 100_000, b'{"v":NaN}']
)
def test_nonsense_is_a_bad_request(one: Phone, raw: bytes) -> None:
    assert refused(send(one, raw)) == (400, "bad_request")


def test_an_empty_body_says_so(one: Phone) -> None:
    assert send(one, b"").status_code == 400


def test_cut_gzip(one: Phone) -> None:
    raw = gzip.compress(json.dumps(one.body()).encode())[:-9]
    assert refused(send(one, raw, "gzip")) == (400, "bad_request")


@pytest.mark.parametrize("mutation", [{"id": "x", "seq": 1}, {"seq": 1}, {"id": "a" * 36, "seq": "1"}, 5])
def test_a_mutation_without_number_or_id_refuses_the_envelope(one: Phone, mutation: Any) -> None:
    assert refused(one.post(one.body(mutations=[mutation]))) == (400, "bad_request")


def test_odd_parts_that_do_not_matter(one: Phone) -> None:
    odd = {"waiting": "x", "now": "yesterday", "photos": [{"sha256": "x"}], "limit": 10**9, "extra": 1}
    assert one.post(one.body(**odd)).status_code == 200


def test_a_phone_clock_ten_years_off_changes_nothing(one: Phone) -> None:
    assert one.post(one.body(now="2036-11-24T07:29:01.000Z")).status_code == 200
    assert one.post(one.body(now="2015-01-01T00:00:00.000Z")).status_code == 200


def test_an_app_that_is_too_old_still_delivers(world: World, one: Phone) -> None:
    one.queue("create", "dossier", world.dossier(), world.begin())
    answer = one.post(one.body(app="2025.1.1"))
    assert refused(answer) == (426, "app.too_old")
    assert answer.get_json()["ack"] == 1
    assert answer.get_json()["results"] == []
    one.outbox = []
    one.sync()
    assert world.dossier() in one.docs


def test_health_is_the_real_test_of_signal(one: Phone) -> None:
    answer = one.client.get("/api/v1/health")
    assert (answer.status_code, answer.data) == (204, b"")
    assert "no-store" in answer.headers["Cache-Control"]


def test_every_answer_carries_the_strict_headers(one: Phone) -> None:
    for path in ("/api/v1/health", "/api/v1/nothing"):
        headers = one.client.get(path).headers
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_an_unknown_address_is_a_plain_problem(one: Phone) -> None:
    assert refused(one.client.get("/api/v1/nothing")) == (404, "not_found")
    assert one.client.get("/api/v1/sync").status_code == 405
