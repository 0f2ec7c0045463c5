// Names of the panels above them, and the key to the points: colour, hollow marks, the line's own label.

import { el } from "./dom.js";
import { say } from "./format.js";
import { viridisGradient } from "./scales.js";

/** Elements for the row above each panel; on a narrow page only the key, under the axis. */
export function makeLegend(model, lay) {
  if (lay.narrow) {
    const keys = model.panels.flatMap(keysOf);
    return keys.length ? [row(keys, "bc-keys", 0, lay.keysY, lay.width)] : [];
  }
  return model.panels.map((panel, i) => {
    const keys = keysOf(panel);
    const box = lay.boxes[i];
    const title = el("div", "bc-title", [el("b", "", panel.label), panel.unit ? ` ${panel.unit}` : ""]);
    return row([title, ...keys], "bc-title-row", lay.x0, box.titleY, lay.x1 - lay.x0);
  });
}

function row(children, className, x, y, width) {
  const node = el("div", className, children);
  Object.assign(node.style, { left: `${x}px`, top: `${y}px`, width: `${width}px` });
  return node;
}

function keysOf(panel) {
  const keys = [];
  if (panel.line_label) keys.push(key(el("i", "bc-swatch-line"), panel.line_label));
  if (panel.other) keys.push(key(el("i", "bc-swatch-other"), panel.other.label));
  const shade = panel.shade_key;
  if (shade) {
    const bar = el("i", "bc-swatch-shade");
    bar.style.background = viridisGradient();
    keys.push(el("span", "bc-key", [`${shade.label} `, say(shade.low, shade.format), bar, say(shade.high, shade.format)]));
  }
  if (panel.points?.hollow?.some(Boolean)) keys.push(key(el("i", "bc-swatch-hollow"), "set aside"));
  if (panel.points?.held?.some(Boolean)) keys.push(key(el("i", "bc-swatch-held"), "held out"));
  return keys;
}

function key(swatch, text) {
  return el("span", "bc-key", [swatch, text]);
}
