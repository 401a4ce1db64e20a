"""Text is text: nothing in a note, a document or a search runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

ATTACK = '<script>window.pwned = 1</script><img src=x onerror="window.pwned = 1"><svg onload="window.pwned = 1">'


@pytest.mark.parametrize("init", ["", "delete window.Highlight;"], ids=["highlights", "marks"])
def test_a_script_in_a_note_is_shown_and_not_run(
    open_page: Callable[..., Page], workspace_of: Callable[[Page], Any], init: str
) -> None:
    workspace = workspace_of(open_page(init=init))
    workspace.code(
        f"{ATTACK}\nAssessment: Type 2 diabetes {ATTACK} mellitus. Essential hypertension. </textarea>{ATTACK}"
    )
    page = workspace.page
    expect(page.locator(".note-text")).to_contain_text("<script>window.pwned = 1</script>")
    page.locator(".card-head").first.click()
    page.wait_for_timeout(300)
    assert page.evaluate("window.pwned") is None
    assert page.locator("#review img, #review svg, #review script").count() == 0


def test_a_script_in_a_type_and_in_a_search_is_not_run(workspace: Any) -> None:
    page = workspace.page
    page.goto("/new")
    page.get_by_label("Type").fill('<img src=x onerror="window.pwned=1">')
    page.locator("textarea").fill("Essential hypertension.")
    page.get_by_role("button", name="Add document").click()
    page.locator("textarea").nth(1).fill("Gout.")
    page.get_by_role("button", name="Suggest codes").click()
    expect(page.get_by_role("tab").first).to_contain_text("<img")
    page.get_by_role("combobox", name="Search codes").fill(ATTACK)
    page.wait_for_timeout(500)
    assert page.evaluate("window.pwned") is None


def test_nothing_of_a_note_is_kept_or_put_in_the_address(workspace: Any) -> None:
    workspace.code("Assessment: Essential hypertension, Zebedee.")
    page = workspace.page
    assert "Zebedee" not in page.url
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert "Zebedee" not in page.evaluate("JSON.stringify(history.state)")
