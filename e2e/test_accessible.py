"""Every room of the staff site and every main screen of the phone, read by axe: no finding, no sideways scroll."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from e2e.rig import Phone, Served

AXE = Path(__file__).parent.parent / "pwa" / "node_modules" / "axe-core" / "axe.min.js"
LONG = "Nguyễn Thị Hoàng Phương Thảo Vy Ngọc Quỳnh Như"


@pytest.fixture
def citizen(served: Served) -> dict[str, Any]:
    place = served.command("place", "add", "Thôn Khe Pặn Giữa – Nà Nát Thượng", "--json")["id"]
    ident = served.command("citizen", "add", LONG, "--place", str(place), "--birth-year", "1971", "--json")["id"]
    staff = served.command("staff", "add", "Nguyễn Thị Hạnh", "--role", "admin", "--json")
    pair = served.command("pair", "--role", "chapter", "--place", str(place), "--name", "Lương Văn Sính", "--json")
    return {"id": ident, "staff": staff, "link": pair["link"]}


def findings(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    result = page.evaluate("axe.run()")
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in result["violations"]]


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("width", [360, 1280])
def test_the_staff_site_has_no_finding(served: Served, office: BrowserContext, citizen: dict[str, Any], width: int) -> None:
    page = office.new_page()
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(served.origin)
    assert findings(page) == []
    page.get_by_label("Tên đăng nhập").fill(citizen["staff"]["login"])
    page.get_by_label("Mật khẩu").fill(citizen["staff"]["password"])
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page.get_by_role("heading", name="Tổng quan")).to_be_visible()
    person = f"/dossiers/{citizen['id']}"
    rooms = ["/", "/people", "/people?q=khong-co-ai", person, "/phones", "/places", "/people/new", "/nowhere", "/conflicts", "/quarantine"]
    rooms += ["/quarantine?state=settled", "/deleted", f"{person}/history", f"{person}/deletion", "/doubles", f"/doubles/{citizen['id']}"]
    for path in rooms:
        page.goto(served.origin + path)
        assert (path, findings(page), fits(page)) == (path, [], True)


def test_the_phone_has_no_finding(make_phone: Callable[[str], Phone], citizen: dict[str, Any]) -> None:
    page = make_phone("read").open()
    page.goto(citizen["link"])
    expect(page.get_by_text(LONG)).to_be_visible()
    person = f"#/person/{citizen['id']}"
    rooms = ["#/", "#/register", "#/queue", "#/settings", "#/pair", "#/conflicts", "#/conflict/none", "#/parcels", "#/who"]
    for address in (*rooms, person, f"{person}/1", f"{person}/5", f"#/talk/{citizen['id']}"):
        page.evaluate(f"location.hash = '{address}'")
        page.wait_for_timeout(400)
        assert (address, findings(page), fits(page)) == (address, [], True)
