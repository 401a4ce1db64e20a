/** Ties the form, the review and the search together. */

import { ProblemError, suggest } from "./api.js";
import { openCode } from "./code-dialog.js";
import { Compose } from "./compose.js";
import { byId } from "./dom.js";
import { Review } from "./review.js";
import { Search } from "./search.js";

const review = new Review(openCode);
const compose = new Compose((note) => open(note));
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
  review.showNote(note);
  show("review");
  if (inHistory) history.pushState({ view: "review" }, "");
  byId("review-title").focus();
  say("Reading the note");
  try {
    const result = await suggest(note.record, request.signal, say);
    say(review.showResult(result));
  } catch (error) {
    if (error.name === "AbortError") return;
    say("");
    show("compose");
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
if (document.body.dataset.open) open(compose.read(), false);
