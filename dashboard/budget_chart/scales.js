// From numbers to places on the chart: domains, ticks and the sequential colours of the points.

/** The part of a panel's scale to show, as `[low, high]` (log10 for a log scale): the line, its bands, most points. */
export function domainOf(panel) {
  const log = panel.scale === "log";
  const to = (values) => (values ?? []).filter((v) => v !== null && (!log || v > 0)).map((v) => (log ? Math.log10(v) : v));
  const line = to(panel.value);
  const kept = to((panel.points?.y ?? []).filter((_, i) => !panel.points.hollow?.[i]));
  const core = line.length ? line : kept;
  if (!core.length) return [0, 1];
  let [low, high] = [least(core), most(core)];
  // Bands and points may widen the view, though never so far that the line becomes flat.
  const room = Math.max(high - low, log ? 0.5 : 0.02 * Math.abs(high), 1e-9) * 0.75;
  const around = [...to(panel.low), ...to(panel.high), ...to(panel.wide?.low), ...to(panel.wide?.high), ...to(panel.other?.value), ...kept];
  const widest = around.filter((v) => v >= low - room && v <= high + room);
  low = Math.min(low, least(widest));
  high = Math.max(high, most(widest));
  const floor = panel.floor ? to([panel.floor.value])[0] : undefined;
  if (floor !== undefined && floor < low && low - floor < (high - low) * 1.5) low = floor;
  const short = Math.max(0, (log ? 1 : 0.02 * Math.abs(high) || 1e-9) - (high - low)); // a level line gets room to be one
  const margin = 0.06 * (high - low) + short / 2;
  return [low - margin, high + margin];
}

function least(values) {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}

function most(values) {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}

/** Tick values for a panel: decades on a log scale (1-2-5 where it is short), round steps on a linear one. */
export function yTicks([low, high], log, height) {
  if (!log) return roundSteps(low, high, Math.max(2, Math.floor(height / 40)));
  const room = Math.max(2, Math.floor(height / 26));
  const decades = wholeSteps(low, high, 1);
  if (decades.length < 2) return logSteps(low, high).slice(0, 12);
  const step = [1, 2, 3, 4, 6].find((s) => wholeSteps(low, high, s).length <= room) ?? 8;
  return wholeSteps(low, high, step).map((d) => Number(`1e${d}`));
}

/** Decades of the compute axis and which of them carry a label, given the axis' length in pixels. */
export function xTicks(low, high, width) {
  const all = wholeSteps(low, high, 1);
  const step = [1, 2, 3, 5].find((s) => (width / Math.max(high - low, 1)) * s >= 54) ?? 10;
  if (all.length < 3) {
    return logSteps(low, high).map((v) => ({ at: Math.log10(v), label: v }));
  }
  return all.map((at) => ({ at, label: at % step === 0 ? Number(`1e${at}`) : null }));
}

function wholeSteps(low, high, step) {
  const out = [];
  for (let at = Math.ceil((low - 1e-9) / step) * step; at <= high + 1e-9; at += step) out.push(at);
  return out;
}

function logSteps(low, high) {
  const out = [];
  for (let d = Math.floor(low); d <= high; d += 1) {
    for (const m of [1, 2, 5]) {
      const at = d + Math.log10(m);
      if (at >= low - 1e-9 && at <= high + 1e-9) out.push(Number(`${m}e${d}`));
    }
  }
  return out;
}

function roundSteps(low, high, most) {
  const raw = (high - low) / most;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * size).find((s) => (high - low) / s <= most) ?? 10 * size;
  const out = [];
  for (let k = Math.ceil(low / step); k * step <= high; k += 1) out.push(k * step);
  return out;
}

/** Decimals that tell neighbouring linear ticks apart. */
export function tickDecimals(ticks) {
  if (ticks.length < 2) return 1;
  const step = Math.abs(ticks[1] - ticks[0]);
  return Math.min(6, Math.max(0, decimalsOf(step)));
}

function decimalsOf(step) {
  const [figures, exponent] = Number(step.toPrecision(6)).toExponential().split("e");
  return (figures.split(".")[1] ?? "").length - Number(exponent);
}

// Viridis (van der Walt and Smith, 2015, CC0) at nine even places; between them, straight lines in sRGB.
const VIRIDIS = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
];

/** The colour at `shade` (0 to 1) of the sequential map. */
export function viridis(shade) {
  const at = Math.min(Math.max(shade ?? 0, 0), 1) * (VIRIDIS.length - 1);
  const i = Math.min(Math.floor(at), VIRIDIS.length - 2);
  const mix = VIRIDIS[i].map((c, k) => Math.round(c + (VIRIDIS[i + 1][k] - c) * (at - i)));
  return `rgb(${mix.join(" ")})`;
}

/** The whole map as a CSS gradient, for its key. */
export function viridisGradient() {
  return `linear-gradient(to right, ${VIRIDIS.map((c) => `rgb(${c.join(" ")})`).join(", ")})`;
}
