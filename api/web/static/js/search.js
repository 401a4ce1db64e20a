/** The search box for codes: a combobox over GET /v1/codes. */

import { searchCodes } from "./api.js";
import { byId, element, plural } from "./dom.js";
import { systemName } from "./words.js";

const LEAST = 2;
const PAUSE = 180;

export class Search {
  /** @param {(system: string, code: string) => void} onCode */
  constructor(onCode) {
    this.box = byId("search");
    this.list = byId("hits");
    this.status = byId("search-status");
    this.onCode = onCode;
    this.hits = [];
    this.active = -1;
    this.box.addEventListener("input", () => this.#later());
    this.box.addEventListener("keydown", (event) => this.#onKey(event));
    this.box.addEventListener("blur", () => this.#close());
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus in the box
    this.list.addEventListener("click", (event) => {
      const index = [...this.list.children].indexOf(event.target.closest("[role=option]"));
      if (index >= 0) this.#choose(index);
    });
  }

  #later() {
    clearTimeout(this.timer);
    this.request?.abort();
    if (this.box.value.trim().length < LEAST) this.#close();
    else this.timer = setTimeout(() => this.#run(this.box.value.trim()), PAUSE);
  }

  async #run(text) {
    this.request = new AbortController();
    try {
      this.#show(await searchCodes(text, this.request.signal));
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#close();
      this.status.textContent = error.problem?.detail ?? String(error);
    }
  }

  #show(hits) {
    this.#close();
    this.hits = hits;
    this.status.textContent = hits.length ? "" : "No code found.";
    this.list.replaceChildren(
      ...hits.map(({ system, code, display }, index) => {
        const line = element("li");
        line.id = `hit-${index}`;
        line.setAttribute("role", "option");
        line.setAttribute("aria-selected", "false");
        line.append(element("span", code, "card-code"), element("span", display), element("span", systemName(system), "muted"));
        return line;
      }),
    );
    this.list.hidden = !hits.length;
    this.list.setAttribute("aria-label", plural(hits.length, "code") + " found");
    this.box.setAttribute("aria-expanded", String(hits.length > 0));
  }

  #close() {
    this.status.textContent = "";
    this.list.hidden = true;
    this.list.replaceChildren();
    this.hits = [];
    this.active = -1;
    this.box.setAttribute("aria-expanded", "false");
    this.box.removeAttribute("aria-activedescendant");
  }

  #onKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.hits.length) {
      event.preventDefault();
      const from = this.active < 0 && step < 0 ? 0 : this.active;
      this.#activate((from + step + this.hits.length) % this.hits.length);
    } else if (event.key === "Enter" && this.hits.length) {
      event.preventDefault();
      this.#choose(Math.max(this.active, 0));
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      this.#close();
    }
  }

  #activate(index) {
    this.active = index;
    [...this.list.children].forEach((line, i) => line.setAttribute("aria-selected", String(i === index)));
    this.list.children[index].scrollIntoView({ block: "nearest" });
    this.box.setAttribute("aria-activedescendant", `hit-${index}`);
  }

  #choose(index) {
    const { system, code } = this.hits[index];
    this.#close();
    this.onCode(system, code);
  }
}
