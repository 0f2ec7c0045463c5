// How a number is said aloud: `73 B`, `51–112 B`, `5.8e23`, `11 days`.
//
// fitting/digits.py and dashboard/numbers.py hold the same steps in the same order, and tests/dashboard/number_cases.json keeps the two
// together. Only operations that IEEE 754 fixes exactly are used (no toFixed, no Math.log10, no `**`).

const THIN = "\u202f"; // narrow no-break space
const SPACE = "\u00a0"; // before a unit that is a word
const MISSING = "—";
const MOST_DIGITS = 6;
const LEAST_DIGITS = 2;
const UNITS_IN_WIDTH = 3; // the last digit is worth between a third and a thirtieth of the interval's width

const unit = (limit, divisor, suffix) => ({ limit, divisor, suffix });
const FAR_APART = 30; // as in numbers.py
const kindOf = (units, more = {}) => ({
  units,
  prefix: "",
  small: 1e-3,
  beyond: unit(Infinity, 1, ""),
  decimals: null,
  grouped: false,
  whole: false,
  ...more,
});

const YEAR = 365.25 * 86400;
export const KINDS = {
  count: kindOf([unit(1e3, 1, ""), unit(1e3, 1e3, "k"), unit(1e3, 1e6, "M"), unit(1e3, 1e9, "B"), unit(1e3, 1e12, "T")], {
    whole: true,
  }),
  whole: kindOf([unit(1e9, 1, "")], { decimals: 0, grouped: true, whole: true }),
  flop: kindOf([unit(1e4, 1, "")], { small: 0.1 }),
  loss: kindOf([unit(1e6, 1, "")], { small: 1e-4, decimals: 2, leastBeside: 3 }),
  ratio: kindOf([unit(1e6, 1, "")], { grouped: true }),
  duration: kindOf(
    [
      unit(90, 1, "seconds"),
      unit(90, 60, "minutes"),
      unit(48, 3600, "hours"),
      unit(730, 86400, "days"),
      unit(1e6, YEAR, "years"),
    ],
    { beyond: unit(Infinity, YEAR, "years"), grouped: true },
  ),
  money: kindOf([unit(1e3, 1, ""), unit(500, 1e3, "k"), unit(500, 1e6, "M"), unit(500, 1e9, "B"), unit(1e3, 1e12, "T")], {
    prefix: "$",
  }),
  percent: kindOf([unit(1e6, 0.01, "%")], { small: 1e-4, beyond: unit(Infinity, 0.01, "%"), grouped: true }),
};

/** The number with two significant digits (a loss: two decimals); `—` where there is none. */
export function say(value, kind) {
  const number = toNumber(value);
  return Number.isFinite(number) ? signed(number, null, specOf(kind)) : MISSING;
}

/**
 * `[number, interval]`, e.g. `["73 B", "51–112 B"]`, with digits that follow the interval's width, or that of another one
 * beside which it stands, `[low, high]`: said to other digits, the wider of two could read as the narrower.
 */
export function withInterval(value, low, high, kind, beside = null) {
  const spec = specOf(kind);
  const number = toNumber(value);
  let [lower, upper] = [toNumber(low), toNumber(high)];
  if (lower > upper) [lower, upper] = [upper, lower];
  const other = beside ? widthOf(...beside.map(toNumber)) : null;
  const width = other ?? widthOf(lower, upper);
  const exact = spec.whole && Math.abs(number) < spec.units[0].limit && number === Math.floor(number); // 8 devices, not 8.0
  const said = Number.isFinite(number) ? signed(number, exact ? null : width, spec) : MISSING;
  return [said, rangeText(number, lower, upper, width, spec)];
}

/** A short label for an axis tick: `1 B`, `10 B`, `2.5`, without trailing zeros. */
export function tickText(value, kind) {
  const spec = specOf(kind);
  if (!(value > 0)) return value === 0 ? "0" : String(value);
  const said = takeApart(value, null, spec);
  const figures = said.figures.includes(".") ? said.figures.replace(/\.?0+$/, "") : said.figures;
  return spec.prefix + figures + tail(said);
}

/** The number with up to three significant digits and no trailing zeros, as a person types it: `5.76e23`. */
export function exactText(value, kind) {
  const spec = { ...specOf(kind), whole: false, decimals: null, least: 3 };
  const said = takeApart(value, null, spec);
  const figures = said.figures.includes(".") ? said.figures.replace(/\.?0+$/, "") : said.figures;
  return spec.prefix + figures + tail(said);
}

// NaN for anything that is no number; beyond 1e±100, where the arithmetic would leave the floats, infinite or zero.
function toNumber(value) {
  if (typeof value !== "number") return NaN;
  if (Math.abs(value) > 1e100) return value > 0 ? Infinity : -Infinity;
  return Math.abs(value) < 1e-100 ? 0 : value;
}

function specOf(kind) {
  return KINDS[kind] ?? KINDS.ratio;
}

function widthOf(low, high) {
  const width = high - low;
  return Number.isFinite(width) && width > 0 ? width : null;
}

function tail(said) {
  const exponent = said.exponent === null ? "" : `e${said.exponent}`;
  const { suffix } = said.unit;
  return exponent + (suffix && (suffix.length > 1 ? SPACE : THIN) + suffix);
}

function signed(value, width, spec) {
  const said = takeApart(Math.abs(value), width, spec);
  return (value < 0 ? "−" : "") + spec.prefix + said.figures + tail(said);
}

function takeApart(value, width, spec) {
  if (value === 0) return { figures: "0", unit: spec.units[0], place: 0, exponent: null };
  if (value / spec.units[0].divisor >= spec.small) {
    for (const step of spec.units) {
      const scaled = value / step.divisor;
      const place = placeOf(scaled, width && width / step.divisor, spec);
      const digits = rounded(scaled, place);
      if (times(digits, place) < step.limit) {
        return { figures: decimal(digits, place, spec.grouped), unit: step, place, exponent: null };
      }
    }
  }
  return exponential(value, width, spec);
}

function exponential(value, width, spec) {
  const step = value / spec.units[0].divisor < spec.small ? spec.units[0] : spec.beyond;
  const plain = { ...spec, decimals: null, whole: false };
  const scaled = value / step.divisor;
  let power = decade(scaled);
  let [digits, place] = [0, 0];
  for (let tries = 0; tries < 2; tries += 1) {
    const mantissa = scaled / ten(power);
    place = placeOf(mantissa, width && width / step.divisor / ten(power), plain);
    digits = rounded(mantissa, place);
    if (times(digits, place) < 10 || tries === 1) break;
    power += 1; // 9.96 becomes 10 when rounded: then the next power says it
  }
  return { figures: decimal(digits, place, false), unit: step, place, exponent: power };
}

function placeOf(scaled, width, spec) {
  let place = leastPlace(scaled, spec.least ?? LEAST_DIGITS);
  if (width) place = Math.min(decade(width / UNITS_IN_WIDTH), place, leastPlace(scaled, spec.leastBeside ?? LEAST_DIGITS));
  else if (spec.whole && scaled < 1e3 && scaled === Math.floor(scaled)) place = 0;
  else if (spec.decimals !== null) place = Math.min(-spec.decimals, place);
  return Math.max(place, decade(scaled) - MOST_DIGITS + 1);
}

function leastPlace(scaled, digits) {
  const place = decade(scaled) - digits + 1;
  return place < 0 && rounded(scaled, place) >= ten(digits) ? place + 1 : place; // 9.96 is 10, not 10.0
}

function rangeText(value, low, high, width, spec) {
  const closed = [Number.isFinite(low), Number.isFinite(high)];
  if (!closed[0] && !closed[1]) return MISSING;
  if (!closed[1]) return `≥${THIN}${signed(low, null, spec)}`;
  if (!closed[0]) return `≤${THIN}${signed(high, null, spec)}`;
  if (width === null) return signed(high, null, spec);
  if (low < 0) return `${signed(low, width, spec)} to ${signed(high, width, spec)}`;
  const lower = takeApart(low, width, spec);
  const upper = takeApart(high, width, spec);
  // Without its unit 1.2 reads as 1.2 itself, and not as 1.2 k, where it is that much smaller than an upper end of 302 k.
  const apart = upper.unit.suffix && !spec.units[0].suffix && high >= FAR_APART * low;
  if (low !== 0 && (apart || !sameUnit(lower, upper))) {
    return `${spec.prefix}${lower.figures}${tail(lower)} – ${spec.prefix}${upper.figures}${tail(upper)}`;
  }
  const divisor = upper.unit.divisor * (upper.exponent === null ? 1 : ten(upper.exponent));
  let place = upper.place;
  if (Number.isFinite(value) && value > 0) {
    const said = takeApart(value, width, spec);
    if (sameUnit(said, upper)) place = Math.min(place, said.place);
  }
  // The lower end keeps at least one figure of its own: 0.4–37, not 0–37.
  const figure = (end, at) => (end ? decimal(rounded(end, at), at, spec.grouped) : "0");
  const first = figure(low / divisor, low === 0 ? place : Math.min(place, decade(low / divisor)));
  return `${spec.prefix}${first}–${figure(high / divisor, place)}${tail(upper)}`;
}

function sameUnit(a, b) {
  return a.unit === b.unit && a.exponent === b.exponent;
}

const POWERS = new Map();
function ten(power) {
  if (!POWERS.has(power)) POWERS.set(power, Number(`1e${power}`));
  return POWERS.get(power);
}

function decade(value) {
  return Number(value.toExponential().split("e")[1]);
}

function rounded(value, place) {
  return place >= 0 ? Math.floor(value / ten(place) + 0.5) : Math.floor(value * ten(-place) + 0.5);
}

function times(digits, place) {
  return place >= 0 ? digits * ten(place) : digits / ten(-place);
}

function decimal(digits, place, grouped) {
  const text = String(digits) + "0".repeat(Math.max(place, 0));
  if (place >= 0) return grouped ? group(text) : text;
  const padded = text.padStart(1 - place, "0");
  const whole = padded.slice(0, place);
  return `${grouped ? group(whole) : whole}.${padded.slice(place)}`;
}

function group(whole) {
  return whole.replace(/\B(?=(\d{3})+$)/g, ",");
}
