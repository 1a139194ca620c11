"""The examples of docs/protocol.md, played in order against a server."""

import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.phones import Phone
from tests.world import World

PAGE = Path(__file__).parent.parent / "docs" / "protocol.md"
EXAMPLE = re.compile(r"```json request (\w+)\n(.*?)```\n```json answer (\d+)\n(.*?)```", re.S)


def test_every_example_of_the_protocol_page_is_answered_as_it_says(world: World, phone: Callable[..., Phone]) -> None:
    made = phone()
    code = world.chapter_code()
    values: dict[str, Any] = {
        "code": code, "device": made.id, "key": made.key.jwk, "signature": made.key.sign(f"pair\n{code}"),
        "citizen": world.pao, "dossier": world.dossier(), **{f"mutation {n}": str(uuid.uuid4()) for n in range(1, 4)},
    }  # fmt: skip
    examples = EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))
    assert len(examples) >= 5
    for path, request, status, expected in examples:
        answer = made.client.post(f"/api/v1/{path}", json=filled(json.loads(request), values))
        body = json.loads(answer.data)
        assert answer.status_code == int(status), body
        if path == "pair":
            values |= {"person": body["person"]["id"], "epoch": body["epoch"]}
        assert_holds(filled(json.loads(expected), values), body)


def filled(part: Any, values: dict[str, Any]) -> Any:
    """The example with the run's own values in place of `<words>`."""
    if isinstance(part, dict):
        return {key: filled(value, values) for key, value in part.items()}
    if isinstance(part, list):
        return [filled(value, values) for value in part]
    if isinstance(part, str) and part.startswith("<"):
        return values[part.strip("<>")]
    return part


def assert_holds(expected: Any, found: Any) -> None:
    """`"..."` is any value; objects may hold more than is shown."""
    if expected == "...":
        return
    if isinstance(expected, dict):
        for key, value in expected.items():
            assert key in found, f"{key} is missing in {found}"
            assert_holds(value, found[key])
    elif isinstance(expected, list):
        assert len(expected) == len(found), found
        for one, other in zip(expected, found, strict=True):
            assert_holds(one, other)
    else:
        assert expected == found
