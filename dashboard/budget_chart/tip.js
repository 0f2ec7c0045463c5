// The nearest run under the pointer: its name and numbers in a small box, as plain text.

import { el, moveTo, setText } from "./dom.js";
import { budgetText } from "./readouts.js";
import { say } from "./format.js";

const REACH = 14; // px

/** Shows the box for the run nearest to the stage coordinates, or hides it. */
export function pointAt(model, scales, lay, x, y) {
  let best = null;
  let nearest = REACH * REACH;
  model.panels.forEach((panel, p) => {
    const box = lay.boxes[p];
    if (!panel.points || y < box.y - REACH || y > box.y + box.height + REACH) return;
    panel.points.x.forEach((at, i) => {
      if (at === null) return;
      const py = scales.panels[p].y(panel.points.y[i]);
      if (py === null) return;
      const shown = Math.min(Math.max(py, box.y), box.y + box.height);
      const distance = (scales.x(at) - x) ** 2 + (shown - y) ** 2;
      if (distance < nearest) [nearest, best] = [distance, { panel, i, x: scales.x(at), y: shown }];
    });
  });
  return best;
}

/** The tooltip element; `show(found)` fills and places it, `show(null)` hides it. */
export function makeTip(model, lay) {
  const name = el("div", "bc-tip-name");
  const values = el("div", "bc-tip-values");
  const detail = el("div", "bc-tip-values");
  const node = el("div", "bc-tip", [name, values, detail]);
  node.setAttribute("role", "tooltip");
  node.hidden = true;
  const ring = el("div", "bc-ring");
  ring.hidden = true;
  const show = (found) => {
    node.hidden = ring.hidden = !found;
    if (!found) return;
    const { panel, i } = found;
    const { points } = panel;
    setText(name, points.name?.[i] ?? "a run");
    const aside = points.hollow?.[i] ? ", set aside" : points.held?.[i] ? ", held out" : "";
    setText(values, `${panel.label.toLowerCase()} ${lossText(panel, points.y[i])} at ${budgetText(model, points.x[i])}${aside}`);
    setText(detail, points.detail?.[i] ?? "");
    moveTo(ring, found.x, found.y);
    const { offsetWidth: width, offsetHeight: height } = node;
    const left = found.x + 14 + width > lay.width ? found.x - 14 - width : found.x + 14;
    moveTo(node, Math.max(0, left), Math.max(0, found.y - height - 10));
  };
  return { node, ring, show };
}

function lossText(panel, value) {
  return panel.format === "loss" ? value.toFixed(3) : say(value, panel.format);
}
