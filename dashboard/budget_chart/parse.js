// What a person types as a budget: `5.76e23`, `5.76e23 FLOP`, `10^24`, `10 PF-days`, or the unit the page thinks in.

const PF_DAY = 1e15 * 86400;
const SCALES = { "": 1, k: 1e3, m: 1e6, b: 1e9, g: 1e9, t: 1e12, p: 1e15, e: 1e18, z: 1e21, y: 1e24 };
const TIMES = { second: 1, sec: 1, s: 1, minute: 60, min: 60, hour: 3600, hr: 3600, h: 3600, day: 86400, d: 86400, week: 604800, month: 2629800, year: 31557600 };

const DEVICE_HOURS = /^([kmbt]\b)?\s*(?:(?:device|accelerator|chip|gpu|tpu|[a-z]+\d+[a-z0-9]*)[- ])h(?:ou)?rs?$/;
const HOURS = /^([kmbt]\b)?\s*h(?:(?:ou)?rs?)?$/;

/**
 * `{budget}` (log10 FLOP) or `{error}` (a sentence) for a typed text. `unit` is the payload's budget unit, whose `also` has the
 * rates of the other units that may be typed; `[low, high]` is the range of the chart in log10 FLOP, and `show(log10)` says a
 * budget aloud. On an axis of another kind (`axis` is "duration") a text is read in the unit alone.
 */
export function parseBudget(text, unit, [low, high], show, axis = "flop") {
  const { flops, lacking, converted } = read(tidy(text), unit, axis);
  if (lacking) return { error: lacks(lacking, unit) };
  const readings = flops.filter((flop) => flop > 0 && Number.isFinite(flop)).map(Math.log10);
  if (!readings.length) return { error: expected(unit, text, axis) };
  const slack = 0.005; // half of the last figure a person types at either end of the chart
  const inside = readings.find((at) => at >= low - slack && at <= high + slack);
  if (inside === undefined) {
    const said = converted ? `${text.trim()} is ${show(readings[0])}. ` : "";
    return { error: `${said}This chart runs from ${show(low)} to ${show(high)}.` };
  }
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

/** Readings of the text in FLOP (`flops`), the likeliest first; `lacking` names what a reading in another unit would take. */
function read(text, unit, axis) {
  const match = /^(\$?)\s*(\d[\d,]*\.?\d*|\.\d+|\d+,\d+)(?:e([-+]?\d+))?\s*(.*)$/i.exec(text);
  if (!match) return { flops: [] };
  const figure = Number(`${plain(match[2])}e${match[3] ?? 0}`);
  const tail = match[4].trim();
  const words = tail.toLowerCase().replace(/\s+/g, " ");
  const other = axis === "flop" ? otherUnit(Boolean(match[1]), words, unit) : null;
  if (other) {
    const rate = unit.also?.[other.kind];
    return rate ? { flops: [(figure * other.times) / rate], converted: true } : { flops: [], lacking: unit.also && other.kind };
  }
  if (match[1] && unit.format !== "money") return { flops: [] };
  return { flops: inItsOwn(figure, tail, words, unit, axis, Boolean(match[1])) };
}

/** The unit that was typed where it is not the chart's: its kind, and how many of its own the figure counts in. */
function otherUnit(dollar, words, unit) {
  const paid = /^([kmbt]?)\.?\s*(usd|dollars?)?$/.exec(words);
  if (unit.format !== "money" && paid && (dollar || paid[2])) return { kind: "money", times: SCALES[paid[1]] };
  if (dollar) return null;
  const hours = DEVICE_HOURS.exec(words);
  if (hours && !inHours(unit)) return { kind: "hours", times: SCALES[hours[1] ?? ""] };
  const time = TIMES[/^([a-z]+?)s?$/.exec(words)?.[1]];
  return time && unit.format !== "duration" && !inHours(unit) ? { kind: "time", times: time } : null;
}

function inHours(unit) {
  return unit.label.trim().toLowerCase() === "device-hours";
}

function inItsOwn(figure, tail, words, unit, axis, dollar) {
  const inUnit = 1 / unit.per_flop;
  if (tail === "") return axis === "flop" ? (dollar ? [figure * inUnit] : [figure * inUnit, figure]) : []; // a time without its unit says little
  const label = unit.label.trim().toLowerCase();
  if (words === label) return [figure * inUnit];
  const hours = inHours(unit) && (DEVICE_HOURS.exec(words) ?? HOURS.exec(words));
  if (hours) return [figure * SCALES[hours[1] ?? ""] * inUnit];
  const flop = /^([kmgtpezy]?)flops?$/.exec(words);
  if (flop && axis === "flop" && !dollar) return [figure * SCALES[flop[1]]];
  if (axis === "flop" && !dollar && /^(pf|pflop\/?s?|petaflops?(\/s)?)[- ]?days?$/.test(words)) return [figure * PF_DAY];
  const scaled = /^([kmbt])\b\s*(.*)$/.exec(words);
  const time = /^([a-z]+?)s?\b\s*(.*)$/.exec(words);
  if (unit.format === "duration" && time?.[1] in TIMES && (time[2] === "" || time[2] === label)) return [figure * TIMES[time[1]] * inUnit];
  const rest = scaled?.[2].replace(/\.$/, "");
  const paid = unit.format === "money" && /^(usd|dollars?)$/.test(rest ?? words);
  if (paid && !scaled) return [figure * inUnit];
  if (scaled && (rest === "" || rest === label || paid)) return [figure * SCALES[scaled[1]] * inUnit];
  return [];
}

/** `1,000` is a thousand, `5,76` is what it is where decimals are commas. */
function plain(figure) {
  if (/^\d{1,3}(,\d{3})+(\.\d*)?$/.test(figure)) return figure.replace(/,/g, "");
  return /^\d+,\d+$/.test(figure) ? figure.replace(",", ".") : figure;
}

function expected(unit, text, axis) {
  const came = text.trim() ? "" : " Nothing was typed.";
  if (axis === "duration") return `Type a time such as 11 days or 36 hours.${came}`;
  return `Type a budget such as ${examples(unit)}.${came}`;
}

/** Why a unit that was typed cannot be converted, and what can be typed. */
function lacks(kind, unit) {
  const why = {
    money: "Dollars need the price of a device-hour, which is 0 or missing.",
    time: "A time needs a number of devices, which is automatic here: enter one under Devices and limits, or choose Time as budget unit.",
    hours: "Device-hours are not counted on this chart.",
  };
  return `${why[kind]} Type a budget such as ${examples(unit)}.`;
}

function examples(unit) {
  const own = inHours(unit) ? "50 k device-hours" : { money: "$0.9 M", duration: "11 days" }[unit.format];
  return own ? `${own}, 5.76e23 FLOP or 10 PF-days` : "5.76e23 FLOP or 10 PF-days";
}
