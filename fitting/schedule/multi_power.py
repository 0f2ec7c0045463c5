"""Loss curves under a learning-rate schedule: the multi-power law, fitted to a few curves, says what other schedules would give.

The law is not in `fitting/laws/`, where a law is a function of a run's own numbers: here the loss at a step depends on every
rate before it. It is declared and solved as those are, and its inputs are what `histories` makes of a schedule.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from data.alike import Alike
from fitting.arguments import as_numbers, in_short, is_one_of
from fitting.autodiff import partials_of, seed, stretches, value_of
from fitting.band import LEVEL, Band, from_draws
from fitting.errors import FitError
from fitting.law import Law, Param, Published, coefficient
from fitting.schedule.noise import CurveNoise, curve_noise
from fitting.shown import shown
from fitting.solver.initial_values import nonnegative
from fitting.solver.parametrization import Coordinates
from fitting.solver.solver import Problem, minimise, residuals, slopes

Array = np.ndarray

# Steps are taken together in blocks of equal change of the rate. Measured on the 27 published curves: against a thousand
# blocks, 64 move no predicted loss by more than 3e-4, a tenth of the law's own mean error.
BLOCKS = 64
# For refits: rows a curve, blocks of falls, and steps of the solver; CHUNK draws are predicted together.
ROWS, FEW_BLOCKS, MOST_STEPS, CHUNK = 32, 24, 25, 50
FEW = 5
SOON = 0.01
# What the form misses of a schedule not shown, in log loss: measured on the published curves (three sizes, three fitted, six
# forecast), where it explains most of the error. At their ends the root mean square is .0031 within the sum of rates fitted
# and .0057 at three times it. The sizes differ: two of them would put it at .0022 to .0037.
FORM = 0.003


@shown()
@dataclass(frozen=True, eq=False)
class Schedule(Alike):
    """The learning rate `lr` (T,) of every step from the first, of which the first `warmup` are the warm-up."""

    lr: Array
    warmup: int

    @classmethod
    def after(cls, warmup: int, lr: Array) -> Schedule:
        """A schedule that rises in a line to lr[0] over `warmup` steps and goes on as `lr` (T,) says."""
        lr = np.asarray(lr, float)
        if lr.ndim != 1 or len(lr) == 0 or not np.all(np.isfinite(lr) & (lr > 0)):
            raise FitError("A schedule is a positive learning rate for every step after warm-up.")
        return cls(np.concatenate([lr[0] * np.arange(1, warmup + 1) / max(1, warmup), lr]), int(warmup))

    @classmethod
    def through(cls, warmup: int, steps: Array, lr: Array, between: str = "line") -> Schedule:
        """The schedule through logged rates (n,) at rising steps (n,), of which none is of the warm-up.

        `between` two logged steps the rate is on a "line", or as a "stair" the earlier one, for schedules that jump.
        """
        steps, lr = np.asarray(steps, float), np.asarray(lr, float)
        if not is_one_of(between, ("line", "stair")):
            raise FitError(f'Between logged steps a rate is on a "line" or a "stair", not {between!r}.')
        if len(steps) == 0 or np.any(np.diff(steps) <= 0) or steps[0] < warmup or steps[-1] <= warmup:
            raise FitError(f"Logged steps rise and begin at the end of the warm-up, step {warmup}, or after it.")
        every = np.arange(warmup + 1, int(steps[-1]) + 1)
        if between == "line":
            return cls.after(warmup, np.interp(every, steps, lr))
        return cls.after(warmup, lr[np.maximum(np.searchsorted(steps, every, side="right") - 1, 0)])


@dataclass(frozen=True, eq=False)
class Falls(Alike):
    """The changes of the rate that each of n steps looks back on, one after the other, (M,) each; `first` (n,) says where
    those of a step begin. `drop` is by how much the rate fell, `lr` to what, `area` the sum of rates since."""

    drop: Array
    lr: Array
    area: Array
    first: Array


def formula(area: Any, falls: Any, L0: Any, A: Any, alpha: Any, B: Any, C: Any, beta: Any, gamma: Any) -> Any:
    """Loss (..., n) at sums of rates (n,) and their `Falls`; parameters may carry slopes."""
    gain = falls.drop * (1.0 - (1.0 + C * falls.lr**-gamma * falls.area) ** -beta)
    return L0 + A * area**-alpha - B * stretches(gain, falls.first)


SOURCE = "arXiv 2503.12811, constants in its repository, loss curves of its own"
law = Law(
    key="multi-power",
    title="Multi-power law of a schedule",
    formula=formula,
    latex=(
        r"L(t) = L_0 + A\,S(t)^{-\alpha} - B \sum_{k \le t} (\eta_{k-1} - \eta_k)"
        r"\left[1 - \left(1 + C\,\eta_k^{-\gamma} \textstyle\sum_{\tau=k}^{t} \eta_\tau\right)^{-\beta}\right]"
    ),
    inputs=("area", "falls"),
    params=(
        Param("L0", "L_0", "nats", "the loss that no training of this model gets below", (0.0, 1e3), log=False),
        Param("A", "A", "nats lr^alpha", "weight of the term for too little training", (1e-12, 1e60),
              anchor=coefficient("area", "alpha")),
        Param("alpha", r"\alpha", "", "how fast the loss falls with the sum of learning rates", (0.01, 3.0)),
        Param("B", "B", "nats per lr", "what lowering the rate gains in the end, for each unit", (1e-2, 1e8)),
        Param("C", "C", "lr^(gamma-1)", "how soon that gain comes", (1e-3, 1e4)),
        Param("beta", r"\beta", "", "how fast the gain approaches its end", (0.02, 10.0)),
        Param("gamma", r"\gamma", "", "how much sooner it comes at a lower rate", (0.01, 3.0)),
    ),
    cite="Luo et al. 2025, arXiv 2503.12811: L(t) = L0 + A (S1 + SW)^-alpha - LD(t), with G(x) = 1 - (Cx + 1)^-beta",
    published=tuple(
        Published(f"Luo et al. 2025, {size}", dict(zip(("L0", "A", "alpha", "B", "C", "beta", "gamma"), v, strict=True)), SOURCE)
        for size, v in {
            "25M": (3.0405, 0.5247, 0.5079, 363.79, 2.0656, 0.5828, 0.6414),
            "100M": (2.6514, 0.6012, 0.4530, 437.95, 2.1325, 0.5979, 0.6552),
            "400M": (2.3747, 0.6542, 0.4288, 523.42, 2.0246, 0.5935, 0.6347),
        }.items()
    ),
)  # fmt: skip


def histories(schedule: Schedule, steps: Array, blocks: int = BLOCKS) -> tuple[Array, Falls]:
    """The sum of rates up to each of the steps (n,), and the falls that each looks back on, in at most `blocks` blocks.

    Raises FitError for a step of the warm-up, which the law does not describe, or beyond the schedule.
    """
    asked = as_numbers(steps)
    if asked is None or asked.ndim != 1 or not len(asked) or not np.all(asked == np.round(asked)):
        raise FitError(f"Ask for the loss at one step or more, as a list of whole numbers; it was {in_short(steps)}.")
    if not isinstance(schedule, Schedule):
        raise FitError(f"A loss is asked of a schedule, such as ahead(...) gives; it was {in_short(schedule)}.")
    at = np.clip(asked, -1.0, 1e15).astype(int)
    if at.min() < max(1, schedule.warmup) or at.max() > len(schedule.lr):
        raise FitError(
            f"The law holds from step {schedule.warmup}, the end of the warm-up, to the schedule's last, "
            f"{len(schedule.lr)}; steps {at.min()} to {at.max()} were asked for."
        )
    before = np.concatenate([[0.0], np.cumsum(schedule.lr)])
    # The rise of the warm-up counts as a fall below zero. The published constants want it so: without it they miss every
    # curve by about B times the peak rate, .11 to .16 nats.
    fall = -np.diff(schedule.lr, prepend=0.0)
    weight = np.abs(fall)
    total, drop, rate, place = (
        np.concatenate([[0.0], np.cumsum(x)]) for x in (weight, fall, weight * schedule.lr, weight * before[:-1])
    )
    # Edges of equal change, and wherever the rate turns: a rise and a fall must not cancel.
    turns = np.flatnonzero(np.diff(np.sign(fall[weight > 0])))
    turning = np.flatnonzero(weight > 0)[turns + 1] if len(turns) < blocks else np.empty(0, int)
    even = np.searchsorted(total, np.linspace(0.0, total[-1], blocks + 1))
    edges = np.unique(np.concatenate([[0], even, turning, [len(fall)]]))
    out: list[Array] = []
    first = [0]
    for i in at:
        a = edges[edges < i]
        b = np.minimum(edges[1 : len(a) + 1], i)
        moved = total[b] - total[a]
        a, b, moved = a[moved > 0], b[moved > 0], moved[moved > 0]
        area = before[i] - (place[b] - place[a]) / moved
        out.append(np.stack([drop[b] - drop[a], (rate[b] - rate[a]) / moved, np.maximum(area, 0.0)]))
        first.append(first[-1] + out[-1].shape[1])
    fell, to, since = np.concatenate(out, axis=1)
    return before[at], Falls(fell, to, since, np.array(first[:-1]))


def loss_curve(schedule: Schedule, steps: Array, params: dict[str, float], blocks: int = BLOCKS) -> Array:
    """Loss (n,), nats per token, at steps (n,) of a schedule, by the law's seven constants."""
    area, falls = histories(schedule, steps, blocks)
    return np.asarray(law({"area": area, "falls": falls}, params), float)


@shown()
@dataclass(frozen=True, eq=False)
class CurveFit(Alike):
    """The law fitted to curves: constants by name, objective, log residuals (n,) in the curves' order (curve less law), and whether
    it settled.

    `draws` (R, 7) are constants refitted to curves whose noise is drawn anew (see `fitting/schedule/noise.py`), `noise` what
    that noise was for each, `reach` the largest sum of rates among the curves, and `notes` what to know first, a sentence each.
    """

    params: dict[str, float]
    objective: float
    residuals: Array
    converged: bool
    draws: Array
    noise: CurveNoise | None
    reach: float
    notes: tuple[str, ...]

    def interval(self, name: str, level: float = LEVEL) -> Band:
        """One constant with its interval; without draws its ends are nan. Raises FitError for a name the law has not."""
        if name not in law.names:
            raise FitError(f"The law of a schedule has the constants {', '.join(law.names)}; {name!r} is none of them.")
        return from_draws(self.params[name], self.draws[:, law.names.index(name)], level)

    def predict(
        self, schedule: Schedule, steps: Array, level: float = LEVEL, of: str = "law", doubt: bool = True
    ) -> Band:
        """Loss (n,) at rising steps (n,) of any schedule, its warm-up as long as those fitted, with a band (n,).

        The band is that `of` the "law"'s curve, or of the losses that a new "run" would log: these have noise of their own, and
        unless `doubt` is off, what the law itself misses of a schedule that it has not seen (`FORM`). Its ends hold the law's own:
        no run is known better than the curve that it scatters around, whatever the few draws of its noise say.
        """
        if not is_one_of(of, ("law", "run")):
            raise FitError(f'A band is of the "law" or of a new "run"; it was asked of {of!r}.')
        area, falls = histories(schedule, steps)
        best = np.asarray(law({"area": area, "falls": falls}, self.params), float)
        drawn = np.empty((len(self.draws), len(best)))
        with np.errstate(all="ignore"):
            for i in range(0, len(drawn), CHUNK):
                some = self.draws[i : i + CHUNK]
                drawn[i : i + CHUNK] = formula(area, falls, *(some[:, k, None] for k in range(law.p)))
        # Laid the other way round the fit: where the fit leans, refits of its curves lean once more. Measured on planted laws
        # (three curves, noise .3 %), 95 % bands of the final loss held it in 73 % as they come, and in 90 % so, as wide.
        drawn = best**2 / drawn
        band = from_draws(best, drawn, level)
        if of == "run" and self.noise is not None:
            rng = np.random.default_rng(1)
            off = self.noise.paths(rng, np.asarray(steps, float))
            missed = rng.standard_normal((len(off), 1)) * FORM * (1.0 + np.log(np.maximum(area / self.reach, 1.0)))
            return from_draws(best, drawn * np.exp(off + missed if doubt else off), level).holding(band)
        return band


def fit_curves(
    curves: Sequence[tuple[Schedule, Array, Array]], delta: float = 1e-3, resamples: int = 0, seed: int = 0
) -> CurveFit:
    """The law fitted to loss curves of one model, each a schedule with rising steps (n,) and losses (n,).

    The objective is that of every fit here: the sum of Huber(delta) of log residuals. Intervals come from `resamples` refits.
    Raises FitError when the curves cannot tell what a change of the rate does.
    """
    if not curves:
        raise FitError("The law of a schedule is fitted to one loss curve or more; there was none.")
    parts = [histories(schedule, steps) for schedule, steps, _ in curves]
    loss = np.concatenate([np.asarray(y, float) for _, _, y in curves])
    if len(loss) < law.min_runs or not np.all(np.isfinite(loss) & (loss > 0)):
        raise FitError(
            f"The law of a schedule needs {law.min_runs} points with a positive loss or more; there are {len(loss)}."
        )
    area, falls = np.concatenate([a for a, _ in parts]), _joined([f for _, f in parts])
    if not np.any(falls.drop > 0):
        raise FitError("In none of these curves does the learning rate fall: add one with a decay or a step down.")
    where = Coordinates(
        law,
        {"area": float(np.exp(np.log(area).mean())), "rate": float(np.exp(np.log(falls.lr[falls.drop > 0]).mean()))},
        float(np.exp(np.log(loss).mean())),
        float(loss.min()),
    )
    prob = Problem(where, _scaled(where, area, falls), np.log(loss), delta)
    found = minimise(prob, _starts(prob))
    best = found.best()
    theta = found.theta[best]
    drawn, noise = (theta[None, :][:0], None) if resamples < 1 else _refits(curves, prob, theta, resamples, seed)
    draws = _natural(where, drawn)
    return CurveFit(
        dict(zip(law.names, map(float, _natural(where, theta)), strict=True)),
        float(found.objective[best]),
        -residuals(prob, theta[None, :])[0],
        bool(found.converged[best]),
        draws,
        noise,
        float(area.max()),
        _notes(len(curves), bool(found.converged[best]), drawn, where.bounds),
    )


def _refits(
    curves: Sequence[tuple[Schedule, Array, Array]], prob: Problem, theta: Array, resamples: int, seed: int
) -> tuple[Array, CurveNoise]:
    """Internal coordinates (R, p) refitted to the law's own curves with noise drawn anew, and that noise.

    Noise is drawn at every step and laid, as the mean over a stretch, on a few rows of each curve: what refits feel of it is
    the same, and they are quicker by the number of rows. They are least squares, begun where the linear model has them.
    """
    rng = np.random.default_rng(seed)
    left, slope = (x[0] for x in slopes(prob, theta[None, :]))
    ends = np.cumsum([len(steps) for _, steps, _ in curves])[:-1]
    steps = [np.asarray(t, float) for _, t, _ in curves]
    noise = curve_noise(steps, np.split(left, ends), np.split(slope.T, ends), rng, resamples)
    few, errors, counts = [], [], []
    for (schedule, t, _), at in zip(curves, steps, strict=True):
        edges = np.unique(np.linspace(0, len(at), min(len(at), ROWS) + 1).astype(int))
        middle = (edges[:-1] + edges[1:] - 1) // 2
        few.append(histories(schedule, np.asarray(t)[middle], FEW_BLOCKS))
        counts.append(np.diff(edges))
        errors.append(np.add.reduceat(noise.paths(rng, at), edges[:-1], axis=1) / np.diff(edges))
    weight = np.concatenate(counts).astype(float)
    error = np.concatenate(errors, axis=1)
    inputs = _scaled(prob.coordinates, np.concatenate([a for a, _ in few]), _joined([f for _, f in few]))
    small = Problem(prob.coordinates, inputs, np.zeros(len(weight)), np.inf, importance=weight)
    value, slope = (x[0] for x in slopes(small, theta[None, :]))
    small = replace(small, log_loss=value + error)
    q, r = np.linalg.qr(slope.T * np.sqrt(weight)[:, None])
    move = np.linalg.lstsq(r, q.T @ (np.sqrt(weight) * error).T, rcond=1e-8)[0].T
    move /= np.maximum(1.0, np.max(np.abs(move), axis=1, keepdims=True))
    return minimise(small, theta + move, most=MOST_STEPS, tolerance=1e-6, caution=0.01).theta, noise


def _notes(count: int, converged: bool, drawn: Array, bounds: tuple[Array, Array]) -> tuple[str, ...]:
    """What a reader should know first, a sentence each."""
    out = []
    if not converged:
        out.append("The fit did not settle: another start could give other constants. Add a curve of another schedule.")
    if count < FEW:
        out.append(
            f"{'One curve tells' if count == 1 else f'{count} curves tell'} little of what a curve has of its own beside the law, so the "
            "intervals rest on an assumption about it; a further schedule is the surest check."
        )
    if len(drawn):
        low, high = bounds
        open_ended = np.mean((drawn <= low + 1e-6) | (drawn >= high - 1e-6), axis=0) > 0.025
        names = [name for name, is_open in zip(law.names, open_ended, strict=True) if is_open]
        if names:
            out.append(
                f"These curves leave {', '.join(names)} open at an end: quote predicted losses, not the constants one by one."
            )
    return tuple(out)


def _joined(parts: Sequence[Falls]) -> Falls:
    sizes = np.cumsum([0, *(len(f.drop) for f in parts)])
    drop, lr, area = (np.concatenate([getattr(f, k) for f in parts]) for k in ("drop", "lr", "area"))
    return Falls(drop, lr, area, np.concatenate([f.first + n for f, n in zip(parts, sizes, strict=False)]))


def _scaled(where: Coordinates, area: Array, falls: Falls) -> Any:
    """The inputs as they are solved for: C is how soon a gain comes at the falls' middle rate, in a hundredth of the middle area.

    In C itself the solver crawls: it goes up and down with gamma by decades while the curves stay as they are.
    """
    unit = SOON * where.origin["area"]
    return area / where.origin["area"], replace(falls, lr=falls.lr / where.origin["rate"], area=falls.area / unit)


def _natural(where: Coordinates, theta: Array) -> Array:
    """The law's own constants (..., 7) for internal coordinates (..., 7)."""
    out = where.natural(theta)
    c, gamma = law.names.index("C"), law.names.index("gamma")
    out[..., c] *= where.origin["rate"] ** out[..., gamma] / (SOON * where.origin["area"])
    return out


def _starts(prob: Problem, keep: int = 4) -> Array:
    """The best of a grid over the law's shapes, with L0, A and B by non-negative least squares on relative residuals."""
    grid = np.array(list(itertools.product((0.3, 0.5, 0.8), (3.0, 20.0, 120.0), (0.3, 0.6, 1.2), (0.3, 0.6))))
    alpha, c, beta, gamma = (grid[:, i, None] for i in range(4))
    one = np.ones((len(grid), 1))
    loss = np.exp(prob.log_loss)
    at: list[Any] = seed([one, one, alpha, one, c, beta, gamma])
    slopes = partials_of(formula(*prob.inputs, *at))
    columns = np.stack([np.broadcast_to(value_of(slopes[k]), (len(grid), prob.n)) / loss for k in (0, 1, 3)], axis=1)
    amounts = np.maximum(nonnegative(columns, np.ones(prob.n)), [0.0, 1e-6, 1e-1])
    theta = np.log(np.concatenate([one, amounts[:, 1:2], alpha, amounts[:, 2:], c, beta, gamma], axis=1))
    theta[:, 0] = amounts[:, 0]
    off = np.mean(residuals(prob, theta) ** 2, axis=1)
    return theta[np.argsort(np.where(np.isfinite(off), off, np.inf), kind="stable")[:keep]]
