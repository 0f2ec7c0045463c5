"""How long a training step takes, fitted on measured steps: a start, bytes moved, FLOPs and layers, each with its cost.

t = t0 + t1 bytes + t2 FLOPs + t3 layers, no coefficient below zero, for one device's share of a step. A surrogate for
"Time Matters" (arXiv 2406.18922), whose own formula and constants were not found: which bytes are counted is said at
`bytes_moved`, and is ours. Where runs tell no shape, t = t0 + t2 FLOPs. Talk between devices is in none of the terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from data.alike import Alike
from data.flops import Shape, params_by_group
from fitting.arguments import (
    MOST_RESAMPLES,
    MOST_SEED,
    a_count,
    a_flag,
    an_input,
    as_numbers,
    in_range,
    in_short,
    is_one_of,
    one_number,
    rows_of,
    together,
)
from fitting.band import LEVEL, Band, from_draws
from fitting.errors import FitError
from fitting.planning.memory import activation_bytes
from fitting.planning.shapes import COUNTED, SizedShape
from fitting.shown import shown
from fitting.solver.initial_values import nonnegative
from fitting.uncertainty.error_model import noise

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

# Bytes of weights a step moves for each parameter, in bf16: read forward, read backward, gradient written.
WEIGHT_BYTES = 3 * 2.0
# And of the optimiser, in fp32: weight and two moments read and written, gradient read and bf16 weight written.
OPTIMISER_BYTES = 6 * 4.0 + 2.0 + 2.0
SPARE = 2  # rows beyond the number of terms, so that something is left to judge the noise by
TOGETHER = 0.98  # a correlation of log bytes and log FLOPs from which on their costs are not told apart
SHAPE = ("layers", "width")
MEASURED = ("batch", "devices", "step_seconds", "tokens_per_second", "wall_seconds", "steps")
OPTIONAL = ("heads", "head_dim", "ffn", "vocab", "seq_len", "experts", "top_k")
# Measured at noise of 10 and 30 %: three more rounds move no cost by more than 5e-4 of itself.
ROUNDS, ROUNDS_NEAR = 5, 3
MEANING = {
    "start": ("s", "what a step takes before any work"),
    "bytes": ("s per byte", "each byte moved to or from memory on a device"),
    "flops": ("s per FLOP", "each FLOP on a device"),
    "layers": ("s per layer", "each layer, whatever its size"),
}


@shown()
@dataclass(frozen=True, eq=False)
class StepTime(Alike):
    """Fitted step times. `best` (k,) are the costs of `terms` in seconds, `draws` (R, k) the same from refits to noise drawn anew.

    `residuals` (n,) are log measured over fitted, `new_noise` (R,) that of one more run; `count` is the column of parameters
    where no shape is known, else "". `r2` is the share of the variance of log seconds explained by FLOPs alone, bytes alone and
    all terms (NaN for what was not known). `ranges` are of FLOPs and bytes a step on a device.
    """

    terms: tuple[str, ...]
    best: Array
    draws: Array
    residuals: Array
    new_noise: Array
    count: str
    r2: Mapping[str, float]
    ranges: Mapping[str, tuple[float, float]]
    notes: tuple[str, ...] = field(default=())

    def coefficient(self, term: str, level: float = LEVEL) -> Band:
        """The cost of one term, in the unit of `MEANING`; zero for a term these runs do not tell of."""
        if term not in self.terms:
            return Band(0.0, 0.0, 0.0, level)
        i = self.terms.index(term)
        return from_draws(self.best[i], self.draws[:, i], level)

    def rate(self, level: float = LEVEL) -> Band:
        """FLOP/s of one device while nothing else holds it up: one over the cost of a FLOP, which utilisation approaches."""
        value, low, high = self.coefficient("flops", level)
        with np.errstate(divide="ignore"):
            best, least, most = (float(np.divide(1.0, x)) for x in (value, high, low))
        return Band(best, least, most, level)

    def seconds(
        self, model: Shape | SizedShape | float, batch: Any, devices: Any = 1, *, level: float = LEVEL, of: str = "law"
    ) -> Band:
        """Seconds a step takes at a batch in tokens over `devices`, numbers or arrays of one shape.

        `model` is a shape, or a number of parameters where these runs told no shape. The band is of the mean, or with
        of="run" of one measured step time more. Raises FitError for a model of the other kind.
        """
        if not is_one_of(of, ("law", "run")):
            raise TypeError(f'of is "law" or "run", not {in_short(of)}')
        columns, shape = self._columns(model, batch, devices)
        best, spread = columns @ self.best, self.draws @ columns.T
        if of == "run" and len(self.new_noise):
            spread = spread * np.exp(self.new_noise[:, None])
        return from_draws(np.reshape(best, shape), np.reshape(spread, (len(spread), *shape)), level)

    def tokens_per_second(self, model: Any, batch: Any, devices: Any = 1, *, level: float = LEVEL) -> Band:
        """Tokens a second on all devices, at a batch in tokens."""
        value, low, high = self.seconds(model, batch, devices, level=level)
        batch = an_input("batch", batch)
        return Band(batch / value, batch / high, batch / low, level)

    def utilisation(self, model: Any, batch: Any, peak: float, devices: Any = 1, *, level: float = LEVEL) -> Band:
        """The share of a device's `peak` (dense FLOP/s) that a step reaches."""
        flops = self._work(model, batch, devices)["flops"] / one_number("peak", peak, "a device's dense FLOP/s")
        flops = float(flops) if np.ndim(flops) == 0 else flops
        value, low, high = self.seconds(model, batch, devices, level=level)
        return Band(flops / value, flops / high, flops / low, level)

    def warning(self, model: Any, batch: float, devices: float = 1) -> str:
        """One sentence if a step is beyond those measured by more than a factor of two, else ''."""
        work = self._work(model, batch, devices)
        for name, said in (("flops", "FLOPs"), ("bytes", "bytes")):
            if name not in self.ranges:
                continue
            low, high = self.ranges[name]
            at = float(work[name])
            if not low / 2.0 <= at <= 2.0 * high:
                return f"A step of {at:.3g} {said} a device is outside the {low:.3g} to {high:.3g} measured: the time is extrapolated."
        return ""

    @property
    def sentence(self) -> str:
        """What the steps say, for a person."""
        both, flops = self.r2["both"], self.r2["flops"]
        said = f"FLOPs alone explain {flops:.0%} of how step times differ"
        if "bytes" in self.terms:
            said += f", bytes alone {self.r2['bytes']:.0%}, all terms together {both:.0%}"
        return " ".join([said + ".", *self.notes])

    def _work(self, model: Any, batch: Any, devices: Any) -> dict[str, Any]:
        given = {"batch": as_numbers(batch), "devices": as_numbers(devices)}
        asked = {k: v for k, v in given.items() if v is not None and np.all(in_range(v))}
        if len(asked) < len(given):
            raise FitError(
                "batch, in tokens per step, and devices are positive numbers; "
                f"they were {in_short(batch)} and {in_short(devices)}."
            )
        if self.count:
            asked["model"] = an_input("model", _params(model, self.count))
        asked = together(asked)
        tokens = asked["batch"] / asked["devices"]
        if self.count:
            return _work_of_params(asked["model"], tokens)
        shape = model.shape if isinstance(model, SizedShape) else model
        if not isinstance(shape, Shape):
            raise FitError(
                "These step times tell shapes apart: ask with a shape, such as one of fitting.planning.shapes.shapes_near."
            )
        return _work_of_shape(shape, tokens)

    def _columns(self, model: Any, batch: Any, devices: Any) -> tuple[Array, tuple[int, ...]]:
        work = self._work(model, batch, devices)
        shape = np.shape(work["flops"])
        columns = [np.broadcast_to(np.asarray(work[t], float), shape).ravel() for t in self.terms]
        return np.stack(columns, axis=1), shape


def bytes_moved(shape: Shape, tokens: Any) -> Any:
    """Bytes a step moves in one device's memory for `tokens` in one pass (number or array), under Adam in mixed precision.

    Weights are read forward and backward and their gradients written (bf16), the optimiser reads and writes its weight
    and moments (fp32), activations and logits are written and read once each (as `fitting.planning.memory` counts them, attention
    scores computed again). A model of ours, not a measurement.
    """
    params = params_by_group(shape).total
    return (WEIGHT_BYTES + OPTIMISER_BYTES) * params + 2.0 * activation_bytes(shape, 1.0) * tokens


def flops_of(shape: Shape, tokens: Any) -> Any:
    """Training FLOPs of `tokens`: 6 for each parameter of blocks and head, and 12 L d s for attention scores in full."""
    counts = params_by_group(shape)
    active = counts.attention + counts.ffn_active + counts.router + shape.vocab * shape.width
    return (6.0 * active + 12.0 * shape.layers * shape.d_attn * shape.seq_len) * tokens


def step_time(frame: Any, *, gated: bool = False, tied: bool = False, resamples: int = 2000, seed: int = 0) -> StepTime:
    """The step-time law of measured runs, a table (DataFrame or mapping of columns) with a row for each.

    Columns: `batch` (tokens per step); the time as `step_seconds`, or `tokens_per_second`, or `wall_seconds` with `steps`; the
    model as `layers` and `width` (and `heads`, `head_dim`, `ffn`, `vocab`, `seq_len` where known; `gated` and `tied` for all
    runs), or only a count of parameters; `devices` where there are several. Rows that lack one are left out. Raises FitError
    for a missing column or too few rows: two more than terms, at one more different work than terms.
    """
    gated, tied = a_flag("gated", gated), a_flag("tied", tied)
    resamples, seed = a_count("resamples", resamples, MOST_RESAMPLES), a_count("seed", seed, MOST_SEED)
    frame = _table(frame)
    seconds, batch, devices = _measured(frame)
    shaped = all(name in frame for name in SHAPE)
    good = np.isfinite(seconds) & (seconds > 0) & np.isfinite(batch) & (batch > 0) & (devices > 0)
    count = "" if shaped else next((c for c in COUNTED if c in frame), "")
    if not shaped and not count:
        raise FitError(f"Step times need the model: columns {' and '.join(SHAPE)}, or params. Add one.")
    for name in SHAPE if shaped else (count,):
        column = _column(frame, name)
        good &= np.isfinite(column) & (column > 0)
    tokens, seconds = (batch / devices)[good], seconds[good]
    if shaped:
        rows = [_work_of_shape(s, t) for s, t in zip(_shapes(frame, good, gated, tied), tokens, strict=True)]
        work = {t: np.array([row[t] for row in rows], float) for t in MEANING}
    else:
        work = _work_of_params(_column(frame, count)[good], tokens)
    notes: list[str] = []
    terms = tuple(t for t in MEANING if t in work and (t == "start" or len(np.unique(work[t])) > 1))
    if shaped and not _enough(work, terms):
        notes.append("Too few steps to tell bytes and layers apart from FLOPs: they were left out.")
        terms = ("start", "flops")
    if not _enough(work, terms):
        terms = ("start", "flops")
        raise FitError(
            f"Step times need {len(terms) + SPARE} measured steps or more, of {len(terms) + 1} different models or batches; there "
            f"are {len(seconds)} usable ones, of {_different(work)}. Measure more, over a wider range of batch and size."
        )
    columns = _stack(work, terms)
    best = _solve(columns, seconds[None, :])[0]
    fitted = columns @ best
    left = np.log(fitted) - np.log(seconds)
    slopes = (columns * best / fitted[:, None])[:, best > 0]
    errors, new = noise(left, slopes).errors(np.random.default_rng(seed), resamples)
    draws = _solve(columns, fitted * np.exp(-errors), fitted) if resamples else np.empty((0, len(terms)))
    r2 = {"flops": _explained(work, ("start", "flops"), seconds), "bytes": np.nan, "both": _share(left, seconds)}
    if shaped:
        r2["bytes"] = _explained(work, ("start", "bytes"), seconds)
    notes += _notes(work, terms, best)
    ranges = {t: (float(np.min(work[t])), float(np.max(work[t]))) for t in terms if t in ("flops", "bytes")}
    return StepTime(terms, best, draws, -left, -new[:, 0], count, r2, ranges, tuple(notes))


def _table(given: Any) -> pd.DataFrame:
    """Measured steps as a frame whose columns asked for are numbers."""
    import pandas as pd

    if isinstance(given, Mapping):
        try:
            given = pd.DataFrame(given)
        except (TypeError, ValueError) as e:
            raise FitError("Measured steps are columns of one length, by name; these are none.") from e
    names = (
        (*SHAPE, *OPTIONAL) if isinstance(given, pd.DataFrame) and all(c in given for c in SHAPE) else tuple(COUNTED)
    )
    return rows_of(given, (*MEASURED, *names), "Measured steps")


def _column(frame: pd.DataFrame, name: str) -> Array:
    return frame[name].to_numpy(float, na_value=np.nan)


def _measured(frame: pd.DataFrame) -> tuple[Array, Array, Array]:
    """Seconds a step, tokens per step and devices of each row."""
    if "batch" not in frame:
        raise FitError("Step times need the batch, in tokens per step: a column called batch. Add one.")
    batch = _column(frame, "batch")
    with np.errstate(all="ignore"):
        if "step_seconds" in frame:
            seconds = _column(frame, "step_seconds")
        elif "tokens_per_second" in frame:
            seconds = batch / _column(frame, "tokens_per_second")
        elif "wall_seconds" in frame and "steps" in frame:
            seconds = _column(frame, "wall_seconds") / _column(frame, "steps")
        else:
            raise FitError(
                "Step times need step_seconds, tokens_per_second, or wall_seconds with steps. Add such a column."
            )
    return seconds, batch, _column(frame, "devices") if "devices" in frame else np.ones_like(batch)


def _shapes(frame: pd.DataFrame, good: Array, gated: bool, tied: bool) -> list[Shape]:
    columns = {name: _column(frame, name)[good] for name in (*SHAPE, *OPTIONAL) if name in frame}
    known = {name: np.where(np.isfinite(c), c, 0.0).astype(int) for name, c in columns.items()}
    for name in ("heads", "experts", "top_k"):  # none of them is one of them
        if name in known:
            known[name] = np.maximum(known[name], 1)
    return [
        Shape(**{name: int(c[i]) for name, c in known.items()}, gated=gated, tied=tied) for i in range(int(good.sum()))
    ]


def _work_of_shape(shape: Shape, tokens: Any) -> dict[str, Any]:
    return {
        "start": 1.0,
        "bytes": bytes_moved(shape, tokens),
        "flops": flops_of(shape, tokens),
        "layers": float(shape.layers),
    }


def _work_of_params(params: Any, tokens: Any) -> dict[str, Any]:
    return {"start": 1.0, "flops": 6.0 * params * tokens}


def _params(model: Any, count: str) -> Any:
    if isinstance(model, SizedShape):
        model = model.shape
    return getattr(params_by_group(model), COUNTED[count]) if isinstance(model, Shape) else model


def _stack(work: Mapping[str, Any], terms: tuple[str, ...]) -> Array:
    n = len(work["flops"])
    return np.stack([np.broadcast_to(np.asarray(work[t], float), (n,)) for t in terms], axis=1)


def _different(work: Mapping[str, Any]) -> int:
    return len(np.unique(np.round(np.log(_stack(work, tuple(t for t in work if t != "start"))), 6), axis=0))


def _enough(work: Mapping[str, Any], terms: tuple[str, ...]) -> bool:
    enough = len(work["flops"]) >= len(terms) + SPARE and _different(work) > len(terms)
    return enough and "flops" in terms


def _solve(columns: Array, seconds: Array, near: Array | None = None) -> Array:
    """Costs (R, k) that are not below zero, of columns (n, k), by least squares of the log of seconds (R, n).

    Gauss and Newton's steps: around times f the log of a time is log f + (t - f) / f, which is linear in the costs. They
    begin at the measured seconds, or at times (n,) `near` every row, from where fewer do.
    """
    scale = columns.max(axis=0)
    unit = (columns / scale).T
    at = seconds if near is None else np.broadcast_to(near, seconds.shape)
    for _ in range(ROUNDS if near is None else ROUNDS_NEAR):
        found = nonnegative(unit / at[:, None, :], 1.0 + np.log(seconds / at))
        at = np.maximum(found @ unit, 1e-300)
    return np.asarray(found / scale)


def _explained(work: Mapping[str, Any], terms: tuple[str, ...], seconds: Array) -> float:
    columns = _stack(work, terms)
    return _share(np.log(columns @ _solve(columns, seconds[None, :])[0]) - np.log(seconds), seconds)


def _share(left: Array, seconds: Array) -> float:
    spread = np.log(seconds) - np.log(seconds).mean()
    with np.errstate(all="ignore"):
        return float(1.0 - np.divide(left @ left, spread @ spread))


def _notes(work: Mapping[str, Any], terms: tuple[str, ...], best: Array) -> list[str]:
    out = []
    if "bytes" in terms:
        together = np.corrcoef(np.log(work["bytes"]), np.log(work["flops"]))[0, 1]
        if together > TOGETHER:
            out.append(
                "Bytes and FLOPs rise together in these runs, so their costs are not identified: vary batch against size."
            )
    if best[terms.index("flops")] == 0.0:
        out.append("Step times do not rise with FLOPs here, so nothing is said of steps with more of them.")
    return out
