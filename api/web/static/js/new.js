/** The page of a new note: the form, the codes of a note that is only looked at, and the search. */

import { ProblemError, createReview, suggest } from "./api.js";
import { openCode } from "./code-dialog.js";
import { Compose } from "./compose.js";
import { byId } from "./dom.js";
import { listen, showKeys } from "./keys.js";
import { Look } from "./look.js";
import { Search } from "./search.js";
import { startSite } from "./site.js";

const look = new Look(openCode);
const compose = new Compose((note) => open(note), send);
new Search(openCode);
let request = null;

function show(view) {
  document.body.dataset.view = view;
  byId("compose").hidden = view !== "compose";
  byId("review").hidden = view !== "review";
}

const say = (text) => {
  byId("status").textContent = text;
};

/** Open a note beside its codes. `inHistory` lets the browser's Back lead to the form, with the note in it. */
async function open(note, inHistory = true) {
  request?.abort();
  request = new AbortController();
  compose.clearProblem();
  look.showNote(note);
  show("review");
  if (inHistory) history.pushState({ view: "review" }, "");
  byId("review-title").focus();
  say("Reading the note");
  try {
    const result = await suggest(note.record, request.signal, say);
    say(look.showResult(result));
  } catch (error) {
    if (error.name === "AbortError") return;
    say("");
    show("compose");
    if (!(error instanceof ProblemError)) throw error;
    compose.showProblem(error.problem);
  }
}

/** Keep a note for the coders, and go to its review. */
async function send({ record }) {
  compose.clearProblem();
  byId("send").disabled = true;
  say("Sending the note to review");
  try {
    const { review } = await createReview(record, undefined, say);
    location.assign(`/reviews/${review}`);
  } catch (error) {
    say("");
    byId("send").disabled = false;
    if (!(error instanceof ProblemError)) throw error;
    compose.showProblem(error.problem);
  }
}

function edit() {
  request?.abort();
  show("compose");
  byId("documents").querySelector("textarea").focus();
}

byId("edit").addEventListener("click", edit);
window.addEventListener("popstate", edit);
listen("everywhere", {
  help: showKeys,
  search: () => byId("search").focus(),
  worklist: () => location.assign("/"),
  new: () => location.assign("/new"),
});
startSite();
if (document.body.dataset.open) open(compose.read(), false);
