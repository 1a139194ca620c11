"""The phone app's build beside the builds before it: what a phone in mid-update asks for is there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NODE = shutil.which("node", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


class Copy:
    """The sources of the phone app in a folder of their own, to be built again and again."""

    def __init__(self, root: Path) -> None:
        self.pwa = root / "pwa"
        shutil.copytree(ROOT / "pwa", self.pwa, ignore=shutil.ignore_patterns("node_modules", "dist"))
        shutil.copytree(ROOT / "sync" / "js", root / "sync" / "js")
        (self.pwa / "node_modules").symlink_to(ROOT / "pwa" / "node_modules")

    def build(self, change: str = "") -> list[str]:
        """Builds with `change` as its version; returns the hashed files of this build."""
        assert NODE, "node is not installed: run `make build`"
        about = self.pwa / "package.json"
        about.write_text(json.dumps(json.loads(about.read_text()) | {"version": change or "1"}))
        (self.pwa / "css" / "app.css").open("a").write(f"\n.v{change or '1'} {{ order: 1; }}")
        subprocess.run([NODE, "build.mjs"], cwd=self.pwa, check=True, capture_output=True, timeout=60)
        files: list[str] = json.loads((self.dist / "builds.json").read_text())[0]["files"]
        return files

    @property
    def dist(self) -> Path:
        return self.pwa / "dist"

    def precached(self) -> list[str]:
        found = re.search(r"const FILES = (\[.*\]);", (self.dist / "sw.js").read_text())
        assert found
        return [name.removeprefix("/app/") for name in json.loads(found[1])]


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_a_phone_in_mid_update_still_gets_the_files_of_the_builds_before(copy: Copy) -> None:
    first = copy.build("1")
    second = copy.build("2")
    assert set(first) != set(second)
    for name in first + second:
        assert (copy.dist / name).is_file(), name


def test_the_worker_keeps_one_build_whole_and_nothing_of_another(copy: Copy) -> None:
    first = copy.build("1")
    second = copy.build("2")
    kept = copy.precached()
    assert set(second) <= set(kept)
    assert not set(first) - set(second) & set(kept)
    for name in kept:
        assert (copy.dist / name).is_file(), name
    shell = next(name for name in kept if name.startswith("index-"))
    named = set(re.findall(r'(?:href|src|content)="/app/([^"]+-[0-9a-f]{10}\.\w+)"', (copy.dist / shell).read_text()))
    assert named and named <= set(kept)


def test_builds_of_long_ago_go_and_the_same_build_again_adds_nothing(copy: Copy) -> None:
    first = copy.build("1")
    copy.build("1b")
    for number in range(2, 8):
        last = copy.build(str(number))
    assert not [name for name in first if name.startswith("app-") and name.endswith(".css") and (copy.dist / name).exists()]
    before = sorted(path.name for path in copy.dist.iterdir())
    subprocess.run([NODE or "node", "build.mjs"], cwd=copy.pwa, check=True, capture_output=True, timeout=60)
    assert sorted(path.name for path in copy.dist.iterdir()) == before
    assert set(last) <= set(before)
