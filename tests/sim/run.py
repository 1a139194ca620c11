"""`make sim`: runs of the simulation until the time is over; prints each failing seed and goes on from fresh ones.

python -m tests.sim.run [--minutes 5] [--seed N] [--runs N] [--steps 150] [--app]
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

from flask import Flask

from server.app import create_app
from server.config import Config
from server.db import migrate
from server.db.session import Database, sqlite_url
from tests.sim.node_phone import Nodes
from tests.sim.phone import SimPhone
from tests.sim.play import Sim, play, same_ids

FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None  # no power is cut here: memory will do
SECRET = "only-for-the-simulation-and-long-enough-0123456789"


def template(folder: Path) -> Path:
    """A migrated, empty database file that runs copy."""
    db = Database(sqlite_url(folder))
    migrate.upgrade(db)
    with db.engine.connect() as conn:
        conn.exec_driver_sql("COMMIT")
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return next(folder.glob("*.db"))


def home_of(empty: Path, folder: Path) -> Flask:
    """The app over a fresh copy of an empty database."""
    shutil.copy(empty, sqlite_url(folder).removeprefix("sqlite:///"))
    return create_app(Config(folder, sqlite_url(folder), (folder / "photos").as_uri(), SECRET, "http://localhost"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--runs", type=int, default=10**9)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--app", action="store_true", help="the phones are the app's own engine, in Node")
    wish = parser.parse_args()
    first = random.SystemRandom().randrange(10**9) if wish.seed is None else wish.seed
    ends, runs, steps, requests, broken = time.monotonic() + wish.minutes * 60, 0, 0, 0, []
    met: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder, Nodes() as nodes:
        empty = template(Path(folder))
        make = nodes.phone if wish.app else SimPhone
        while runs < wish.runs and (time.monotonic() < ends or runs == 0):
            seed = first + runs
            with tempfile.TemporaryDirectory(dir=FAST) as home:
                app = home_of(empty, Path(home))
                nodes.again()
                dice = random.Random(seed)
                try:
                    with same_ids(dice):
                        sim = Sim(app, dice, make)
                        play(sim, wish.steps)
                except Exception:
                    broken.append(seed)
                    print(f"seed {seed} broke:\n{traceback.format_exc()[-3000:]}", flush=True)
                steps, requests = steps + sim.steps, requests + sim.wire.requests
                for fate, count in sim.wire.met.items():
                    met[fate] = met.get(fate, 0) + count
                app.extensions["db"].close()
            runs += 1
    print(f"faults met: {dict(sorted(met.items()))}")
    print(f"{runs} runs from seed {first}, {steps} steps, {requests} requests, {len(broken)} broken {broken[:10]}")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
