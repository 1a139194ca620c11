"""The merge rule per field: a field is in conflict only if somebody else changed it after the
revision that this person had seen, to another value. Pure: everything comes in as arguments."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Version = list[Any]  # [rev, device, mutation id, device's number of it, person]
OwnWrite = Callable[[str, Version], bool]


@dataclass
class Merge:
    """`apply`: what is written; `held`: what a person must choose; `stale`: base was old somewhere."""

    apply: dict[str, Any] = field(default_factory=dict)
    held: dict[str, Any] = field(default_factory=dict)
    stale: bool = False


def merge(
    values: dict[str, Any],
    versions: dict[str, Version],
    patch: dict[str, Any],
    base_of: Callable[[str], int],
    is_own: OwnWrite,
) -> Merge:
    """Merges `patch` into `values`, whose fields were last written as `versions` say.

    `base_of(field)` is the revision the person had seen; `is_own(field, version)` tells whether the
    last write is one that the person's form already showed. Equal values never conflict.
    """
    outcome = Merge()
    for name, value in patch.items():
        version = versions.get(name)
        newer = version is not None and version[0] > base_of(name) and not is_own(name, version)
        outcome.stale = outcome.stale or newer
        if values.get(name) == value:
            continue
        if newer:
            outcome.held[name] = value
        else:
            outcome.apply[name] = value
    return outcome


def own_write(device: str, after: dict[str, str], seq_of: Callable[[str], tuple[str, int] | None]) -> OwnWrite:
    """Whether a field's last write is the mutation that `after` names, or an earlier one of this device's.

    `seq_of(mutation id)` gives (device, number) of a handled mutation, or None.
    """

    def is_own(name: str, version: Version) -> bool:
        shown = after.get(name)
        if shown is None:
            return False
        if version[2] == shown:
            return True
        seen = seq_of(shown)
        return version[1] == device and seen is not None and seen[0] == device and version[3] <= seen[1]

    return is_own
