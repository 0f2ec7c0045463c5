// What stands in words beside the chart and follows the line: the sentence, the read-outs, what it takes.

import { takeAt } from "./devices.js";
import { el, setText } from "./dom.js";
import { say, withInterval } from "./format.js";
import { sampler } from "./interpolate.js";

/** The payload with every array turned into a function of the budget. */
export function modelOf(payload) {
  const { grid } = payload;
  const band = (of, inLog) => ({ value: sampler(grid, of.value, inLog), low: sampler(grid, of.low, inLog), high: sampler(grid, of.high, inLog) });
  const panels = payload.panels.map((panel) => {
    const log = panel.scale === "log";
    return {
      weight: 1,
      ...panel,
      at: band(panel, log),
      wideAt: panel.wide ? { low: sampler(grid, panel.wide.low, log), high: sampler(grid, panel.wide.high, log) } : null,
      extras: (panel.extras ?? []).map((extra) => ({ ...extra, at: extra.value ? band(extra, allPositive(extra)) : null })),
    };
  });
  const numbers = (payload.numbers ?? []).map((one) => ({ ...one, at: band(one, false) }));
  const waitAt = payload.wait ? sampler(grid, payload.wait, allPositive({ value: payload.wait })) : () => 0;
  const range = [grid[0], grid[grid.length - 1]];
  const beyond = payload.largest === null || payload.largest >= range[1] ? [] : [{ from: payload.largest, to: null, label: "" }];
  return { axis: {}, handle: "Budget", ...payload, panels, numbers, waitAt, range, regions: [...beyond, ...(payload.regions ?? [])] };
}

function allPositive(extra) {
  return [extra.value, extra.low, extra.high].every((values) => !values || values.every((v) => v === null || v > 0));
}

/** Every text of the chart at one budget (log10 FLOP). */
export function textsAt(model, at) {
  const panels = model.panels.map((panel) => {
    const [value, range] = withInterval(panel.at.value(at), panel.at.low(at), panel.at.high(at), panel.format);
    const beside = panel.format === "loss" ? [panel.at.low(at), panel.at.high(at)] : null;
    const wide = panel.wideAt ? withInterval(panel.at.value(at), panel.wideAt.low(at), panel.wideAt.high(at), panel.format, beside)[1] : null;
    const same = beside !== null && wide === range && range !== "—"; // a new run's interval holds the law's own
    return { key: panel.key, number: panel.at.value(at), value, range, wide, same, extras: panel.extras.map((extra) => extraText(extra, at)) };
  });
  const numbers = model.numbers.map((one) => {
    const [value, range] = withInterval(one.at.value(at), one.at.low(at), one.at.high(at), one.format);
    return { key: one.key, value, range };
  });
  const takes = (model.takes ?? []).map((take) => takeAt(take, at, model.waitAt(at)));
  return { at, budget: budgetText(model, at), beyond: beyondText(model, at), panels, numbers, takes };
}

function extraText(extra, at) {
  if (!extra.at) return extra.label; // a note: words and no number
  const [value, range] = withInterval(extra.at.value(at), extra.at.low(at), extra.at.high(at), extra.format);
  return `${value} ${extra.label}${range === "—" ? "" : ` (${range})`}`;
}

/** The line of a panel's wider band, and why it is no wider where it reads as the law's own. */
export function wideText(panel, text) {
  return `${panel.wide.label}: ${text.wide}${text.same ? ", the same as the law's" : ""}`;
}

/** The budget in the page's own unit: `5.8e23 FLOP`. */
export function budgetText(model, at, write = say) {
  const unit = model.budget_unit;
  const said = write(unit.per_flop * 10 ** at, unit.format);
  return unit.label ? `${said} ${unit.label}` : said;
}

/** `44x` where the budget is beyond the largest run, else null. */
export function beyondText(model, at) {
  if (model.largest === null || at <= model.largest + 1e-9) return null;
  return `${say(10 ** (at - model.largest), "ratio")}x`;
}

/** A template such as `Train {params} on {tokens}` as pieces of text and of names. */
export function pieces(template) {
  return (template ?? "").split(/(\{[^{}]*\})/).filter(Boolean).map((text) => (/^\{.*\}$/.test(text) ? { name: text.slice(1, -1) } : { text }));
}

/** What a name in a template stands for. */
export function named(texts, name) {
  if (name === "budget") return texts.budget;
  if (name === "beyond") return texts.beyond ?? "1x";
  const [key, part] = name.split(".");
  const panel = texts.panels.find((p) => p.key === key) ?? texts.numbers.find((n) => n.key === key);
  if (!panel) return "—";
  return { range: panel.range, wide: panel.wide ?? "—" }[part] ?? panel.value;
}

/** A sentence whose names follow the budget; `update(texts)` rewrites them. */
export function sentence(node, template, className) {
  const slots = [];
  node.replaceChildren(
    ...pieces(template).map((piece) => {
      if (piece.text !== undefined) return document.createTextNode(piece.text);
      const slot = el("span", className);
      slots.push([slot, piece.name]);
      return slot;
    }),
  );
  node.hidden = !template;
  return (texts) => slots.forEach(([slot, name]) => setText(slot, named(texts, name)));
}

/** The read-out of one panel; `update(text)` rewrites it. */
export function readout(panel, level) {
  const node = el("div", "bc-readout");
  node.dataset.key = panel.key;
  const label = el("div", "bc-readout-label", [panel.label, panel.unit ? el("span", "bc-readout-unit", panel.unit) : ""]);
  const value = el("div", "bc-readout-value");
  const range = el("div", "bc-readout-range");
  range.setAttribute("title", `${say(level, "percent")} interval`);
  const wide = panel.wide ? el("div", "bc-readout-more") : null;
  if (wide) wide.dataset.part = "wide";
  const extras = panel.extras.map(() => el("div", "bc-readout-more"));
  node.append(label, el("div", "bc-readout-main", [value, range]), el("div", "bc-readout-notes", [wide, ...extras].filter(Boolean)));
  const update = (text) => {
    setText(value, text.value);
    setText(range, text.range === "—" ? "" : text.range);
    if (wide) setText(wide, wideText(panel, text));
    extras.forEach((extra, i) => setText(extra, text.extras[i]));
  };
  return { node, update };
}

/** The quiet line of what the budget takes; `update(texts, instead)` writes it, or a template in place of it. */
export function takesLine(node, takes) {
  const figures = (takes ?? []).map(() => el("span", "bc-take-figure"));
  const labels = figures.map(() => el("span", "bc-take-label"));
  const lines = figures.map((figure, i) => el("span", "bc-take", [figure, labels[i]]));
  const other = el("span", "bc-take bc-take-instead");
  node.replaceChildren(...lines, other);
  node.hidden = !figures.length;
  return (texts, instead) => {
    lines.forEach((line) => (line.hidden = Boolean(instead)));
    other.hidden = !instead;
    if (instead) setText(other, pieces(instead).map((piece) => piece.text ?? named(texts, piece.name)).join(""));
    figures.forEach((figure, i) => {
      setText(figure, texts.takes[i].figure);
      setText(labels[i], ` ${texts.takes[i].label}`);
    });
  };
}
