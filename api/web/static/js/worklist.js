/** The worklist: four lists with their counts, filters kept in the address, and the way to the next note. */

import { listReviews, nextReview, openReview } from "./api.js";
import { ask, say, toast } from "./ask.js";
import { byId, element, fromTemplate, part, plural } from "./dom.js";
import { FILTERS, filters } from "./filters.js";
import { labelKeys, listen, showKeys } from "./keys.js";
import { me, startSite } from "./site.js";
import { ago, clock } from "./words.js";

const TABS = ["waiting", "mine", "held", "submitted"];
const EMPTY = {
  waiting: ["No note waits.", "New notes come in over the API, or by New note."],
  mine: ["You have no note open.", "Open the next one, or choose one that waits."],
  held: ["No note is on hold.", "A note that lacks something is put on hold from its review, with the reason."],
  submitted: ["No note is done yet.", "Notes that you submit stand here, with their final codes."],
};
const list = byId("list");
const form = byId("filters");
let request = null;

const tab = () => new URLSearchParams(location.search).get("list") ?? "waiting";

function go(changes) {
  const parameters = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) parameters.set(name, value);
    else parameters.delete(name);
  }
  history.replaceState(null, "", `?${parameters}`);
  load();
}

/** What the API is asked for in each list: `mine` is a parameter of its own, the others are states. */
const QUERY = { waiting: { state: "waiting" }, mine: { mine: "true" }, held: { state: "held" }, submitted: { state: "submitted" } };

async function load(after = 0) {
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  const chosen = tab();
  const asked = (query, more) => listReviews({ ...filters(), ...query, limit: "50", ...more }, signal);
  list.setAttribute("aria-busy", "true");
  try {
    const [page, mine, open] = await Promise.all([
      asked(QUERY[chosen], after ? { after: String(after) } : {}),
      asked(QUERY.mine),
      chosen === "waiting" && !after ? asked({ state: "open" }) : null,
    ]);
    showTabs(chosen, { ...page.counts, mine: page.mine ? page.mine.open + page.mine.assigned : mine.reviews.length });
    offer(page);
    show(chosen, page, open?.reviews.filter(({ lock }) => lock && lock.holder !== me()) ?? [], after);
  } catch (error) {
    if (error.name === "AbortError") return;
    const problem = error.problem ?? { title: "The list can’t be shown", detail: String(error) };
    const box = element("div", "", "problem");
    box.append(element("strong", problem.title), element("p", problem.detail));
    list.replaceChildren(box);
  }
  list.setAttribute("aria-busy", "false");
}

/** What a newer service can filter by, too. */
function offer({ mine, specialties }) {
  form.querySelector("[data-optional]").hidden = mine === undefined;
  byId("specialties").replaceChildren(...(specialties ?? []).map((name) => Object.assign(element("option"), { value: name })));
}

function showTabs(chosen, counts) {
  for (const name of TABS) {
    const button = byId(`tab-${name}`);
    const selected = name === chosen;
    button.setAttribute("aria-selected", String(selected));
    button.tabIndex = selected ? 0 : -1;
    part(button, "count").textContent = String(counts[name] ?? "");
  }
  list.setAttribute("aria-labelledby", `tab-${chosen}`);
}

function button(text, onClick, label) {
  const made = element("button", text);
  made.type = "button";
  made.setAttribute("aria-label", label);
  made.addEventListener("click", onClick);
  return made;
}

function stateOf({ state, lock, hold_reason, submitted, received }) {
  if (state === "open" && lock.holder === me()) return `open here until ${clock(lock.until)}`;
  if (state === "open") return `${lock.holder} has it${lock.expired ? ", lock run out" : ` until ${clock(lock.until)}`}`;
  if (state === "held") return `on hold: ${hold_reason}`;
  if (state === "submitted") return `by ${submitted.by}, ${ago(submitted.time)}`;
  const since = ago(received);
  return since.endsWith("ago") ? `waits ${since.replace(" ago", "")}` : since;
}

async function takeOver({ review, note_id, lock }) {
  const about = `${lock.holder} has ${note_id} open. Their decisions stay; they can’t change it any more.`;
  if (!(await ask({ title: "Take the note over?", about, ok: "Take over" }))) return;
  try {
    await openReview(review, true);
    location.assign(`/reviews/${review}`);
  } catch (error) {
    toast(error.problem?.title ?? "It was not taken over", error.problem?.detail ?? String(error));
  }
}

function row(review) {
  const line = fromTemplate("t-row");
  const link = part(line, "name");
  link.textContent = review.note_id;
  link.href = `/reviews/${review.review}${location.search}`;
  part(line, "setting").textContent = [review.setting, review.specialty].filter(Boolean).join(" · ");
  part(line, "date").textContent = review.date_of_service;
  const { confidence_band: band, priority, assigned_to: whose } = review;
  const more = [band && `${band} confidence`, priority && priority !== 5 && `priority ${priority}`, whose && `for ${whose}`];
  part(line, "more").textContent = more.filter(Boolean).join(" · ");
  part(line, "state").textContent = stateOf(review);
  line.dataset.state = review.state;
  const foreign = review.state === "open" && review.lock.holder !== me();
  if (foreign) part(line, "act").append(button("Take over", () => takeOver(review), `Take over ${review.note_id}`));
  return line;
}

function rows(reviews, label) {
  const made = element("ol", "", "rows");
  made.setAttribute("aria-label", label);
  made.append(...reviews.map(row));
  return made;
}

function emptyBox(chosen) {
  const [title, what] = EMPTY[chosen];
  const box = element("div", "", "empty-list");
  const filtered = Object.keys(filters()).length;
  box.append(element("h2", filtered ? "No note fits the filters." : title), element("p", filtered ? "Clear them to see all." : what));
  if (!filtered && (chosen === "waiting" || chosen === "mine")) {
    const link = element("a", "New note", "button-link");
    link.href = "/new";
    box.append(link);
  }
  return box;
}

function show(chosen, { reviews, next }, others, after) {
  const label = byId(`tab-${chosen}`).firstChild.textContent.trim();
  if (after) list.querySelector(".rows").append(...reviews.map(row));
  else {
    const shown = reviews.length ? [rows(reviews, label)] : [emptyBox(chosen)];
    if (others.length) shown.push(element("h2", "Open at other coders", "list-part"), rows(others, "Open at other coders"));
    list.replaceChildren(...shown);
  }
  list.querySelector(".more-rows")?.remove();
  if (next) {
    const more = element("button", "Show more", "more-rows");
    more.type = "button";
    more.addEventListener("click", () => load(next));
    list.append(more);
  }
  say(`${label}: ${plural(list.querySelectorAll(".row").length, "note")}`);
}

async function openNext() {
  try {
    const { review } = await nextReview(filters());
    location.assign(`/reviews/${review}${location.search}`);
  } catch (error) {
    toast(error.problem?.title ?? "The next note can’t be opened", error.problem?.detail ?? String(error));
  }
}

function move(step) {
  const links = [...list.querySelectorAll(".row-link")];
  const now = links.indexOf(document.activeElement);
  links[Math.min(Math.max(now + step, 0), links.length - 1)]?.focus();
}

function choose(name) {
  go({ list: name === "waiting" ? "" : name });
  byId(`tab-${name}`).focus();
}

const step = (by) => TABS[(TABS.indexOf(tab()) + by + TABS.length) % TABS.length];

document.querySelector(".list-tabs").addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-tab]");
  if (chosen) choose(chosen.dataset.tab);
});
document.querySelector(".list-tabs").addEventListener("keydown", (event) => {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  choose(step(by));
});
form.addEventListener("change", () => go(Object.fromEntries(new FormData(form))));
form.addEventListener("submit", (event) => event.preventDefault());
byId("clear").addEventListener("click", () => {
  form.reset();
  go(Object.fromEntries(FILTERS.map((name) => [name, ""])));
});
byId("next").addEventListener("click", openNext);
listen("worklist", {
    next: openNext,
    down: () => move(1),
    up: () => move(-1),
    tab: () => choose(step(1)),
    help: showKeys,
    new: () => location.assign("/new"),
    worklist: () => location.assign("/"),
    search: () => location.assign("/new"),
});
for (const [name, value] of Object.entries(filters())) form.elements[name].value = value;
await startSite();
labelKeys();
await load();
