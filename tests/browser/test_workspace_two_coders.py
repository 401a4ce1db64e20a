"""Two coders with accounts of their own at one note, each in a browser of their own, and a session that runs out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

NOTE = "Assessment:\n1. Type 2 diabetes mellitus, on metformin.\n2. Essential hypertension, on lisinopril."


@pytest.fixture(scope="module")
def server(site: Any) -> str:
    address: str = site.address
    return address


@pytest.fixture
def signed_in(open_page: Callable[..., Page], desk_of: Callable[[Page], Any], site: Any) -> Callable[[str], Any]:
    """Gives ``signed_in(name)``: the desk of a user in a browser of their own."""

    def begun(name: str) -> Any:
        page = open_page()
        site.sign_in(page, name)
        return desk_of(page)

    return begun


def test_a_note_is_locked_shown_and_taken_over(signed_in: Callable[[str], Any], site_reviews: Any) -> None:
    reviews = site_reviews
    anne, ben = signed_in("anne"), signed_in("ben")
    number = reviews.send(NOTE, id="shared")["review"]
    anne.open(number)
    first, second = anne.group("code")
    anne.press("y")
    anne.saved()
    expect(anne.page.locator("#user")).to_have_text("anne")

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


def test_two_coders_who_ask_for_the_next_get_two_notes(signed_in: Callable[[str], Any], site_reviews: Any) -> None:
    anne, ben = signed_in("anne"), signed_in("ben")
    numbers = {site_reviews.send(NOTE)["review"] for _ in range(2)}
    for desk in (anne, ben):
        desk.worklist(site_reviews.path)
        desk.press("n")
        desk.page.wait_for_url("**/reviews/*")
        desk.ready()
    assert {site_reviews.state(number)["lock"]["holder"] for number in numbers} == {"anne", "ben"}
    ben.worklist(f"{site_reviews.path}&list=mine")
    expect(ben.page.locator(".row")).to_have_count(1)


def test_a_session_that_idled_out_keeps_what_was_not_saved(
    signed_in: Callable[[str], Any], site_reviews: Any, site: Any
) -> None:
    number = site_reviews.send(NOTE)["review"]
    ben = signed_in("ben")
    ben.open(number)
    codes = set(ben.group("code"))
    site.let_idle("ben")
    ben.press("y")
    dialog = ben.page.get_by_role("dialog", name="Sign in")
    expect(dialog).to_be_visible()
    assert site_reviews.codes(number) == []
    dialog.get_by_label("Name").fill("ben")
    dialog.get_by_label("Password").fill(site.PASSWORD)
    ben.page.keyboard.press("Enter")
    ben.saved()
    ben.press("y")
    ben.saved()
    assert set(site_reviews.codes(number)) == codes
    assert {d["user"] for d in site_reviews.state(number)["decisions"]} == {"ben"}


def test_what_somebody_else_left_unsaved_is_not_made_in_ones_own_name(
    signed_in: Callable[[str], Any], site_reviews: Any, site: Any
) -> None:
    """Anne's session has run out over a decision; Ben signs in at the dialog: the note is Anne's."""
    number = site_reviews.send(NOTE)["review"]
    anne = signed_in("anne")
    anne.open(number)
    site.let_idle("anne")
    anne.press("y")
    dialog = anne.page.get_by_role("dialog", name="Sign in")
    dialog.get_by_label("Name").fill("ben")
    dialog.get_by_label("Password").fill(site.PASSWORD)
    anne.page.keyboard.press("Enter")
    expect(anne.page.locator("#banner")).to_contain_text("anne has this note open")
    expect(anne.page.locator("#toasts")).to_contain_text("Not saved")
    assert site_reviews.codes(number) == []
