"""WCAG 2.2 AA, as far as axe can tell, in both colour schemes; and every width from a phone's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
NOTE = "Assessment: Type 2 diabetes mellitus, on metformin. Essential hypertension.\nDenies chest pain.\n" * 3


def assert_accessible(page: Page) -> None:
    results = Axe().run(page, options=RULES)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("init", ["", "delete window.Highlight;"], ids=["highlights", "marks"])
def test_every_view_is_accessible(
    open_page: Callable[..., Page], workspace_of: Callable[[Page], Any], scheme: str, init: str
) -> None:
    page = open_page(color_scheme=scheme, init=init)
    workspace = workspace_of(page)
    page.goto("/new")
    page.get_by_role("button", name="Add document").click()
    assert_accessible(page)
    workspace.code(NOTE, NOTE)
    page.locator(".card-head").first.click()
    page.locator(".card-head").last.click()
    assert_accessible(page)
    page.get_by_role("combobox", name="Search codes").fill("diabetes")
    expect(page.get_by_role("option").first).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("billable")
    assert_accessible(page)


def test_an_error_and_the_docs_are_accessible(workspace: Any) -> None:
    workspace.code(" ")
    assert_accessible(workspace.page)
    workspace.page.goto("/docs")
    assert_accessible(workspace.page)


@pytest.mark.parametrize(
    ("width", "height"), [(1280, 800), (1024, 768), (768, 1024), (390, 844), (320, 640), (320, 256)]
)
def test_every_width_shows_note_and_codes_without_sideways_scrolling(
    open_page: Callable[..., Page], workspace_of: Callable[[Page], Any], width: int, height: int
) -> None:
    page = open_page(viewport={"width": width, "height": height})
    workspace = workspace_of(page)

    def fits() -> bool:
        return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

    page.goto("/new")
    assert fits()
    workspace.open_example("progress")
    assert fits()
    for part in (".note-text", "#codes"):
        box = page.locator(part).bounding_box()
        assert box and box["height"] > 120 and box["width"] > 250, part
        assert box["x"] >= 0 and box["x"] + box["width"] <= width


def test_a_phone_selects_a_code_and_sees_its_evidence(
    open_page: Callable[..., Page], workspace_of: Callable[[Page], Any]
) -> None:
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    workspace = workspace_of(page)
    workspace.code("The wound is clean and dry today.\n" * 80 + "Assessment: Essential hypertension, stable.")
    workspace.card("I10").locator(".card-head").tap()
    expect(workspace.card("I10").locator(".card-body")).to_be_visible()
    note = page.locator(".note-text").bounding_box()
    at = page.evaluate("[...CSS.highlights.get('selected')][0].getBoundingClientRect().toJSON()")
    assert note and note["y"] <= at["top"] and at["bottom"] <= note["y"] + note["height"]


def test_targets_are_large_enough(workspace: Any) -> None:
    workspace.code(NOTE, NOTE)
    workspace.page.locator(".card-head").first.click()
    small = workspace.page.evaluate(
        """() => [...document.querySelectorAll("button, input, select")]
          .map((e) => [e.textContent || e.name, e.getBoundingClientRect()])
          .filter(([, box]) => box.height > 0 && (box.height < 24 || box.width < 24)).map(([name]) => name)"""
    )
    assert small == []
