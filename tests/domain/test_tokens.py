"""Tokens: one purpose each, never forged, never for ever."""

import pytest

from server.domain.tokens import Tokens

SECRET = "a secret that is long enough 0123456789"


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(SECRET)


def test_a_token_gives_its_content_back(tokens: Tokens) -> None:
    assert tokens.read("device", tokens.make("device", {"d": "x", "v": 1})) == {"d": "x", "v": 1}


def test_a_token_of_one_purpose_is_none_of_another(tokens: Tokens) -> None:
    assert tokens.read("staff", tokens.make("device", {"d": "x"})) is None


def test_a_token_of_another_secret_is_nothing(tokens: Tokens) -> None:
    assert tokens.read("device", Tokens(SECRET + "!").make("device", {"d": "x"})) is None


@pytest.mark.parametrize("text", [None, "", "a.b.c", "x" * 5000, "\ud800"])
def test_rubbish_is_nothing(tokens: Tokens, text: str | None) -> None:
    assert tokens.read("device", text) is None


def test_a_changed_token_is_nothing(tokens: Tokens) -> None:
    token = tokens.make("device", {"d": "x"})
    assert tokens.read("device", "A" + token[1:]) is None
