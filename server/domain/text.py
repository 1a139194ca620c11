"""Folding of Vietnamese for search: no diacritics, `đ` as `d`, lower case, single spaces."""

import unicodedata


def fold(text: str) -> str:
    lowered = text.lower().replace("đ", "d")
    plain = "".join(c for c in unicodedata.normalize("NFD", lowered) if not unicodedata.combining(c))
    return " ".join(plain.split())


def tidy(text: str) -> str:
    """NFC, without white space at the ends or doubled within."""
    return " ".join(unicodedata.normalize("NFC", text).split())
