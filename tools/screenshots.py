"""Takes the pictures of the page in docs/images/: `.venv/bin/python tools/screenshots.py`.

Starts a service with a database of its own, sends it the example notes, and drives the system's Chromium.
Needs Pillow and Playwright, which the test requirements bring.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from api.auth import accounts
from api.auth.passwords import Passwords
from api.examples import examples
from api.store.database import Database, open_database

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 780}
COLOURS = 96
PASSWORD = "blue kettle on a windy hill"


def call(address: str, path: str, record: dict[str, Any] | None = None) -> dict[str, Any]:
    """A request to the service, and its answer."""
    data = None if record is None else json.dumps(record).encode()
    request = urllib.request.Request(address + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def send_examples(address: str) -> dict[str, int]:
    """Sends the example notes to review; gives the number of each."""
    numbers = {}
    for e in examples():
        note = e.note
        record = {
            "id": e.id,
            "text": note.text,
            "setting": note.setting,
            "note_type": note.note_type,
            "date_of_service": note.date_of_service.isoformat(),
            "patient": {"age": note.patient.age, "sex": note.patient.sex},
        }
        numbers[e.id] = call(address, "/v1/reviews", {k: v for k, v in record.items() if v})["review"]
    return numbers


class Camera:
    """Takes pictures small enough for a repository."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser = browser
        self.address = address

    def page(self, path: str, **options: Any) -> Page:
        page = self.browser.new_context(base_url=self.address, **{"viewport": WIDE, **options}).new_page()
        page.goto(path)
        page.wait_for_selector("[aria-busy=false]")
        page.wait_for_timeout(400)
        return page

    def signed_in(self, name: str) -> Page:
        page = self.browser.new_context(base_url=self.address, viewport=WIDE).new_page()
        page.goto("/sign-in")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector(".sign-out")
        return page

    def take(self, page: Page, name: str) -> None:
        page.wait_for_timeout(700)
        path = IMAGES / f"{name}.png"
        page.screenshot(path=path)
        with Image.open(path) as image:
            image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KB")


def take_all(camera: Camera, numbers: dict[str, int]) -> None:
    """Every picture, in an order in which each finds what it shows."""
    camera.take(camera.page("/"), "worklist")
    page = camera.page(f"/reviews/{numbers['discharge-summary']}")
    for _ in range(3):
        page.keyboard.press("y")
        page.wait_for_timeout(500)
    page.keyboard.press("e")
    camera.take(page, "review")
    page.keyboard.press("r")
    page.keyboard.type("diastolic heart failure")
    camera.take(page, "search")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    camera.take(page, "keys")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    camera.take(page, "summary")

    page = camera.page(f"/reviews/{numbers['emergency']}", color_scheme="dark")
    for _ in page.locator('.group[data-tier="code"] .card').all():
        page.keyboard.press("y")
        page.wait_for_timeout(500)
    page.keyboard.press("f")
    page.locator("#codes").evaluate("box => { box.scrollTop = 0; }")
    camera.take(page, "findings-dark")

    page = camera.page(f"/reviews/{numbers['progress']}", viewport=PHONE, is_mobile=True, has_touch=True)
    camera.take(page, "phone-codes")
    page.locator("[data-show=note]").click()
    camera.take(page, "phone-note")


def take_second_look(camera: Camera, database: Database) -> None:
    """A second look whose differences are marked, one of them answered: by a coder and an auditor with accounts."""
    with database.writing() as session:
        for name, role in (("anne", "coder"), ("ada", "auditor")):
            accounts.add(session, "pictures", name, Passwords(1, 64).hash(PASSWORD), [role])
    anne, ada = (camera.signed_in(name) for name in ("anne", "ada"))

    def ask(page: Page, path: str, record: dict[str, Any]) -> dict[str, Any]:
        answer = page.request.post(path, data=json.dumps(record), headers={"Content-Type": "application/json"})
        found: dict[str, Any] = answer.json()
        return found

    e = next(e for e in examples() if e.id == "progress")
    review = ask(anne, "/v1/reviews", {"id": e.id, "text": e.note.text, "date_of_service": "2026-03-02"})
    path = f"/v1/reviews/{review['review']}"
    version = ask(anne, f"{path}/open", {})["version"]
    codes = [{"system": s["system"], "code": s["code"]} for s in review["result"]["suggestions"] if s["tier"] == "code"]
    for code in codes[:-2]:
        version = ask(anne, f"{path}/decisions", {"version": version, "kind": "accepted", **code})["version"]
    ask(anne, f"{path}/submit", {"version": version})
    look = ask(ada, "/v1/audits:next", {"mode": "blind"})
    path = f"/v1/audits/{look['audit']}"
    for code in codes[1:]:
        look = ask(ada, f"{path}/decisions", {"version": look["version"], "kind": "accepted", **code})
    look = ask(ada, f"{path}/submit", {"version": look["version"]})
    mark = {"verdict": "auditor", "reason": "specificity", "text": "The plan treats it."}
    for one in look["comparison"]["differences"][:2]:
        about = {"difference": one["difference"]}
        look = ask(ada, f"{path}/marks", {"version": look["version"], **about, **mark})
    ask(anne, f"{path}/answers", {"version": look["version"], "difference": 1, "answer": "agree"})
    ada.goto(path.removeprefix("/v1"))
    ada.wait_for_selector(".comparison")
    camera.take(ada, "second-look")


@contextmanager
def serving(url: str) -> Iterator[str]:
    """A service on this database, ready to code; gives its address."""
    environment = {**os.environ, "CODEASSIST_DATABASE_URL": url, "CODEASSIST_ARGON2_PASSES": "1"}
    command = [sys.executable, "-c", "from api.commands import app; app()", "--port", "0"]
    service = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    try:
        assert service.stdout is not None
        address = service.stdout.readline().split(" at ")[1].split()[0]
        for _ in range(300):
            try:
                call(address, "/readyz")
                break
            except urllib.error.HTTPError:
                time.sleep(0.2)
        yield address
    finally:
        service.terminate()
        service.wait(20)


def main() -> None:
    """Starts the service, takes the pictures, and stops it; once more with accounts."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    path = os.environ.get("CODEASSIST_CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        with serving(f"sqlite:///{folder}/pictures.sqlite3") as address:
            take_all(Camera(browser, address), send_examples(address))
        url = f"sqlite:///{folder}/accounts.sqlite3"
        database = open_database(url)
        with serving(url) as address:
            take_second_look(Camera(browser, address), database)
        database.close()
        browser.close()


if __name__ == "__main__":
    main()
