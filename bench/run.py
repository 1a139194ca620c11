"""Measures what is promised, prints one table and writes bench/results/latest.json.

`python -m bench.run` runs all lines, `python -m bench.run cold photo` only these. Machines are noisy: figures are
medians, ratios come from one run, and each says how it was measured. A missed aim is no failure of the command.
"""

import datetime
import importlib
import json
import os
import platform
import sys
import time
import traceback
from dataclasses import asdict
from typing import Any

from bench.processes import preferred
from bench.result import Result
from bench.served import ROOT

LINES = {
    "size": "bench.size:first_load",
    "cold": "bench.browser:cold_start",
    "photo": "bench.browser:photo_to_saved",
    "thirty": "bench.browser:thirty_photos",
    "day": "bench.wire:day_sync",
    "thousand": "bench.wire:thousand_entries",
    "lossy": "bench.lossy:lossy_photo",
    "server": "bench.server:server_cpu",
    "fifty": "bench.load:fifty_phones",
}
RESULTS = ROOT / "bench" / "results"


def main(names: list[str]) -> int:
    wrong = [name for name in names if name not in LINES]
    if wrong:
        print(f"unknown: {' '.join(wrong)}; there are: {' '.join(LINES)}")
        return 2
    preferred(os.getpid())
    began = time.monotonic()
    failed = []
    found: list[tuple[str, Result]] = []
    for name in names or list(LINES):
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            found += [(name, result) for result in _measure(name)]
        except Exception:  # one line that breaks must not take the others with it
            traceback.print_exc()
            failed.append(name)
    print(_table([result for _, result in found]))
    _write(found, time.monotonic() - began)
    if failed:
        print(f"not measured, see above: {' '.join(failed)}")
    return 1 if failed else 0


def _measure(name: str) -> list[Result]:
    module, _, function = LINES[name].partition(":")
    results: list[Result] = getattr(importlib.import_module(module), function)()
    return results


def _machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, SQLite"


def _table(results: list[Result]) -> str:
    rows = "\n".join(f"| {r.what} | {r.measured} | {r.aim} | {r.verdict} |" for r in results)
    return f"\n{_machine()}\n\n| what | measured | aim | |\n| --- | --- | --- | --- |\n{rows}\n"


def _write(found: list[tuple[str, Result]], took: float) -> None:
    """One file for each run's lines; those not run this time keep their last figures."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "latest.json"
    known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    lines = known.get("lines", {}) if isinstance(known, dict) else {}
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    for name in {name for name, _ in found}:
        rows = [asdict(result) | {"verdict": result.verdict} for line, result in found if line == name]
        lines[name] = {"at": at, "machine": _machine(), "load": os.getloadavg()[0], "results": rows}
    path.write_text(json.dumps({"took_s": round(took), "lines": lines}, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
