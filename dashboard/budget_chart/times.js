// Ticks of a time axis: times that people say.

const [A_MINUTE, AN_HOUR, A_DAY] = [60, 3600, 86400];
const A_YEAR = 365.25 * A_DAY;
// In seconds, the ones to keep first: each is shown that has room beside those before it.
const SAID_TIMES = [
  [1, "1 s"],
  [A_MINUTE, "1 min"],
  [AN_HOUR, "1 h"],
  [A_DAY, "1 day"],
  [7 * A_DAY, "1 week"],
  [A_YEAR / 12, "1 month"],
  [A_YEAR, "1 year"],
  [10 * A_YEAR, "10 years"],
  [100 * A_YEAR, "100 years"],
  [1e3 * A_YEAR, "1,000 years"],
  [1e4 * A_YEAR, "10,000 years"],
  [1e-3, "1 ms"],
  [10, "10 s"],
  [10 * A_MINUTE, "10 min"],
  [6 * AN_HOUR, "6 h"],
  [A_YEAR / 4, "3 months"],
  [3 * A_YEAR, "3 years"],
  [2 * A_DAY, "2 days"],
  [14 * A_DAY, "2 weeks"],
  [A_YEAR / 6, "2 months"],
  [A_YEAR / 2, "6 months"],
  [2 * AN_HOUR, "2 h"],
  [12 * AN_HOUR, "12 h"],
  [4 * A_DAY, "4 days"],
  [30 * A_MINUTE, "30 min"],
  [2 * A_MINUTE, "2 min"],
  [5 * A_MINUTE, "5 min"],
  [30, "30 s"],
  [0.1, "0.1 s"],
  [0.01, "0.01 s"],
  [3, "3 s"],
  [0.3, "0.3 s"],
  [0.03, "0.03 s"],
  [3e-3, "3 ms"],
  [1e-4, "0.1 ms"],
  [2 * A_YEAR, "2 years"],
  [5 * A_YEAR, "5 years"],
];
const ROOM = 72; // px from one label's middle to the next

/** `{at, label}` in log10 seconds between `low` and `high`, for an axis of `width` pixels. */
export function timeTicks(low, high, width) {
  const out = [];
  const apart = (ROOM / width) * (high - low);
  for (const [seconds, label] of SAID_TIMES) {
    const at = Math.log10(seconds);
    if (at < low - 1e-9 || at > high + 1e-9 || out.some((tick) => Math.abs(tick.at - at) < apart)) continue;
    out.push({ at, label });
  }
  return out.sort((a, b) => a.at - b.at);
}
