"""What a plan is: size, tokens and loss that a budget buys, each with its interval, as numbers, a table and a few lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from data.alike import Alike
from fitting.band import Band, from_draws
from fitting.planning.hardware import Hardware
from fitting.shown import banded, in_few_words, shown

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
LEAST_ENDLESS = 0.025  # a share of draws that reaches the end of a 95 % interval


@dataclass(frozen=True, eq=False)
class Split(Alike):
    """Where the bands of a plan come from: its flops, params, tokens and loss by name, `best` (1, K) and for each draw (R, K)."""

    best: Mapping[str, Array]
    drawn: Mapping[str, Array]
    #: Draws (R, K) without a best size between one parameter and one token; None where sizes were not looked for.
    endless: Array | None = None


def open_ended(best: Array, drawn: Array, endless: Array | None) -> Array:
    """Draws (R, K) of a quantity that is `best` (1, K), those that are `endless` (R, K) beyond any number.

    There the search stopped at one parameter or one token, which is no answer of the law.
    """
    if endless is None or not endless.any():
        return drawn
    return np.where(endless, np.where(drawn > best, np.inf, -np.inf), drawn)


def no_best_size(endless: Array | None) -> tuple[str, ...]:
    """A note where the draws (R, 1) of one budget leave the interval of its size open."""
    if (
        endless is None
        or not len(endless)
        or endless.shape[1] != 1
        or (share := float(np.mean(endless))) < LEAST_ENDLESS
    ):
        return ()
    return (
        f"In {100 * share:.0f} % of the draws no size is best for this budget: there only size or only tokens lower the loss, so the "
        "interval of the size is open. Runs of several sizes at one budget would close it.",
    )


def _in_lines(plan: Plan) -> Iterator[str]:
    """What a plan says: its budget, size and tokens, the loss, and its notes."""
    larger = f", {in_few_words(plan.beyond)} times the largest run" if np.size(plan.beyond) == 1 else ""
    yield f"Plan for {_without_ends(plan.flops)} FLOP{larger}"
    if plan.params is not None:
        yield f"  params    {banded(plan.params)}"
    if plan.tokens is not None:
        yield f"  tokens    {banded(plan.tokens)}"
    yield f"  loss      {banded(plan.loss)}, of one run {banded(plan.loss_run)}"
    if plan.notes:
        yield f"  notes     {' '.join(plan.notes)}"


def _without_ends(band: Band) -> str:
    return f"{band.value:.4g}" if np.size(band.value) == 1 and band.low == band.high else banded(band)


@shown(_in_lines)
@dataclass(frozen=True, eq=False)
class Plan(Alike):
    """What a budget buys. Numbers, or arrays (K,) for K budgets, losses or sizes; sizes are None for a law of compute alone.

    `loss` is the law's, `loss_run` that of one new run. `valley` is the range of sizes within 0.1 % of the best loss.
    `penalty` is the share by which the loss at a chosen size exceeds the best one (None at the best size).
    `beyond` is the budget over the largest run's. `notes` are sentences, `warnings` those of them that the fit
    says wherever its numbers go. `split` is what bands of further quantities come from.
    """

    flops: Band
    params: Band | None
    tokens: Band | None
    tokens_per_param: Band | None
    loss: Band
    loss_run: Band
    valley: tuple[Any, Any] | None
    penalty: Band | None
    beyond: Any
    hardware: Hardware | None
    notes: tuple[str, ...]
    split: Split = field(repr=False)
    warnings: tuple[str, ...] = ()

    def band(self, quantity: Callable[[Mapping[str, Array]], Any], level: float | None = None) -> Band:
        """The interval of any function of the run: called with flops, params, tokens and loss by name, (1, K) and then (R, K)."""
        return self.band_of(quantity(self.split.best), quantity(self.split.drawn), level)

    def to_frame(self) -> pd.DataFrame:
        """What the plan says as a table: a row for each quantity of each budget, with quantity, value, low and high.

        Before them stands what the row is for: `budget`, in FLOP, and where sizes were chosen `size`, in parameters.
        """
        import pandas as pd

        names = ("flops", "params", "tokens", "tokens_per_param", "loss", "loss_run", "penalty")
        asked = {"budget": np.ravel(self.flops.value)}
        if self.penalty is not None and self.params is not None:
            asked["size"] = np.ravel(self.params.value)
        frames = [b.to_frame().assign(quantity=k, **asked) for k in names if (b := getattr(self, k)) is not None]
        return pd.concat(frames, ignore_index=True)[[*asked, "quantity", "value", "low", "high"]]

    def of_size(self, best: Array, drawn: Array, level: float | None = None) -> Band:
        """As `band_of`, of what grows or falls with the size along a budget: open where a draw has no best size."""
        return self.band_of(best, open_ended(best, drawn, self.split.endless), level)

    def band_of(self, best: Any, drawn: Any, level: float | None = None) -> Band:
        """The interval of a quantity that is worked out already: best (1, K), for the draws (R, K); numbers for one budget."""
        shape, drawn = np.shape(self.loss.value), np.asarray(drawn, float)
        level = self.loss.level if level is None else level
        return from_draws(np.reshape(best, shape), np.reshape(drawn, (len(drawn), *shape)), level)
