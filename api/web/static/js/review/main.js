/** Opens the review that the address names, and ties its parts together. */

import { ProblemError } from "../api.js";
import { say, toast } from "../ask.js";
import { byId, element, plural } from "../dom.js";
import { listen, showKeys } from "../keys.js";
import { me, startSite, userKnown } from "../site.js";
import { ago, clock } from "../words.js";
import { Changes } from "./changes.js";
import { showComparison } from "./comparison.js";
import { askToGiveUp, askToHold, askToRelease, askToSubmit, goOn } from "./leave.js";
import { startOutline } from "./outline.js";
import { source } from "./sources.js";
import { Workspace } from "./workspace.js";

const from = source();
const KEEP = 60_000;
const SAVING = { saving: "saving", saved: "saved", retrying: "not saved – retrying" };
let keeping = 0;
let active = true;

const workspace = new Workspace((action, record, said) => changes.push(action, record, said));
const changes = new Changes(from.name, {
  send: from.send,
  read: from.read,
  onState,
  onRefused: (problem) => workspace.refused(problem),
  onLost,
  onSaving: showSaving,
});

function showSaving(state) {
  const box = byId("saved");
  if (state === "retrying" && box.dataset.state !== "retrying") say("Not saved. Trying again.");
  if (state === "saved" && box.dataset.state === "retrying") say("Saved.");
  box.dataset.state = state;
  box.querySelector("b").textContent = SAVING[state];
}

function onState(state, change) {
  workspace.update(state, change?.said ?? "The review was changed elsewhere and is shown as it is now");
  if (!change) toast("The review was changed elsewhere.", "It is shown as it is now; what you did last is made on it.");
  if (change && ["undo", "redo"].includes(change.action)) showUndone(state);
}

/** Select the code that an undo or a redo was about. */
function showUndone({ decisions }) {
  const byNumber = new Map(decisions.map((decision) => [decision.number, decision]));
  let about = decisions.at(-1);
  while (about && about.supersedes !== undefined) about = byNumber.get(about.supersedes);
  const { system, code } = about?.details ?? {};
  if (code) workspace.select(`${system}:${code}`);
}

function banner(text, ...buttons) {
  const box = byId("banner");
  box.replaceChildren(element("span", text), ...buttons);
  box.hidden = !text;
}

function action(text, run) {
  const button = element("button", text);
  button.type = "button";
  button.addEventListener("click", run);
  return button;
}

/** Somebody else has the note now, or it is closed: show what is kept, and what was not. */
async function onLost(problem, lost) {
  clearInterval(keeping);
  const unsaved = lost.map(({ said }) => said).filter(Boolean).join(", ");
  const review = await from.read();
  workspace.editable = false;
  workspace.update(review);
  showReadOnly(review, unsaved ? `${problem.detail}. Not saved: ${unsaved}.` : `${problem.detail}.`);
  toast(problem.title, unsaved ? `Not saved: ${unsaved}.` : "What you did is saved.");
}

function showReadOnly({ state, lock, submitted }, why) {
  const worklist = action("Worklist", () => location.assign(`/${location.search}`));
  byId("saved").hidden = true;
  if (state === "submitted") banner(`Submitted by ${submitted.by}, ${ago(submitted.time)}. The codes are final.`, action("Open the next note", goOn), worklist);
  else if (lock && lock.holder !== me()) {
    banner(`${lock.holder} has this note open until ${clock(lock.until)}. You can read it.`, action("Take over", () => start(true)), worklist);
  } else banner(why, action("Open it again", () => start(false)), worklist);
}

function showHead({ note_id, note, setting, date_of_service, specialty, missing }) {
  const { age, sex } = note.patient ?? {};
  document.title = `${note_id} – codeassist`;
  byId("review-title").textContent = note_id;
  byId("review-facts").textContent = [setting, date_of_service, age !== undefined && `age ${age}`, sex, specialty].filter(Boolean).join(" · ");
  const box = byId("missing");
  box.hidden = !missing?.length;
  box.replaceChildren(element("strong", "Missing: "), (missing ?? []).map(({ message }) => message).join(" "));
  if (box.scrollHeight > box.clientHeight) box.tabIndex = 0; // a narrow screen scrolls it: by keys too
}

/** A second look that its auditor has submitted shows what differs; one that is open is only read by others. */
async function showAudited(audit, why) {
  byId("saved").hidden = true;
  if (!audit.comparison) return banner(why);
  banner(`Second look of ${audit.auditor} at the codes of ${audit.coder}, ${audit.state}.`, action("Second looks", () => location.assign(from.list)));
  byId("codes").closest(".codes-pane").classList.add("compared"); // nothing is left to decide
  return showComparison(byId("codes"), audit, from.send, workspace.note);
}

async function start(takeOver) {
  try {
    const [{ review, editable, why }] = await Promise.all([from.open(takeOver), userKnown()]);
    showHead(review);
    workspace.start(review, editable);
    byId("saved").hidden = false;
    banner("");
    if (editable) {
      showSaving("saved");
      const again = changes.begin(review);
      if (again) toast("What was not saved is being saved now:", plural(again, "change"));
      if (from.keep) keeping = setInterval(keep, KEEP);
    } else if (from.isAudit) await showAudited(review, why);
    else showReadOnly(review, why);
    say(`${review.note_id}: ${review.undecided} to decide`);
    await startOutline(review, workspace.note);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    if (error.problem.code === "not-ready") {
      banner(error.problem.detail);
      setTimeout(() => start(takeOver), 1500);
      return;
    }
    byId("codes").setAttribute("aria-busy", "false");
    byId("saved").hidden = true;
    banner(`${error.problem.title}. ${error.problem.detail}`, action("Try again", () => start(takeOver)), action("Back to the list", () => location.assign(from.list)));
  }
}

for (const type of ["keydown", "pointerdown", "pointermove", "wheel", "touchmove"]) {
  window.addEventListener(type, () => (active = true), { passive: true, capture: true });
}

/** Tell the service that somebody is at the note. Where nobody is, the lock and the session may run out. */
async function keep() {
  if (document.hidden || !active) return;
  active = false;
  try {
    await from.keep();
  } catch (error) {
    if (error.problem?.code === "review-foreign") await onLost(error.problem, []);
    else if ([404, 405].includes(error.problem?.status)) clearInterval(keeping);
  }
}

async function submit() {
  const close = document.querySelector("[data-close]");
  if (close) return close.click();
  if (!workspace.editable) return say("This note can’t be changed here.");
  await changes.idle();
  const send = (overrides) => from.send("submit", { version: changes.version, overrides });
  if (!(await askToSubmit(workspace.review, send, from.isAudit))) return undefined;
  return from.isAudit ? start(false) : goOn();
}

const leave = (ask, send) => async () => {
  if (!workspace.editable) return;
  await changes.idle();
  await ask(send);
};
const hold = from.isAudit ? () => {} : leave(askToHold, (reason) => from.send("hold", { version: changes.version, reason }));
const giveUp = leave(askToGiveUp, () => from.send("abandon", { version: changes.version }));
const release = from.isAudit ? giveUp : leave(askToRelease, () => from.send("release", { version: changes.version }));
const own = { submit, hold, release };
const perform = (name) => (own[name] ?? (() => workspace.do(name)))();

const CODE_KEYS = [
  ..."accept reject replace add details lookup down up nextMention previousMention finding nextDocument previousDocument".split(" "),
  ..."sequenceUp sequenceDown poa modifiers units link undo redo pane search submit hold release".split(" "),
];
listen(
  "review",
  {
    ...Object.fromEntries(CODE_KEYS.map((name) => [name, () => perform(name)])),
    alternative: (index) => workspace.alternative(index),
    help: showKeys,
    worklist: () => location.assign(`${from.list}${location.search}`),
    new: () => location.assign("/new"),
  },
  ({ key, target }) => key.startsWith("Arrow") && target.matches(".card-head"),
);
for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", () => perform(button.dataset.do));
for (const button of document.querySelectorAll("[data-show]")) button.addEventListener("click", () => workspace.show(button.dataset.show));
window.addEventListener("beforeunload", (event) => {
  if (byId("saved").dataset.state === "retrying") event.preventDefault();
});
startSite();
await start(false);
