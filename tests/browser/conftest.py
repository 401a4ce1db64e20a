"""The service as a site runs it, and a real Chromium before it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=15_000)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One Chromium a module: while it runs, this thread has a running event loop, which other tests may not want."""
    path = os.environ.get("CODEASSIST_CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.skip("there is no Chromium: install the package chromium, or set CODEASSIST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser, server: str) -> Iterator[Callable[..., Page]]:
    """Gives ``open_page(**options)``: a page of a fresh context at the service.

    When the test ends, nothing was asked of another host, no script failed and the content policy held.
    """
    faults: list[str] = []
    contexts = []

    def opened(init: str = "", **options: Any) -> Page:
        context = chromium.new_context(base_url=server, **{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        if init:
            context.add_init_script(init)
        page = context.new_page()
        page.on("request", lambda r: None if r.url.startswith(server) else faults.append(f"asked for {r.url}"))
        page.on("pageerror", lambda error: faults.append(f"script failed: {error}"))
        page.on("console", lambda m: faults.append(m.text) if "Content Security Policy" in m.text else None)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not faults


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()


class Workspace:
    """What a coder does on the page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open_example(self, name: str) -> dict[str, Any]:
        """Open an example from the rail; gives the result that the page received."""
        self.page.goto("/")
        with self.page.expect_response("**/v1/suggestions") as answer:
            self.page.locator(f'.rail a[href="/?example={name}"]').click()
        return self._shown(answer.value)

    def code(self, *texts: str, day: str = "2026-03-02") -> dict[str, Any]:
        """Paste a note, or the documents of an encounter, and submit; gives the result that the page received."""
        self.page.goto("/")
        self.page.get_by_label("Date of service").fill(day)
        for _ in texts[1:]:
            self.page.get_by_role("button", name="Add document").click()
        for index, text in enumerate(texts):
            self.page.locator("textarea").nth(index).evaluate("(box, text) => { box.value = text; }", text)
        with self.page.expect_response("**/v1/suggestions") as answer:
            self.page.get_by_role("button", name="Suggest codes").click()
        return self._shown(answer.value)

    def _shown(self, response: Any) -> dict[str, Any]:
        result: dict[str, Any] = json.loads(response.body())
        if response.status == 200:
            expect(self.page.locator("#codes")).to_have_attribute("aria-busy", "false")
        return result

    def card(self, code: str) -> Any:
        return self.page.locator(f'.card[data-code="{code}"]')

    def painted(self, layer: str) -> list[str]:
        """The texts of a layer of marks, of the Custom Highlight API, in the order of their painting."""
        texts: list[str] = self.page.evaluate("name => [...CSS.highlights.get(name)].map(String)", layer)
        return texts

    def selected_code(self) -> str | None:
        code: str | None = self.page.evaluate("document.querySelector('.card[data-selected]')?.dataset.code ?? null")
        return code


@pytest.fixture
def workspace(page: Page) -> Workspace:
    return Workspace(page)


@pytest.fixture
def workspace_of() -> Callable[[Page], Workspace]:
    return Workspace
