// A table sampled along the budget, read between its rows: monotone cubic, in logarithms where the scale is one.

/**
 * A function of log10 budget that gives the value there, or null where the table has none.
 * `log` reads between rows in logarithms, so that a power law stays a straight line.
 */
export function sampler(grid, values, log) {
  if (!values) return () => null;
  const ys = values.map((v) => (v === null || (log && v <= 0) ? null : log ? Math.log10(v) : v));
  const slopes = tangents(grid, ys);
  return (x) => {
    const i = segment(grid, x);
    const [y0, y1] = [ys[i], ys[i + 1]];
    const t = (x - grid[i]) / (grid[i + 1] - grid[i]);
    if (t === 0 || t === 1) return (t ? y1 : y0) === null ? null : values[i + t]; // as it was given, unrounded
    if (y0 === null || y1 === null) return null;
    const h = grid[i + 1] - grid[i];
    const [t2, t3] = [t * t, t * t * t];
    const y =
      y0 * (2 * t3 - 3 * t2 + 1) + h * slopes[i] * (t3 - 2 * t2 + t) + y1 * (3 * t2 - 2 * t3) + h * slopes[i + 1] * (t3 - t2);
    return back(y, log);
  };
}

/** The place in another grid of as many rows that x has in this one; x itself where the rows are others. */
export function carried(from, to, x) {
  if (from.length !== to.length) return x;
  const i = segment(from, x);
  return to[i] + ((to[i + 1] - to[i]) * (x - from[i])) / (from[i + 1] - from[i]);
}

function back(y, log) {
  return y === null || !log ? y : 10 ** y;
}

/** The row at or below x (the last but one at most), found by halving. */
function segment(grid, x) {
  let [low, high] = [0, grid.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (grid[middle] <= x) low = middle;
    else high = middle;
  }
  return low;
}

/** Slopes that keep a monotone table monotone (Fritsch and Carlson, 1980); gaps split the table into pieces. */
function tangents(xs, ys) {
  const n = xs.length;
  const rise = xs.map((x, i) => (i + 1 < n && ys[i] !== null && ys[i + 1] !== null ? (ys[i + 1] - ys[i]) / (xs[i + 1] - x) : null));
  return xs.map((_, i) => {
    const before = i > 0 ? rise[i - 1] : null;
    const after = rise[i];
    if (before === null || after === null) return before ?? after ?? 0;
    if (before * after <= 0) return 0;
    const [h0, h1] = [xs[i] - xs[i - 1], xs[i + 1] - xs[i]];
    return (3 * (h0 + h1)) / ((2 * h1 + h0) / before + (h1 + 2 * h0) / after);
  });
}
