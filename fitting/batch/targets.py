"""Steps to a loss, read off training curves: the first crossing, interpolated in logarithms, at each batch's best learning rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fitting.result import FitError

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

NEEDED = ("run", "batch", "step", "loss")
# A best rate at the end of its sweep is no best: the batch might have done with fewer steps at a rate beyond it.
SIDES = {"low": "lowest", "high": "highest", "": ""}


@dataclass(frozen=True)
class Reached:
    """What it took to reach `target`: per batch size (m,) the fewest steps, the run and its learning rate.

    `edge` (m,) says "low" or "high" where the best of several rates is the end of the sweep, so that steps may be too many.
    `missed` are batch sizes none of whose runs came so low.
    """

    target: float
    batch: Array
    steps: Array
    run: tuple[str, ...]
    rate: Array
    edge: tuple[str, ...]
    missed: tuple[float, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know before fitting, a sentence each."""
        out = []
        for side in ("low", "high"):
            at = [f"{b:g}" for b, e in zip(self.batch, self.edge, strict=True) if e == side]
            if at:
                out.append(
                    f"At batch {', '.join(at)} the best learning rate is the {SIDES[side]} tried, so fewer steps may do there."
                )
        if self.missed:
            listed = ", ".join(f"{b:g}" for b in self.missed)
            out.append(f"No run at batch {listed} came down to {self.target:g}; left out.")
        return tuple(out)


def steps_to_target(curves: pd.DataFrame, target: float, smooth: float = 0.0) -> Reached:
    """The fewest steps to a loss of `target` at each batch size, from `curves` with columns run, batch, step, loss and maybe lr.

    A run reaches the target where its curve first goes below; between two evaluations log step is linear in log loss.
    `smooth` is the weight of the past in an exponential mean of the loss over evaluations, 0 for none: with noisy evaluations
    the first crossing comes too early. Raises FitError when a column is missing or no run comes so low.
    """
    lacks = [c for c in NEEDED if c not in curves]
    if lacks:
        raise FitError(f"Training curves need the columns {', '.join(NEEDED)}; there is no {' and no '.join(lacks)}.")
    if not 0.0 <= smooth < 1.0:
        raise FitError(f"smooth is a weight from 0 to below 1; it was {smooth!r}.")
    has_rate = "lr" in curves
    found: dict[float, list[tuple[float, float, str]]] = {}
    lowest = np.inf
    for name, rows in curves.groupby("run", sort=False):
        rows = rows.dropna(subset=["step", "loss"]).sort_values("step")
        rows = rows[(rows["step"] > 0) & (rows["loss"] > 0)]
        if not len(rows):
            continue
        loss = _smoothed(rows["loss"].to_numpy(float), smooth)
        lowest = min(lowest, float(loss.min()))
        taken = _crossing(np.log(rows["step"].to_numpy(float)), np.log(loss), float(np.log(target)))
        rate = float(rows["lr"].iloc[0]) if has_rate else np.nan
        found.setdefault(float(rows["batch"].iloc[0]), []).append((taken, rate, str(name)))
    reached = {b: min(tries, key=lambda t: t[0]) for b, tries in sorted(found.items())}
    reached = {b: best for b, best in reached.items() if np.isfinite(best[0])}
    if not reached:
        raise FitError(
            f"No run comes down to a loss of {target:g}; the lowest there is {lowest:.4g}. Choose a higher target."
        )
    edges = tuple(_edge(best[1], [rate for _, rate, _ in found[b]]) for b, best in reached.items())
    return Reached(
        float(target),
        np.array(list(reached)),
        np.exp([best[0] for best in reached.values()]),
        tuple(best[2] for best in reached.values()),
        np.array([best[1] for best in reached.values()]),
        edges,
        tuple(b for b in sorted(found) if b not in reached),
    )


def one_ladder(curves: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """The curves of one model size and that size: the one with most batches, of those the largest; nan where sizes don't differ.

    Of several sizes at one batch the larger come down faster, and would pass for a better batch.
    """
    if "params" not in curves or curves["params"].nunique() < 2:
        return curves, np.nan
    batches = curves.groupby("params")["batch"].nunique()
    size = float(batches[batches == batches.max()].index.max())
    return curves[curves["params"] == size], size


def _smoothed(loss: Array, weight: float) -> Array:
    if weight == 0.0:
        return loss
    out = np.empty_like(loss)
    held = loss[0]
    for i, value in enumerate(loss):
        held = weight * held + (1.0 - weight) * value
        out[i] = held
    return out


def _crossing(log_step: Array, log_loss: Array, target: float) -> float:
    """Log of the step at which a curve first comes down to the target; infinite where it never does."""
    below = np.flatnonzero(log_loss <= target)
    if not len(below):
        return np.inf
    k = int(below[0])
    if k == 0:
        return float(log_step[0])
    share = (log_loss[k - 1] - target) / (log_loss[k - 1] - log_loss[k])
    return float(log_step[k - 1] + share * (log_step[k] - log_step[k - 1]))


def _edge(rate: float, rates: list[float]) -> str:
    tried = sorted({r for r in rates if np.isfinite(r)})
    if len(tried) < 2:
        return ""
    return "low" if rate == tried[0] else "high" if rate == tried[-1] else ""
