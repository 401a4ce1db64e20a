/** A second look after it was submitted: figures, and each difference with its verdict, reason and answer. */

import { auditReasons } from "../api.js";
import { ask, say, toast } from "../ask.js";
import { element, plural } from "../dom.js";
import { keyHint } from "../keys.js";
import { me } from "../site.js";
import { percent } from "../words.js";

const KINDS = {
  missed: "missed by the coder",
  extra: "coded by the coder alone",
  different: "coded differently",
  sequence: "in another order",
  poa: "another POA",
  modifiers: "other modifiers",
  units: "other units",
};
const VERDICTS = [
  ["coder", "the coder is right"],
  ["auditor", "the auditor is right"],
  ["both", "both can stand"],
];

function choice(label, options, value = "") {
  const box = element("label", `${label} `, "field");
  const field = element("select");
  for (const [key, text] of [["", "choose"], ...options]) {
    const option = element("option", text);
    option.value = key;
    option.selected = key === value;
    field.append(option);
  }
  box.append(field);
  return { box, field };
}

function textField(label, value = "") {
  const box = element("label", `${label} `, "field");
  const field = element("input");
  field.value = value;
  field.maxLength = 2000;
  box.append(field);
  return { box, field };
}

const show = (value) => (Array.isArray(value) ? value.join(" ") : String(value ?? "–"));

/** A code with its title; a press brings its evidence into view. */
function codeLine(label, code, view) {
  const line = element("p", `${label} `, "difference-code");
  if (!code) {
    line.append(element("span", "–", "muted"));
    return line;
  }
  const link = element("button", code, "code-link");
  link.type = "button";
  link.addEventListener("click", () => view.reveal(code));
  line.append(link, ` ${view.titleOf(code)}`);
  return line;
}

function sidesOf({ kind, code, coder, auditor, coder_value: theirs, auditor_value: ours }, view) {
  const title = element("p", KINDS[kind] ?? kind, "difference-kind");
  if (["missed", "extra", "different"].includes(kind)) return [title, codeLine("Coder:", coder, view), codeLine("Auditor:", auditor, view)];
  const values = element("p", "coder ");
  values.append(element("span", show(theirs), "card-code"), ", auditor ", element("span", show(ours), "card-code"));
  return [title, ...(code ? [codeLine("Of", code, view)] : []), values];
}

/** A form of some fields with a button; `send(values)` gets them. */
function formOf(fields, verb, send) {
  const form = element("form", "", "difference-form");
  const button = element("button", verb);
  form.append(...fields.map(({ box }) => box), button);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(fields.map(({ field }) => field.value.trim()));
  });
  return form;
}

const without = (record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== ""));

function differenceLine(one, audit, labels, act, view) {
  const line = element("li", "", "difference");
  line.append(...sidesOf(one, view));
  const { verdict, reason, text, answer, answer_text: said } = one;
  const judged = VERDICTS.find(([key]) => key === verdict)?.[1];
  if (verdict) line.append(element("p", [judged, labels.get(reason) ?? reason, text].filter(Boolean).join(" · "), "muted"));
  if (answer) line.append(element("p", [answer === "agree" ? "The coder agrees" : "The coder disagrees", said].filter(Boolean).join(": "), "said muted"));
  const about = { version: audit.version, difference: one.difference };
  const settling = ["submitted", "answered"].includes(audit.state);
  if (settling && audit.auditor === me()) {
    const fields = [choice("Verdict", VERDICTS, verdict), choice("Reason", [...labels], reason), textField("Comment", text)];
    const mark = ([verdictGiven, why, comment]) => act("marks", without({ ...about, verdict: verdictGiven, reason: why, text: comment }));
    line.append(formOf(fields, verdict ? "Change" : "Mark", mark));
  } else if (verdict && audit.coder === me() && settling) {
    const fields = [choice("Answer", [["agree", "I agree"], ["rebut", "I disagree"]], answer), textField("Why", said)];
    line.append(formOf(fields, "Answer", ([given, why]) => act("answers", without({ ...about, answer: given, text: why }))));
  }
  return line;
}

function figuresOf({ agreed, missed, extra, f1, principal_agreed: principal }) {
  const figures = [`${agreed} agreed`, `${missed} missed`, `${extra} by the coder alone`];
  if (typeof f1 === "number") figures.push(`F1 ${percent(f1)}`);
  figures.push(principal ? "same first diagnosis" : "another first diagnosis");
  return element("p", figures.join(" · "), "muted");
}

function settled(codes) {
  const part = element("section", "", "settled");
  const list = element("ol", "", "summary-list");
  for (const { code, display } of codes) {
    const line = element("li");
    line.append(element("span", code, "card-code"), " ", element("span", display));
    list.append(line);
  }
  part.append(element("h4", "Settled codes"), list);
  return part;
}

/** The button that settles the codes; while the coder has not answered everything it asks first. */
function closing({ version, unanswered }, act) {
  const button = element("button", "Close the second look ", "primary");
  button.type = "button";
  button.dataset.close = "";
  button.append(keyHint("review", "submit"));
  button.addEventListener("click", async () => {
    const title = `Close without ${plural(unanswered, "answer")}?`;
    const about = "The codes are settled as your verdicts have them, and the coder can’t answer any more.";
    if (!unanswered || (await ask({ title, about, ok: "Close" }))) await act("close", { version, unanswered: unanswered > 0 });
  });
  return button;
}

/** What is known of the codes of a second look: their titles, and where they stand in the note. */
function viewOf({ codes, coder_codes: theirs = [], result }, note) {
  const known = [...codes, ...theirs, ...result.suggestions, ...result.discarded];
  return {
    titleOf: (code) => known.find((item) => item.code === code)?.display ?? "",
    reveal(code) {
      const spans = known.filter((item) => item.code === code).flatMap((item) => note.spansOf(item));
      if (spans.length) note.reveal({ spans });
    },
  };
}

/** Show the comparison in `root`; `send(action, record)` gives the second look as it is then. */
export async function showComparison(root, audit, send, note) {
  const { reasons } = await auditReasons();
  const labels = new Map(reasons.map(({ reason, label }) => [reason, label]));
  const act = async (action, record) => {
    try {
      const { scrollTop } = root;
      await showComparison(root, await send(action, record), send, note);
      root.scrollTop = scrollTop;
      const lines = [...root.querySelectorAll(".difference")];
      const next = lines[record.difference] ?? lines[record.difference - 1]; // they are numbered from 1
      (next?.querySelector("select") ?? root.querySelector("[data-close]") ?? root).focus();
      say(action === "close" ? "Closed." : "Saved.");
    } catch (error) {
      if (!error.problem) throw error;
      toast(error.problem.title, error.problem.detail);
    }
  };
  const { comparison } = audit;
  const view = viewOf(audit, note);
  const section = element("section", "", "group comparison");
  section.append(element("h3", plural(comparison.differences.length, "difference")), figuresOf(comparison));
  const list = element("ol");
  list.append(...comparison.differences.map((one) => differenceLine(one, audit, labels, act, view)));
  if (!comparison.differences.length) list.append(element("li", "Coder and auditor agree.", "empty"));
  section.append(list);
  if (audit.final_codes) section.append(settled(audit.final_codes));
  if (audit.state !== "closed" && audit.auditor === me()) section.append(closing(audit, act));
  root.replaceChildren(section);
}
