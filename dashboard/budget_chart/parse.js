// What a person types as a budget: `5.76e23`, `5.76e23 FLOP`, `10^24`, `10 PF-days`, or the unit the page thinks in.

const PF_DAY = 1e15 * 86400;
const SCALES = { "": 1, k: 1e3, m: 1e6, b: 1e9, g: 1e9, t: 1e12, p: 1e15, e: 1e18, z: 1e21, y: 1e24 };
const TIMES = { second: 1, sec: 1, s: 1, minute: 60, min: 60, hour: 3600, hr: 3600, h: 3600, day: 86400, d: 86400, week: 604800, month: 2629800, year: 31557600 };

/**
 * `{budget}` (log10 FLOP) or `{error}` (a sentence) for a typed text. `unit` is the payload's budget unit;
 * `[low, high]` is the range of the chart in log10 FLOP, and `show(log10)` says a budget aloud. On an axis of another kind
 * (`axis` is "duration") a text is read in the unit alone.
 */
export function parseBudget(text, unit, [low, high], show, axis = "flop") {
  const readings = candidates(tidy(text), unit, axis).filter((flop) => flop > 0 && Number.isFinite(flop)).map(Math.log10);
  if (!readings.length) return { error: expected(unit, text, axis) };
  const slack = 0.005; // half of the last figure a person types at either end of the chart
  const inside = readings.find((at) => at >= low - slack && at <= high + slack);
  if (inside === undefined) return { error: `This chart runs from ${show(low)} to ${show(high)}.` };
  return { budget: Math.min(Math.max(inside, low), high) };
}

function tidy(text) {
  return text
    .trim()
    .replace(/[\u00a0\u2009\u202f]/g, " ")
    .replace(/−/g, "-")
    .replace(/\s*[x×*·]\s*10\s*\^?\s*(?=[-+]?\d)/i, "e")
    .replace(/^10\s*\^\s*/, "1e");
}

/** Readings of the text in FLOP, the likeliest first. */
function candidates(text, unit, axis) {
  const match = /^\$?\s*(\d[\d,]*\.?\d*|\.\d+|\d+,\d+)(?:e([-+]?\d+))?\s*(.*)$/i.exec(text);
  if (!match) return [];
  const figure = Number(`${plain(match[1])}e${match[2] ?? 0}`);
  const tail = match[3].trim();
  const inUnit = 1 / unit.per_flop;
  if (tail === "") return axis === "flop" ? [figure * inUnit, figure] : []; // a time without its unit says little
  if (tail.toLowerCase() === unit.label.trim().toLowerCase()) return [figure * inUnit];
  const words = tail.toLowerCase().replace(/\s+/g, " ");
  const flop = /^([kmgtpezy]?)flops?$/.exec(words);
  if (flop && axis === "flop") return [figure * SCALES[flop[1]]];
  if (axis === "flop" && /^(pf|pflop\/?s?|petaflops?(\/s)?)[- ]?days?$/.test(words)) return [figure * PF_DAY];
  const scaled = /^([kmbt])\b\s*(.*)$/.exec(words);
  const time = /^([a-z]+?)s?\b/.exec(words)?.[1];
  if (unit.format === "duration" && time in TIMES) return [figure * TIMES[time] * inUnit];
  const rest = scaled?.[2].replace(/\.$/, "");
  if (scaled && (rest === "" || rest === unit.label.trim().toLowerCase())) return [figure * SCALES[scaled[1]] * inUnit];
  return [];
}

/** `1,000` is a thousand, `5,76` is what it is where decimals are commas. */
function plain(figure) {
  if (/^\d{1,3}(,\d{3})+(\.\d*)?$/.test(figure)) return figure.replace(/,/g, "");
  return /^\d+,\d+$/.test(figure) ? figure.replace(",", ".") : figure;
}

function expected(unit, text, axis) {
  const extra = unit.format === "money" ? ", $0.9 M" : unit.format === "duration" ? ", 11 days" : "";
  const came = text.trim() ? "" : " Nothing was typed.";
  if (axis === "duration") return `Type a time such as 11 days or 36 hours.${came}`;
  return `Type a budget such as 5.76e23 FLOP or 10 PF-days${extra}.${came}`;
}
