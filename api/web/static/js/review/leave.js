/** The ways out of a review: submit it after a summary, put it on hold, give it back. */

import { nextReview } from "../api.js";
import { ask, askReason, toast } from "../ask.js";
import { byId, element, plural } from "../dom.js";
import { filters } from "../filters.js";
import { question } from "../question.js";
import { changesOf } from "./model.js";

const HOLD = [
  ["1", "Operative report is missing"],
  ["2", "Results are not back"],
  ["3", "Query to the physician is open"],
  ["4", "Documentation is incomplete"],
];

/** Open the next note that the filters of the worklist let through, or the worklist when none waits. */
export async function goOn() {
  try {
    const { review } = await nextReview(filters());
    location.assign(`/reviews/${review}${location.search}`);
  } catch (error) {
    if (!error.problem) throw error;
    location.assign(`/${location.search}`);
  }
}

function codeLine({ code, display, poa, modifiers, units, diagnoses, origin, instead_of: old }, place) {
  const line = element("li");
  const name = place === 0 ? "first" : String(place + 1);
  const facts = [poa && `POA ${poa}`, modifiers?.join(" "), units && plural(units, "unit"), diagnoses && `for ${diagnoses.join(", ")}`];
  const how = { accepted: "", added: "added", replaced: `instead of ${old}` }[origin];
  line.append(
    element("span", place === undefined ? "" : name, "summary-place"),
    element("span", code, "card-code"),
    element("span", display),
    element("span", [...facts, how].filter(Boolean).join(" · "), "muted"),
  );
  return line;
}

function listOf(title, items, kind = "ul") {
  if (!items.length) return [];
  const list = element(kind, "", "summary-list");
  list.append(...items);
  return [element("h3", title), list];
}

const aboutLine = ({ code, display = "", reason = "" }) => {
  const line = element("li");
  line.append(element("span", "", "summary-place"), element("span", code, "card-code"), element("span", display), element("span", reason, "muted"));
  return line;
};

/** An error with the field for the reason to submit in spite of it, where its rule allows that. */
function errorLine(finding) {
  const line = element("li", "", "finding summary-error");
  line.append(element("p", finding.message), element("p", finding.reference, "muted"));
  if (!finding.overridable) {
    line.append(element("p", "It can’t be overridden: mend the codes.", "muted"));
    return { line, field: null };
  }
  const label = element("label", "Reason to submit in spite of it", "field");
  const field = element("input");
  field.maxLength = 2000;
  field.autocomplete = "off";
  label.append(field);
  line.append(label);
  return { line, field };
}

function summaryOf(review, errors) {
  const { replaced, added, rejected, undecided } = changesOf(review);
  const inpatient = review.setting === "inpatient";
  const warnings = review.findings.filter(({ level }) => level === "warning");
  const errorBox = element("ul");
  errorBox.dataset.level = "error";
  errorBox.className = "level";
  errorBox.append(...errors.map(({ line }) => line));
  const changed = [plural(review.codes.length, "code")];
  if (replaced.length) changed.push(`${replaced.length} replaced`);
  if (added.length) changed.push(`${added.length} added by hand`);
  if (rejected.length) changed.push(`${rejected.length} rejected`);
  return [
    element("p", changed.join(" · "), "muted"),
    ...(errors.length ? [element("h3", `${plural(errors.length, "error")} in the way`), errorBox] : []),
    ...listOf(inpatient ? "Final codes, principal diagnosis first" : "Final codes, first-listed first", review.codes.map(codeLine), "ol"),
    ...listOf("Suggested, not decided: left out", undecided.map(aboutLine)),
    ...listOf("Rejected", rejected.map(aboutLine)),
    ...listOf("Warnings that stand", warnings.map(({ message }) => element("li", message))),
  ];
}

/** Show the summary; `submit(overrides)` makes the codes final. A second look is submitted whatever the rules say. Resolves to whether they are. */
export function askToSubmit(review, submit, isAudit = false) {
  const dialog = byId("summary");
  const form = dialog.querySelector("form");
  const problem = dialog.querySelector("[data-problem]");
  const button = dialog.querySelector("[data-ok]");
  const found = isAudit ? [] : review.findings.filter(({ level }) => level === "error");
  const errors = found.map(errorLine);
  dialog.querySelector("[data-body]").replaceChildren(...summaryOf(review, errors));
  button.disabled = !review.codes.length || errors.some(({ field }) => !field);
  problem.hidden = review.codes.length > 0;
  problem.textContent = review.codes.length ? "" : "No code is chosen. Put the note on hold with a reason if it has none.";
  const { answer, end, signal } = question(dialog);
  let sending = null;
  const send = async () => {
    button.disabled = true;
    const overrides = found.map(({ rule, codes }, index) => ({ rule, codes, reason: errors[index].field.value.trim() }));
    try {
      await submit(overrides);
      end(true);
      return true;
    } catch (error) {
      if (!error.problem) throw error;
      problem.textContent = `${error.problem.title}. ${error.problem.detail}`;
      problem.hidden = false;
      button.disabled = false;
      return false;
    }
  };
  const onSubmit = (event) => {
    event.preventDefault();
    const open = errors.find(({ field }) => !field?.value.trim());
    if (open) {
      problem.textContent = "Give a reason for each error, or mend it.";
      problem.hidden = false;
      open.field?.focus();
    } else sending = send();
  };
  form.addEventListener("submit", onSubmit, { signal });
  const first = button.disabled ? dialog.querySelector("[data-cancel]") : (errors[0]?.field ?? button);
  first.focus({ preventScroll: true });
  dialog.scrollTop = 0; // the principal diagnosis is seen first
  return answer.then(() => sending).then(Boolean); // what was sent already can't be called back
}

async function change(act, list = `/${location.search}`) {
  try {
    await act();
    location.assign(list);
  } catch (error) {
    if (!error.problem) throw error;
    toast(error.problem.title, error.problem.detail);
  }
}

/** Put the note on hold, with a reason; then to the worklist. */
export async function askToHold(hold) {
  const reason = await askReason({ title: "Put the note on hold", about: "Your decisions stay. Anybody may open it again.", ok: "Put on hold", reasons: HOLD, label: "Another reason" });
  if (reason) await change(() => hold(reason));
}

/** Give up a second look; then to the list of them. */
export async function askToGiveUp(giveUp) {
  const sure = await ask({ title: "Give the second look up?", about: "Another auditor may look at the note. Your decisions stay in its history; you can’t go on with them.", ok: "Give up" });
  if (sure) await change(giveUp, "/audits");
}

/** Give the note back to those that wait; then to the worklist. */
export async function askToRelease(release) {
  const sure = await ask({ title: "Give the note back?", about: "It waits for a coder again. Your decisions stay.", ok: "Give back" });
  if (sure) await change(release);
}
