// The still part of the chart: grid, hatched region, bands, lines and points, drawn once per size and payload.

import { powerOfTen, svg } from "./dom.js";
import { tickText } from "./format.js";
import { domainOf, tickDecimals, viridis, xTicks, yTicks } from "./scales.js";
import { timeTicks } from "./times.js";

/** Scales of the chart: `x(log10 budget)` in pixels and, per panel, `y(value)` in pixels of the stage. */
export function scalesOf(model, lay) {
  const [low, high] = model.range;
  const x = (at) => lay.x0 + ((at - low) / (high - low)) * (lay.x1 - lay.x0);
  const at = (px) => low + ((px - lay.x0) / (lay.x1 - lay.x0)) * (high - low);
  const panels = model.panels.map((panel, i) => {
    const [bottom, top] = domainOf(panel);
    const { y, height } = lay.boxes[i];
    const log = panel.scale === "log";
    const place = (v) => y + height * (1 - ((log ? Math.log10(v) : v) - bottom) / (top - bottom));
    return { domain: [bottom, top], log, y: (v) => (v === null || (log && v <= 0) ? null : place(v)) };
  });
  return { x, at, panels };
}

/** Fills `root` (an SVG element) for the model at this layout. */
export function drawChart(root, model, lay, scales, id) {
  root.replaceChildren();
  root.setAttribute("width", lay.width);
  root.setAttribute("height", lay.height);
  root.append(svg("defs", {}, hatch(id)));
  const ticks = (model.axis.format === "duration" ? timeTicks : xTicks)(...model.range, lay.x1 - lay.x0);
  model.panels.forEach((panel, i) => root.append(drawPanel(panel, lay, lay.boxes[i], scales, scales.panels[i], model, ticks, id)));
  root.append(...regionLabels(model, lay, scales), axis(model, lay, scales, ticks));
}

function hatch(id) {
  const line = svg("path", { d: "M-1,7 l8,-8 M-1,1 l2,-2 M5,7 l2,-2", class: "bc-hatch-line" });
  return svg("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse" }, line);
}

function drawPanel(panel, lay, box, scales, scale, model, xs, id) {
  const group = svg("g", { class: "bc-panel", "data-key": panel.key });
  group.append(...yGrid(panel, lay, box, scale));
  for (const { at } of xs) {
    const x = crisp(scales.x(at));
    group.append(svg("line", { x1: x, x2: x, y1: box.y, y2: box.y + box.height, class: "bc-grid" }));
  }
  group.append(...model.regions.flatMap((region) => hatched(region, lay, box, scales, id)));
  // A nested svg clips what leaves the panel, with no ids to keep apart. Its own origin is the stage's, by viewBox.
  const width = lay.x1 - lay.x0;
  const view = { x: lay.x0, y: box.y, width, height: box.height, viewBox: `${lay.x0} ${box.y} ${width} ${box.height}` };
  const clip = (children) => svg("svg", { ...view, overflow: "hidden" }, children);
  const band = (of, className) => svg("path", { d: bandPath(model.grid, of.low, of.high, scales.x, scale.y), class: className });
  if (panel.wide) group.append(clip(band(panel.wide, "bc-wide")));
  group.append(clip([band(panel, "bc-band"), ...(panel.floor ? floorLine(panel.floor, lay, scale) : [])]));
  if (panel.points) group.append(drawPoints(panel.points, lay, box, scales, scale));
  if (panel.other) group.append(clip(svg("path", { d: linePath(model.grid, panel.other.value, scales.x, scale.y), class: "bc-other" })));
  group.append(clip(svg("path", { d: linePath(model.grid, panel.value, scales.x, scale.y), class: "bc-line" })));
  return group;
}

function crisp(px) {
  return Math.round(px - 0.5) + 0.5;
}

function yGrid(panel, lay, box, scale) {
  const ticks = yTicks(scale.domain, scale.log, box.height);
  const decimals = tickDecimals(ticks);
  return ticks.flatMap((value) => {
    const y = crisp(scale.y(value));
    if (y < box.y || y > box.y + box.height) return [];
    const plain = !scale.log && panel.format !== "count" && panel.format !== "flop";
    const text = plain ? value.toFixed(decimals) : tickText(value, panel.format);
    const base = lay.narrow ? Math.max(y + 4, box.y + 9) : y + 4; // there the read-out above covers what leaves the panel
    return [
      svg("line", { x1: lay.x0, x2: lay.x1, y1: y, y2: y, class: "bc-grid" }),
      svg("text", { x: lay.x0 - 8, y: base, class: "bc-tick bc-tick-y" }, text),
    ];
  });
}

/** The ends of a stretch of the axis in pixels, or null where none of it is shown. */
function endsOf(region, lay, scales) {
  const from = region.from === null ? lay.x0 : Math.max(lay.x0, scales.x(region.from));
  const to = region.to === null ? lay.x1 : Math.min(lay.x1, scales.x(region.to));
  return to > from ? [from, to] : null;
}

function hatched(region, lay, box, scales, id) {
  const ends = endsOf(region, lay, scales);
  if (!ends) return [];
  const edges = [region.from === null ? null : ends[0], region.to === null ? null : ends[1]].filter((edge) => edge !== null).map(crisp);
  return [
    svg("rect", { x: ends[0], y: box.y, width: ends[1] - ends[0], height: box.height, fill: `url(#${id})` }),
    ...edges.map((edge) => svg("line", { x1: edge, x2: edge, y1: box.y, y2: box.y + box.height, class: "bc-edge" })),
  ];
}

/** What a stretch is, at its edge in the first panel; one that finds no room goes to the other side of its edge. */
function regionLabels(model, lay, scales) {
  const rows = { right: 0, left: 0 };
  return model.regions.flatMap((region) => {
    const ends = region.label ? endsOf(region, lay, scales) : null;
    if (!ends) return [];
    const right = region.to === null;
    const needs = 7 * region.label.length + 12;
    const [edge, inside] = right ? [ends[0], lay.x1 - ends[0]] : [ends[1], ends[1] - lay.x0];
    const rightwards = (inside >= needs) === right; // text starts at the edge and runs to the right
    const row = rows[rightwards ? "right" : "left"]++;
    const place = { x: edge + (rightwards ? 6 : -6), y: lay.boxes[0].y + 16 + 17 * row, "text-anchor": rightwards ? "start" : "end" };
    return [svg("text", { ...place, class: "bc-tick bc-halo bc-region" }, region.label)];
  });
}

function floorLine(floor, lay, scale) {
  const y = scale.y(floor.value);
  if (y === null) return [];
  return [
    svg("line", { x1: lay.x0, x2: lay.x1, y1: y, y2: y, class: "bc-floor" }),
    svg("text", { x: lay.x0 + 8, y: y - 6, class: "bc-tick bc-halo" }, floor.label ?? "floor"),
  ];
}

/** A path through the rows of the table, broken where there is no number. */
export function linePath(grid, values, x, y) {
  let pen = "M";
  return grid
    .map((at, i) => {
      const py = y(values[i]);
      if (py === null) {
        pen = "M";
        return "";
      }
      const step = `${pen}${x(at).toFixed(1)},${py.toFixed(1)}`;
      pen = "L";
      return step;
    })
    .join("");
}

// An end that is open lies past the panel's edge, where it is cut, in pixels.
const BEYOND = 1e5;

function bandPath(grid, low, high, x, y) {
  if (!low || !high) return "";
  const pieces = [];
  let piece = [];
  const close = () => {
    if (piece.length > 1) {
      const there = piece.map(([px, , top]) => `${px},${top}`);
      const back = piece.map(([px, bottom]) => `${px},${bottom}`).reverse();
      pieces.push(`M${there.concat(back).join("L")}Z`);
    }
    piece = [];
  };
  grid.forEach((at, i) => {
    const [bottom, top] = [y(low[i]), y(high[i])];
    if (bottom === null && top === null) close();
    else piece.push([x(at).toFixed(1), (bottom ?? BEYOND).toFixed(1), (top ?? -BEYOND).toFixed(1)]);
  });
  close();
  return pieces.join("");
}

/** Points as circles, hollow where set aside, open diamonds where held out; a point off the panel becomes a small arrow at its edge. */
function drawPoints(points, lay, box, scales, scale) {
  const radius = points.x.length > 400 ? 2.6 : 3.6;
  const marks = points.x.flatMap((at, i) => {
    if (at === null) return [];
    const [x, y] = [scales.x(at), scale.y(points.y[i])];
    if (y === null || x < lay.x0 - 1 || x > lay.x1 + 1) return [];
    const hollow = points.hollow?.[i];
    const held = points.held?.[i];
    const open = hollow ? "bc-hollow" : "bc-held";
    const look = hollow || held ? { class: `bc-point ${open}` } : { class: "bc-point", fill: viridis(points.shade?.[i]) };
    if (y >= box.y && y <= box.y + box.height && held) {
      const reach = 1.5 * radius;
      return [svg("path", { d: `M${x - reach},${y}L${x},${y - reach}L${x + reach},${y}L${x},${y + reach}Z`, ...look })];
    }
    if (y >= box.y && y <= box.y + box.height) return [svg("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: radius, ...look })];
    const up = y < box.y;
    const tip = up ? box.y + 1 : box.y + box.height - 1;
    const base = tip + (up ? 6 : -6);
    return [svg("path", { d: `M${x - 4},${base}L${x},${tip}L${x + 4},${base}Z`, ...look })];
  });
  return svg("g", { class: "bc-points" }, marks);
}

function axis(model, lay, scales, ticks) {
  const group = svg("g", { class: "bc-axis" });
  for (const { at, label } of ticks) {
    if (label === null) continue;
    const text = typeof label === "string" ? label : powerOfTen(label);
    const half = typeof label === "string" ? 3.5 * label.length : 0; // a long label at an end stays on the chart
    const x = Math.min(Math.max(scales.x(at), lay.x0 + half - 20), lay.width - half);
    group.append(svg("text", { x, y: lay.bottom + 18, class: "bc-tick bc-tick-x" }, text));
  }
  const text = [model.axis.label, model.axis.unit].filter(Boolean).join(", ");
  group.append(svg("text", { x: (lay.x0 + lay.x1) / 2, y: lay.bottom + 39, class: "bc-axis-label" }, text));
  return group;
}
