"""A batch that grows along training: the schedule that wastes least, what it saves beside the best fixed batch, and doublings.

A step at batch B makes 1 / (1 + N / B) of the progress of a step without noise, N the noise scale (or critical batch) of
the moment. Where N changes along training, B = sqrt(r N) is best for some r, and its totals lie on
(S / S_min - 1)(E / E_min - 1) = gamma, with gamma = (integral of sqrt(N))^2 / (S_min integral of N), where every fixed batch
has 1 (McCandlish et al. 2018, arXiv 1812.06162, appendix D, derived again here [D]). The gain is modest: they report about
4 % on SVHN [V2], and a noise scale that grows in a line with progress gives 6 % at twice the fewest examples. Under Adam a
noise scale from gradient norms can lie far below the critical batch (Merrill et al. 2025, arXiv 2505.23971): a measured
critical batch is the better N.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from data.alike import Alike
from fitting.arguments import any_number, as_numbers, in_range, one_number, takes, together
from fitting.batch.rules import RULES, Optimiser, Rule
from fitting.errors import FitError
from fitting.shown import shown

Array = np.ndarray

# The grid of integrals and switches. Measured: ten times as many move totals by 4e-7, those of doublings by 1e-4.
POINTS = 2049
LEAST = 2
SQRT = next(rule for rule in RULES if rule.key == "sqrt")


@dataclass(frozen=True)
class Stage:
    """A stretch of one batch: the `step` it begins at, the `examples` seen before it, and the optimiser's settings, if known."""

    step: float
    examples: float
    batch: float
    optimiser: Optimiser | None = None


@shown()
@dataclass(frozen=True, eq=False)
class BatchSchedule(Alike):
    """A batch along training. Arrays (n,) are over `progress`, in steps without noise from the first on.

    `noise` is the noise scale or critical batch, in the unit of `batch`; `weight` (n,) sums over progress. `stages` are the
    stretches of one batch, of a schedule that has such.
    """

    progress: Array
    noise: Array
    batch: Array
    weight: Array
    stages: tuple[Stage, ...] = ()

    @property
    def s_min(self) -> float:
        """The fewest steps that make this progress, at a batch without end."""
        return float(self.weight.sum())

    @property
    def e_min(self) -> float:
        """The fewest examples (tokens, where batches are in tokens) that make this progress, at a batch of next to nothing."""
        return float(self.weight @ self.noise)

    @property
    def steps(self) -> float:
        """Steps that this schedule takes."""
        return float(self.weight @ (1.0 + self.noise / self.batch))

    @property
    def examples(self) -> float:
        """Examples that this schedule takes, in the unit of the batch."""
        return float(self.weight @ (self.batch + self.noise))

    @property
    def gamma(self) -> float:
        """(S / S_min - 1)(E / E_min - 1): 1 for a fixed batch, less for one that follows the noise."""
        return (
            float(self.weight @ (self.noise / self.batch)) * float(self.weight @ self.batch) / self.s_min / self.e_min
        )

    @property
    def fixed_batch(self) -> float:
        """The fixed batch that takes as many examples."""
        return float(self.weight @ self.batch) / self.s_min

    @property
    def fixed_steps(self) -> float:
        """Steps that this fixed batch takes."""
        return self.s_min + self.e_min / self.fixed_batch

    @property
    def steps_saved(self) -> float:
        """The share of steps saved beside the fixed batch of as many examples."""
        return 1.0 - self.steps / self.fixed_steps

    def along(self) -> tuple[Array, Array]:
        """Steps taken and examples seen (n,) when each progress is reached."""
        return _running(self.progress, 1.0 + self.noise / self.batch), _running(self.progress, self.batch + self.noise)

    @takes(optimiser=Optimiser | None, rule=Rule)
    def doublings(
        self, base: float | None = None, optimiser: Optimiser | None = None, rule: Rule = SQRT
    ) -> BatchSchedule:
        """This schedule in batches of `base` times powers of two, as people run it: the nearest in ratio, and never back down.

        `base` is by default the optimiser's batch, or without one a power of two near the schedule's first. The optimiser's
        settings at each batch follow from `optimiser` by `rule`. Raises FitError where that gives none.
        """
        if base is not None:
            first = one_number("base", base, "the smallest batch, a positive number")
        else:
            first = optimiser.batch if optimiser else float(2.0 ** np.round(np.log2(self.batch[0])))
        power = np.maximum(0.0, np.round(np.log2(self.batch / first)))
        batch = first * 2.0 ** np.maximum.accumulate(power)
        staged = BatchSchedule(self.progress, self.noise, batch, self.weight)
        step, seen = staged.along()
        starts = np.concatenate([[0], 1 + np.flatnonzero(np.diff(batch))])
        stages = tuple(_stage(step[i], seen[i], batch[i], optimiser, rule) for i in starts)
        return BatchSchedule(self.progress, self.noise, batch, self.weight, stages)

    @property
    def sentence(self) -> str:
        """What the schedule saves, for a person."""
        low, high = float(self.batch.min()), float(self.batch.max())
        saved = 100.0 * self.steps_saved
        than = f"the fixed batch of {self.fixed_batch:,.3g} on as many examples"
        if abs(saved) < 0.05:
            return f"A batch from {low:,.3g} to {high:,.3g} takes as many steps as {than}."
        how = "fewer" if saved > 0 else "more"
        return f"A batch from {low:,.3g} to {high:,.3g} takes {abs(saved):.1f} % {how} steps than {than}."


def adaptive_batch(
    progress: Any, noise: Any, *, ratio: float | None = None, steps: float | None = None, examples: float | None = None
) -> BatchSchedule:
    """The best schedule for a noise scale or critical batch `noise` (n,) at rising `progress` (n,), in steps without noise.

    One of these says how fast: `examples` in all, `steps` in all, or `ratio`, r in B = sqrt(r noise), in the unit of noise.
    Between the points given log noise runs in a line. `progress_of` makes progress of a run's steps. Raises FitError for
    points that are none, and for fewer steps or examples than any batch takes.
    """
    at, level = (np.empty(0) if v is None else v.ravel() for v in (as_numbers(progress), as_numbers(noise)))
    if at.shape != level.shape or len(at) < LEAST or not np.all(np.diff(at) > 0):
        raise FitError(f"progress rises from point to point, with a noise scale at each of {LEAST} or more.")
    if not np.all(np.isfinite(level) & (level > 0)):
        raise FitError("Every noise scale is a positive number; average over longer stretches, or leave those out.")
    if sum(v is not None for v in (ratio, steps, examples)) != 1:
        raise FitError("Say one of ratio, steps and examples.")
    ratio, steps, examples = (
        None if v is None else one_number(k, v) for k, v in (("ratio", ratio), ("steps", steps), ("examples", examples))
    )
    grid = np.union1d(np.linspace(at[0], at[-1], POINTS), at)
    scale = np.exp(np.interp(grid, at, np.log(level)))
    weight = 0.5 * (np.diff(grid, prepend=grid[0]) + np.diff(grid, append=grid[-1]))
    s_min, e_min, between = float(weight.sum()), float(weight @ scale), float(weight @ np.sqrt(scale))
    if examples is not None:
        if not e_min < examples < np.inf:
            raise FitError(f"No batch makes this progress on {examples:.4g} examples; it takes more than {e_min:.4g}.")
        root = (examples - e_min) / between
    elif steps is not None:
        if not s_min < steps < np.inf:
            raise FitError(f"No batch makes this progress in {steps:.4g} steps; it takes more than {s_min:.4g}.")
        root = between / (steps - s_min)
    else:
        assert ratio is not None
        root = float(np.sqrt(ratio))
    return BatchSchedule(grid, scale, root * np.sqrt(scale), weight)


def progress_of(steps: Any, noise: Any, batch: Any) -> Array:
    """Progress (n,) in steps without noise at the logged `steps` (n,) of a run, from its noise scale and batch (n,) there."""
    given = {"steps": steps, "noise": noise, "batch": batch}
    known = {k: np.full(1, np.nan) if (v := as_numbers(x)) is None else v for k, x in given.items()}
    step, level, size = together(known).values()
    if step.ndim != 1 or not (np.all(np.diff(step) > 0) and np.all(level > 0) and np.all(size > 0)):
        raise FitError("steps rise from point to point, with a positive noise scale and batch at each.")
    return _running(step, 1.0 / (1.0 + level / size))


@takes(optimiser=Optimiser | None, rule=Rule)
def warm_up(
    seen: Any,
    critical: Any,
    batch: float,
    *,
    unit: float = 1.0,
    optimiser: Optimiser | None = None,
    rule: Rule = SQRT,
    factor: float = 2.0,
) -> tuple[Stage, ...]:
    """The stages of a run whose batch doubles whenever the critical batch exceeds twice the batch, the rate by its root.

    Merrill et al. 2025 (arXiv 2505.23971) [V2]. `critical` (n,) was measured after `seen` (n,) examples and runs in a line
    between; it is in the unit of `batch`, of which one is `unit` of those of `seen` (4096, for documents of 4,096 tokens).
    `optimiser` holds the settings at `batch`, `factor` the two. Raises FitError for a curve that is none.
    """
    at, level = (np.empty(0) if v is None else v.ravel() for v in (as_numbers(seen), as_numbers(critical)))
    if at.shape != level.shape or len(at) < LEAST or not np.all(np.diff(at) > 0) or at[0] < 0:
        raise FitError(f"seen rises from point to point, with a critical batch at each of {LEAST} or more.")
    batch, unit = (any_number(k, v, "a positive number") for k, v in (("batch", batch), ("unit", unit)))
    factor = any_number("factor", factor, "a number from 1 on")
    known = np.all(np.isfinite(level)) and np.all(in_range(np.array([batch, unit, factor])))
    if not known or factor < 1.0:
        raise FitError("Critical batches are numbers, batch and unit positive ones, and factor is 1 or more.")
    stages = [_stage(0.0, 0.0, batch, optimiser, rule)]
    while level.max() > factor * stages[-1].batch:
        last = stages[-1]
        start = _crossing(at, level, factor * last.batch)
        step = last.step + (start - last.examples) / (last.batch * unit)
        new = _stage(step, start, 2.0 * last.batch, optimiser, rule)
        stages = [*(stages[:-1] if start == last.examples else stages), new]
    return tuple(stages)


def _crossing(at: Array, level: Array, height: float) -> float:
    """Where a curve of straight pieces first exceeds a height that its largest point exceeds."""
    i = int(np.argmax(level > height))
    if i == 0:
        return float(at[0])
    return float(at[i - 1] + (height - level[i - 1]) / (level[i] - level[i - 1]) * (at[i] - at[i - 1]))


def _stage(step: float, examples: float, batch: float, optimiser: Optimiser | None, rule: Rule) -> Stage:
    settings = None if optimiser is None else rule(optimiser, float(batch))
    return Stage(float(step), float(examples), float(batch), settings)


def _running(x: Array, y: Array) -> Array:
    """The integral of y (n,) over x (n,) up to each point, by trapezoids."""
    return np.concatenate([[0.0], np.cumsum(0.5 * (y[1:] + y[:-1]) * np.diff(x))])
