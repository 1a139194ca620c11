"""Bytes of the first load, from the built phone app."""

import gzip
import json

from bench.result import Result
from bench.served import ROOT

LATER = ("en-", "more-", "rare-", "gates-")  # English, and what is rarely used
AIM_BYTES = 60 * 1024


def first_load() -> list[Result]:
    dist = ROOT / "pwa" / "dist"
    newest = json.loads((dist / "builds.json").read_text())[0]["files"]  # older builds' files lie beside it
    wanted = ["manifest.webmanifest", "sw.js", *(name for name in newest if not name.startswith(LATER))]
    sizes = {name: len(gzip.compress((dist / name).read_bytes(), 9)) for name in wanted}
    total = sum(sizes.values())
    how = "gzip -9 of shell, script, style sheet, workers and manifest; English, the second part's screens and icons come later"
    return [Result("first load to a capture screen", f"{total / 1024:.1f} KB", "60 KB", total <= AIM_BYTES, how, sizes)]
