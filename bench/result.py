"""What one measurement says: one row of the table, with its details for the JSON."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Result:
    """`met` is None where the line has no aim. `how` says in one sentence on what and how it was measured."""

    what: str
    measured: str
    aim: str
    met: bool | None
    how: str
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        return {True: "met", False: "missed", None: "-"}[self.met]
