"""`python -m e2e.soak [--rounds 200] [--seed N] [--minutes M]`; ends with an error where anything was lost or came twice."""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path
from random import SystemRandom

from playwright.sync_api import expect, sync_playwright

from e2e.soak.run import Outcome, soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m e2e.soak", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000), help="the same seed draws the same rounds")
    parser.add_argument("--start", type=int, default=1, help="the number of the first round")
    parser.add_argument("--minutes", type=float, help="end early, after the round that is running then")
    parser.add_argument("--database-url", help="an empty PostgreSQL database; the default is SQLite in a folder of its own")
    asked = parser.parse_args()
    expect.set_options(timeout=15_000)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # server and browsers end with it
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    print(f"seed {asked.seed}, {asked.rounds} rounds, in {folder}", flush=True)
    began = time.monotonic()
    with sync_playwright() as playwright:
        rounds = range(asked.start, asked.start + asked.rounds)
        say = partial(print, flush=True)
        outcome = soak(playwright, folder, asked.seed, rounds, asked.minutes, say, asked.database_url)
    return _report(outcome, asked.seed, folder, time.monotonic() - began)


def _report(outcome: Outcome, seed: int, folder: Path, took_s: float) -> int:
    print(f"\n{took_s / 60:.1f} minutes; kinds of kills:")
    for name, count in sorted(outcome.kills.items()):
        print(f"  {count:4d}  {name}")
    said = Counter(act.kind for act in outcome.acts if act.said)
    print("called saved: " + ", ".join(f"{count} {kind}" for kind, count in said.most_common()))
    for finding in outcome.findings:
        print(f"{finding.kind.upper()}: {finding.words}" + (f" (round {finding.round})" if finding.round else ""))
    kinds = Counter(finding.kind for finding in outcome.findings)
    if outcome.findings:
        print(f"again: python -m e2e.soak --seed {seed} --rounds {outcome.rounds}; ledger, server log and profiles: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    wrong = f", {kinds['wrong']} wrong" if kinds["wrong"] else ""
    print(f"{outcome.rounds} rounds, {outcome.saved} saved, {kinds['lost']} lost, {kinds['twice']} twice{wrong}")
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main())
