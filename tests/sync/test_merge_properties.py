"""What must hold of the merge for any two people, whatever they type and in whichever order it arrives."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sync.merge import Merge, merge, own_write

FIELDS = st.sampled_from(["self.1", "self.2", "note.1"])
SCORES = st.one_of(st.none(), st.integers(1, 10))
PATCHES = st.dictionaries(FIELDS, SCORES, min_size=1)
REVS = st.integers(0, 12)
VERSIONS = st.dictionaries(FIELDS, st.tuples(REVS, st.sampled_from("ab"), st.sampled_from("mnop"), REVS).map(list))
HANDLED = st.dictionaries(st.sampled_from("mnop"), st.tuples(st.sampled_from("ab"), REVS))
AFTER = st.dictionaries(FIELDS, st.sampled_from("mnop"))


def merged(
    values: dict[str, Any], versions: dict[str, Any], patch: dict[str, Any], base: int, after: Any, handled: Any
) -> Merge:
    return merge(values, versions, patch, lambda _: base, own_write("a", after, handled.get))


@given(PATCHES, VERSIONS, PATCHES, REVS, AFTER, HANDLED)
def test_nothing_typed_is_dropped(
    values: dict[str, Any], versions: dict[str, Any], patch: dict[str, Any], base: int, after: Any, handled: Any
) -> None:
    outcome = merged(values, versions, patch, base, after, handled)
    for name, value in patch.items():
        kept = outcome.apply.get(name, outcome.held.get(name, values.get(name)))
        assert kept == value


@given(PATCHES, VERSIONS, PATCHES, REVS, AFTER, HANDLED)
def test_a_field_is_written_or_held_never_both(
    values: dict[str, Any], versions: dict[str, Any], patch: dict[str, Any], base: int, after: Any, handled: Any
) -> None:
    outcome = merged(values, versions, patch, base, after, handled)
    assert not outcome.apply.keys() & outcome.held.keys()


@given(PATCHES, VERSIONS, PATCHES, REVS)
def test_no_newer_foreign_value_is_overwritten(
    values: dict[str, Any], versions: dict[str, Any], patch: dict[str, Any], base: int
) -> None:
    outcome = merged(values, versions, patch, base, {}, {})
    assert all(versions[name][0] <= base for name in outcome.apply if name in versions)


@given(PATCHES, VERSIONS, PATCHES)
def test_who_has_seen_everything_is_never_held(
    values: dict[str, Any], versions: dict[str, Any], patch: dict[str, Any]
) -> None:
    assert merged(values, versions, patch, 99, {}, {}).held == {}


@given(st.lists(SCORES, min_size=1, max_size=12))
def test_a_chain_of_own_edits_offline_never_conflicts(scores: list[Any]) -> None:
    values: dict[str, Any] = {}
    versions: dict[str, Any] = {}
    handled: dict[str, tuple[str, int]] = {}
    for number, score in enumerate(scores, start=1):
        after = {"self.1": f"m{number - 1}"} if number > 1 else {}
        outcome = merge(values, versions, {"self.1": score}, lambda _: 0, own_write("a", after, handled.get))
        assert outcome.held == {}
        handled[f"m{number}"] = ("a", number)
        if outcome.apply:
            values["self.1"] = score
            versions["self.1"] = [number, "a", f"m{number}", number]
    assert values.get("self.1") == scores[-1]
