// The elements of the chart, made once per mount; chart.js fills and moves them.

import { el, svg } from "./dom.js";

/** All elements by name, under `root`. `choice` is the row of options, which stands below the stage. */
export function built(id, choice) {
  const root = el("div", "bc");
  const headline = el("div", "bc-headline");
  headline.setAttribute("role", "heading");
  headline.setAttribute("aria-level", "2");
  const subline = el("p", "bc-subline");
  const plot = svg("svg", { class: "bc-plot", "aria-hidden": "true" });
  const [line, marks, titles, word, grab] = ["budget-line", "marks", "titles", "word", "grab"].map((name) => el("div", `bc-${name}`));
  const { pill, pillText } = handle();
  const entry = field(id);
  const [readouts, overlay, takes] = ["readouts", "overlay", "takes"].map((name) => el("div", `bc-${name}`));
  const stage = el("div", "bc-stage", [plot, line, titles, marks, word, grab, readouts, pill, entry.entry, overlay]);
  root.append(headline, subline, stage, choice, takes);
  return { root, headline, subline, plot, line, marks, titles, word, grab, pill, pillText, readouts, overlay, stage, takes, ...entry };
}

function handle() {
  const [pill, pillText] = [el("div", "bc-pill"), el("span")];
  const arrows = svg("path", { d: "M4.5,1.5L1,5l3.5,3.5M1,5h14M11.5,1.5L15,5l-3.5,3.5" });
  pill.append(svg("svg", { viewBox: "0 0 16 10", class: "bc-arrows", "aria-hidden": "true" }, arrows), pillText);
  const slider = { role: "slider", tabindex: "0", "aria-orientation": "horizontal" };
  for (const [name, value] of Object.entries(slider)) pill.setAttribute(name, value);
  return { pill, pillText };
}

/** The field in which a budget is typed, with the sentence that answers a text it cannot read. */
function field(id) {
  const input = el("input", "bc-input");
  Object.assign(input, { type: "text", autocomplete: "off", spellcheck: false, inputMode: "text", id: `${id}-input` });
  const entryLabel = el("label", "bc-entry-label");
  entryLabel.htmlFor = input.id;
  const error = el("div", "bc-error");
  error.id = `${id}-error`;
  error.hidden = true;
  error.setAttribute("role", "alert");
  input.setAttribute("aria-describedby", error.id);
  const entry = el("form", "bc-entry", [entryLabel, input, error]);
  entry.noValidate = true;
  return { entry, entryLabel, input, error };
}
