/** The dialog that finds a code: search, definition, hierarchy; and takes it, for a quote of the note where one is given. */

import { searchCodes, showCode } from "../api.js";
import { definitionOf, whyNot } from "../definition.js";
import { byId, element, plural } from "../dom.js";
import { systemName } from "../words.js";

const LEAST = 2;
const PAUSE = 70;

export class Finder {
  /** @param {{day: string, find: Function, textOf: Function}} note its day, and how words are found in it */
  constructor(note) {
    this.note = note;
    this.dialog = byId("finder");
    this.box = byId("finder-search");
    this.list = byId("finder-hits");
    this.status = byId("finder-status");
    this.code = byId("finder-code");
    this.quote = byId("finder-quote");
    this.hits = [];
    this.active = -1;
    this.box.addEventListener("input", () => this.#later());
    this.box.addEventListener("keydown", (event) => this.#onKey(event));
    for (const id of ["finder-system", "finder-all"]) byId(id).addEventListener("change", () => this.#run());
    this.quote.addEventListener("input", () => this.#onQuote());
    this.list.addEventListener("click", (event) => {
      const index = [...this.list.children].indexOf(event.target.closest("[role=option]"));
      if (index >= 0) this.#activate(index);
    });
    this.list.addEventListener("dblclick", () => this.#take());
    this.dialog.addEventListener("close", () => this.dialog.open || this.#letGo()); // it may be open again by then
  }

  /**
   * Open it. `onTake({system, code}, evidence)` gets the code that is taken, and `null` or the span that speaks for it.
   * Without it the dialog only shows. `at` is a code to begin with, `words` a search, `hits` codes to choose from before one, `verb` what taking is called.
   * `except` is a code that can't be taken.
   */
  open({ title, about = "", words = "", at = null, hits = [], evidence, verb = "Add", except = "", onTake = null }) {
    Object.assign(this, { onTake, verb, except, evidence: evidence ?? null });
    byId("finder-title").textContent = title;
    const aboutBox = this.dialog.querySelector("[data-about]");
    aboutBox.textContent = about;
    aboutBox.hidden = !about;
    this.dialog.querySelector("[data-evidence]").hidden = evidence === undefined;
    this.quote.value = evidence ? this.note.textOf(evidence) : "";
    this.dialog.querySelector("[data-found]").textContent = evidence ? "is the evidence" : "none: the code is added without evidence";
    this.box.value = words.replace(/\s+/g, " ").slice(0, 200);
    this.#empty("");
    this.code.replaceChildren(element("p", "Choose a code to read its definition.", "muted"));
    this.dialog.showModal();
    this.box.focus();
    this.box.select();
    if (hits.length) this.#fill(hits, "one step away");
    if (at) this.#show(at.system, at.code);
    if (words) this.#run();
  }

  #onQuote() {
    this.evidence = this.note.find(this.quote.value);
    const found = this.dialog.querySelector("[data-found]");
    if (!this.quote.value.trim()) found.textContent = "none: the code is added without evidence";
    else found.textContent = this.evidence ? "is the evidence" : "these words are not in the note";
  }

  #later() {
    this.#letGo();
    if (this.box.value.trim().length < LEAST) this.#empty("");
    else this.timer = setTimeout(() => this.#run(), PAUSE);
  }

  /** No search that is waiting or under way may come later than what was asked for since. */
  #letGo() {
    clearTimeout(this.timer);
    this.request?.abort();
  }

  async #run() {
    const text = this.box.value.trim();
    if (text.length < LEAST) return;
    this.#letGo();
    this.request = new AbortController();
    const system = byId("finder-system").value;
    const more = { ...(system && { system }), ...(!byId("finder-all").checked && { date_of_service: this.note.day }) };
    try {
      this.#fill(await searchCodes(text, this.request.signal, { limit: "25", ...more }));
    } catch (error) {
      if (error.name !== "AbortError") this.#empty(error.problem?.detail ?? String(error));
    }
  }

  #empty(said) {
    this.hits = [];
    this.active = -1;
    this.list.replaceChildren();
    this.status.textContent = said;
    this.box.setAttribute("aria-expanded", "false");
    this.box.removeAttribute("aria-activedescendant");
  }

  #fill(hits, said = "found") {
    this.#empty(hits.length ? `${plural(hits.length, "code")} ${said}` : "No code found.");
    this.hits = hits;
    this.list.append(
      ...hits.map(({ system, code, display }, index) => {
        const line = element("li");
        line.id = `finder-hit-${index}`;
        line.setAttribute("role", "option");
        line.setAttribute("aria-selected", "false");
        line.append(element("span", code, "card-code"), element("span", display), element("span", systemName(system), "muted"));
        return line;
      }),
    );
    this.box.setAttribute("aria-expanded", String(hits.length > 0));
    if (hits.length) this.#activate(0);
  }

  #activate(index) {
    this.active = index;
    [...this.list.children].forEach((line, i) => line.setAttribute("aria-selected", String(i === index)));
    this.list.children[index].scrollIntoView({ block: "nearest" });
    this.box.setAttribute("aria-activedescendant", `finder-hit-${index}`);
    const { system, code } = this.hits[index];
    clearTimeout(this.showing);
    this.showing = setTimeout(() => this.#show(system, code), 60);
  }

  #onKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.hits.length) {
      event.preventDefault();
      this.#activate((this.active + step + this.hits.length) % this.hits.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.#take();
    } else if (event.key === "Escape") {
      event.preventDefault(); // the box would only be emptied
      this.dialog.close();
    }
  }

  /** Take the active hit; one that may not stand on a claim is shown instead, with what lies below it. */
  async #take() {
    const hit = this.hits[this.active];
    if (!hit) return;
    const entry = await this.#show(hit.system, hit.code);
    if (entry && this.onTake && !whyNot(entry, this.note.day)) this.#taken(entry);
    else this.code.querySelector("button")?.focus();
  }

  #taken({ system, code }) {
    this.dialog.close();
    this.onTake({ system, code }, this.evidence);
  }

  /** Show a code's definition; gives it, or `null`. */
  async #show(system, code) {
    clearTimeout(this.showing);
    this.looking?.abort();
    this.looking = new AbortController();
    const { signal } = this.looking;
    try {
      const entry = await showCode(system, code, signal);
      const parts = definitionOf(entry, this.note.day, (s, c) => this.#step(s, c), signal);
      if (this.onTake) parts.splice(1, 0, this.#takeButton(entry));
      this.code.replaceChildren(...parts);
      this.code.scrollTop = 0;
      return entry;
    } catch (error) {
      if (error.name === "AbortError") return null;
      this.code.replaceChildren(element("p", error.problem?.detail ?? String(error)));
      return null;
    }
  }

  /** Go from one definition to another: hits that arrive later don't take its place. */
  #step(system, code) {
    this.#letGo();
    return this.#show(system, code);
  }

  #takeButton(entry) {
    const button = element("button", `${this.verb} ${entry.code}`, "primary");
    button.type = "button";
    button.disabled = !entry.billable || entry.code === this.except;
    button.addEventListener("click", () => this.#taken(entry));
    return button;
  }
}
