"""Sign-in in a real browser: with the script and without it, accessible, and back to where one wanted to go."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

PASSWORD = "blue kettle on a windy hill"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service with one user, an administrator."""
    folder: Path = tmp_path_factory.mktemp("signing-in")
    environment = {
        **os.environ,
        "CODEASSIST_DATABASE_URL": f"sqlite:///{folder / 'accounts.sqlite3'}",
        "CODEASSIST_OIDC_ISSUER": "https://provider.example",
        "CODEASSIST_OIDC_CLIENT_ID": "codeassist",
    }
    add = [sys.executable, "-m", "codeassist.cli", "users", "add", "anne", "--role", "administrator"]
    subprocess.run(add, input=PASSWORD.encode(), env=environment, check=True, stdout=subprocess.DEVNULL)
    command = [sys.executable, "-c", "from api.commands import app; app()", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split(" at ")[1].split()[0]
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def opened(chromium: Browser, site: str) -> Iterator[Any]:
    """Gives ``opened(**options)``: a page of a fresh context; no script fails, and the content policy holds."""
    faults: list[str] = []
    contexts = []

    def open_page(**options: Any) -> Page:
        context = chromium.new_context(base_url=site, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"script failed: {error}"))
        page.on("console", lambda m: faults.append(m.text) if "Content Security Policy" in m.text else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults


def fill(page: Page, password: str) -> None:
    page.get_by_label("Name").fill("Anne")
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("scripts", [True, False], ids=["with the script", "without it"])
def test_sign_in_leads_back_and_sign_out_ends_it(opened: Any, site: str, scripts: bool) -> None:
    page = opened(java_script_enabled=scripts)
    page.goto("/?example=progress")
    assert "/sign-in?next=" in page.url
    fill(page, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("Name or password is wrong")
    fill(page, PASSWORD)
    expect(page).to_have_url(f"{site}/?example=progress")
    expect(page.get_by_text("Single local user")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{site}/sign-in")
    page.goto("/")
    assert "/sign-in" in page.url


def test_scripts_do_not_see_the_session(opened: Any) -> None:
    page = opened()
    page.goto("/sign-in")
    fill(page, PASSWORD)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert page.evaluate("document.cookie") == ""
    (cookie,) = page.context.cookies()
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax" and len(cookie["value"]) == 43


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_is_accessible_at_every_width(opened: Any, scheme: str, width: int) -> None:
    page = opened(color_scheme=scheme, viewport={"width": width, "height": 800})
    page.goto("/sign-in")
    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.get_by_role("link", name="Sign in with your organisation")).to_be_visible()
    fill(page, "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    results = Axe().run(page, options=RULES)
    assert results.violations_count == 0, results.generate_report()
