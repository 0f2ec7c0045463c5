"""One IsoFLOP profile: the runs of one budget, the curve through them, its vertex, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.alike import Alike
from fitting.accounting import Accounting
from fitting.isoflop.buckets import Bucket, sizes
from fitting.isoflop.power import lines
from fitting.isoflop.vertices import DOWN, EDGE, FEW, FINE, LEAST, Vertices, residuals, vertices
from fitting.plural import plural
from fitting.shown import shown

Array = np.ndarray

# Measured on 240 digitised runs of Hoffmann et al. 2022: .05, .08, .12 and .2 leave out 41, 21, 11 and 13 runs and put 22, 21,
# 25 and 26 tokens on a parameter at 5.76e23 FLOP.
TOLERANCE = 0.12
# Along the frontier sizes grow about as the root of compute (Hoffmann et al. 2022); a run moved by a tenth in compute
# is put right to a per cent of its size whatever the exponent is.
GROWTH = 0.5


@dataclass(frozen=True)
class Settings:
    """Everything chosen for the profiles, as it must be repeated to get the same numbers."""

    tolerance: float = TOLERANCE
    method: str = "quadratic"
    scale: str = "loss"
    resample: str = "residuals"
    level: bool = True
    weighted: bool = False
    keep_flagged: bool = False
    within: float | None = None
    budgets: tuple[float, ...] | None = None
    resamples: int = 1000
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Rows(Alike):
    """The usable rows of a table: names (n,), logs of size, tokens and compute (n,), losses (n,)."""

    names: Array
    log_n: Array
    log_d: Array
    log_c: Array
    loss: Array


@shown()
@dataclass(frozen=True, eq=False)
class Profile(Alike):
    """One budget: its runs (n,) in order of size, and the vertex of the curve through them (NaN where it has none).

    `flops` is the middle of the runs' own. `level_params` and `level_loss` are the runs moved along the frontier to it:
    what the curve goes through. `tokens` is what the budget buys at `params`; `tokens_apart` the vertex of a separate
    curve against log D. `sizes` counts different ones. `shape` (3,) holds a parabola's height, slope and curvature about
    `centre` in log N.
    """

    flops: float
    runs: tuple[str, ...]
    run_params: Array
    run_tokens: Array
    run_flops: Array
    run_loss: Array
    level_params: Array
    level_loss: Array
    sizes: int
    params: float
    tokens: float
    tokens_apart: float
    loss: float
    flag: str
    used: bool
    shape: Array
    centre: float


@dataclass(frozen=True, eq=False)
class Curve(Alike):
    """A bucket's rows moved to the middle of their budget, log N and height (n,) each, and their vertex.

    `labels` (n,) tell apart the points of a curve: runs of one size stay one, and sizes that were moved to one place are
    one. `several` is how many sizes there are.
    """

    bucket: Bucket
    x: Array
    height: Array
    labels: Array
    several: int
    vertex: Vertices


def curve(b: Bucket, rows: Rows, chosen: Settings, drift: float) -> Curve:
    """The curve of one budget; `drift` is d log loss / d log C along the frontier, 0 to leave rows where they are."""
    off = rows.log_c[b.rows] - np.log(b.flops)
    moved = drift != 0.0
    x = rows.log_n[b.rows] - (GROWTH * off if moved else 0.0)
    log_loss = np.log(rows.loss[b.rows]) - drift * off
    height = log_loss if chosen.scale == "log loss" else np.exp(log_loss)
    own = sizes(rows.log_n[b.rows])
    labels = sizes(np.bincount(own, x) / np.bincount(own))[own]
    vertex = vertices(chosen.method, x, height, labels, np.ones((1, len(x))))
    return Curve(b, x, height, labels, int(own.max()) + 1, vertex)


def curves(found: Sequence[Bucket], rows: Rows, chosen: Settings) -> tuple[list[Curve], float]:
    """The curve of every budget and the drift they were levelled with, 0 where that is off or cannot be told."""
    raw = [curve(b, rows, chosen, 0.0) for b in found]
    good = [c for c in raw if c.vertex.state[0] == FINE]
    if not chosen.level or len(good) < 2:
        return raw, 0.0
    heights = np.array([c.vertex.height[0] for c in good])
    log_loss = heights if chosen.scale == "log loss" else np.log(np.maximum(heights, 1e-300))
    log_c = np.log([c.bucket.flops for c in good])
    drift = float(lines(log_c - log_c.mean(), log_loss[None, :], np.ones((1, len(good))))[0, 1])
    if not -1.0 < drift < 0.0:  # more compute does not raise the loss: these vertices say nothing
        return raw, 0.0
    return [curve(b, rows, chosen, drift) for b in found], drift


def noise(made: Sequence[Curve], chosen: Settings) -> Array:
    """What the parabolas of all budgets leave over, as shares of the loss and scaled for leverage, (k,)."""
    left = []
    for c in made:
        smooth, e = residuals(c.x, c.height)
        if c.several > 3:
            left.append(e if chosen.scale == "log loss" else e / smooth)
    pool = np.concatenate(left) if left else np.empty(0)
    return pool[np.isfinite(pool)]


def redraw(c: Curve, pool: Array, chosen: Settings, rng: np.random.Generator) -> tuple[Array, Array]:
    """Log sizes (R,) and losses (R,) of a budget's vertex in every resample, NaN where it has none."""
    n = len(c.x)
    if chosen.resample == "rows":
        weights = rng.multinomial(n, np.full(n, 1.0 / n), size=chosen.resamples).astype(float)
        again = vertices(chosen.method, c.x, c.height, c.labels, weights)
    elif len(pool) == 0:
        nothing = np.full(chosen.resamples, np.nan)
        return nothing, nothing
    else:
        smooth, _ = residuals(c.x, c.height)
        e = rng.choice(pool, size=(chosen.resamples, n))
        heights = smooth + e if chosen.scale == "log loss" else smooth * (1.0 + e)
        again = vertices(chosen.method, c.x, heights, c.labels, np.ones((1, n)))
    good = (again.state == FINE) | (chosen.keep_flagged & np.isfinite(again.log_n))
    return np.where(good, again.log_n, np.nan), np.where(good, _loss(again.height, chosen), np.nan)


def profile(c: Curve, rows: Rows, count: Accounting, chosen: Settings) -> Profile:
    """The plain values of one budget."""
    at = c.bucket.rows
    off = rows.log_c[at] - np.log(c.bucket.flops)
    v = c.vertex
    state, size = int(v.state[0]), float(np.exp(v.log_n[0]))
    apart = np.nan
    if state == FINE:
        d = rows.log_d[at] - (1.0 - GROWTH) * off
        other = vertices(chosen.method, d, c.height, sizes(d), np.ones((1, len(d))))
        apart = float(np.exp(other.log_n[0]))
    flag = _flag(state, size, c.several, np.exp(c.x), chosen)
    return Profile(
        flops=c.bucket.flops,
        runs=tuple(str(n) for n in rows.names[at]),
        run_params=np.exp(rows.log_n[at]),
        run_tokens=np.exp(rows.log_d[at]),
        run_flops=np.exp(rows.log_c[at]),
        run_loss=rows.loss[at],
        level_params=np.exp(c.x),
        level_loss=_loss(c.height, chosen),
        sizes=c.several,
        params=size,
        tokens=float(count.tokens(c.bucket.flops, size)),
        tokens_apart=apart,
        loss=float(_loss(v.height, chosen)[0]),
        flag=flag,
        used=bool(np.isfinite(size)) and (flag == "" or chosen.keep_flagged),
        shape=v.shape[0],
        centre=v.centre,
    )


def drawn(p: Profile, chosen: Settings, points: int = 81) -> tuple[Array, Array]:
    """The curve through a profile as sizes and losses, (points,) each or a few more, from its smallest run to its largest or its vertex.

    Empty where there is no curve: fewer than three sizes.
    """
    x, y = np.log(p.level_params), np.log(p.level_loss) if chosen.scale == "log loss" else p.level_loss
    own = sizes(np.log(p.run_params))
    labels = sizes(np.bincount(own, x) / np.bincount(own))[own]
    if labels.max() < 2:
        return np.empty(0), np.empty(0)
    parabola = chosen.method == "quadratic"
    low, high = x.min(), x.max()
    if parabola and np.isfinite(p.params):  # on to a vertex beyond the sizes, or towards it where it is far
        near = 0.3 * (high - low)
        low, high = min(low, max(np.log(p.params), low - near)), max(high, min(np.log(p.params), high + near))
    at = np.linspace(low, high, points)
    if parabola:
        height, slope, bend = p.shape
        off = at - p.centre
        return np.exp(at), _loss(height + off * (slope + bend * off), chosen)
    from scipy.interpolate import Akima1DInterpolator

    count = np.bincount(labels)
    knots, heights = (np.bincount(labels, v) / count for v in (x, y))
    order = np.argsort(knots)
    at = np.union1d(np.linspace(knots[order[0]], knots[order[-1]], points), knots)
    return np.exp(at), _loss(Akima1DInterpolator(knots[order], heights[order])(at), chosen)


def _loss(height: Array, chosen: Settings) -> Array:
    return np.exp(height) if chosen.scale == "log loss" else height


def _flag(state: int, size: float, several: int, tried: Array, chosen: Settings) -> str:
    least = LEAST[chosen.method]
    if state == FEW or several < least:
        return f"{plural(several, 'size')}, where {'a parabola' if chosen.method == 'quadratic' else 'Akima'} needs {least}"
    if state == DOWN:
        return "the parabola opens downwards: no lowest loss between these sizes"
    if state == EDGE:
        low, high = tried.min(), tried.max()
        side, end = ("smallest", low) if size <= np.sqrt(low * high) else ("largest", high)
        return f"lowest at or beyond the {side} size tried, {end:.3g}"
    return ""
