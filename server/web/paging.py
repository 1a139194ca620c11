"""Pages of a long list, by `page` in the address."""

from flask import request


def page_number() -> int:
    """From 1; anything that is no number a database can hold counts as the first."""
    text = request.args.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 9 else 1
