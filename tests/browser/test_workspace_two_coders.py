"""Two coders at one note: the application with a user of each browser's own, told by a header."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import Request
from playwright.sync_api import Page, expect

from api.app import create_app
from api.settings import ApiSettings
from api.users import ROLE_SCOPES, User, current_user
from codeassist.assistant import CodeAssistant

NOTE = "Assessment:\n1. Type 2 diabetes mellitus, on metformin.\n2. Essential hypertension, on lisinopril."


def named(request: Request) -> User:
    return User(request.headers.get("X-Coder", "local"), ROLE_SCOPES["coder"])


@pytest.fixture(scope="module")
def server(assistant: CodeAssistant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("coders")
    app = create_app(ApiSettings(database_url=f"sqlite:///{folder}/coders.sqlite3"), load=lambda: assistant)
    app.dependency_overrides[current_user] = named

    service = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=service.run, daemon=True)
    thread.start()
    while not service.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{service.servers[0].sockets[0].getsockname()[1]}"
    service.should_exit = True
    thread.join(10)


def test_a_note_is_locked_shown_and_taken_over(
    open_page: Callable[..., Page], desk_of: Callable[[Page], Any], reviews: Any
) -> None:
    anne = desk_of(open_page(extra_http_headers={"X-Coder": "anne"}))
    ben = desk_of(open_page(extra_http_headers={"X-Coder": "ben"}))
    number = reviews.send(NOTE, id="shared")["review"]
    anne.open(number)
    first, second = anne.group("code")
    anne.press("y")
    anne.saved()

    ben.open(number)
    expect(ben.page.locator("#banner")).to_contain_text("anne has this note open until")
    ben.press("y", "x")
    assert reviews.codes(number) == [first]

    ben.worklist(reviews.path)
    expect(ben.page.locator(".row")).to_contain_text("anne has it")
    ben.page.get_by_role("button", name="Take over shared").click()
    expect(ben.page.get_by_role("dialog")).to_contain_text("anne has shared open")
    ben.press("Enter")
    ben.page.wait_for_url(f"**/reviews/{number}*")
    ben.ready()
    ben.press("y")
    ben.saved()
    assert set(reviews.codes(number)) == {first, second}

    anne.press("y")
    expect(anne.page.locator("#banner")).to_contain_text("ben has this note open")
    expect(anne.page.locator("#toasts")).to_contain_text(f"Not saved: {second} accepted")
    assert [d["user"] for d in reviews.state(number)["decisions"]] == ["anne", "ben"]
