"""Bytes of the first load, from the built phone app."""

import gzip

from bench.result import Result
from bench.served import ROOT

AIM_BYTES = 60 * 1024


def first_load() -> list[Result]:
    dist = ROOT / "pwa" / "dist"
    kept = (".js", ".css", ".html", ".webmanifest")
    files = [p for p in sorted(dist.iterdir()) if p.suffix in kept and not p.name.startswith("en-")]
    sizes = {p.name: len(gzip.compress(p.read_bytes(), 9)) for p in files}
    total = sum(sizes.values())
    how = "gzip -9 of shell, script, style sheet, image worker, service worker and manifest; English and icons come later"
    return [Result("first load to a capture screen", f"{total / 1024:.1f} KB", "60 KB", total <= AIM_BYTES, how, sizes)]
