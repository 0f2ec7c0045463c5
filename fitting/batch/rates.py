"""Laws of learning rate and batch size refitted from a grid of runs, and judged by regret: the loss that following them costs.

A cell is one model size on one amount of data with runs over learning rates and batches. Runs within a quarter of a per
cent of its best are as good as it (Step Law, arXiv 2503.04715): the loss is flat there, and which of them is lowest is
luck. So exponents of two refits may differ though both choose as well, and a law is judged by what its choice loses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from data.alike import Alike
from fitting.arguments import (
    LARGEST,
    MOST_RESAMPLES,
    MOST_SEED,
    a_count,
    a_flag,
    any_number,
    in_short,
    is_one_of,
    one_number,
    rows_of,
)
from fitting.band import LEVEL, Band, from_draws
from fitting.batch.rows import finals_given
from fitting.errors import FitError
from fitting.shown import shown

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

NEEDED = ("params", "tokens", "lr", "batch", "loss")
NEAR = 0.0025
LEAST_RUNS, LEAST_CELLS = 6, 5
ALIKE = (
    1.2  # sizes within such a factor say nothing of size: a per cent of batch between them would be a power of hundreds
)


@dataclass(frozen=True, eq=False)
class Cell(Alike):
    """Runs of one size on one amount of data: rates, batches and losses (n,), which are near the best (n,), and the ends met.

    `edge` names "lr" and "batch" where the best run is the lowest or highest tried there: the optimum may lie beyond.
    """

    params: float
    tokens: float
    lr: Array
    batch: Array
    loss: Array
    near: Array
    edge: tuple[str, ...]

    def chosen(self, lr: float, batch: float) -> float:
        """The regret of asking for this rate and batch: the loss of the nearest run in logarithms over the best, less one."""
        off = np.log(self.lr / lr) ** 2 + np.log(self.batch / batch) ** 2
        return float(self.loss[np.argmin(off)] / self.loss.min() - 1.0)

    def plateau(self, of: str) -> float:
        """How many times the lowest near-optimal learning rate ("lr") or batch ("batch") the highest is."""
        values = getattr(self, of)[self.near]
        return float(values.max() / values.min())


@shown()
@dataclass(frozen=True, eq=False)
class RateLaw(Alike):
    """exp(c0 + c1 log N + c2 log D): `coefficients` (3,), `draws` (R, 3) from cells drawn again, widened for their number."""

    coefficients: Array
    draws: Array

    def exponent(self, of: str, level: float = LEVEL) -> Band:
        """The exponent of "params" or "tokens" with its interval."""
        if not is_one_of(of, ("params", "tokens")):
            raise FitError(f"A rule has exponents of params and tokens; it has none of {in_short(of)}.")
        k = {"params": 1, "tokens": 2}[of]
        return from_draws(self.coefficients[k], self.draws[:, k], level)

    def __call__(self, params: Any, tokens: Any) -> Any:
        """The rule's value, broadcast."""
        c = self.coefficients
        return np.exp(c[0] + c[1] * np.log(params) + c[2] * np.log(tokens))

    def at(self, params: float, tokens: float, level: float = LEVEL) -> Band:
        """The rule's value at one size and amount of data, with its interval."""
        params, tokens = one_number("params", params), one_number("tokens", tokens)
        drawn = np.exp(self.draws @ np.array([1.0, np.log(params), np.log(tokens)]))
        return from_draws(self(params, tokens), drawn, level)


@shown()
@dataclass(frozen=True, eq=False)
class RateLaws(Alike):
    """The refitted rules for learning rate and batch (tokens a step), the cells they come from, and each cell's regret.

    `held_out` (cells,) is the regret in each cell of rules fitted to all others.
    """

    cells: tuple[Cell, ...]
    lr: RateLaw
    batch: RateLaw
    held_out: Array

    def regret(self, lr: Callable[..., Any] | None = None, batch: Callable[..., Any] | None = None) -> Array:
        """The regret (cells,) of two rules of (params, tokens): by default the refitted ones, which have seen the cell."""
        lr, batch = lr or self.lr, batch or self.batch
        return np.array([c.chosen(float(lr(c.params, c.tokens)), float(batch(c.params, c.tokens))) for c in self.cells])

    @property
    def by_size(self) -> bool:
        """Whether the sizes differ enough for rules of size."""
        return _differ(self.cells)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know before using the rules, a sentence each."""
        out = []
        if not self.by_size:
            low, high = (end(c.params for c in self.cells) for end in (min, max))
            out.append(f"All sizes lie within a factor of {high / low:.4g}, so the rules are of tokens alone.")
        for of, words in (("lr", "learning rate"), ("batch", "batch")):
            ended = sum(of in c.edge for c in self.cells)
            if ended:
                out.append(
                    f"In {ended} of {len(self.cells)} cells the best {words} is an end of what was tried, so it may lie beyond."
                )
        return tuple(out)


def rate_laws(
    runs: pd.DataFrame,
    *,
    near: float = NEAR,
    batch_by_params: bool = True,
    pooled: str = "cells",
    resamples: int = 2000,
    seed: int = 0,
) -> RateLaws:
    """The rules for learning rate and batch from `runs` with columns params, tokens, lr, batch (tokens a step) and loss.

    Runs within `near` of a cell's best stand for its optimum: by their geometric mean (`pooled="cells"`), or each by itself
    (`"runs"`, as in Step Law's own code). `batch_by_params=False` lets the batch depend on tokens alone, and so do both where sizes
    are alike. Intervals draw whole
    cells again, widened for the freedom that the rule spent (nine and sixteen planted cells hold 95 to 99 %, unwidened 91 to 97).
    Raises FitError when a column is missing or too few cells hold runs enough.
    """
    resamples, seed = a_count("resamples", resamples, MOST_RESAMPLES), a_count("seed", seed, MOST_SEED)
    runs, near = rows_of(finals_given(runs), NEEDED, "Runs"), any_number("near", near, "a share from 0 on")
    batch_by_params = a_flag("batch_by_params", batch_by_params)
    lacks = [c for c in NEEDED if c not in runs]
    if lacks:
        raise FitError(
            f"Laws of learning rate and batch need the columns {', '.join(NEEDED)}; there is no {' and no '.join(lacks)}."
        )
    if not 0.0 <= near <= LARGEST or not is_one_of(pooled, ("cells", "runs")):
        raise FitError(
            f'near is a share from 0 on and pooled "cells" or "runs"; they were {near!r} and {in_short(pooled)}.'
        )
    cells = _cells(runs, near)
    if len(cells) < LEAST_CELLS or len({c.params for c in cells}) < 2 or len({c.tokens for c in cells}) < 2:
        raise FitError(
            f"Laws of learning rate and batch need {LEAST_CELLS} cells (a size on an amount of data, {LEAST_RUNS} runs or more in each) "
            f"over two sizes and two amounts; there are {len(cells)}. Add sweeps."
        )
    points = [_points(c, pooled) for c in cells]
    by_size = _differ(cells)
    columns = {"lr": [0, 1, 2] if by_size else [0, 2], "batch": [0, 1, 2] if by_size and batch_by_params else [0, 2]}
    counts = np.random.default_rng(seed).multinomial(len(cells), np.full(len(cells), 1.0 / len(cells)), size=resamples)
    fits = {of: _rule(points, of, use, counts) for of, use in columns.items()}
    held_out = []
    for k, cell in enumerate(cells):
        others = points[:k] + points[k + 1 :]
        rules = {of: _rule(others, of, use, np.empty((0, len(others)))) for of, use in columns.items()}
        held_out.append(cell.chosen(*(float(rules[of](cell.params, cell.tokens)) for of in ("lr", "batch"))))
    return RateLaws(tuple(cells), fits["lr"], fits["batch"], np.array(held_out))


def _differ(cells: Sequence[Cell]) -> bool:
    sizes = [c.params for c in cells]
    return max(sizes) >= ALIKE * min(sizes)


def _cells(runs: pd.DataFrame, near: float) -> list[Cell]:
    out = []
    frame = runs[list(NEEDED)].astype(float)
    frame = frame[np.isfinite(frame).all(axis=1) & (frame > 0).all(axis=1)]
    for (params, tokens), rows in frame.groupby(["params", "tokens"], sort=True):
        if len(rows) < LEAST_RUNS or rows["lr"].nunique() < 2 or rows["batch"].nunique() < 2:
            continue
        lr, batch, loss = (rows[c].to_numpy() for c in ("lr", "batch", "loss"))
        best = int(np.argmin(loss))
        ends = {"lr": lr, "batch": batch}
        edge = tuple(name for name, tried in ends.items() if tried[best] in (tried.min(), tried.max()))
        out.append(Cell(float(params), float(tokens), lr, batch, loss, loss <= loss.min() * (1.0 + near), edge))
    return out


def _points(cell: Cell, pooled: str) -> Mapping[str, Array]:
    """The cell's rows of a regression: `x` (k, 3), and the logarithms of near-optimal rates and batches (k,)."""
    lr, batch = np.log(cell.lr[cell.near]), np.log(cell.batch[cell.near])
    if pooled == "cells":
        lr, batch = np.array([lr.mean()]), np.array([batch.mean()])
    row = np.array([1.0, np.log(cell.params), np.log(cell.tokens)])
    return {"x": np.tile(row, (len(lr), 1)), "lr": lr, "batch": batch}


def _wider(cells: int, terms: int) -> float:
    """By how much draws of so few cells are spread too little: the degrees of freedom that the rule spent."""
    return float(np.sqrt(cells / max(1, cells - terms)))


def _rule(points: list[Mapping[str, Array]], of: str, use: list[int], counts: Array) -> RateLaw:
    """Least squares of logarithms on the columns in `use`, and again with each cell counted `counts` (R, cells) times."""
    x = np.concatenate([p["x"] for p in points])[:, use]
    y = np.concatenate([p[of] for p in points])
    middle = x.mean(axis=0) * (np.array(use) > 0)
    x = x - middle
    owner = np.repeat(np.arange(len(points)), [len(p[of]) for p in points])
    solved = np.linalg.lstsq(x, y, rcond=None)[0][None, :]
    if len(counts):
        weight = counts[:, owner]
        inner = np.einsum("rn,np,nq->rpq", weight, x, x)
        usable = np.linalg.cond(inner) < 1e10  # cells of one size, drawn alone, say nothing of size
        outer = np.einsum("rn,np,n->rp", weight, x, y)
        drawn = np.linalg.solve(inner[usable], outer[usable][:, :, None])[:, :, 0]
        solved = np.concatenate([solved, solved + _wider(len(points), len(use)) * (drawn - solved)])
    full = np.zeros((len(solved), 3))
    full[:, use] = solved
    full[:, 0] -= solved @ middle
    return RateLaw(full[0], full[1:])
