"""The byte budget: what a phone must fetch before its first photo.

English, what is rarely used (`more-`, `rare-`, `gates-`) and the icons come after, when the worker keeps the shell.
"""

import gzip
import json
from pathlib import Path

DIST = Path(__file__).parent.parent / "pwa" / "dist"
FIRST_LOAD_BYTES = 60 * 1024


def test_a_first_load_to_a_capture_screen_stays_within_60_kb() -> None:
    assert (DIST / "index.html").is_file(), "the phone app is not built: run `make build`"
    newest = json.loads((DIST / "builds.json").read_text())[0]["files"]  # older builds' files lie beside it
    wanted = ["manifest.webmanifest", "sw.js"] + [name for name in newest if not name.startswith(("en-", "more-", "rare-", "gates-"))]
    sizes = {name: len(gzip.compress((DIST / name).read_bytes(), 9)) for name in wanted}
    assert sum(sizes.values()) <= FIRST_LOAD_BYTES, sizes
