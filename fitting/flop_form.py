"""The form of a table's FLOPs beside 6ND, fitted to its own rows: a constant, or one that levels off with size.

What a table counts beside 6ND has a cause: attention's 12 L d s, a vocabulary's 6 V d, parameters that do no work. Each is a
power of size that 6ND outgrows. Where width grows as N^w, attention falls beside it as N^-w and a vocabulary as N^-(1 - w); w
is 1/3 where depth grows with width, and a vocabulary falls as 1/N where depth alone grows. What stays is no less than one,
what forward and backward cost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
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
DRAWS = 200
ROUNDS = 6
# What FLOPs leave over is seldom chance: depths and widths are whole numbers, and neighbours share it. Assumed.
SHARED = 5.0


@dataclass(frozen=True)
class _Rows:
    """Log sizes (n,) around their centre, log ratios (n,), and where c0 may lie; `falls` says of which sign c1 is."""

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


def flop_form(log_n: Array, log_ratio: Array) -> Accounting:
    """The form of log(C / 6ND) (n,) at log sizes (n,)."""
    centre = float(log_n.mean())
    if np.max(np.abs(log_ratio)) < EXACT:
        return Accounting(centre=centre)
    x, y = _by_size(log_n - centre, log_ratio)
    low, high = float(np.exp(y.min())), float(np.exp(y.max()))
    flat = Accounting(float(log_ratio.mean()), 0.0, centre, float(np.std(log_ratio)), lowest=0.5 * low)
    if len(x) < 3 or np.ptp(y) < DIGITS:
        return flat
    falls = float((x - x.mean()) @ (y - y.mean())) <= 0
    # A table that counts less than a step costs, as one of all experts' parameters does, says so itself.
    least = min(1.0, low * (1.0 - 1e-3)) if falls else 0.5 * low
    rows = _Rows(x, y, least, np.inf if falls else max(1.0, HEADROOM * high), falls)
    constant = float(np.sum((y - y.mean()) ** 2))
    kinds: list[tuple[_Forms, int, _Make]] = [(_single(rows, EXPONENTS if falls else RISING), 3, _single)]
    if falls and len(x) >= 6:
        kinds.append((_double(rows, WIDTHS), 4, _double))
    floor = len(x) * DIGITS**2
    best, found = _cost(constant, len(x), 1, floor), None
    for forms, numbers, make in kinds:
        one = _polished(rows, forms, make)
        cost = _cost(float(one.left[0]), len(x), numbers, floor)
        if cost < best and len(x) > numbers:
            best, found = cost, one
    flat = replace(flat, draws=_draws(rows, [k[0] for k in kinds], [k[1] for k in kinds], constant, floor))
    exact = found is not None and found.left[0] <= 10.0 * floor
    counted = _counted(rows) if len(x) >= LEAST_SIZES and not exact else None
    if counted is not None and _cost(counted.left, len(x), counted.numbers, floor) < best:
        draws = _around(counted, len(x), floor)
        out = replace(flat, **_as_fields(counted.form), draws=draws)
    elif found is None or found.c1[0] == 0.0:
        return flat
    else:
        out = replace(flat, **_as_fields(found.at(0)))
    return replace(out, spread=float(np.std(log_ratio - np.log(out.ratio(np.exp(log_n))))))


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

    least = min(1.0, float(np.exp(rows.y.max())))
    low = np.array([WIDTHS[0], -6.0, least, 0.0, 0.0])
    high = np.array([0.5, 6.0, 3.0, 1e3, 1e3])

    def misfit(p: Array) -> Array:
        w, idle = p[0], np.exp(p[1])
        u = working(rows.x, idle, w)
        z = np.exp((w - 1.0) * u)
        return np.asarray(np.log((p[2] + p[3] * np.exp(-w * u) + p[4] * z) / (1.0 + idle * z)) - rows.y)

    best = None
    for w in (1 / 3, 0.45):
        for idle in (-2.0, 0.0):
            start = np.clip([w, idle, least + 0.05, 0.05, 0.05], low + 1e-9, high - 1e-9)
            found = least_squares(
                misfit, start, bounds=(low, high), xtol=1e-8, ftol=1e-4, gtol=1e-12, max_nfev=12, x_scale="jac"
            )
            if best is None or found.cost < best.cost:
                best = found
    assert best is not None
    best = least_squares(
        misfit, best.x, bounds=(low, high), xtol=1e-13, ftol=1e-9, gtol=1e-15, max_nfev=80, x_scale="jac"
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


def _around(c: _Counted, n: int, floor: float) -> tuple[_Draw, ...]:
    """Forms around the best by how steep the misfit is, within what a form may be."""
    rng = np.random.default_rng(0)
    free = max(1, n - c.numbers)
    out = []
    for _ in range(DRAWS):
        spread = SHARED * np.sqrt((c.left + floor) / rng.chisquare(free))
        moved = c.at + c.root @ (spread * rng.standard_normal(c.root.shape[1]))
        out.append(_form_of(np.clip(moved, c.low, c.high)))
    return tuple(out)


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
    """Least squares of log ratios at each exponent (G,), with one term beside c0."""
    z = np.exp(-g[:, None] * rows.x)
    model = np.broadcast_to(np.exp(rows.y), z.shape)
    sign = 1.0 if rows.falls else -1.0
    for _ in range(ROUNDS):  # log r is log m + (r' - m) / m around a model m
        target = np.maximum(1.0 + rows.y - np.log(model), 1e-3)
        one, slope = 1.0 / model, z / model
        aa, ab, bb = (one**2).sum(1), (one * slope).sum(1), (slope**2).sum(1)
        ay, by = (one * target).sum(1), (slope * target).sum(1)
        with np.errstate(all="ignore"):
            free = np.nan_to_num((ay * bb - by * ab) / (aa * bb - ab**2), nan=rows.least)
        c0 = np.clip(free, rows.least, rows.most)
        c1 = sign * np.maximum(sign * (by - c0 * ab) / bb, 0.0)
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
            held = rows.least * z[low, :, 0] / model[low]
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


def _draws(rows: _Rows, kinds: list[_Forms], numbers: list[int], constant: float, floor: float) -> tuple[_Draw, ...]:
    """Forms in proportion to how likely these ratios are under each, the scatter itself unknown."""
    n = len(rows.x)
    left = np.concatenate([*(k.left for k in kinds), [constant]]) + floor
    used = np.concatenate([*(np.full(len(k.g), c) for k, c in zip(kinds, numbers, strict=True)), [1]])
    many = np.concatenate([*(np.full(len(k.g), len(k.g)) for k in kinds), [1]])
    # A constant is the simpler by two numbers; whether one cause or two is counted, neither is the likelier beforehand.
    likely = -0.5 * np.maximum(n - used + 1, 1) * np.log(left) - np.log(many) - np.where(used > 1, np.log(n), 0.0)
    likely = np.where(np.isfinite(left), likely, -np.inf)
    chance = np.exp(likely - likely.max())
    rng = np.random.default_rng(0)
    out = []
    for k in rng.choice(len(chance), DRAWS, p=chance / chance.sum()):
        spread = SHARED * np.sqrt(left[k] / rng.chisquare(max(1, n - used[k] + 1)))
        if k == len(chance) - 1:
            out.append((0.0, float(np.exp(rows.y.mean() + spread / np.sqrt(n) * rng.standard_normal())), 0.0, 0.0, 0.0))
            continue
        first = k < len(kinds[0].g)
        g = kinds[0].g[k] if first else kinds[1].g[k - len(kinds[0].g)]
        moved = replace(rows, y=rows.y + spread * rng.standard_normal(n))
        made = (_single if first else _double)(moved, np.array([g]))
        out.append(made.at(0) if np.isfinite(made.left[0]) else _single(moved, np.array([g])).at(0))
    return tuple(out)
