/** The second looks: a list with filters, and the way to the next one, blind or open. */

import { listAudits, nextAudit } from "./api.js";
import { toast } from "./ask.js";
import { byId, element, plural } from "./dom.js";
import { listen, showKeys } from "./keys.js";
import { startSite } from "./site.js";

const form = byId("filters");
const list = byId("list");
let request = null;

function row({ audit, note_id, setting, date_of_service, coder, auditor, mode, state, differences, unmarked, unanswered }) {
  const line = element("li", "", "row");
  const link = element("a", note_id, "row-link");
  link.href = `/audits/${audit}`;
  const left = [differences !== undefined && plural(differences, "difference"), unmarked && `${unmarked} to mark`, unanswered && `${unanswered} to answer`];
  line.append(
    link,
    element("span", setting, "row-setting"),
    element("span", date_of_service, "row-date"),
    element("span", [coder && `coded by ${coder}`, `looked at by ${auditor}`].filter(Boolean).join(", "), "row-more"),
    element("span", [`${state}, ${mode}`, ...left].filter(Boolean).join(" · "), "row-state"),
  );
  return line;
}

async function load() {
  request?.abort();
  request = new AbortController();
  const asked = Object.fromEntries([...new FormData(form)].filter(([, value]) => value));
  try {
    const { audits } = await listAudits(asked, request.signal);
    const rows = element("ol", "", "rows");
    rows.setAttribute("aria-label", "Second looks");
    rows.append(...audits.map(row));
    const empty = element("p", list.dataset.empty, "empty-list");
    list.replaceChildren(audits.length ? rows : empty);
  } catch (error) {
    if (error.name === "AbortError") return;
    list.replaceChildren(element("p", `${error.problem?.title ?? "The list can’t be shown"}. ${error.problem?.detail ?? error}`, "problem"));
  }
  list.setAttribute("aria-busy", "false");
}

async function next(mode) {
  try {
    const coder = form.elements.coder?.value.trim();
    const { audit } = await nextAudit(coder ? { mode, coder } : { mode });
    location.assign(`/audits/${audit}`);
  } catch (error) {
    if (!error.problem) throw error;
    toast(error.problem.title, error.problem.detail);
  }
}

for (const button of document.querySelectorAll("[data-mode]")) button.addEventListener("click", () => next(button.dataset.mode));
form.addEventListener("change", load);
form.addEventListener("submit", (event) => event.preventDefault());
const begins = document.querySelector("[data-mode]") ? { next: () => next("blind"), nextOpen: () => next("open") } : {};
listen("worklist", { ...begins, help: showKeys, worklist: () => location.assign("/"), new: () => location.assign("/new") });
await startSite();
await load();
