"""Cursors: opaque to phones. Inside: whose counter, whose eyes, the value read, and the floor at
which a paging from the start began."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cursor:
    counter: str  # place:4471, commune:12
    eyes: str  # the projection
    value: int
    floor: int  # where this paging from the start began; -1 once it reached the end

    def encode(self) -> str:
        return f"1~{self.counter}~{self.eyes}~{self.value}~{self.floor}"


def decode(text: str) -> Cursor | None:
    """None for what is not a cursor of ours."""
    parts = text.split("~")
    if len(parts) != 5 or parts[0] != "1":
        return None
    try:
        return Cursor(parts[1], parts[2], int(parts[3]), int(parts[4]))
    except ValueError:
        return None


def start(cursor: Cursor | None, counter: str, eyes: str, floor: int) -> tuple[Cursor, bool]:
    """Where to read from, and whether the phone must page from the start (`resync`)."""
    fresh = Cursor(counter, eyes, 0, floor)
    if cursor is None:
        return fresh, False
    if cursor.counter != counter or cursor.eyes != eyes:
        return fresh, True
    begun_today = cursor.floor == floor
    if cursor.value < floor and not begun_today:
        return fresh, True
    return cursor, False
