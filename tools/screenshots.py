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
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from api.examples import examples

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 780}
COLOURS = 96


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


def main() -> None:
    """Starts the service, takes the pictures, and stops it."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "CODEASSIST_DATABASE_URL": f"sqlite:///{folder}/pictures.sqlite3"}
        command = [sys.executable, "-c", "from api.commands import app; app()", "--port", "0"]
        service = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        try:
            assert service.stdout is not None
            address = service.stdout.readline().split(" at ")[1].split()[0]
            for _ in range(300):
                try:
                    call(address, "/readyz")
                    break
                except urllib.error.HTTPError:
                    time.sleep(0.2)
            path = os.environ.get("CODEASSIST_CHROMIUM") or shutil.which("chromium")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
                take_all(Camera(browser, address), send_examples(address))
                browser.close()
        finally:
            service.terminate()
            service.wait(20)


if __name__ == "__main__":
    main()
