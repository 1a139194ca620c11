"""`make mutants`: puts each fault into a copy of the tree and runs the tests that must see it.

python -m tests.mutants.run [--only TEXT] [--jobs 2]. Last line: `N mutants, N caught`.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants.faults import FAULTS, JS, Fault

ROOT = Path(__file__).parent.parent.parent
COPIED = ("server", "sync", "tests", "pwa", "e2e", "bench", "docs", "pyproject.toml", "README.md")
SKIPPED = shutil.ignore_patterns("node_modules", "__pycache__", ".pytest_cache")


def copy_to(folder: Path) -> None:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=SKIPPED)
        elif source.exists():
            shutil.copy(source, folder / name)
    (folder / "pwa" / "node_modules").symlink_to(ROOT / "pwa" / "node_modules")


def put_in(fault: Fault, folder: Path) -> None:
    """Raises ValueError where the code has changed so that the fault fits no more, or fits twice."""
    path = folder / fault.file
    text = path.read_text()
    if text.count(fault.old) != 1:
        raise ValueError(f"{fault.name}: its place is there {text.count(fault.old)} times in {fault.file}")
    path.write_text(text.replace(fault.old, fault.new))


def command_of(fault: Fault) -> list[str]:
    if fault.tests == JS:
        tests = sorted(str(p) for p in Path("tests/js").glob("*.test.mjs"))
        return ["node", "--test", "--test-timeout=60000", *tests]
    return [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *fault.tests.split()]


def is_caught(fault: Fault) -> tuple[bool, str]:
    """Whether a test failed; and what was said. Tests that could not even be collected catch nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_to(folder)
        put_in(fault, folder)
        env = {**os.environ, "PYTHONPATH": str(folder)}
        run = command_of(fault)
        try:
            done = subprocess.run(run, cwd=folder, env=env, capture_output=True, text=True, timeout=900)
        except subprocess.TimeoutExpired:
            return True, "the tests hang"
    said = (done.stdout + done.stderr)[-1500:]
    if fault.tests == JS:
        return done.returncode != 0 and "not ok" in done.stdout, said
    return done.returncode == 1 and " failed" in said, said


def check_whole(chosen: list[Fault]) -> None:
    """Without a fault the same tests pass, else nothing is proved."""
    python = " ".join(sorted({t for f in chosen if f.tests != JS for t in f.tests.split()}))
    for tests in filter(None, (python, JS if any(f.tests == JS for f in chosen) else "")):
        with tempfile.TemporaryDirectory() as name:
            copy_to(Path(name))
            run = command_of(Fault("none", "", "", "", tests))
            done = subprocess.run(run, cwd=name, env={**os.environ, "PYTHONPATH": name}, capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"the tests fail without any fault:\n{(done.stdout + done.stderr)[-3000:]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=2)
    wish = parser.parse_args()
    chosen = [f for f in FAULTS if wish.only in f.name]
    check_whole(chosen)
    caught = 0
    with ThreadPoolExecutor(wish.jobs) as pool:
        for fault, (seen, said) in zip(chosen, pool.map(is_caught, chosen), strict=True):
            caught += seen
            print(f"{'caught ' if seen else 'MISSED '} {fault.name}" + ("" if seen else f"\n{said}"), flush=True)
    print(f"{len(chosen)} mutants, {caught} caught")
    sys.exit(caught != len(chosen))


if __name__ == "__main__":
    main()
