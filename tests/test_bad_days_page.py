"""docs/bad-days.md names a test, a code and a sentence for each bad day: all of them must exist."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "bad-days.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in PAGE.splitlines() if re.match(r"\| (?!bad day|---)", line)]


@cache
def product() -> str:
    """All that the product says, as text."""
    folders = ("pwa/js", "server", "sync")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".js", ".html")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def exists(named: str) -> bool:
    path, _, name = named.partition("::")
    file = ROOT / path
    if not file.is_file():
        return False
    words = f"def {name}(" if file.suffix == ".py" else f'test("{name}"'
    return words in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_bad_day_has_a_test_a_sentence_and_a_code_that_exist(row: list[str]) -> None:
    assert len(row) == 5, row
    _, reads, code, data, shown = row
    tests = re.findall(r"`([^`]+::[^`]+)`", shown)
    assert tests and data
    assert [one for one in tests if not exists(one)] == []
    assert [one for one in re.findall(r"“([^”]+)”", reads) if one not in product()] == []
    assert [one for one in re.findall(r"`([^`]+)`", code) if f'"{one}"' not in product() and f'"problem.{one}"' not in product()] == []


def test_no_bad_day_stands_there_twice() -> None:
    names = [row[0] for row in ROWS]
    assert len(names) == len(set(names)) >= 60
