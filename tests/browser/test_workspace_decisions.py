"""What a coder decides on the page is what the service keeps."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

NOTE = (
    "Assessment and Plan:\nType 2 diabetes mellitus, on metformin.\nEssential hypertension, on lisinopril.\n"
    "Hyperlipidemia, on atorvastatin.\nDenies chest pain."
)


@pytest.fixture
def opened(desk: Any, reviews: Any) -> tuple[Any, Any, int]:
    """A desk with a note of three plain diagnoses open, the API, and the number of the review."""
    number = reviews.send(NOTE)["review"]
    desk.open(number, f"?specialty={reviews.specialty}")
    return desk, reviews, number


def test_all_is_accepted_by_one_key_each(opened: tuple[Any, Any, int]) -> None:
    desk, reviews, number = opened
    suggested = desk.group("code")
    assert len(suggested) == 3
    assert desk.selected() == suggested[0]
    desk.press(*"yyy")
    desk.saved()
    assert set(reviews.codes(number)) == set(suggested) == set(desk.group("final"))
    expect(desk.page.locator("#progress")).to_contain_text("all decided")


def test_a_code_is_rejected_with_a_reason_by_key(opened: tuple[Any, Any, int]) -> None:
    desk, reviews, number = opened
    code = desk.selected()
    desk.press("x", "3")
    desk.saved()
    (rejected,) = reviews.state(number)["rejected"]
    assert rejected["code"] == code and rejected["reason"] == "History only, not current"
    desk.page.get_by_role("button", name="Show what was discarded").click()
    expect(desk.card(code)).to_contain_text("History only, not current")


def test_a_code_is_rejected_with_a_reason_in_words(opened: tuple[Any, Any, int]) -> None:
    desk, reviews, number = opened
    desk.press("x")
    desk.page.get_by_label("Another reason").fill("1 of 2 <b>not</b> met")
    desk.press("Enter")
    desk.saved()
    assert reviews.state(number)["rejected"][0]["reason"] == "1 of 2 <b>not</b> met"


def test_keys_that_come_faster_than_the_browser_tells_of_a_closed_dialog(opened: tuple[Any, Any, int]) -> None:
    """A dialog's ``close`` event is a later task; a busy browser may do the next key presses before it."""
    desk, reviews, number = opened
    suggested = desk.group("code")
    desk.at_once("x", "3", "x")
    expect(desk.page.locator("dialog[open]")).to_contain_text(f"Reject {suggested[1]}")
    desk.press("2")
    desk.saved()
    desk.at_once("x", "Escape", "x")
    desk.press("1")
    desk.saved()
    reasons = ["History only, not current", "Negated or ruled out", "Not documented in the note"]
    assert {one["code"]: one["reason"] for one in reviews.state(number)["rejected"]} == dict(
        zip(suggested, reasons, strict=True)
    )


def test_no_reason_rejects_nothing(opened: tuple[Any, Any, int]) -> None:
    desk, reviews, number = opened
    desk.press("x", "Tab", "Tab", "Tab", "Tab", "Tab", "Tab", "Tab", "Enter")
    expect(desk.page.locator("#ask [role=alert]")).to_contain_text("Give a reason")
    desk.press("Escape")
    assert reviews.state(number)["rejected"] == []


def test_an_alternative_takes_the_place_by_its_number(opened: tuple[Any, Any, int]) -> None:
    desk, reviews, number = opened
    suggestion = next(s for s in reviews.state(number)["result"]["suggestions"] if s["alternatives"])
    desk.select(suggestion["code"])
    desk.press("1")
    desk.saved()
    (line,) = reviews.state(number)["codes"]
    assert line["code"] == suggestion["alternatives"][0]["code"]
    assert line["instead_of"] == suggestion["code"]


def test_a_search_result_takes_the_place(opened: tuple[Any, Any, int]) -> None:
    desk, reviews, number = opened
    desk.select("I10")
    desk.press("r")
    desk.page.get_by_role("combobox", name="Code, words").fill("secondary hypertension, unspecified")
    expect(desk.page.locator("#finder-hits li").first).to_contain_text("I15.9")
    desk.press("Enter")
    desk.saved()
    (line,) = reviews.state(number)["codes"]
    assert (line["code"], line["origin"], line["instead_of"]) == ("I15.9", "replaced", "I10")
    expect(desk.card("I15.9")).to_contain_text("instead of I10")


def test_a_code_is_added_for_the_words_that_are_selected(opened: tuple[Any, Any, int]) -> None:
    desk, reviews, number = opened
    desk.select_words("chest pain")
    desk.press("a")
    expect(desk.page.get_by_role("combobox", name="Code, words")).to_have_value("chest pain")
    expect(desk.page.get_by_label("Words in the note")).to_have_value("chest pain")
    expect(desk.page.locator("#finder-hits li").first).to_contain_text("R07.9")
    desk.press("Enter")
    desk.saved()
    (line,) = reviews.state(number)["codes"]
    assert (line["code"], line["origin"]) == ("R07.9", "added")
    (evidence,) = line["evidence"]
    assert evidence["text"] == "chest pain" == NOTE[evidence["start"] : evidence["end"]]


def test_evidence_is_found_by_typing_its_words(opened: tuple[Any, Any, int]) -> None:
    desk, reviews, number = opened
    desk.press("a")
    desk.page.get_by_label("Words in the note").fill("METFORMIN")
    expect(desk.page.locator("#finder")).to_contain_text("is the evidence")
    desk.page.get_by_role("combobox", name="Code, words").fill("Z79.84")
    expect(desk.page.locator("#finder-hits li").first).to_contain_text("Z79.84")
    desk.press("Enter")
    desk.saved()
    assert reviews.state(number)["codes"][0]["evidence"][0]["text"] == "metformin"


def test_the_order_changes_by_keys_and_by_drag(opened: tuple[Any, Any, int]) -> None:
    desk, reviews, number = opened
    desk.press(*"yyy")
    desk.saved()
    first, second, third = reviews.codes(number)
    desk.select(first)
    desk.press("Alt+ArrowDown", "Alt+ArrowDown")
    desk.saved()
    assert reviews.codes(number) == [second, third, first] == desk.group("final")
    assert desk.selected() == first
    with desk.page.expect_response("**/decisions"):
        desk.card(first).locator(".grip").drag_to(desk.card(second).locator(".grip"))
    desk.saved()
    assert reviews.codes(number) == [first, second, third] == desk.group("final")


def test_undo_and_redo(opened: tuple[Any, Any, int]) -> None:
    desk, reviews, number = opened
    suggested = desk.group("code")
    desk.press(*"yy")
    desk.saved()
    desk.press("Control+z")
    desk.saved()
    expect(desk.card(suggested[1])).to_have_attribute("data-selected", "")
    assert reviews.codes(number) == [suggested[0]]
    desk.press("u", "U")
    desk.saved()
    assert reviews.codes(number) == [suggested[0]]
    desk.press("Control+Shift+Z")
    desk.saved()
    assert set(reviews.codes(number)) == set(suggested[:2])


def test_poa_modifiers_units_and_links_are_edited_in_place(desk: Any, reviews: Any) -> None:
    number = reviews.send(NOTE, setting="inpatient")["review"]
    desk.open(number)
    desk.press("y")
    desk.saved()
    diagnosis = reviews.codes(number)[0]
    desk.select(diagnosis)
    desk.press("p")
    expect(desk.card(diagnosis).get_by_label("POA")).to_be_focused()
    desk.card(diagnosis).get_by_label("POA").select_option("Y")
    desk.saved()
    desk.press("Escape", "/")
    desk.page.keyboard.type("99213")
    expect(desk.page.locator("#finder-hits li").first).to_contain_text("99213")
    desk.press("Enter")
    desk.saved()
    desk.select("99213")
    desk.press("m")
    desk.page.keyboard.type("25, gc")
    desk.press("Enter")
    desk.saved()
    desk.select("99213")
    desk.press("q", "2", "Enter")
    desk.saved()
    desk.select("99213")
    desk.press("l", "Space", "Enter")
    desk.saved()
    lines = {line["code"]: line for line in reviews.state(number)["codes"]}
    assert lines[diagnosis]["poa"] == "Y"
    service = lines["99213"]
    assert (service["modifiers"], service["units"], service["diagnoses"]) == (["25", "GC"], 2, [diagnosis])


def test_an_excludes1_error_stands_in_the_way_until_it_is_mended(opened: tuple[Any, Any, int]) -> None:
    desk, reviews, number = opened
    desk.press(*"yyy")
    desk.press("/")
    desk.page.keyboard.type("E10.9")
    expect(desk.page.locator("#finder-hits li").first).to_contain_text("E10.9")
    desk.press("Enter")
    desk.saved()
    error = desk.page.locator('.level[data-level="error"] .finding').first
    expect(error).to_contain_text("E10")
    expect(desk.page.locator("#progress")).to_contain_text("error")
    expect(desk.page.locator("#said")).to_contain_text("error")
    desk.press("f", "x", "1")
    desk.saved()
    expect(desk.page.locator('.level[data-level="error"]')).to_have_count(0)
    desk.press("s", "Enter")
    desk.page.wait_for_url("**/?specialty=*")
    assert reviews.state(number)["state"] == "submitted"


def test_letters_are_silent_while_typing(opened: tuple[Any, Any, int]) -> None:
    desk, reviews, number = opened
    desk.press("/")
    desk.page.keyboard.type("yyxu")
    desk.press("Escape")
    assert desk.page.locator("dialog[open]").count() == 0
    assert reviews.state(number)["decisions"] == []


def test_a_script_in_a_note_and_in_a_reason_is_text(desk: Any, reviews: Any) -> None:
    attack = '<script>window.pwned = 1</script><img src=x onerror="window.pwned = 1">'
    number = reviews.send(f"{attack}\n{NOTE}\n{attack}", id="<b>visit</b>")["review"]
    desk.open(number)
    expect(desk.page.locator(".note-text")).to_contain_text("<script>window.pwned = 1</script>")
    expect(desk.page.locator("#review-title")).to_have_text("<b>visit</b>")
    desk.press("x")
    desk.page.get_by_label("Another reason").fill(attack)
    desk.press("Enter")
    desk.saved()
    desk.page.get_by_role("button", name="Show what was discarded").click()
    expect(desk.page.locator("#codes")).to_contain_text(attack)
    desk.press("h")
    desk.page.get_by_label("Another reason").fill(attack)
    desk.press("Enter")
    desk.page.wait_for_url(lambda url: "/reviews/" not in url)
    desk.worklist(f"{reviews.path}&list=held")
    expect(desk.page.locator(".row")).to_contain_text(attack)
    assert desk.page.evaluate("window.pwned") is None
    assert desk.page.locator("main img, main script").count() == 0
