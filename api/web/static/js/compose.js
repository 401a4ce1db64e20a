/** The form: one note, or the documents of one encounter. */

import { byId, element, fromTemplate, part } from "./dom.js";

const wellFormed = (text) => (text.toWellFormed ? text.toWellFormed() : text);

export class Compose {
  /**
   * @param {(note: object) => void} onSubmit looks at the codes
   * @param {(note: object) => void} onSend sends the note to review
   */
  constructor(onSubmit, onSend) {
    this.form = byId("note-form");
    this.list = byId("documents");
    this.problem = byId("problem");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      onSubmit(this.read());
    });
    byId("send").addEventListener("click", () => onSend(this.read()));
    this.form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.form.requestSubmit();
    });
    byId("add-document").addEventListener("click", () => this.#add());
    this.list.addEventListener("click", (event) => {
      if (event.target.matches("[data-remove]")) this.#remove(event.target.closest(".document"));
    });
  }

  /** The record for the service, and what the review shows of it: the very strings that are sent. */
  read() {
    const data = new FormData(this.form);
    const texts = [...this.list.querySelectorAll("textarea")].map((box) => wellFormed(box.value));
    const types = data.getAll("note_type").map((type) => type.trim());
    const record = { setting: data.get("setting") };
    if (data.get("date_of_service")) record.date_of_service = data.get("date_of_service");
    for (const name of ["id", "specialty"]) if (data.get(name).trim()) record[name] = data.get(name).trim();
    const patient = {};
    if (data.get("age")) patient.age = Number(data.get("age"));
    if (data.get("sex")) patient.sex = data.get("sex");
    if (Object.keys(patient).length) record.patient = patient;

    const documents = texts.map((text, index) => ({
      id: texts.length > 1 ? `document-${index + 1}` : "note",
      label: types[index] || (texts.length > 1 ? `document ${index + 1}` : "note"),
      note_type: types[index],
      text,
    }));
    const withType = (fields, type) => (type ? { ...fields, note_type: type } : fields);
    if (documents.length > 1) {
      record.documents = documents.map(({ id, text, note_type }) => withType({ id, text }, note_type));
    } else {
      Object.assign(record, withType({ text: texts[0] }, types[0]));
    }
    const facts = [record.setting, record.date_of_service, patient.age && `age ${patient.age}`, patient.sex];
    return {
      record,
      documents,
      title: this.form.dataset.title || (documents.length > 1 ? "Encounter" : "Pasted note"),
      facts: facts.filter(Boolean).join(" · "),
    };
  }

  showProblem(problem) {
    this.problem.replaceChildren(element("strong", problem.title), element("p", problem.detail));
    const lines = (problem.errors ?? []).map((e) => element("li", e.field ? `${e.field}: ${e.detail}` : e.detail));
    if (lines.length) {
      const list = element("ul");
      list.append(...lines);
      this.problem.append(list);
    }
    this.problem.hidden = false;
  }

  clearProblem() {
    this.problem.hidden = true;
    this.problem.replaceChildren();
  }

  #add() {
    const box = fromTemplate("t-document");
    this.list.append(box);
    this.#number();
    box.querySelector("textarea").focus();
  }

  #remove(box) {
    box.remove();
    this.#number();
    byId("add-document").focus();
  }

  #number() {
    const boxes = [...this.list.querySelectorAll(".document")];
    boxes.forEach((box, index) => {
      const name = boxes.length > 1 ? `Document ${index + 1}` : "Note";
      part(box, "title").textContent = name;
      box.setAttribute("aria-label", name);
    });
  }
}
