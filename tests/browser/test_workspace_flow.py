"""From the worklist to submitted and on to the next: what is saved when the network, the page or the session fails."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from api.examples import examples

NOTE = "Assessment:\n1. Type 2 diabetes mellitus, on metformin.\n2. Essential hypertension, on lisinopril.\n3. Gout."
SHORT = [
    "Assessment and Plan:\n1. Type 2 diabetes with diabetic polyneuropathy, continue metformin.\n"
    "2. Essential hypertension, at goal on lisinopril.\n3. Hyperlipidemia, continue atorvastatin.\nDenies chest pain.",
    "Exam: tonsillar exudate. Rapid strep positive.\nAssessment: Streptococcal pharyngitis. Amoxicillin.",
    "Assessment: Hypothyroidism, stable on levothyroxine. Major depressive disorder, recurrent, mild, on sertraline.",
    "X-ray: no fracture of the left wrist.\nAssessment: Sprain of left wrist, initial encounter. Splint applied.",
    "Assessment: Moderate persistent asthma with acute exacerbation. Prednisone burst. Former smoker.",
    "Assessment and Plan:\n1. COPD with acute exacerbation, azithromycin.\n2. Chronic systolic heart failure, on "
    "carvedilol.\n3. Paroxysmal atrial fibrillation, on apixaban.",
]


def example_notes() -> list[dict[str, Any]]:
    notes = []
    for e in examples():
        patient = {"age": e.note.patient.age, "sex": e.note.patient.sex}
        day = e.note.date_of_service.isoformat()
        notes.append({"text": e.note.text, "setting": e.note.setting, "date_of_service": day, "patient": patient})
    return notes


def test_twelve_notes_with_three_presses_a_code_and_two_to_go_on(desk: Any, reviews: Any) -> None:
    """Every suggestion of tier code is accepted; an error is mended by taking out the code that gives way."""
    numbers = [reviews.send(**note)["review"] for note in example_notes()]
    numbers += [reviews.send(text)["review"] for text in SHORT]
    desk.worklist(reviews.path)
    desk.press("n")
    presses = []
    for number in numbers:
        desk.page.wait_for_url(f"**/reviews/{number}?*")
        desk.ready()
        desk.pressed = 0
        for _ in desk.group("code"):
            desk.press("y")
        desk.saved()
        while desk.page.locator('.level[data-level="error"]').count():
            desk.press("f", "x", "6")
            desk.saved()
        presses.append(desk.pressed)
        desk.pressed = 0
        desk.press("s", "Enter")
        assert desk.pressed <= 2
    desk.page.wait_for_url("**/?specialty=*")
    done = [reviews.state(number) for number in numbers]
    assert all(review["state"] == "submitted" for review in done)
    used = [(pressed, len(review["codes"])) for pressed, review in zip(presses, done, strict=True)]
    assert all(codes and pressed <= 3 * codes for pressed, codes in used), used


def test_the_worklist_has_four_lists_counts_and_filters_in_the_address(desk: Any, reviews: Any) -> None:
    page = desk.page
    reviews.send(NOTE, id="first")
    reviews.send(NOTE, id="second", setting="inpatient")
    desk.worklist(reviews.path)
    expect(page.get_by_role("tab", name="Waiting")).to_contain_text("2")
    page.get_by_label("Setting").select_option("inpatient")
    expect(page.locator(".row")).to_have_count(1)
    assert "setting=inpatient" in page.url
    page.reload()
    expect(page.locator(".row")).to_have_count(1)
    expect(page.get_by_label("Setting")).to_have_value("inpatient")
    page.keyboard.press("Escape")
    page.locator("h1").click()
    desk.press("n")
    page.wait_for_url("**/reviews/*")
    desk.ready()
    expect(page.locator("#review-title")).to_have_text("second")
    desk.press("h", "2")
    page.wait_for_url(lambda url: "/reviews/" not in url)
    page.get_by_role("tab", name="On hold").click()
    expect(page.locator(".row")).to_contain_text("on hold: Results are not back")
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Specialty").fill("no such specialty")
    page.keyboard.press("Tab")
    expect(page.locator("#list")).to_contain_text("No note fits the filters")


def test_nothing_waiting_is_said(desk: Any, reviews: Any) -> None:
    desk.worklist(reviews.path)
    desk.press("n")
    expect(desk.page.locator("#toasts")).to_contain_text("No note waits")


def test_a_note_is_given_back(desk: Any, reviews: Any) -> None:
    number = reviews.send(NOTE)["review"]
    desk.open(number)
    desk.press("y")
    desk.saved()
    desk.press("g", "Enter")
    desk.page.wait_for_url(lambda url: "/reviews/" not in url)
    assert reviews.state(number)["state"] == "waiting"
    assert len(reviews.codes(number)) == 1


def test_a_pasted_note_goes_to_review(page: Any, reviews: Any) -> None:
    page.goto("/new")
    page.get_by_label("Name of the note").fill("pasted")
    page.get_by_label("Specialty").fill(reviews.specialty)
    page.locator("textarea").fill(NOTE)
    page.get_by_role("button", name="Send to review").click()
    page.wait_for_url("**/reviews/*")
    expect(page.locator("#review-title")).to_have_text("pasted")
    expect(page.locator('.group[data-tier="code"] .card').first).to_be_visible()


def test_a_submitted_note_can_be_read_and_not_changed(desk: Any, reviews: Any) -> None:
    number = reviews.send(NOTE)["review"]
    desk.open(number)
    desk.press("y", "y", "s")
    expect(desk.page.locator("#summary")).to_contain_text("Suggested, not decided")
    desk.press("Enter")
    desk.page.wait_for_url(lambda url: f"/reviews/{number}" not in url)
    desk.open(number)
    expect(desk.page.locator("#banner")).to_contain_text("codes are final")
    desk.press("y", "x", "u")
    assert desk.page.locator("dialog[open]").count() == 0
    assert len(reviews.codes(number)) == 2


def test_no_code_is_not_submitted(desk: Any, reviews: Any) -> None:
    desk.open(reviews.send(NOTE)["review"])
    desk.press("s")
    expect(desk.page.locator("#summary [role=alert]")).to_contain_text("No code is chosen")
    expect(desk.page.get_by_role("button", name="Submit, and")).to_be_disabled()


def test_an_error_is_overridden_with_a_reason(desk: Any, reviews: Any) -> None:
    number = reviews.send(NOTE)["review"]
    page = desk.page
    desk.open(number)
    desk.press("y", "y", "/")
    page.keyboard.type("E10.9")
    expect(page.locator("#finder-hits li").first).to_contain_text("E10.9")
    desk.press("Enter")
    desk.saved()
    expect(page.locator('.level[data-level="error"]')).to_contain_text("E10.9")
    desk.press("s", "Enter")
    expect(page.locator("#summary [role=alert]")).to_contain_text("Give a reason for each error")
    assert reviews.state(number)["state"] == "open"
    for field in page.get_by_label("Reason to submit").all():
        field.fill("<b>the payer wants it</b>")
    desk.press("Enter")
    page.wait_for_url(lambda url: f"/reviews/{number}" not in url)
    done = reviews.state(number)
    assert done["state"] == "submitted" and "E10.9" in {line["code"] for line in done["codes"]}
    assert {o["reason"] for o in done["overrides"]} == {"<b>the payer wants it</b>"}
    desk.open(number)
    expect(page.locator(".finding .override").first).to_contain_text(
        "in spite of it by local: <b>the payer wants it</b>"
    )


def test_a_reload_while_the_service_is_away_loses_nothing(desk: Any, reviews: Any) -> None:
    number = reviews.send(NOTE)["review"]
    desk.open(number)
    codes = desk.group("code")
    desk.press("y")
    desk.saved()
    desk.page.route("**/decisions", lambda route: route.abort())
    desk.press(*"yy")
    expect(desk.page.locator("#saved")).to_contain_text("not saved")
    assert reviews.codes(number) == codes[:1]
    desk.page.on("dialog", lambda dialog: dialog.accept())
    desk.page.unroute("**/decisions")
    desk.page.reload()
    desk.ready()
    desk.saved()
    assert set(reviews.codes(number)) == set(codes)
    assert desk.page.evaluate("sessionStorage.length") == 0


def test_an_answer_that_is_lost_is_not_decided_twice(desk: Any, reviews: Any) -> None:
    number = reviews.send(NOTE)["review"]
    desk.open(number)
    lost: list[str] = []

    def lose(route: Route) -> None:
        route.fetch()
        lost.append(route.request.url)
        route.abort()

    desk.page.route("**/decisions", lose, times=1)
    desk.press("y")
    expect(desk.page.locator("#saved")).to_contain_text("not saved")
    desk.saved()
    assert lost
    assert [d["kind"] for d in reviews.state(number)["decisions"]] == ["accepted"]


def test_a_summary_that_is_closed_while_it_is_sent_still_leads_on(desk: Any, reviews: Any) -> None:
    number = reviews.send(NOTE)["review"]
    desk.open(number, f"?specialty={reviews.specialty}")
    desk.press(*"yyy")
    desk.saved()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    desk.page.route("**/submit", hold)
    desk.press("s")
    with desk.page.expect_request("**/submit"):
        desk.press("Enter")
    desk.press("Escape")
    expect(desk.page.locator("dialog[open]")).to_have_count(0)
    held[0].continue_()
    desk.page.wait_for_url("**/?specialty=*")
    assert reviews.state(number)["state"] == "submitted"


def test_a_change_from_elsewhere_is_shown_and_ours_is_made_on_it(desk: Any, reviews: Any) -> None:
    number = reviews.send(NOTE)["review"]
    desk.open(number)
    first, second, *_ = desk.group("code")
    state = reviews.state(number)
    elsewhere = {"kind": "accepted", "system": "icd-10-cm", "code": second, "version": state["version"]}
    reviews.call(f"/v1/reviews/{number}/decisions", elsewhere)
    desk.press("y")
    desk.saved()
    expect(desk.page.locator("#toasts")).to_contain_text("changed elsewhere")
    assert set(reviews.codes(number)) == {first, second} == set(desk.group("final"))


def test_a_session_that_ended_is_begun_again_and_the_work_is_saved(desk: Any, reviews: Any) -> None:
    number = reviews.send(NOTE)["review"]
    page = desk.page
    problem = {"type": "about:blank", "title": "Sign in first", "status": 401, "detail": "x", "code": "unauthenticated"}
    refused = {"status": 401, "content_type": "application/problem+json", "body": json.dumps(problem)}
    signed_in: list[Any] = []

    def begin(route: Route) -> None:
        signed_in.append(route.request.post_data_json)
        if signed_in[-1]["password"] != "right":
            route.fulfill(**{**refused, "body": json.dumps({**problem, "detail": "Name or password is wrong."})})
        else:
            route.fulfill(status=200, content_type="application/json", body='{"name": "anne"}')

    desk.open(number)
    page.route("**/decisions", lambda route: route.continue_() if len(signed_in) > 1 else route.fulfill(**refused))
    page.route("**/v1/session", begin)
    code = desk.selected()
    desk.press("y")
    dialog = page.get_by_role("dialog", name="Sign in")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Name").fill("anne")
    dialog.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("Name or password is wrong")
    dialog.get_by_label("Password").fill("right")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    desk.saved()
    assert reviews.codes(number) == [code]
    expect(page.locator("#user")).to_have_text("anne")


def test_a_user_changes_a_key_and_a_conflict_is_refused(desk: Any, reviews: Any) -> None:
    number = reviews.send(NOTE)["review"]
    page = desk.page
    desk.open(number)
    code = desk.selected()
    desk.press("?")
    accept = page.get_by_role("button", name="Accept, and go on")
    accept.click()
    page.keyboard.press("x")
    expect(page.locator("#keys")).to_contain_text("X is taken: Reject")
    accept.click()
    page.keyboard.press("b")
    expect(page.locator("#keys")).to_contain_text("B is set")
    page.keyboard.press("Escape")
    page.reload()
    desk.ready()
    expect(desk.card(code).get_by_role("button", name="Accept")).to_contain_text("B")
    desk.press("y", "b")
    desk.saved()
    assert reviews.codes(number) == [code]


@pytest.mark.parametrize("number", [2**31 - 1])
def test_a_review_that_does_not_exist_is_told(desk: Any, number: int) -> None:
    desk.page.goto(f"/reviews/{number}")
    expect(desk.page.locator("#banner")).to_contain_text("no such review")
