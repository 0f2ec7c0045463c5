// The chart whose budget line is dragged: a table sampled along the budget comes in, one number (log10 FLOP) goes out.
//
// It knows no law. The whole element lives in one object per mount; Streamlit calls the default export again on every
// change of data or theme, and while a hand is on the line that call only leaves its payload for later.

import { built } from "./build.js";
import { forget, heard, makeChoice, picked, pickOf, stamp, varied } from "./choice.js";
import { sayingAt } from "./devices.js";
import { el, isDark, moveTo, setText } from "./dom.js";
import { drawChart, scalesOf } from "./draw.js";
import { exactText } from "./format.js";
import { attachEntry, attachKeys, attachPointer } from "./interact.js";
import { carried } from "./interpolate.js";
import { layOut, readoutWidth } from "./layout.js";
import { makeLegend } from "./legend.js";
import { budgetText, modelOf, readout, sentence, takesLine, textsAt } from "./readouts.js";
import { makeTip, pointAt } from "./tip.js";

const SAMPLES = 12; // budgets at which texts are measured, so that nothing below them jumps while the line moves
let mounted = 0;
const REMEASURE = 400; // ms after the last choice
const live = new Set(); // the charts on the page

class BudgetChart {
  constructor(host) {
    this.id = `bc-hatch-${(mounted += 1)}`;
    this.budget = null; // log10 FLOP under the line
    this.told = null; // what Python last said the budget is
    this.sent = 0; // the stamp of the last budget that Python was told
    this.busy = false;
    this.waiting = null;
    this.saying = null; // what is said in the stretch that the line is in
    this.updates = [];
    live.add(this);
    this.choice = makeChoice((key) => this.choose(key), () => this.tellChoice());
    Object.assign(this, built(this.id, this.choice.node));
    host.replaceChildren(this.root);
    this.listen();
  }

  listen() {
    const type = (key) => {
      this.input.focus();
      if (key) this.input.value = key;
      else this.input.select();
    };
    this.pointer = attachPointer([this.grab, this.pill], this, () => {
      this.pill.dataset.by = "pointer"; // the ring of focus is for those who use the keys
      this.pill.focus({ preventScroll: true });
    });
    attachKeys(this.pill, this, this.pointer, type);
    this.pill.addEventListener("dblclick", () => type(null));
    this.typing = attachEntry({ form: this.entry, input: this.input, error: this.error }, this);
    this.grab.addEventListener("pointermove", (event) => this.hover(event));
    this.grab.addEventListener("pointerleave", () => this.tip?.show(null));
    this.sizes = new ResizeObserver(() => this.resized());
    this.sizes.observe(this.root);
    document.fonts?.ready.then(() => {
      this.fontsReady = true;
      if (this.payload) this.relayout();
    });
  }

  destroy() {
    live.delete(this);
    if (!live.size) forget();
    clearTimeout(this.measuring);
    this.sizes.disconnect();
    cancelAnimationFrame(this.resizing);
  }

  // Python's side

  receive(payload, send) {
    this.send = send;
    if (this.busy) {
      this.waiting = payload;
      return;
    }
    this.adopt(payload);
  }

  adopt(payload) {
    this.payload = payload;
    this.option = heard(payload.choice);
    this.choice.fill(payload.choice);
    this.take(varied(payload, this.option));
    this.root.__frames = payload.measure ? (this.root.__frames ?? []) : undefined;
    this.fill();
    this.relayout();
  }

  take(payload) {
    this.shown = payload;
    this.model = modelOf(payload);
    this.hear(payload);
    this.choice.mark(this.option);
  }

  // What choice.js asks of a chart

  /** Shows an option, here and on every other chart of the page that offers it. */
  choose(key) {
    const { label } = this.payload.choice;
    picked(label, key);
    for (const chart of live) if (chart.payload?.choice?.label === label && !chart.busy) chart.vary(key);
  }

  vary(key) {
    if (key === this.option || !this.payload.choice.options.some((one) => one.key === key)) return;
    const started = performance.now();
    const before = this.shown;
    this.option = key;
    const payload = varied(this.payload, key);
    if (this.unheard) this.budget = carried(before.grid, payload.grid, this.budget);
    this.take(payload);
    this.fillSentences(null);
    this.fillTakes();
    this.pill.setAttribute("aria-valuemin", this.range[0].toFixed(3));
    this.pill.setAttribute("aria-valuemax", this.range[1].toFixed(3));
    const still = ["grid", "panels", "regions"].every((part) => this.shown[part] === before[part]);
    if (this.lost) return;
    if (still) this.update();
    else this.draw(this.reserved.heights);
    // Room for words of other lengths is measured once nobody is choosing any more: it takes longer than a frame has.
    clearTimeout(this.measuring);
    this.measuring = setTimeout(() => !this.busy && this.relayout(), REMEASURE);
    if (this.root.__frames) this.measure(started);
  }

  tellChoice() {
    const pick = pickOf(this.payload.choice.label);
    if (pick) this.send("choice", pick);
  }

  /** Whether Python's numbers are from before the last budget it was told. */
  get unheard() {
    return this.sent > this.payload.heard;
  }

  /** Takes Python's budget unless it has not heard of ours yet, or only repeats itself. */
  hear({ budget }) {
    if (!this.unheard) {
      if (this.told === null || Math.abs(this.told - budget) > 1e-6) this.budget = budget;
      this.told = budget;
    }
    this.budget = this.clamp(this.budget ?? budget);
  }

  // What interact.js asks of a chart

  get range() {
    return this.model.range;
  }

  get axis() {
    return this.model.axis;
  }

  get unit() {
    return this.model.budget_unit;
  }

  say(at) {
    return budgetText(this.model, at);
  }

  typed() {
    return budgetText(this.model, this.budget, exactText).replace(/\u202f/g, " ");
  }

  clientX(at) {
    return this.stage.getBoundingClientRect().left + this.scales.x(at);
  }

  /** The budget under a pointer, to three figures: a number that can be said, and typed again. */
  atX(clientX) {
    const at = this.clamp(this.scales.at(clientX - this.stage.getBoundingClientRect().left));
    return this.clamp(Math.log10(Number((10 ** at).toPrecision(3))));
  }

  clamp(at) {
    return Math.min(Math.max(at, this.range[0]), this.range[1]);
  }

  begin() {
    if (!this.busy) this.before = this.budget;
    this.busy = true;
    this.root.dataset.drag = "";
    this.tip.show(null);
    this.typing.clear();
  }

  show(at) {
    this.budget = this.clamp(at);
    this.update();
  }

  commit() {
    if (this.choice.waiting()) this.choice.settle(); // what is let go of means something under the option chosen
    const changed = this.budget !== this.before;
    this.release();
    if (!changed) return;
    this.sent = stamp();
    this.send("budget", { at: this.budget, under: this.option, n: this.sent });
  }

  cancel() {
    if (this.busy) this.show(this.before);
    this.release();
  }

  release() {
    this.busy = false;
    delete this.root.dataset.drag;
    const payload = this.waiting;
    this.waiting = null;
    if (payload) this.adopt(payload);
  }

  // Drawing

  fill() {
    const { model } = this;
    this.fillSentences(null);
    this.outs = model.panels.map((panel) => readout(panel, model.level ?? 0.95));
    this.readouts.replaceChildren(...this.outs.map((out) => out.node));
    this.dots = model.panels.map((panel) => {
      const dot = el("div", "bc-dot");
      dot.dataset.key = panel.key;
      return dot;
    });
    this.marks.replaceChildren(...this.dots);
    this.fillTakes();
    setText(this.entryLabel, model.handle);
    this.pill.setAttribute("aria-label", model.handle);
    this.pill.setAttribute("title", `Drag, use the arrow keys, or press Enter to type a ${model.handle.toLowerCase()}`);
    this.pill.setAttribute("aria-valuemin", model.range[0].toFixed(3));
    this.pill.setAttribute("aria-valuemax", model.range[1].toFixed(3));
  }

  /** The two sentences: those of the stretch that the line is in, or those said everywhere. */
  fillSentences(saying) {
    this.saying = saying;
    this.updates[0] = sentence(this.headline, saying?.sentence ?? this.model.sentence, "bc-number");
    this.updates[1] = sentence(this.subline, saying?.subline ?? this.model.subline, "bc-figure");
  }

  fillTakes() {
    const update = takesLine(this.takes, this.model.takes);
    this.updates[2] = (texts) => update(texts, this.saying?.takes);
  }

  resized() {
    cancelAnimationFrame(this.resizing);
    this.resizing = requestAnimationFrame(() => {
      if (this.payload && (this.lost || Math.round(this.root.clientWidth) !== this.lay?.width)) this.relayout();
    });
  }

  relayout() {
    const width = Math.round(this.root.clientWidth);
    this.lost = width < 40; // not shown yet, or no longer: laid out once it is
    if (this.lost) return;
    this.root.dataset.theme = isDark(getComputedStyle(this.root).getPropertyValue("--st-background-color") || "#fff") ? "dark" : "light";
    this.root.dataset.width = width < 640 ? "narrow" : width < 900 ? "middle" : "wide";
    this.readouts.style.setProperty("--bc-readout-width", `${readoutWidth(width)}px`);
    this.draw(this.reserve(width));
  }

  draw(heights) {
    const width = Math.round(this.root.clientWidth);
    this.lay = layOut(width, this.model.panels, heights, this.entry.offsetHeight);
    this.scales = scalesOf(this.model, this.lay);
    this.place();
    drawChart(this.plot, this.model, this.lay, this.scales, this.id);
    this.update();
  }

  /** Measures every text at budgets along the range and keeps room for the tallest: nothing jumps while dragging. */
  reserve(width) {
    const [low, high] = this.range;
    const samples = Array.from({ length: SAMPLES + 1 }, (_, k) => textsAt(this.model, low + ((high - low) * k) / SAMPLES));
    const { sentence, subline, panels, takes, sayings } = this.model;
    for (const { from, to } of sayings ?? []) samples.push(textsAt(this.model, from === to ? from : (Math.max(from ?? low, low) + Math.min(to ?? high, high)) / 2));
    const labels = panels.map((panel) => [panel.label, panel.unit, panel.wide?.label]);
    const seen = JSON.stringify([width, this.fontsReady, sentence, subline, labels, takes, sayings, samples]);
    if (seen === this.reserved?.seen) return this.reserved.heights; // the same words: nothing to measure
    const tall = [this.headline, this.subline, this.takes];
    tall.forEach((node) => node.style.removeProperty("min-height"));
    this.outs.forEach(({ node }) => node.style.removeProperty("height"));
    const least = tall.map(() => 0);
    const heights = this.outs.map(() => 0);
    for (const texts of samples) {
      this.write(texts);
      tall.forEach((node, i) => (least[i] = Math.max(least[i], node.offsetHeight)));
      this.outs.forEach(({ node }, i) => (heights[i] = Math.max(heights[i], node.offsetHeight)));
    }
    tall.forEach((node, i) => (node.style.minHeight = `${least[i]}px`));
    this.reserved = { seen, heights };
    return heights;
  }

  place() {
    const { lay } = this;
    const box = (node, { x, y, width, height }) => {
      Object.assign(node.style, { left: `${x}px`, top: `${y}px`, width: `${width}px` });
      if (height) node.style.height = `${height}px`;
    };
    this.stage.style.height = `${lay.height}px`;
    const grabTop = lay.narrow ? lay.pillY : lay.lineTop;
    box(this.grab, { x: lay.x0 - 8, y: grabTop, width: lay.x1 - lay.x0 + 16, height: lay.bottom - grabTop });
    box(this.entry, lay.entry);
    this.line.style.top = `${lay.lineTop}px`;
    this.line.style.height = `${lay.bottom - lay.lineTop}px`;
    this.outs.forEach(({ node }, i) => box(node, lay.boxes[i].readout));
    for (const node of [this.takes, this.choice.node]) node.style.paddingLeft = lay.narrow ? "0" : `${lay.x0}px`;
    this.tip = makeTip(this.model, lay);
    this.overlay.replaceChildren(this.tip.ring, this.tip.node);
    this.titles.replaceChildren(...makeLegend(this.model, lay));
    this.widths = new Map();
    this.largest = `your largest run${this.model.panels.some((p) => p.points?.held?.some(Boolean)) ? " fitted" : ""}`;
  }

  update() {
    const started = performance.now();
    const texts = textsAt(this.model, this.budget);
    this.write(texts);
    this.move(texts);
    if (this.root.__frames && this.busy) this.measure(started);
  }

  write(texts) {
    const saying = sayingAt(this.model.sayings, texts.at);
    if (saying !== this.saying) this.fillSentences(saying);
    this.updates.forEach((update) => update(texts));
    this.outs.forEach((out, i) => out.update(texts.panels[i]));
  }

  move(texts) {
    const { lay, scales, budget } = this;
    const x = scales.x(budget);
    moveTo(this.line, x, 0);
    this.dots.forEach((dot, i) => {
      const number = texts.panels[i].number;
      const y = number === null ? null : scales.panels[i].y(number);
      const { y: top, height } = lay.boxes[i];
      dot.hidden = y === null || y < top || y > top + height;
      if (!dot.hidden) moveTo(dot, x, y);
    });
    setText(this.pillText, this.saying?.handle ?? texts.budget);
    this.movePill(x);
    this.moveWord(x, texts);
    if (this.input.getRootNode().activeElement !== this.input) this.input.value = this.typed();
    this.root.dataset.budget = String(budget);
    this.pill.setAttribute("aria-valuenow", budget.toFixed(3));
    this.pill.setAttribute("aria-valuetext", [this.pillText.textContent, ...texts.panels.map((p, i) => `${this.model.panels[i].label} ${p.value}`)].join(", "));
  }

  /** The width of an element with figures in it, measured once for each length of text: figures are of one width. */
  widthOf(node, text) {
    const key = `${node.className} ${text.length}`;
    if (!this.widths.has(key)) this.widths.set(key, node.offsetWidth);
    return this.widths.get(key);
  }

  /** The handle stays on the chart: at the ends the line meets it off its middle. */
  movePill(x) {
    const { lay } = this;
    const half = this.widthOf(this.pill, this.pillText.textContent) / 2;
    const right = Math.min(lay.x1 + 14, lay.width) - half;
    moveTo(this.pill, Math.min(Math.max(x, Math.max(lay.x0 - 14, 0) + half), right), lay.pillY);
  }

  /** The word over the hatched region: how far the line is beyond the data, beside the line; else what the region is. */
  moveWord(x, texts) {
    const { lay, scales, model } = this;
    const none = model.largest === null || model.largest >= this.range[1];
    this.word.hidden = none;
    if (none) return;
    const { beyond } = texts;
    this.word.dataset.beyond = String(Boolean(beyond));
    setText(this.word, `${beyond ? `${beyond} ` : ""}beyond${lay.narrow ? "\n" : " "}${this.largest}`);
    const width = this.widthOf(this.word, this.word.textContent);
    const edge = Math.max(lay.x0, scales.x(model.largest));
    const y = lay.boxes[0].y + 6;
    let left = beyond ? x + 8 : edge + 6;
    if (beyond && left + width > lay.x1 - 4) left = x - 8 - width;
    if (!beyond && left + width > lay.x1) this.word.hidden = true; // no room for the word in so small a region
    moveTo(this.word, left, y);
  }

  hover(event) {
    if (this.busy || event.pointerType === "touch" || !this.tip) return;
    const { left, top } = this.stage.getBoundingClientRect();
    this.tip.show(pointAt(this.model, this.scales, this.lay, event.clientX - left, event.clientY - top));
  }

  /** Keeps, for tests, what a frame costs: script time, and time until the browser has painted it. */
  measure(started) {
    const frames = this.root.__frames;
    const script = performance.now() - started;
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      frames.push({ at: started, script, painted: performance.now() - started });
      channel.port1.close();
    };
    channel.port2.postMessage(null);
  }
}

const charts = new WeakMap();

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const host = parentElement.querySelector(".bc-host");
  if (!host || !data) return undefined;
  let chart = charts.get(host);
  try {
    if (!chart) charts.set(host, (chart = new BudgetChart(host)));
    chart.receive(data, setStateValue);
  } catch (error) {
    console.error(error);
    host.replaceChildren(el("p", "bc-failed", "The chart could not be drawn. The numbers on the rest of the page still hold."));
    charts.delete(host);
    return undefined;
  }
  return () => {
    chart.destroy();
    charts.delete(host);
  };
}
