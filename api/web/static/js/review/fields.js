/** What stands beside a final code: POA, modifiers, units, and the diagnoses that a procedure is linked to. */

import { ask } from "../ask.js";
import { element } from "../dom.js";

const POA = [
  ["", "–", "not given"],
  ["Y", "Y", "yes"],
  ["N", "N", "no"],
  ["U", "U", "documentation insufficient"],
  ["W", "W", "clinically undetermined"],
  ["1", "1", "exempt"],
];
const isProcedure = ({ system }) => system !== "icd-10-cm";
const isService = ({ system }) => system === "cpt" || system === "hcpcs";

function labelled(text, field, code) {
  const label = element("label", `${text} `, "line-field");
  field.setAttribute("aria-label", `${text} of ${code}`);
  label.append(field);
  return label;
}

function poaField({ code, poa = "" }, set) {
  const field = element("select");
  field.dataset.field = "poa";
  field.append(
    ...POA.map(([value, text, title]) => {
      const option = element("option", value === poa ? text : `${text} ${title}`);
      option.value = value;
      option.selected = value === poa;
      return option;
    }),
  );
  field.addEventListener("change", () => set("poa", { poa: field.value || null }));
  return labelled("POA", field, code);
}

function modifiersField({ code, modifiers = [] }, set) {
  const field = element("input");
  field.dataset.field = "modifiers";
  field.value = modifiers.join(" ");
  field.size = 7;
  field.maxLength = 40;
  field.autocomplete = "off";
  field.addEventListener("change", () => {
    const read = field.value.toUpperCase().split(/[\s,]+/).filter(Boolean);
    const wrong = read.find((one) => !/^[A-Z0-9]{2}$/.test(one));
    field.setCustomValidity(wrong ? `${wrong} is no modifier: two letters or digits each` : "");
    if (field.reportValidity()) set("modifiers", { modifiers: read });
  });
  return labelled("Modifiers", field, code);
}

function unitsField({ code, units }, set) {
  const field = element("input");
  field.dataset.field = "units";
  field.type = "number";
  field.min = "1";
  field.max = "9999";
  field.value = units ?? "";
  field.addEventListener("change", () => {
    if (field.reportValidity()) set("units", { units: field.value ? Number(field.value) : null });
  });
  return labelled("Units", field, code);
}

function linkButton({ code, diagnoses = [] }, onLink) {
  const button = element("button", diagnoses.length ? `for ${diagnoses.join(", ")}` : "link diagnoses", "link-diagnoses");
  button.type = "button";
  button.dataset.field = "link";
  button.setAttribute("aria-label", `Diagnoses linked to ${code}: ${diagnoses.join(", ") || "none"}. Change`);
  button.addEventListener("click", onLink);
  return button;
}

function asText({ poa, modifiers, units, diagnoses }) {
  const facts = [poa && `POA ${poa}`, modifiers && `modifiers ${modifiers.join(" ")}`, units && `units ${units}`];
  return [...facts, diagnoses && `for ${diagnoses.join(", ")}`].filter(Boolean).join(" · ");
}

/** The fields of a line, to be changed in place, or as text where nothing can be changed. */
export function fieldsOf(line, setting, editable, { onField, onDo }) {
  if (!editable) return asText(line) ? [element("span", asText(line), "muted")] : [];
  const { system, code } = line;
  const set = (kind, value) => onField({ kind, system, code, ...value }, `${code}: ${kind} saved`);
  const fields = [];
  if (!isProcedure(line) && (setting === "inpatient" || line.poa)) fields.push(poaField(line, set));
  if (isService(line)) fields.push(modifiersField(line, set), unitsField(line, set));
  if (isProcedure(line)) fields.push(linkButton(line, () => onDo("link", `${system}:${code}`)));
  return fields;
}

/** Ask which diagnoses a procedure is linked to; gives their codes, or `null`. */
export function askLinks(line, codes) {
  const diagnoses = codes.filter(({ system }) => system === "icd-10-cm");
  if (!diagnoses.length) return ask({ title: "No diagnosis to link", about: "Take a diagnosis first.", ok: "Back" }).then(() => null);
  const boxes = diagnoses.map(({ code, display }) => {
    const label = element("label", "", "check");
    const box = element("input");
    box.type = "checkbox";
    box.value = code;
    box.checked = (line.diagnoses ?? []).includes(code);
    label.append(box, ` ${code} ${display}`);
    return label;
  });
  const read = () => boxes.map((label) => label.firstChild).filter((box) => box.checked).map((box) => box.value);
  return ask({ title: `Diagnoses for ${line.code}`, about: line.display, fields: boxes, ok: "Link", read });
}
