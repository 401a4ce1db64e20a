"""The service as a site runs it, and a real Chromium before it."""

from __future__ import annotations

import json
import os
import shutil
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import select, update

from api.auth import accounts, keys
from api.auth.passwords import Passwords
from api.store.accounts import SessionRow, UserRow
from api.store.audit import AuditRow
from api.store.base import now
from api.store.database import Database, open_database

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
        self.page.goto("/new")
        with self.page.expect_response("**/v1/suggestions") as answer:
            self.page.locator(f'.rail a[href="/new?example={name}"]').click()
        return self._shown(answer.value)

    def code(self, *texts: str, day: str = "2026-03-02") -> dict[str, Any]:
        """Paste a note, or the documents of an encounter, and submit; gives the result that the page received."""
        self.page.goto("/new")
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


class Reviews:
    """Notes of one test in the worklist: a specialty of their own keeps them apart from all others."""

    def __init__(self, server: str, key: str | None = None) -> None:
        self.server = server
        self.headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self.specialty = f"test-{uuid.uuid4().hex[:10]}"
        self.path = f"/?specialty={self.specialty}"

    def call(self, path: str, record: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if record is None else json.dumps(record).encode()
        request = urllib.request.Request(self.server + path, data, self.headers)
        with urllib.request.urlopen(request) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def send(self, text: str = "", **fields: Any) -> dict[str, Any]:
        """Send a note to review; gives the review."""
        note = {"date_of_service": "2026-03-02", "specialty": self.specialty, **fields}
        return self.call("/v1/reviews", note if "documents" in note else {"text": text, **note})

    def state(self, number: int) -> dict[str, Any]:
        return self.call(f"/v1/reviews/{number}")

    def codes(self, number: int) -> list[str]:
        return [line["code"] for line in self.state(number)["codes"]]


@pytest.fixture
def reviews(server: str) -> Reviews:
    return Reviews(server)


class Site:
    """A service with accounts: ``anne`` and ``ben`` code, ``ada`` audits, ``root`` administers."""

    ROLES: ClassVar[dict[str, list[str]]] = {
        "anne": ["coder"],
        "ben": ["coder"],
        "ada": ["auditor"],
        "root": ["administrator"],
    }
    PASSWORD = "blue kettle on a windy hill"

    def __init__(self, database: Database) -> None:
        self.database = database
        self.address = ""
        for name, roles in self.ROLES.items():
            self.add(name, roles)
        with database.writing() as session:
            self.key = keys.create(session, "cli:test", "tests", ["reviews:read", "reviews:write", "exports"]).text

    def add(self, name: str, roles: list[str]) -> None:
        with self.database.writing() as session:
            accounts.add(session, "cli:test", name, Passwords(1, 64).hash(self.PASSWORD), roles)

    def give(self, name: str, roles: list[str]) -> None:
        """Give a user these roles in place of what they had."""
        with self.database.writing() as session:
            accounts.set_roles(session, "cli:test", accounts.find(session, name), roles)

    def trail(self) -> list[tuple[str, str]]:
        """Action and subject of each record of the audit trail."""
        with self.database.reading() as session:
            return [(row.action, row.subject) for row in session.scalars(select(AuditRow).order_by(AuditRow.number))]

    def sign_in(self, page: Page, name: str, path: str = "/") -> None:
        """Ask for a page, and sign in by the form that comes instead."""
        page.goto(path)
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(self.PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()

    def let_idle(self, name: str) -> None:
        """Make the sessions of a user as old as if nobody had been there for a day."""
        with self.database.writing() as session:
            mine = select(UserRow.id).where(UserRow.name == name).scalar_subquery()
            yesterday = now() - timedelta(days=1)
            session.execute(update(SessionRow).where(SessionRow.user_id == mine).values(last_used=yesterday))


@pytest.fixture(scope="session")
def site(serve: Callable[..., AbstractContextManager[str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    url = f"sqlite:///{tmp_path_factory.mktemp('site') / 'accounts.sqlite3'}"
    database = open_database(url)
    made = Site(database)
    settings = {
        "CODEASSIST_DATABASE_URL": url,
        "CODEASSIST_ARGON2_PASSES": "1",
        "CODEASSIST_ARGON2_MEMORY_KIB": "64",
        "CODEASSIST_OIDC_ISSUER": "https://provider.example",
        "CODEASSIST_OIDC_CLIENT_ID": "codeassist",
    }
    with serve(**settings) as address:
        made.address = address
        yield made
    database.close()


@pytest.fixture
def site_reviews(site: Site) -> Reviews:
    """Notes of one test at the service with accounts, seen by a program with a key."""
    return Reviews(site.address, site.key)


class Desk:
    """What a coder does on the worklist and in a review, by keys that are counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pressed = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed += 1

    def at_once(self, *keys: str) -> None:
        """Press keys with no task of the browser between them; Escape closes a dialog, as the browser would."""
        self.page.evaluate(
            """async keys => {
              for (const key of keys) {
                const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
                document.activeElement.dispatchEvent(event);
                if (key === "Escape" && !event.defaultPrevented) document.querySelector("dialog[open]")?.close();
                for (let i = 0; i < 50; i++) await null;  // what waits on a promise goes on, as after a real key press
              }
            }""",
            list(keys),
        )
        self.pressed += len(keys)

    def worklist(self, path: str) -> None:
        self.page.goto(path)
        expect(self.page.locator("#list")).to_have_attribute("aria-busy", "false")

    def open(self, number: int, query: str = "") -> None:
        self.page.goto(f"/reviews/{number}{query}")
        self.ready()

    def ready(self) -> None:
        """Wait until the review is shown and its keys work."""
        expect(self.page.locator("#codes")).to_have_attribute("aria-busy", "false")
        expect(self.page.locator("#codes .card").first).to_be_attached()

    def saved(self) -> None:
        """Wait until what was done is kept."""
        expect(self.page.locator("dialog[open]")).to_have_count(0)
        expect(self.page.locator("#saved")).to_have_attribute("data-state", "saved")

    def group(self, tier: str) -> list[str]:
        codes: list[str] = self.page.locator(f'.group[data-tier="{tier}"] .card').evaluate_all(
            "cards => cards.map(card => card.dataset.code)"
        )
        return codes

    def card(self, code: str) -> Any:
        return self.page.locator(f'.card[data-code="{code}"]')

    def selected(self) -> str | None:
        code: str | None = self.page.evaluate("document.querySelector('.card[data-selected]')?.dataset.code ?? null")
        return code

    def select(self, code: str) -> None:
        self.card(code).locator(".card-head").focus()
        expect(self.card(code)).to_have_attribute("data-selected", "")

    def select_words(self, words: str) -> None:
        """Select words of the note as a mouse would."""
        self.page.evaluate(
            """words => {
              const text = document.querySelector(".note-text:not([hidden])");
              const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
              while (walker.nextNode()) {
                const at = walker.currentNode.data.indexOf(words);
                if (at < 0) continue;
                getSelection().setBaseAndExtent(walker.currentNode, at, walker.currentNode, at + words.length);
                return;
              }
              throw new Error("not in the note");
            }""",
            words,
        )


@pytest.fixture
def desk(page: Page) -> Desk:
    return Desk(page)


@pytest.fixture
def desk_of() -> Callable[[Page], Desk]:
    return Desk
