"""A short soak, so that the long one runs when it is wanted: four rounds of a fixed seed."""

from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from e2e.soak.ledger import compare
from e2e.soak.run import soak


@pytest.mark.timeout(420)
def test_four_rounds_lose_nothing_and_a_hole_in_the_server_is_seen(playwright: Playwright, tmp_path: Path) -> None:
    outcome = soak(playwright, tmp_path, seed=8, rounds=range(1, 5))
    assert outcome.findings == []
    assert outcome.rounds == 4 and outcome.saved >= 3 and sum(outcome.kills.values()) == 4
    said = next(act for act in outcome.acts if act.said and act.kind == "photo")
    outcome.held.evidence = [row for row in outcome.held.evidence if row["sha256"] != said.about["sha256"]]
    assert "lost" in {finding.kind for finding in compare(outcome.acts, outcome.held)}
