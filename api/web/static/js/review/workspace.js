/** The review as the coder works on it: what is selected, what is decided, and what the page shows of it. */

import { askReason, say, toast } from "../ask.js";
import { byId, plural } from "../dom.js";
import { NotePane } from "../note-pane.js";
import { askLinks } from "./fields.js";
import { Finder } from "./finder.js";
import { renderReview } from "./list.js";
import { nextMention } from "./mentions.js";
import { keyOf } from "./model.js";
import { REJECT } from "./reasons.js";
import { draggable, moved } from "./reorder.js";

const codeOf = ({ item }) => ({ system: item.system, code: item.code });

export class Workspace {
  /** @param {(action: string, record: object, said: string) => void} push sends a change on its way */
  constructor(push) {
    this.push = push;
    this.codes = byId("codes");
    this.note = new NotePane(byId("note"), byId("tabs"), (hits) => this.#onPick(hits));
    this.cards = [];
    this.selected = null;
    this.opened = new Set();
    this.pending = new Set();
    this.folded = true;
    this.editable = false;
    this.codes.addEventListener("click", (event) => this.#onClick(event));
    this.codes.addEventListener("keydown", (event) => this.#onFieldKey(event));
    this.codes.addEventListener("focusin", (event) => this.#onFocus(event));
    draggable(this.codes, (from, to) => this.#reorder(moved(this.review.codes, from, to), from));
  }

  /** Show a review that was opened. `editable` is whether it may be changed here. */
  start(review, editable) {
    const { note } = review;
    this.review = review;
    this.editable = editable;
    const documents = note.documents ?? [note];
    this.note.show(
      documents.map(({ id, text, note_type }, index) => ({
        id: String(note.documents ? (id ?? `document-${index + 1}`) : "note"),
        label: note_type ?? (note.documents ? `document ${index + 1}` : "note"),
        text,
      })),
    );
    this.finder = new Finder({
      day: review.date_of_service,
      find: (words) => this.note.find(words),
      textOf: (span) => this.note.textOf(span),
    });
    this.codes.setAttribute("aria-busy", "false");
    this.render();
    this.select(this.#firstOpen(), { reveal: false });
  }

  /** Show what a change led to; `said` is a sentence for who listens. */
  update(state, said = "") {
    const before = this.#counts();
    this.review = { ...this.review, ...state };
    this.pending.clear();
    this.render();
    if (said) this.#tell(said, before);
  }

  #counts() {
    const of = (level) => this.review.findings.filter((finding) => finding.level === level).length;
    return { errors: of("error"), warnings: of("warning"), undecided: this.review.undecided };
  }

  #tell(said, before) {
    const now = this.#counts();
    const parts = [said, `${now.undecided} left`];
    if (now.errors !== before.errors) parts.push(plural(now.errors, "error"));
    if (now.warnings !== before.warnings) parts.push(plural(now.warnings, "warning"));
    say(parts.join(", "));
  }

  render() {
    const focus = this.#focusNow();
    const { scrollTop } = this.codes;
    const top = this.selected?.box.getBoundingClientRect().top;
    const { key, tier } = this.selected ?? {};
    this.cards = renderReview(this.codes, this.review, {
      spansOf: (item) => this.note.spansOf(item),
      editable: this.editable,
      folded: this.folded,
      onFold: () => this.#fold(!this.folded),
      onOrder: (order) => this.#reorder(order),
      handlers: {
        onDo: (action, of) => this.do(action, of),
        onQuote: (span) => this.#showInNote(span),
        onCode: (system, code) => this.define({ system, code }),
        onTake: (of, code) => this.#replace(this.#card(of), code),
        onField: (record, said) => this.push("decisions", record, said),
      },
    });
    for (const card of this.cards) if (this.opened.has(card.key)) card.open(true);
    this.selected = null;
    if (key) this.select(key, { reveal: false, focus: false });
    else this.note.mark(this.cards, null);
    this.#scrollAgain(scrollTop, tier, top);
    this.#focusAgain(focus);
    this.#progress();
  }

  /** What is being decided stays where it was on the screen; the final codes stay, and only their lines move. */
  #scrollAgain(scrollTop, tier, top) {
    this.codes.scrollTop = scrollTop;
    if (!this.selected) return;
    const { box } = this.selected;
    if (tier === "final" && this.selected.tier === "final") box.scrollIntoView({ block: "nearest" });
    else this.codes.scrollTop += box.getBoundingClientRect().top - top;
  }

  #progress() {
    const { undecided, errors } = this.#counts();
    const left = undecided ? `${undecided} to decide` : "all decided";
    byId("progress").textContent = [left, errors && plural(errors, "error")].filter(Boolean).join(" · ");
    document.querySelector("[data-chosen]").textContent = String(this.review.codes.length);
    for (const button of document.querySelectorAll("[data-edits]")) button.hidden = !this.editable;
    document.querySelector("[data-do=undo]").disabled = !this.review.can_undo;
    document.querySelector("[data-do=redo]").disabled = !this.review.can_redo;
  }

  #focusNow() {
    const now = document.activeElement;
    const box = this.codes.contains(now) ? now.closest(".card") : null;
    return box && { key: box.dataset.entry, field: now.dataset.field ?? null };
  }

  #focusAgain(focus) {
    if (!focus || document.querySelector("dialog[open]")) return;
    const card = this.#card(focus.key) ?? this.selected;
    const target = focus.field ? card?.box.querySelector(`[data-field=${focus.field}]`) : this.selected?.head;
    target?.focus({ preventScroll: true });
  }

  #card(key) {
    return this.cards.find((card) => card.key === key);
  }

  #firstOpen() {
    const order = ["code", "candidate", "final"];
    return order.map((tier) => this.cards.find((card) => card.tier === tier)?.key).find(Boolean);
  }

  /** What comes after a card that is being decided: the next of its group, or else the first that is open. */
  #after(card) {
    const isOpen = ({ tier, key }) => (tier === "code" || tier === "candidate") && key !== card.key && !this.pending.has(key);
    const open = this.cards.filter(isOpen);
    const mine = open.filter(({ tier }) => tier === card.tier);
    const at = this.cards.indexOf(card);
    const next = mine.find((other) => this.cards.indexOf(other) > at) ?? mine[0] ?? open[0];
    return next?.key ?? card.key;
  }

  /** Make a card the selected one, and bring its evidence into view. */
  select(key, { reveal = true, focus = true } = {}) {
    const card = this.#card(key);
    if (!card) return;
    if (card.tier === "discarded" && this.folded) {
      this.#fold(false);
      this.select(key, { reveal, focus });
      return;
    }
    if (this.selected !== card) {
      this.selected?.select(false);
      this.selected = card;
      card.select(true);
      this.note.mark(this.cards, card);
    }
    if (focus) {
      card.head.focus({ preventScroll: true });
      card.box.scrollIntoView({ block: "nearest" });
    }
    if (reveal) this.note.reveal(card);
  }

  #fold(folded) {
    this.folded = folded;
    this.render();
  }

  /** Escape, or Enter in a field, leads from a field back to its card, where the keys work again. */
  #onFieldKey(event) {
    if (!event.target.matches("input[data-field], select[data-field]") || !["Escape", "Enter"].includes(event.key)) return;
    event.preventDefault();
    this.select(event.target.closest(".card").dataset.entry, { reveal: false });
  }

  #onFocus(event) {
    const card = this.cards.find(({ head }) => head === event.target);
    if (card && card !== this.selected) this.select(card.key, { focus: false });
  }

  #onClick(event) {
    const head = event.target.closest(".card-head");
    const card = head && this.cards.find((one) => one.head === head);
    if (!card) return;
    this.select(card.key);
    this.#toggle(card);
  }

  #toggle(card) {
    const isOpen = !card.isOpen();
    card.open(isOpen);
    if (isOpen) this.opened.add(card.key);
    else this.opened.delete(card.key);
  }

  #onPick(hits) {
    const keys = hits.map(({ key }) => key);
    const card = hits[(keys.indexOf(this.selected?.key) + 1) % hits.length]; // a second click takes the next code of the span
    this.show("codes");
    this.select(card.key, { reveal: false });
  }

  #showInNote(span) {
    this.show("note");
    this.note.view.reveal(span);
  }

  /** Which of the two panes a narrow screen shows. */
  show(pane) {
    document.body.dataset.pane = pane;
    for (const button of document.querySelectorAll("[data-show]")) {
      button.setAttribute("aria-pressed", String(button.dataset.show === pane));
    }
  }

  /** Do what a key or a button says, to the selected code or to the one with `key`. */
  do(action, key = this.selected?.key) {
    const card = this.#card(key);
    const move = { down: 1, up: -1 }[action];
    if (move) return this.#move(move);
    if (action === "nextMention" || action === "previousMention") return this.#mention(action === "nextMention" ? 1 : -1);
    if (action === "nextDocument" || action === "previousDocument") return this.#document(action === "nextDocument" ? 1 : -1);
    if (action === "finding") return this.#finding();
    if (action === "search") return this.#search();
    if (action === "pane") return this.show(document.body.dataset.pane === "note" ? "codes" : "note");
    if (action === "lookup") return card && this.define(card.item);
    if (action === "details") return card && this.#toggle(card);
    if (!this.editable) return say("This note can’t be changed here.");
    if (action === "add") return this.#add();
    if (action === "undo" || action === "redo") return this.push(action, {}, action === "undo" ? "Undone" : "Done again");
    return card && this.#change(action, card);
  }

  #change(action, card) {
    if (action === "accept") return this.#accept(card);
    if (action === "reject") return this.#reject(card);
    if (action === "replace") return this.#askReplace(card);
    if (card.tier !== "final") return say(`Accept ${card.item.code} first.`);
    if (action === "sequenceUp" || action === "sequenceDown") return this.#shift(card, action === "sequenceUp" ? -1 : 1);
    if (action === "link") return this.#link(card);
    const field = card.box.querySelector(`[data-field=${action}]`);
    if (field) return field.focus();
    return say(`${card.item.code} has no ${action === "poa" ? "POA here" : action}.`);
  }

  #move(step) {
    const reachable = this.cards.filter(({ tier }) => tier !== "discarded" || !this.folded);
    const now = reachable.indexOf(this.selected);
    const next = reachable[now < 0 ? 0 : Math.min(Math.max(now + step, 0), reachable.length - 1)];
    if (next) this.select(next.key);
  }

  #mention(step) {
    const mark = nextMention(this.cards, this.note.view.current, this.at, step);
    if (!mark) return;
    this.at = { key: mark.card.key, ...mark.span };
    this.select(mark.card.key, { reveal: false });
    this.note.view.reveal(mark.span);
  }

  /** Select the code that the next error or warning is about: of several the last, which is the one to give way. */
  #finding() {
    const codes = this.review.findings
      .filter(({ level }) => level !== "info")
      .map((finding) => finding.codes.findLast((code) => this.cards.some(({ item, tier }) => item.code === code && tier === "final")))
      .filter(Boolean);
    if (!codes.length) return say("No finding is about a final code.");
    const code = codes[(codes.indexOf(this.selected?.item.code) + 1) % codes.length];
    return this.select(this.cards.find(({ item, tier }) => item.code === code && tier === "final").key);
  }

  #document(step) {
    const { ids, current } = this.note.view;
    this.note.view.activate(ids[(ids.indexOf(current) + step + ids.length) % ids.length]);
  }

  #accept(card) {
    const next = card.tier === "final" ? this.#after(card) : null;
    if (next) return this.select(next);
    if (this.pending.has(card.key)) return undefined;
    this.pending.add(card.key);
    card.box.dataset.pending = "";
    this.push("decisions", { kind: "accepted", ...codeOf(card) }, `${card.item.code} accepted`);
    return this.select(this.#after(card));
  }

  async #reject(card) {
    const { item } = card;
    if (this.review.rejected.some((one) => keyOf(one) === card.key)) return say(`${item.code} is rejected already.`);
    const title = card.tier === "final" ? `Take ${item.code} out` : `Reject ${item.code}`;
    const reason = await askReason({ title, about: item.display, ok: "Reject", reasons: REJECT, label: "Another reason" });
    if (!reason) return undefined;
    const next = card.tier === "final" ? null : this.#after(this.#card(card.key) ?? card);
    this.push("decisions", { kind: "rejected", ...codeOf(card), reason }, `${item.code} rejected`);
    return next && next !== card.key ? this.select(next) : undefined;
  }

  #replace(card, by) {
    this.pending.add(card.key);
    this.push("decisions", { kind: "replaced", ...codeOf(card), by }, `${card.item.code} replaced by ${by.code}`);
    this.select(card.tier === "final" ? card.key : this.#after(card));
  }

  #askReplace(card) {
    this.finder.open({
      title: `Replace ${card.item.code}`,
      about: card.item.display,
      at: codeOf(card),
      hits: (card.item.alternatives ?? []).map((one) => ({ system: card.item.system, ...one })),
      verb: "Replace by",
      except: card.item.code,
      onTake: (by) => this.#replace(card, by),
    });
  }

  /** Take the alternative at `index` in place of the selected code. */
  alternative(index) {
    const card = this.selected;
    const found = card?.item.alternatives?.[index];
    if (this.editable && found) this.#replace(card, { system: card.item.system, code: found.code });
  }

  #add() {
    const span = this.note.view.selection();
    const words = span ? this.note.textOf(span) : "";
    const onTake = (code, evidence) => this.#added(code, evidence);
    this.finder.open({ title: "Add a code", words, evidence: span, onTake });
  }

  #search() {
    const onTake = this.editable ? (code) => this.#added(code, null) : null;
    this.finder.open({ title: "Search codes", onTake });
  }

  #added(code, span) {
    const evidence = span ? { evidence: [this.note.asSent(span)] } : {};
    const offered = !span && this.#card(keyOf(code));
    if (offered && offered.tier !== "final" && offered.item.probability !== undefined) return this.#accept(offered);
    return this.push("decisions", { kind: "added", ...code, ...evidence }, `${code.code} added`);
  }

  /** Show a code's definition, with its neighbours in the hierarchy. */
  define({ system, code }) {
    this.finder.open({ title: `Definition of ${code}`, at: { system, code } });
  }

  #shift(card, step) {
    const from = card.line.sequence - 1;
    const to = from + step;
    if (to < 0 || to >= this.review.codes.length) return say(`${card.item.code} is the ${step < 0 ? "first" : "last"} already.`);
    return this.#reorder(moved(this.review.codes, from, to), from, to);
  }

  #reorder(order, from, to) {
    const said = to === undefined ? "The order is changed" : `${order[to].code} is number ${to + 1} now`;
    // shown at once, so that a key held down moves on from here
    this.review = { ...this.review, codes: order.map((one, index) => ({ ...this.review.codes.find((line) => keyOf(line) === keyOf(one)), sequence: index + 1 })) };
    this.push("decisions", { kind: "reordered", order }, said);
    this.render();
  }

  async #link(card) {
    const diagnoses = await askLinks(card.line, this.review.codes);
    if (!diagnoses) return;
    this.push("decisions", { kind: "linked", ...codeOf(card), diagnoses }, `${card.item.code} linked`);
  }

  /** The service refused a change: show what stands, and say why. */
  refused({ title, detail }) {
    this.pending.clear();
    toast(title, detail);
    this.render();
  }
}
