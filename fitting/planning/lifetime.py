"""What a model costs over its life: the size that reaches a loss with the least compute, its training and its use taken together.

Sardana et al. 2023 (Beyond Chinchilla-Optimal, arXiv 2401.00448): the least of 6 N D + 2 N S over sizes N, where D are the tokens
that bring a model of that size to the loss and S those that it will read and write in use. Each token served makes a smaller
model, trained for longer, the better one. That is far from where laws are usually fitted: the notes say how far.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fitting.arguments import one_number, takes
from fitting.band import LEVEL, Band
from fitting.errors import FitError
from fitting.planning.notes import place_notes
from fitting.planning.planner import Plan, plan
from fitting.result import Fit
from fitting.shown import shown

Array = np.ndarray

SMALLEST = 1e-4  # of the size that is best to train: no less is looked at
SCAN, ROUNDS, HALVINGS = 65, 48, 64
GOLDEN = 0.5 * (np.sqrt(5.0) - 1.0)
MOST_TOKENS = 1e30


@shown()
@dataclass(frozen=True, eq=False)
class Lifetime:
    """The best size for `served` tokens of use at one `loss`, each a band: FLOPs to train and to serve, and both as `flops`.

    `saved` is the share of the compute that the size best to train alone, `trained`, would take over the same life. `notes` are
    sentences to know first.
    """

    loss: float
    served: float
    params: Band
    tokens: Band
    train_flops: Band
    serve_flops: Band
    flops: Band
    saved: Band
    trained: Plan
    notes: tuple[str, ...]

    @property
    def tokens_per_param(self) -> float:
        """Training tokens for each parameter."""
        return float(self.tokens.value / self.params.value)


@takes(fit=Fit)
def lifetime(fit: Fit, *, loss: float, served: float, level: float = LEVEL) -> Lifetime:
    """The size that reaches `loss` with the least compute when it will read and write `served` tokens in use.

    FLOPs are counted as the fitted table counts them; a token served costs a third of a token trained (2 N for 6 N). Raises
    FitError for a law that is not of size and tokens alone, or a loss that no budget reaches.
    """
    if set(fit.law.inputs) != {"params", "tokens"}:
        raise FitError(f"{fit.law.title} is no law of size and tokens alone, so it chooses no size. Fit one that is.")
    loss, served = one_number("loss", loss), one_number("served", served, "a number from 0 on, of tokens", 0.0)
    trained = plan(fit, loss=loss, level=level)
    best = _least(fit, fit.values[None, :], trained.split.best["params"], loss, served)
    drawn = _least(fit, fit.draws, trained.split.drawn["params"], loss, served) if len(fit.draws) else best[:, :0]
    params, tokens, train, serve, both, saved = (
        fit.band_of(b[:, None], d[:, None], level) for b, d in zip(best, drawn, strict=True)
    )
    notes = [*fit.warnings]
    most = fit.ranges.get("tokens", (np.nan, np.nan))[1]
    if tokens.value > most:
        notes.append(
            f"Training takes {tokens.value / most:.2g} times the most tokens of any run fitted: the law is extrapolated that far."
        )
    notes += place_notes(fit, train.value, params.value, tokens.value)
    return Lifetime(loss, served, params, tokens, train, serve, both, saved, trained, tuple(notes))


def _least(fit: Fit, values: Array, trained: Array, loss: float, served: float) -> Array:
    """Size, tokens, FLOPs to train, to serve and together, and the share saved (6, R), for sets of parameters (R, p).

    `trained` (R, 1) is the size best to train alone, which is the largest worth looking at. A scan, then golden section.
    """
    named = {k: values[:, i, None] for i, k in enumerate(fit.law.names)}
    count = fit.accounting.drawn(len(values)) if values is fit.draws else fit.accounting
    top = np.log(np.where(np.isfinite(trained), trained, 1.0))

    def cost(log_n: Array) -> tuple[Array, Array, Array]:
        n = np.exp(log_n)
        d = _needed(fit, named, n, loss)
        return count.flops(n, d), count.flops(n, served) / 3.0, d

    grid = top + np.linspace(np.log(SMALLEST), 0.0, SCAN)
    train, serve, _ = cost(grid)
    at = np.argmin(train + serve, axis=1)[:, None]
    low, high = (np.take_along_axis(grid, np.clip(at + i, 0, SCAN - 1), 1) for i in (-1, 1))
    for _ in range(ROUNDS):
        a, b = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        left = sum(cost(a)[:2]) < sum(cost(b)[:2])
        low, high = np.where(left, low, a), np.where(left, b, high)
    middle = 0.5 * (low + high)
    train, serve, tokens = cost(middle)
    alone = sum(cost(top)[:2])
    with np.errstate(all="ignore"):
        out = np.stack([np.exp(middle), tokens, train, serve, train + serve, 1.0 - (train + serve) / alone])
    return np.where(np.isfinite(trained)[None], out, np.nan)[:, :, 0]


def _needed(fit: Fit, named: dict[str, Array], n: Array, loss: float) -> Array:
    """The tokens (R, K) that bring each size to the loss, infinite where none do. Bisection in log D: loss falls with tokens."""

    def above(log_d: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(fit.law({"params": n, "tokens": np.exp(log_d)}, named) > loss)

    low, high = np.zeros_like(n), np.full_like(n, np.log(MOST_TOKENS))
    never = above(high)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        over = above(middle)
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    return np.where(never, np.inf, np.exp(high))
