/** Reports: one table at a time with its plot; which one, and the filters, stand in the address. */

import { readReport } from "./api.js";
import { byId, element, plural } from "./dom.js";
import { listen, showKeys } from "./keys.js";
import { bars, line } from "./plot.js";
import { startSite } from "./site.js";

const RATES = ["acceptance", "precision", "recall", "f1", "exact", "principal"];
const form = byId("filters");
const box = byId("report");
let request = null;

/** What each report plots: the column with the names, and the one with the values. */
const PLOTS = {
  "acceptance-by-week": ["week", "acceptance"],
  "acceptance-by-coder": ["coder", "acceptance"],
  "acceptance-by-code": ["code", "suggested"],
  "never-accepted": ["code", "suggested"],
  "always-added": ["code", "added"],
  "time-per-note": ["coder", "median_seconds"],
  "agreement-by-coder": ["coder", "f1"],
  "agreement-by-code": ["code", "f1"],
};

function shown(column, value) {
  if (value === null || value === undefined) return "–";
  if (RATES.includes(column) && value <= 1) return `${(value * 100).toFixed(1)} %`;
  return typeof value === "number" && !Number.isInteger(value) ? value.toFixed(2) : String(value);
}

function plotOf(name, rows) {
  const [label, column] = PLOTS[name];
  const points = rows
    .filter((row) => typeof row[column] === "number")
    .map((row) => ({ name: String(row[label]), value: row[column], shown: shown(column, row[column]) }));
  if (!points.length) return [];
  return [name === "acceptance-by-week" ? line(points, 1) : bars(points)];
}

function tableOf(columns, rows, title) {
  const table = element("table");
  table.append(element("caption", `${title}: ${plural(rows.length, "row")}`, "hidden"));
  const head = table.createTHead().insertRow();
  const isNumber = ({ name }) => rows.some((row) => typeof row[name] === "number");
  for (const column of columns) {
    const cell = element("th", column.label, isNumber(column) ? "number" : "");
    cell.scope = "col";
    head.append(cell);
  }
  const body = table.createTBody();
  for (const row of rows) {
    const made = body.insertRow();
    for (const column of columns) made.append(element("td", shown(column.name, row[column.name]), isNumber(column) ? "number" : ""));
  }
  const around = element("div", "", "table-box");
  around.tabIndex = 0;
  around.setAttribute("role", "region");
  around.setAttribute("aria-label", title);
  around.append(table);
  return around;
}

async function load() {
  request?.abort();
  request = new AbortController();
  const { report: name, ...rest } = Object.fromEntries(new FormData(form));
  const asked = Object.fromEntries(Object.entries(rest).filter(([, value]) => value));
  history.replaceState(null, "", `?${new URLSearchParams({ report: name, ...asked })}`);
  byId("csv").href = `/v1/reports/${name}?${new URLSearchParams({ ...asked, format: "csv" })}`;
  box.setAttribute("aria-busy", "true");
  try {
    const { columns, rows, own } = await readReport(name, asked, request.signal);
    const title = form.elements.report.selectedOptions[0].textContent;
    const note = own ? [element("p", "These are your own figures.", "own")] : [];
    if (rows.length) box.replaceChildren(...note, ...plotOf(name, rows), tableOf(columns, rows, title));
    else box.replaceChildren(element("p", "Nothing was submitted yet that this report could count.", "empty-list"));
  } catch (error) {
    if (error.name === "AbortError") return;
    const problem = element("p", `${error.problem?.title ?? "The report can’t be shown"}. ${error.problem?.detail ?? error}`, "problem");
    box.replaceChildren(problem);
  }
  box.setAttribute("aria-busy", "false");
}

for (const [name, value] of new URLSearchParams(location.search)) if (form.elements[name]) form.elements[name].value = value;
form.addEventListener("change", load);
form.addEventListener("submit", (event) => event.preventDefault());
listen("everywhere", { help: showKeys, worklist: () => location.assign("/"), new: () => location.assign("/new") });
await startSite();
await load();
