"""The findings of a result: by level, with what mends them, and their codes as ways to the cards."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

NOTE = "Assessment: Type 2 diabetes mellitus, on metformin. Essential hypertension, on lisinopril."
FINDINGS = [
    ("warning", "validity.repeated", "I10 stands 2 times", ["I10"], "remove I10 where it repeats"),
    ("error", "validity.unknown", "E11.99 is in no release", ["E11.99"], None),
    ("error", "position.manifestation", "E11.9 comes before I10", ["E11.9", "I10", "E11.9"], "put I10 <b>first</b>"),
    ("info", "edition.note", "no code is concerned", [], None),
]


def given(page: Page, findings: list[tuple[Any, ...]]) -> None:
    """Put findings of our own into what the service answers."""

    def answer(route: Route) -> None:
        response = route.fetch()
        result = response.json()
        result["findings"] = [
            {"rule": rule, "level": level, "message": message, "codes": codes, "reference": f"from {rule}"}
            | ({"fix": fix} if fix else {})
            | {"overridable": True}
            for level, rule, message, codes, fix in findings
        ]
        route.fulfill(response=response, body=json.dumps(result))

    page.route("**/v1/suggestions", answer)


def test_findings_stand_by_level_errors_first(workspace: Any) -> None:
    given(workspace.page, FINDINGS)
    workspace.code(NOTE)
    levels = workspace.page.locator(".findings .level")
    assert [levels.nth(i).get_attribute("data-level") for i in range(levels.count())] == ["error", "warning", "info"]
    expect(levels.nth(0).locator("h4")).to_have_text("Errors 2")
    for level, rule, message, _, fix in FINDINGS:
        line = workspace.page.locator(f'.level[data-level="{level}"] .finding[data-rule="{rule}"]')
        expect(line).to_contain_text(message)
        expect(line).to_contain_text(f"from {rule}")
        expect(line.locator(".finding-fix")).to_have_text(fix or "")
        expect(line.locator(".finding-fix")).to_be_visible(visible=bool(fix))
    expect(workspace.page.locator(".finding b")).to_have_count(0)
    expect(workspace.page.locator("#status")).to_contain_text("4 findings")


def test_a_findings_code_selects_its_card_by_mouse_and_by_keyboard(workspace: Any) -> None:
    given(workspace.page, FINDINGS)
    workspace.code(NOTE)
    line = workspace.page.locator('.finding[data-rule="position.manifestation"]')
    assert line.get_by_role("button").all_text_contents() == ["E11.9", "I10"], "each code once"
    line.get_by_role("button", name="I10").click()
    assert workspace.selected_code() == "I10"
    expect(workspace.card("I10").locator(".card-head")).to_be_focused()
    assert any("hypertension" in text.lower() for text in workspace.painted("selected"))
    line.get_by_role("button", name="E11.9").focus()
    workspace.page.keyboard.press("Enter")
    assert workspace.selected_code() == "E11.9"
    expect(workspace.card("E11.9").locator(".card-head")).to_be_focused()


def test_a_code_that_is_not_in_the_list_is_text(workspace: Any) -> None:
    given(workspace.page, FINDINGS)
    workspace.code(NOTE)
    line = workspace.page.locator('.finding[data-rule="validity.unknown"]')
    expect(line.locator(".finding-codes")).to_have_text("E11.99")
    expect(line.get_by_role("button")).to_have_count(0)
    expect(workspace.page.locator('.finding[data-rule="edition.note"] .finding-codes')).to_be_hidden()


def test_without_findings_nothing_is_said_of_them(workspace: Any) -> None:
    given(workspace.page, [])
    workspace.code(NOTE)
    expect(workspace.page.locator(".findings")).to_have_count(0)
    expect(workspace.page.locator("#status")).not_to_contain_text("finding")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_findings_are_accessible_and_fit_a_phone(
    open_page: Callable[..., Page], workspace_of: Callable[[Page], Any], scheme: str
) -> None:
    page = open_page(color_scheme=scheme, viewport={"width": 390, "height": 844})
    given(page, [*FINDINGS, ("warning", "validity.long", "x" * 300, ["I10"], "y" * 300)])
    workspace_of(page).code(NOTE)
    expect(page.locator(".finding")).to_have_count(5)
    results = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = page.evaluate(
        """() => [...document.querySelectorAll(".finding button")].map((b) => b.getBoundingClientRect())
          .filter((box) => box.height < 24 || box.width < 24).length"""
    )
    assert small == 0
