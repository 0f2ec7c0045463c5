"""The form of a table's FLOPs beside 6ND, fitted to its own rows: a constant, or one that levels off with size.

What a table counts beside 6ND has a cause: attention's 12 L d s, a vocabulary's 6 V d, parameters that do no work. Each is a
power of size that 6ND outgrows. Where width grows as N^w, attention falls beside it as N^-w and a vocabulary as N^-(1 - w); w
is 1/3 where depth grows with width, and a vocabulary falls as 1/N where depth alone grows. What stays is no less than one,
what forward and backward cost, unless the table itself counts less: of a mixture of experts, sized by all its parameters, few
work on a token, and what stays may be any share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np

from fitting.accounting import Accounting, working

Array = np.ndarray
_Draw = tuple[float, float, float, float, float]  # as `Accounting.draws` has it
_Make = Callable[["_Rows", Array], "_Forms"]

SAME = 1e-3  # log sizes that differ by less are one size
EXACT = 1e-4  # 6ND itself, up to the digits a table was written with
DIGITS = 1e-6  # of log ratio: below it a misfit is rounding
EXPONENTS = np.linspace(0.1, 1.0, 46)
WIDTHS = np.linspace(0.2, 0.45, 26)  # of both causes at once; nearer to a half they are one
# Parameters that do no work rise away faster where a vocabulary is most of the model.
RISING = np.linspace(0.1, 2.0, 96)
HEADROOM = 1.25  # a ratio that rises levels off no higher than this over the highest seen (assumed), nor lower than one
LEAST_SIZES = 7  # of which five numbers are told
MOST_SIZES = 80  # more are taken together with their neighbours
NOTHING = 1e-120
FARTHEST = 20.0  # of log ratio: rows that scatter by more count nothing
DRAWS = 200
MOST_KEPT = 10_000  # rows of a table whose form is kept
REFITS = 15  # steps of each draw of a form of several numbers
ROUNDS = 6
DIFFERENCE = float(np.finfo(float).eps ** 0.5)  # of a number, to see a slope by
# Of log ratio: a table counts less than forward and backward cost where its ratios lie below one by more, beyond their scatter.
BELOW = 0.02
SPARSEST = 1e-3  # of the lowest ratio seen: the least that may stay of it in a mixture of experts
POWERS = np.linspace(0.005, 0.5, 100)  # of a ratio that falls without end, as a table may count for reasons of its own
# What FLOPs leave over is seldom chance: depths and widths are whole numbers, and neighbours share it. Assumed.
SHARED = 5.0


@dataclass(frozen=True)
class _Rows:
    """Log sizes (n,) around their centre, log ratios (n,) or (G, n), and where c0 may lie; `falls` says of which sign c1 is."""

    x: Array
    y: Array
    least: float
    most: float
    falls: bool


@dataclass(frozen=True)
class _Forms:
    """Forms c0 + c1 N^-g + c2 N^-(1 - g) with exponents g: what each leaves over in squares of log ratio; (G,) each."""

    left: Array
    c0: Array
    c1: Array
    g: Array
    c2: Array

    def at(self, k: int) -> _Draw:
        """One of them as `Accounting.draws` has it."""
        return float(self.c0[k]), float(self.c1[k]), -float(self.g[k]), float(self.c2[k]), 0.0

    def where(self, these: Array, others: _Forms) -> _Forms:
        """These forms (G,) of them, and the others' elsewhere."""
        return _Forms(*(np.where(these, getattr(self, f.name), getattr(others, f.name)) for f in fields(self)))


def flop_form(log_n: Array, log_ratio: Array) -> Accounting:
    """The form of log(C / 6ND) (n,) at log sizes (n,)."""
    if len(log_n) > MOST_KEPT:
        return _flop_form(log_n, log_ratio)
    return _kept(np.asarray(log_n, float).tobytes(), np.asarray(log_ratio, float).tobytes())


@lru_cache(maxsize=32)
def _kept(log_n: bytes, log_ratio: bytes) -> Accounting:
    """The same of the numbers' bytes: one table is fitted many times, with other laws, deltas and intervals."""
    return _flop_form(np.frombuffer(log_n), np.frombuffer(log_ratio))


def _flop_form(log_n: Array, log_ratio: Array) -> Accounting:
    centre = float(log_n.mean())
    if np.max(np.abs(log_ratio)) < EXACT:
        return Accounting(centre=centre)
    x, y = _by_size(log_n - centre, log_ratio)
    low, high = float(np.exp(y.min())), float(np.exp(y.max()))
    flat = Accounting(float(log_ratio.mean()), 0.0, centre, float(np.std(log_ratio)), lowest=0.5 * low)
    if len(x) < 3 or np.ptp(y) < DIGITS:
        return flat
    falls = float((x - x.mean()) @ (y - y.mean())) <= 0
    sparse = falls and _sparse(x, y)
    least = SPARSEST * low if sparse else min(1.0, low * (1.0 - 1e-3)) if falls else 0.5 * low
    rows = _Rows(x, y, least, np.inf if falls else max(1.0, HEADROOM * high), falls)
    constant = float(np.sum((y - y.mean()) ** 2))
    kinds: list[tuple[_Forms, int, _Make]] = [(_single(rows, EXPONENTS if falls else RISING), 3, _single)]
    if falls and len(x) >= 6:
        kinds.append((_double(rows, WIDTHS), 4, _double))
    floor = len(x) * DIGITS**2
    powers = replace(rows, least=0.0, most=0.0)
    power = _single(powers, POWERS)
    best, found = _cost(constant, len(x), 1, floor), None
    for forms, numbers, make in kinds:
        one = _polished(rows, forms, make)
        cost = _cost(float(one.left[0]), len(x), numbers, floor)
        if cost < best and len(x) > numbers:
            best, found = cost, one
    open_ = [_Kind(rows, *k) for k in kinds] + ([_Kind(powers, power, 2, _single)] if falls else [])
    endless = _polished(powers, power, _single) if falls else None
    exact = min(np.inf if k is None else float(k.left[0]) for k in (found, endless)) <= 10.0 * floor
    counted = _counted(rows) if len(x) >= LEAST_SIZES and not exact else None
    cost = np.inf if counted is None else _cost(counted.left, len(x), counted.numbers, floor)
    # A ratio that falls without end is believed where nothing else comes near; short of that it is one of the draws.
    if endless is not None and _cost(SHARED**2 * float(endless.left[0]), len(x), 2, floor) < min(best, cost):
        out = replace(flat, **_as_fields(endless.at(0)), draws=_draws(open_, constant, floor))
    elif counted is not None and cost < best:
        draws = _around(counted, rows, floor)
        if endless is not None:
            odds = np.exp(min(0.0, 0.5 * (cost - _cost(float(endless.left[0]), len(x), 2, floor))))
            few = int(DRAWS * odds / (1.0 + odds))
            draws = _draws(open_[-1:], constant, floor)[:few] + draws[few:]
        out = replace(flat, **_as_fields(counted.form), draws=draws)
    elif found is None or found.c1[0] == 0.0:
        return replace(flat, draws=_draws(open_, constant, floor))
    else:
        out = replace(flat, **_as_fields(found.at(0)), draws=_draws(open_, constant, floor))
    return replace(out, spread=float(np.std(log_ratio - np.log(out.ratio(np.exp(log_n))))))


@dataclass(frozen=True)
class _Kind:
    """Forms of one kind on a grid of exponents, how many numbers they have, and how they are made of other ratios."""

    rows: _Rows
    forms: _Forms
    numbers: int
    make: _Make


def _sparse(x: Array, y: Array) -> bool:
    """Whether ratios fall, and fall below one, by more than scatter explains: fewer parameters work than are counted."""
    smooth = np.polyval(np.polyfit(x, y, 2), x)
    reach = BELOW + SHARED * float(np.sqrt(np.sum((y - smooth) ** 2) / max(1, len(x) - 3)))
    return bool(smooth.min() < -reach and np.ptp(smooth) > reach)


@dataclass(frozen=True)
class _Counted:
    """A form of sizes that count a vocabulary: what it leaves over, its numbers that are free, and their spread for a unit of noise."""

    form: _Draw
    left: float
    numbers: int
    at: Array
    low: Array
    high: Array
    root: Array


def _as_fields(form: _Draw) -> dict[str, Any]:
    c0, c1, slope, c2, idle = form
    offset = float(np.log(max(abs(c1), NOTHING)))
    return {"offset": offset, "slope": slope, "least": c0, "sign": -1.0 if c1 < 0 else 1.0, "second": c2, "idle": idle}


def _form_of(p: Array) -> _Draw:
    return float(p[2]), float(p[3]), -float(p[0]), float(p[4]), float(np.exp(p[1]))


def _counted(rows: _Rows) -> _Counted | None:
    """The form whose sizes count a vocabulary that does none of what falls beside 6ND; by least squares from a few starts."""
    from scipy.optimize import least_squares

    least = min(rows.least if rows.falls else np.inf, 1.0, float(np.exp(rows.y.max())))
    low = np.array([WIDTHS[0], -6.0, least, 0.0, 0.0])
    high = np.array([0.5, 6.0, 3.0, 1e3, 1e3])

    def misfit(p: Array) -> Array:
        return _misfits(rows.x, rows.y, p[None, :])[0]

    def slopes(p: Array) -> Array:
        return _slopes(rows, p, low, high)

    best = None
    # Where few parameters work, those that are counted beside them are most of a small model.
    sparse = rows.falls and rows.least < 0.5 * float(np.exp(rows.y.min()))
    lowest = 0.8 * float(np.exp(rows.y.min()))
    for w in (1 / 3, 0.45):
        for idle in (-2.0, 0.0):
            begin = [lowest, 1e-3, np.exp(idle)] if sparse else [least + 0.05, 0.05, 0.05]
            start = np.clip([w, idle, *begin], low + 1e-9, high - 1e-9)
            found = least_squares(
                misfit, start, slopes, bounds=(low, high), xtol=1e-8, ftol=1e-4, gtol=1e-12, max_nfev=12, x_scale="jac"
            )
            if best is None or found.cost < best.cost:
                best = found
    assert best is not None
    best = least_squares(
        misfit, best.x, slopes, bounds=(low, high), xtol=1e-13, ftol=1e-9, gtol=1e-15, max_nfev=80, x_scale="jac"
    )
    free = (best.x > low + 1e-6) & (best.x < high - 1e-6)
    j = best.jac[:, free]
    try:
        inner = np.linalg.pinv(j.T @ j, hermitian=True)
        values, vectors = np.linalg.eigh(inner)
    except np.linalg.LinAlgError:
        return None
    root = np.zeros((5, len(values)))
    root[free] = vectors * np.sqrt(np.maximum(values, 0.0))
    return _Counted(_form_of(best.x), 2.0 * float(best.cost), int(free.sum()), best.x, low, high, root)


def _around(c: _Counted, rows: _Rows, floor: float) -> tuple[_Draw, ...]:
    """Forms fitted to ratios moved by scatter, from starts spread as the misfit at the best is steep: it bends further off."""
    rng = np.random.default_rng(0)
    n = len(rows.x)
    spread = SHARED * np.sqrt((c.left + floor) / rng.chisquare(max(1, n - c.numbers), (DRAWS, 1)))
    start = c.at + (spread * rng.standard_normal((DRAWS, c.root.shape[1]))) @ c.root.T
    moved = rows.y + spread * rng.standard_normal((DRAWS, n))
    p = np.clip(start, c.low, c.high)
    terms = _terms(rows.x, p)
    off = _ratios(terms, p) - moved
    damp = np.full((DRAWS, 1), 1e-2)
    for _ in range(REFITS):
        jac = np.empty((*off.shape, 5))
        for k in range(5):
            step = np.where(np.arange(5) == k, -1e-6 * np.maximum(1.0, np.abs(p)), 0.0)
            step = np.where(p + step < c.low, -step, step)
            there = terms if k >= 2 else _terms(rows.x, p + step)  # of the exponent and the idle ones alone
            jac[:, :, k] = (_ratios(there, p + step) - moved - off) / step[:, k, None]
        slope = np.einsum("rnk,rn->rk", jac, off)
        held = ((p <= c.low) & (slope > 0)) | ((p >= c.high) & (slope < 0))
        jac = np.where(held[:, None, :], 0.0, jac)
        square = np.einsum("rnk,rnl->rkl", jac, jac)
        size = np.maximum(np.einsum("rkk->rk", square), 1e-12)
        step = np.linalg.solve(square + (damp * size)[:, :, None] * np.eye(5), np.where(held, 0.0, slope)[:, :, None])
        tried = np.clip(p - step[:, :, 0], c.low, c.high)
        at = _terms(rows.x, tried)
        left = _ratios(at, tried) - moved
        better = (np.sum(left**2, axis=1) < np.sum(off**2, axis=1))[:, None]
        p, off = np.where(better, tried, p), np.where(better, left, off)
        terms = (
            np.where(better, at[0], terms[0]),
            np.where(better, at[1], terms[1]),
            np.where(better, at[2], terms[2]),
        )
        damp = np.clip(np.where(better, 0.2 * damp, 5.0 * damp), 1e-9, 1e6)
    # What has not come near its own ratios is no form that these leave open.
    near = np.sum(off**2, axis=1) <= 2.0 * n * spread[:, 0] ** 2
    kept = p[near] if near.any() else c.at[None, :]
    return tuple(_form_of(row) for row in kept[np.arange(DRAWS) % len(kept)])


def _misfits(x: Array, y: Array, p: Array) -> Array:
    """Log ratios (R, n) of forms (R, 5) of sizes that count a vocabulary, less those that are wanted, y (n,) or (R, n)."""
    return np.asarray(_ratios(_terms(x, p), p) - y)


def _terms(x: Array, p: Array) -> tuple[Array, Array, Array]:
    """What forms (R, 5) weigh, (R, n) each: both powers of size that 6ND outgrows, and all parameters over those that work."""
    w, idle = p[:, 0, None], np.exp(p[:, 1, None])
    u = working(x, idle, w)
    z = np.exp((w - 1.0) * u)
    return np.exp(-w * u), z, 1.0 + idle * z


def _ratios(terms: tuple[Array, Array, Array], p: Array) -> Array:
    """Log ratios (R, n) of forms (R, 5) of these terms."""
    first, second, over = terms
    return np.asarray(np.log((p[:, 2, None] + p[:, 3, None] * first + p[:, 4, None] * second) / over))


def _slopes(rows: _Rows, p: Array, low: Array, high: Array) -> Array:
    """Derivatives (n, 5) of the misfits at `p` (5,), by differences forward, or back where a bound is near; all at once."""
    h = DIFFERENCE * np.where(p >= 0, 1.0, -1.0) * np.maximum(1.0, np.abs(p))
    h = np.where((p + h < low) | (p + h > high), -h, h)
    at, *moved = _misfits(rows.x, rows.y, np.vstack([p, p + np.diag(h)]))
    return np.array([(m - at) / d for m, d in zip(moved, (p + h) - p, strict=True)]).T


def _cost(left: float, n: int, numbers: int, floor: float) -> float:
    """The Bayesian information criterion of a form with so many numbers."""
    return float(n * np.log((left + floor) / n) + numbers * np.log(n))


def _by_size(x: Array, y: Array) -> tuple[Array, Array]:
    """Log sizes and their mean log ratios, one entry a size."""
    label = np.unique(np.round(x / SAME), return_inverse=True)[1].ravel()
    if label.max() >= MOST_SIZES:
        label = np.unique((MOST_SIZES * (x - x.min()) / np.ptp(x)).astype(int), return_inverse=True)[1].ravel()
    count = np.bincount(label)
    return np.bincount(label, x) / count, np.bincount(label, y) / count


def _single(rows: _Rows, g: Array) -> _Forms:
    """Least squares of log ratios, the same or others at each exponent (G,), with one term beside c0."""
    z = np.exp(-g[:, None] * rows.x)
    model = np.broadcast_to(np.exp(rows.y), z.shape)
    sign = 1.0 if rows.falls else -1.0
    for _ in range(ROUNDS):  # log r is log m + (r' - m) / m around a model m
        target = np.maximum(1.0 + rows.y - np.log(model), 1e-3)
        one, slope = 1.0 / model, z / model
        aa, ab, bb = (one**2).sum(1), (one * slope).sum(1), (slope**2).sum(1)
        ay, by = (one * target).sum(1), (slope * target).sum(1)
        with np.errstate(all="ignore"):
            free = (ay * bb - by * ab) / (aa * bb - ab**2)
            free = np.nan_to_num(free, nan=rows.least, posinf=rows.least, neginf=rows.least)
            c0 = np.clip(free, rows.least, rows.most)
            c1 = np.nan_to_num(sign * np.maximum(sign * (by - c0 * ab) / bb, 0.0), nan=0.0, posinf=0.0, neginf=0.0)
        model = np.maximum(c0[:, None] + c1[:, None] * z, 1e-3 * np.exp(rows.y))
    return _Forms(((np.log(model) - rows.y) ** 2).sum(1), c0, c1, g, np.zeros_like(g))


def _double(rows: _Rows, w: Array) -> _Forms:
    """As `_single` at each power of width (G,), with attention and a vocabulary; nothing is left of it where one would be negative."""
    z = np.stack([np.ones((len(w), len(rows.x))), *(np.exp(-g[:, None] * rows.x) for g in (w, 1.0 - w))], axis=2)
    model = np.broadcast_to(np.exp(rows.y), z.shape[:2])
    for _ in range(ROUNDS):
        target = np.maximum(1.0 + rows.y - np.log(model), 1e-3)
        c = _solved(z / model[:, :, None], target)
        low = c[:, 0] < rows.least
        if low.any():
            held = rows.least / model[low]
            c[low, 0] = rows.least
            c[low, 1:] = _solved(z[low, :, 1:] / model[low][:, :, None], target[low] - held)
        model = np.maximum((z * c[:, None, :]).sum(2), 1e-3 * np.exp(rows.y))
    left = ((np.log(model) - rows.y) ** 2).sum(1)
    return _Forms(np.where(np.all(c > 0, axis=1), left, np.inf), c[:, 0], c[:, 1], w, c[:, 2])


def _solved(z: Array, target: Array) -> Array:
    """Least squares (G, k) of targets (G, n) in columns (G, n, k)."""
    return np.einsum("gkn,gn->gk", np.linalg.pinv(z), target)


def _polished(rows: _Rows, forms: _Forms, make: _Make) -> _Forms:
    """The best form, its exponent found between those of the grid."""
    k = int(np.argmin(forms.left))
    low, high = forms.g[max(k - 1, 0)], forms.g[min(k + 1, len(forms.g) - 1)]
    best = forms
    for _ in range(8):
        some = np.linspace(low, high, 9)
        best = make(rows, some)
        k = int(np.argmin(best.left))
        low, high = some[max(k - 1, 0)], some[min(k + 1, 8)]
    return _Forms(*(np.array([v[k]]) for v in (best.left, best.c0, best.c1, best.g, best.c2)))


def _draws(kinds: list[_Kind], constant: float, floor: float) -> tuple[_Draw, ...]:
    """Forms in proportion to how likely these ratios are under each, the scatter itself unknown."""
    rows = kinds[0].rows
    n = len(rows.x)
    left = np.concatenate([*(k.forms.left for k in kinds), [constant]]) + floor
    used = np.concatenate([*(np.full(len(k.forms.g), k.numbers) for k in kinds), [1]])
    many = np.concatenate([*(np.full(len(k.forms.g), len(k.forms.g)) for k in kinds), [1]])
    kind, at = (
        np.concatenate(z)
        for z in zip(
            *((np.full(len(k.forms.g), i), np.arange(len(k.forms.g))) for i, k in enumerate(kinds)), strict=True
        )
    )
    # A constant is the simpler by two numbers; whether one cause or two is counted, neither is the likelier beforehand.
    likely = -0.5 * np.maximum(n - used + 1, 1) * np.log(left) - np.log(many) - np.where(used > 1, np.log(n), 0.0)
    likely = np.where(np.isfinite(left), likely, -np.inf)
    chance = np.exp(likely - likely.max())
    rng = np.random.default_rng(0)
    drawn = rng.choice(len(chance), DRAWS, p=chance / chance.sum())
    spread, noise = np.empty(DRAWS), np.empty((DRAWS, n))
    for r, each in enumerate(drawn):
        spread[r] = SHARED * np.sqrt(left[each] / rng.chisquare(max(1, n - used[each] + 1)))
        noise[r] = rng.standard_normal(n)
    scatter = np.clip(spread[:, None] * noise, -FARTHEST, FARTHEST)
    level = np.exp(rows.y.mean() + scatter.mean(1))
    out: list[_Draw] = [(0.0, float(v), 0.0, 0.0, 0.0) for v in level]
    kind = np.append(kind, -1)[drawn]
    for i, one in enumerate(kinds):
        (which,) = np.nonzero(kind == i)
        if len(which):
            moved = replace(one.rows, y=one.rows.y + scatter[which])
            g = one.forms.g[at[drawn[which]]]
            made = one.make(moved, g)
            fit = np.isfinite(made.left)
            # Where two causes leave nothing that is positive, one of them is left.
            made = made if fit.all() else made.where(fit, _single(moved, g))
            for j, draw in enumerate(which):
                out[draw] = made.at(j)
    return tuple(out)
