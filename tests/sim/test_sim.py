"""Runs of the simulation that every `make test` plays: by seed, and by hypothesis."""

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.sim.node_phone import Nodes
from tests.sim.play import WEIGHTS, Sim, play, same_ids
from tests.sim.run import FAST, home_of


@contextmanager
def home(empty: Path) -> Iterator[Any]:
    with tempfile.TemporaryDirectory(dir=FAST) as folder:
        app = home_of(empty, Path(folder))
        yield app
        app.extensions["db"].close()


@pytest.mark.parametrize("seed", range(100))
def test_what_must_hold_holds(seed: int, sqlite_template: Path) -> None:
    dice = random.Random(seed)
    with home(sqlite_template) as app, same_ids(dice):
        play(Sim(app, dice), 100)


def test_what_must_hold_holds_for_any_order_of_acts(sqlite_template: Path) -> None:
    class Weeks(RuleBasedStateMachine):
        @initialize(seed=st.integers(0, 2**32))
        def begin(self, seed: int) -> None:
            self.around = home(sqlite_template)
            self.sim = Sim(self.around.__enter__(), random.Random(seed))

        @rule(name=st.sampled_from([n for n, w in WEIGHTS.items() for _ in range(max(1, round(w / 3)))]))
        def act(self, name: str) -> None:
            self.sim.act(name)

        def teardown(self) -> None:
            if not hasattr(self, "sim"):
                return
            try:
                self.sim.finish()
            finally:
                self.around.__exit__(None, None, None)

    run_state_machine_as_test(
        Weeks,
        settings=settings(
            max_examples=60, stateful_step_count=50, deadline=None, derandomize=True, database=None,
            phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


def test_what_must_hold_holds_with_the_app_itself(sqlite_template: Path) -> None:
    """The phones are the app's own engine and store, in Node processes that are used again."""
    with Nodes() as nodes:
        for seed in range(5):
            nodes.again()
            with home(sqlite_template) as app:
                play(Sim(app, random.Random(seed), nodes.phone), 60)
