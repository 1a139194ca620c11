"""Every case of the vectors that names Python must come out as it says."""

import json
from pathlib import Path
from typing import Any

import pytest

from sync import protocol
from sync.decide import Rule, decide
from sync.fields import check_mutation
from sync.merge import merge, own_write

VECTORS = Path(__file__).parents[2] / "sync" / "vectors"


def cases(name: str) -> list[Any]:
    found = json.loads((VECTORS / name).read_text(encoding="utf-8"))["cases"]
    return [pytest.param(case, id=case["name"]) for case in found if "python" in case["sides"]]


@pytest.mark.parametrize("case", cases("merge.json"))
def test_merge(case: dict[str, Any]) -> None:
    given, want = case["given"], case["want"]
    handled = {k: tuple(v) for k, v in given.get("handled", {}).items()}
    is_own = own_write(given["device"], given.get("after", {}), handled.get)
    base = given["base"]
    outcome = merge(given["values"], given["versions"], given["set"], lambda name: base.get(name, 0), is_own)
    assert outcome.apply == want["apply"]
    assert outcome.held == want["held"]
    assert outcome.stale == want["stale"]


@pytest.mark.parametrize("case", cases("fields.json"))
def test_a_mutation_is_checked(case: dict[str, Any]) -> None:
    fault = check_mutation(case["given"], case.get("size_bytes", 200))
    assert (fault.code if fault else None) == case["want"]


@pytest.mark.parametrize("case", cases("decide.json"))
def test_the_rule_of_recognition(case: dict[str, Any]) -> None:
    scores = {int(n): v for n, v in case["given"]["scores"].items()}
    outcome = decide(scores, Rule(**case["given"].get("rule", {})))
    want = case["want"]
    assert outcome.eligible == want["eligible"]
    assert outcome.total == want["total"]
    assert list(outcome.unscored) == want["unscored"]
    assert list(outcome.low) == want["low"]


@pytest.mark.parametrize("case", cases("dossier_ids.json"))
def test_two_phones_that_begin_a_dossier_offline_mean_the_same_one(case: dict[str, Any]) -> None:
    assert protocol.dossier_id(case["given"]["citizen"], case["given"]["year"]) == case["want"]
