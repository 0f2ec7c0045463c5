// Panels that are drawn anew while runs go on: each keeps its zoom, and none is drawn while a hand is on it.
//
// A panel is {key, title, words, tone, wide, height, x, y, series}; an axis {label, log, kind, range} in data units. A series is of the
// kind "line", "context", "law", "band", "guide", "others", "runs" or "interval", which has an arrow where it is `open` above. Text is set as text, so that a name holds no markup.

import { el, isDark, setText, svg } from "./dom.js";
import { tickText } from "./format.js";
import { tickDecimals, viridis, yTicks } from "./scales.js";

const REACH = 16; // px from a mark within which it is pointed at
const DRAGGED = 8; // px that a box must span to zoom
const MARGINS = { wide: { l: 58, r: 14, t: 22, b: 42 }, small: { l: 40, r: 8, t: 6, b: 22 } };

class Panel {
  constructor() {
    this.zoom = null; // {x: [low, high], y: [low, high]} on the axes' own scales
    this.title = el("b");
    this.words = el("span", "lc-words");
    this.reset = el("button", "lc-reset", "Reset zoom");
    this.reset.type = "button";
    this.reset.hidden = true;
    this.plot = svg("svg", { role: "img" });
    this.tip = el("div", "lc-tip");
    this.tip.hidden = true;
    this.node = el("div", "lc-panel", [el("div", "lc-head", [this.title, this.words]), this.reset, this.plot, this.tip]);
    this.reset.addEventListener("click", () => this.whole());
    this.plot.addEventListener("dblclick", () => this.whole());
    this.plot.addEventListener("pointerdown", (event) => this.press(event));
    this.plot.addEventListener("pointermove", (event) => this.move(event));
    this.plot.addEventListener("pointerup", () => this.release());
    this.plot.addEventListener("pointercancel", () => this.release(true));
    this.plot.addEventListener("pointerleave", () => (this.tip.hidden = true));
  }

  show(data) {
    this.data = data;
    if (!this.box) this.draw();
  }

  whole() {
    this.zoom = null;
    this.draw();
  }

  draw() {
    const { data } = this;
    this.width = Math.max(120, this.node.clientWidth || 240);
    this.height = data.height;
    const space = data.wide ? MARGINS.wide : MARGINS.small;
    this.inner = { x: space.l, y: space.t, w: this.width - space.l - space.r, h: this.height - space.t - space.b };
    const own = { x: spanOf(data.x), y: spanOf(data.y) };
    const shown = this.zoom ?? own;
    this.shown = shown;
    this.at = {
      x: (v) => this.inner.x + ((to(v, data.x) - shown.x[0]) / (shown.x[1] - shown.x[0])) * this.inner.w,
      y: (v) => this.inner.y + this.inner.h - ((to(v, data.y) - shown.y[0]) / (shown.y[1] - shown.y[0])) * this.inner.h,
    };
    this.node.classList.toggle("lc-wide", Boolean(data.wide));
    setText(this.title, data.title);
    setText(this.words, data.words ?? "");
    this.title.hidden = !data.title;
    this.words.className = `lc-words${data.tone ? ` lc-${data.tone}` : ""}`;
    this.reset.hidden = !this.zoom;
    this.plot.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.plot.setAttribute("aria-label", data.said ?? data.title);
    this.plot.setAttribute("data-x", shown.x.map((v) => v.toFixed(4)).join(" "));
    const clip = `lc-${data.key}`.replace(/[^a-z0-9-]/gi, "-");
    const { x, y, w, h } = this.inner;
    this.marks = [];
    this.names = [];
    const drawn = data.series.flatMap((series) => this.series(series));
    this.plot.replaceChildren(
      svg("clipPath", { id: clip }, svg("rect", { x: x - 2, y: y - 2, width: w + 4, height: h + 4 })),
      ...this.axes(),
      svg("g", { "clip-path": `url(#${clip})` }, drawn),
      ...this.names.map((n) => n.node),
      (this.rubber = svg("rect", { class: "lc-box", visibility: "hidden" })),
    );
  }

  axes() {
    const { data, inner, shown } = this;
    const out = [];
    for (const { at, label } of fewer(ticks(shown.x, data.x.log, inner.w), shown.x, inner.w, 48)) {
      const px = inner.x + ((at - shown.x[0]) / (shown.x[1] - shown.x[0])) * inner.w;
      const text = tickText(label, data.x.kind);
      const most = this.width - text.length * 3.2; // px: a label ends with its panel
      out.push(svg("line", { class: "lc-grid", x1: px, x2: px, y1: inner.y, y2: inner.y + inner.h }));
      out.push(svg("text", { class: "lc-tick lc-x", x: Math.min(px, most), y: inner.y + inner.h + 15 }, text));
    }
    const up = fewer(ticks(shown.y, data.y.log, inner.h), shown.y, inner.h, 24);
    const decimals = data.y.log ? 0 : tickDecimals(up.map((t) => t.label));
    for (const { at, label } of up) {
      const py = inner.y + inner.h - ((at - shown.y[0]) / (shown.y[1] - shown.y[0])) * inner.h;
      out.push(svg("line", { class: "lc-grid", x1: inner.x, x2: inner.x + inner.w, y1: py, y2: py }));
      const text = data.y.log || data.y.kind === "count" ? tickText(label, data.y.kind) : label.toFixed(decimals);
      out.push(svg("text", { class: "lc-tick lc-y", x: inner.x - 6, y: py + 4 }, text));
    }
    if (data.wide) {
      out.push(svg("text", { class: "lc-axis lc-x", x: inner.x + inner.w / 2, y: this.height - 6 }, data.x.label));
      const turn = `rotate(-90) translate(${-(inner.y + inner.h / 2)}, 11)`;
      out.push(svg("text", { class: "lc-axis lc-x", transform: turn }, data.y.label));
    }
    return out;
  }

  path(xs, ys) {
    let text = "";
    xs.forEach((x, i) => {
      if (ys[i] !== null) text += `${text ? "L" : "M"}${this.at.x(x).toFixed(1)} ${this.at.y(ys[i]).toFixed(1)}`;
    });
    return text;
  }

  series(s) {
    const { at } = this;
    if (s.kind === "band") {
      const back = [...s.x].reverse();
      const d = `${this.path(s.x, s.high)}L${this.path(back, [...s.low].reverse()).slice(1)}Z`;
      return [svg("path", { class: "lc-band", d })];
    }
    if (s.kind === "guide") {
      const ends = across([at.x(s.x[0]), at.y(s.y[0])], [at.x(s.x[1]), at.y(s.y[1])], this.inner);
      if (!ends) return [];
      const [[x1, y1], [x2, y2]] = ends;
      this.name(s.name, ends);
      return [svg("line", { class: "lc-guide", x1, x2, y1, y2 })];
    }
    if (s.kind === "interval") {
      const x = at.x(s.x);
      this.mark(x, at.y(s.value), s.said);
      const [low, high, value] = [at.y(s.low), at.y(s.high), at.y(s.value)];
      const tone = s.tone === undefined ? "" : ` lc-tone-${s.tone % 8}`;
      const line = (x1, x2, y1, y2) => svg("line", { class: `lc-interval${tone}`, x1, x2, y1, y2 });
      const end = s.open ? [line(x - 4, x, high + 6, high), line(x + 4, x, high + 6, high)] : [line(x - 4, x + 4, high, high)];
      const middle = tone ? svg("circle", { class: `lc-middle${tone}`, cx: x, cy: value, r: 3 }) : line(x - 3, x + 3, value, value);
      return [line(x, x, low, high), line(x - 4, x + 4, low, low), ...end, middle];
    }
    if (s.kind === "others") {
      return s.x.map((v, i) => {
        this.mark(at.x(v), at.y(s.y[i]), s.said?.[i]);
        return svg("circle", { class: "lc-other", cx: at.x(v), cy: at.y(s.y[i]), r: 4.5 });
      });
    }
    if (s.kind === "runs") return s.x.flatMap((v, i) => this.run(at.x(v), at.y(s.y[i]), s, i));
    if (s.kind === "line") s.x.forEach((v, i) => this.mark(at.x(v), at.y(s.y[i]), s.said?.[i]));
    const out = [svg("path", { class: `lc-${s.kind}`, d: this.path(s.x, s.y) })];
    if (s.kind === "line" && s.x.length === 1) out.push(svg("circle", { class: "lc-dot", cx: at.x(s.x[0]), cy: at.y(s.y[0]), r: 2.5 }));
    return out;
  }

  run(cx, cy, s, i) {
    this.mark(cx, cy, s.said?.[i]);
    const state = s.state[i];
    if (state === "done") return [svg("circle", { class: "lc-done", cx, cy, r: 6.5, fill: viridis(1 - (s.shade[i] ?? 0.5)) })];
    const ring = svg("circle", { class: "lc-ring", cx, cy, r: 7 });
    if (state === "running") {
      const share = Math.max(0.02, Math.min(s.progress[i], 1));
      const round = 2 * Math.PI * 3;
      const turn = { "stroke-dasharray": `${round * share} ${round}`, transform: `rotate(-90 ${cx} ${cy})` };
      return [ring, svg("circle", { class: "lc-arc", cx, cy, r: 3, ...turn })];
    }
    if (state === "queued" || state === "lost" || state === "proposed") return [ring];
    const d = `M${cx - 5} ${cy - 5}l10 10m0 -10l-10 10`;
    return [svg("path", { class: "lc-cross", d })];
  }

  /** The name of a falling line: over it where it leaves at the top, else under it at the right, else over it at the left; none where
   *  another stands. */
  name(text, [[x1, y1], [x2, y2]]) {
    const { x, y, w, h } = this.inner;
    const half = text.length * 3.2; // px: about 6.4 a sign at 11 px
    const top = y1 < y + 1 && x1 + half < x + w + MARGINS.wide.r && x1 - half > 0;
    const right = !top && x2 > x + w - 1 && y2 + 18 < y + h;
    const left = !top && !right && x1 < x + 1 && y1 - 18 > y;
    if (!top && !right && !left) return;
    const place = top ? { x: x1, y: y - 6 } : right ? { x: x + w - half, y: y2 + 14 } : { x: x + half + 6, y: y1 - 4 };
    if (this.names.some((n) => Math.abs(n.at.x - place.x) < half + n.half + 6 && Math.abs(n.at.y - place.y) < 14)) return;
    this.names.push({ at: place, half, node: svg("text", { class: "lc-guide-name lc-x", ...place }, text) });
  }

  mark(x, y, said) {
    if (said) this.marks.push({ x, y, said });
  }

  place(event) {
    const frame = this.plot.getBoundingClientRect();
    const scale = this.width / Math.max(frame.width, 1);
    return { x: (event.clientX - frame.left) * scale, y: (event.clientY - frame.top) * scale };
  }

  press(event) {
    if (event.pointerType === "touch" || event.button !== 0) return;
    const from = this.place(event);
    this.box = { from, to: from };
    this.plot.setPointerCapture(event.pointerId);
  }

  move(event) {
    const here = this.place(event);
    if (this.box) {
      this.box.to = here;
      const [x, width] = between(this.box.from.x, here.x);
      const [y, height] = between(this.box.from.y, here.y);
      for (const [name, value] of Object.entries({ x, y, width, height, visibility: "visible" })) this.rubber.setAttribute(name, value);
      return;
    }
    const distance = (m) => (m.x - here.x) ** 2 + (m.y - here.y) ** 2;
    const found = this.marks.reduce((a, m) => (distance(m) < (a ? distance(a) : REACH * REACH) ? m : a), null);
    this.tip.hidden = !found;
    if (!found) return;
    setText(this.tip, found.said);
    const scale = this.plot.clientWidth / this.width || 1;
    const left = found.x * scale + 14;
    this.tip.style.left = `${Math.max(0, left + this.tip.offsetWidth > this.plot.clientWidth ? left - 28 - this.tip.offsetWidth : left)}px`;
    this.tip.style.top = `${this.plot.offsetTop + found.y * scale - this.tip.offsetHeight - 8}px`;
  }

  release(given = false) {
    const { box, inner, shown } = this;
    this.box = null;
    if (!box) return;
    const [x, w] = between(box.from.x, box.to.x);
    const [y, h] = between(box.from.y, box.to.y);
    if (!given && w > DRAGGED && h > DRAGGED) {
      const across = (px) => shown.x[0] + ((px - inner.x) / inner.w) * (shown.x[1] - shown.x[0]);
      const up = (py) => shown.y[0] + ((inner.y + inner.h - py) / inner.h) * (shown.y[1] - shown.y[0]);
      this.zoom = { x: [across(x), across(x + w)], y: [up(y + h), up(y)] };
    }
    this.draw();
  }
}

/** Ticks as {at, label}, `at` on the axis' own scale: decades, or 1-2-5 and round steps where there is little more than one. */
function ticks([low, high], log, length) {
  if (!log) return yTicks([low, high], false, length).map((v) => ({ at: v, label: v }));
  const within = (v) => Math.log10(v) >= low && Math.log10(v) <= high;
  const powers = Array.from({ length: Math.floor(high) - Math.floor(low) + 1 }, (_, k) => Math.floor(low) + k);
  const steps = (each) => powers.flatMap((d) => each.map((m) => Number(`${m}e${d}`))).filter(within);
  let values = high - low > 1.6 ? steps([1]) : steps([1, 2, 5]);
  if (values.length < 3 && high - low <= 1.6) values = yTicks([10 ** low, 10 ** high], false, Math.min(length, 240)).filter((v) => v > 0);
  return values.map((v) => ({ at: Math.log10(v), label: v }));
}

/** The ticks that stand at least so many pixels from the one before. */
function fewer(all, [low, high], length, least) {
  let last = -Infinity;
  return all.filter(({ at }) => {
    const px = ((at - low) / (high - low)) * length;
    if (px - last < least) return false;
    last = px;
    return true;
  });
}

/** The part of the line through two points that lies in a box, from its left end to its right one; null where it misses the box. */
function across([ax, ay], [bx, by], { x, y, w, h }) {
  const slope = (by - ay) / (bx - ax);
  const [top, foot] = [ax + (y - ay) / slope, ax + (y + h - ay) / slope].sort((a, b) => a - b);
  const [left, right] = [Math.max(x, top), Math.min(x + w, foot)];
  return right > left ? [left, right].map((px) => [px, ay + slope * (px - ax)]) : null;
}

function between(a, b) {
  return [Math.min(a, b), Math.abs(a - b)];
}

function to(value, axis) {
  return axis.log ? Math.log10(value) : value;
}

function spanOf(axis) {
  const [low, high] = axis.range.map((v) => to(v, axis));
  const room = Math.max(high - low, axis.log ? 0.2 : 1e-3) * 0.06;
  return [low - room, high + room];
}

const boards = new WeakMap();

class Board {
  constructor(host) {
    this.panels = new Map();
    this.root = el("div", "lc");
    host.replaceChildren(this.root);
    this.sizes = new ResizeObserver(() => this.resized());
    this.sizes.observe(this.root);
  }

  resized() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      for (const panel of this.panels.values()) {
        if (panel.data && panel.node.clientWidth !== panel.width && !panel.box) panel.draw();
      }
    });
  }

  receive(data) {
    const ground = getComputedStyle(this.root).getPropertyValue("--st-background-color");
    this.root.dataset.theme = isDark(ground || "#fff") ? "dark" : "light";
    const keys = new Set(data.panels.map((p) => p.key));
    for (const [key, panel] of this.panels) {
      if (keys.has(key)) continue;
      panel.node.remove();
      this.panels.delete(key);
    }
    data.panels.forEach((p, i) => {
      let panel = this.panels.get(p.key);
      if (!panel) this.panels.set(p.key, (panel = new Panel()));
      if (this.root.children[i] !== panel.node) this.root.insertBefore(panel.node, this.root.children[i] ?? null);
      panel.node.classList.toggle("lc-wide", Boolean(p.wide));
      panel.show(p);
    });
  }

  destroy() {
    this.sizes.disconnect();
    cancelAnimationFrame(this.frame);
  }
}

export default function (component) {
  const { data, parentElement } = component;
  const host = parentElement.querySelector(".lc-host");
  if (!host || !data) return undefined;
  let board = boards.get(host);
  if (!board) boards.set(host, (board = new Board(host)));
  try {
    board.receive(data);
  } catch (error) {
    console.error(error);
    host.replaceChildren(el("p", "lc-failed", "The curves could not be drawn. The table below still holds."));
    board.destroy();
    boards.delete(host);
    return undefined;
  }
  return () => {
    board.destroy();
    boards.delete(host);
  };
}
