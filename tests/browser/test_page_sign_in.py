"""Sign-in in a real browser: with the script and without it, accessible, and back to where one wanted to go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
Opening = Callable[..., Page]


@pytest.fixture(scope="module")
def server(site: Any) -> str:
    address: str = site.address
    return address


def fill(page: Page, password: str, name: str = "Anne") -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("scripts", [True, False], ids=["with the script", "without it"])
def test_sign_in_leads_back_and_sign_out_ends_it(open_page: Opening, site: Any, scripts: bool) -> None:
    page = open_page(java_script_enabled=scripts)
    page.goto("/?example=progress")
    assert "/sign-in?next=" in page.url
    fill(page, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("Name or password is wrong")
    fill(page, site.PASSWORD)
    expect(page).to_have_url(f"{site.address}/?example=progress")
    expect(page.get_by_text("Single local user")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{site.address}/sign-in")
    page.goto("/")
    assert "/sign-in" in page.url


def test_scripts_do_not_see_the_session(open_page: Opening, site: Any) -> None:
    page = open_page()
    page.goto("/sign-in")
    fill(page, site.PASSWORD)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert page.evaluate("document.cookie") == ""
    (cookie,) = page.context.cookies()
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax" and len(cookie["value"]) == 43


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_is_accessible_at_every_width(open_page: Opening, scheme: str, width: int) -> None:
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    page.goto("/sign-in")
    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.get_by_role("link", name="Sign in with your organisation")).to_be_visible()
    fill(page, "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    results = Axe().run(page, options=RULES)
    assert results.violations_count == 0, results.generate_report()


def test_five_wrong_passwords_lock_the_account_and_the_page_says_no_more_than_before(
    open_page: Opening, site: Any
) -> None:
    site.add("carla", ["coder"])
    page = open_page()
    page.goto("/sign-in")
    said = set()
    for _ in range(5):
        fill(page, "wrong", "carla")
        expect(page.get_by_role("alert")).to_be_visible()
        said.add(page.get_by_role("alert").text_content())
        page.reload()
    fill(page, site.PASSWORD, "carla")
    expect(page.get_by_role("alert")).to_be_visible()
    said.add(page.get_by_role("alert").text_content())
    assert len(said) == 1, said
    assert "/sign-in" in page.url
    assert ("lock", "user/carla") in site.trail()


def test_a_role_opens_what_it_may_and_nothing_else(open_page: Opening, site: Any) -> None:
    """A coder answers second looks and sees their own figures; who audits begins second looks and sees all."""
    site.add("eve", ["coder"])
    coder, auditor = open_page(), open_page()
    site.sign_in(coder, "eve", "/audits")
    expect(coder.locator("#list")).to_contain_text("No auditor has looked at your codings yet")
    expect(coder.get_by_role("button", name="Recode the next blind")).to_have_count(0)
    expect(coder.locator("[name=coder]")).to_have_count(0)
    coder.keyboard.press("n")
    coder.goto("/reports?coder=ben")
    expect(coder.locator("[name=coder]")).to_have_count(0)
    expect(coder.locator("#report")).to_have_attribute("aria-busy", "false")
    ask = """path => fetch(path, {method: "POST", headers: {"Content-Type": "application/json"}, body: "{}"})
      .then(r => r.status)"""
    assert coder.evaluate(ask, "/v1/audits:next") == 403
    assert coder.evaluate(ask, "/v1/users") == 403
    assert coder.evaluate("fetch('/v1/reports/acceptance-by-code?coder=ben').then(r => r.status)") == 403
    assert coder.evaluate("fetch('/v1/exports/audited').then(r => r.status)") == 403

    site.sign_in(auditor, "ada", "/audits")
    expect(auditor.get_by_role("button", name="Recode the next blind")).to_be_visible()
    assert auditor.evaluate("fetch('/v1/reports/acceptance-by-code?coder=ben').then(r => r.status)") == 200
    assert auditor.evaluate("fetch('/v1/users').then(r => r.status)") == 403


def test_a_role_that_is_taken_away_ends_with_the_next_request(open_page: Opening, site: Any) -> None:
    site.add("dora", ["auditor"])
    page = open_page()
    site.sign_in(page, "dora", "/audits")
    expect(page.get_by_role("button", name="Recode the next blind")).to_be_visible()
    expect(page.locator("#list")).to_have_attribute("aria-busy", "false")
    site.give("dora", ["coder"])
    page.get_by_role("button", name="Recode the next blind").click()
    expect(page.locator("#toasts")).to_contain_text("scope audits")
