"""The devices of the page's plan along its budget: as many as the person chose, or as suit each budget while nobody did.

The dragged chart reads the number from the same short table as Python does, so that both say the same during and after a drag.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from dashboard.budget_chart.declared import Named, Saying
from dashboard.plan.chart_payload import Grid, spoken
from dashboard.plan.settings import PlanSettings
from fitting import Fit, Plan
from fitting.batch import WholeRun
from fitting.planning.on_devices import OnDevices, automatic, fewest_for, needs, on_devices

CLOSE = 1e-9  # of log10 FLOP: a budget that is a row of the table


@dataclass(frozen=True)
class Fleet:
    """The number of devices by budget: `counts` are pairs of a budget in log10 FLOP and the number up to it, increasing.

    `chosen` is whether a person said how many; then there is one pair. Beyond the last budget its number stays.
    """

    counts: tuple[tuple[float, int], ...]
    chosen: bool

    def at(self, log_flops: float) -> int:
        """How many at a budget of 10^`log_flops` FLOP."""
        return next((n for up_to, n in self.counts if log_flops <= up_to + CLOSE), self.counts[-1][1])


@dataclass(frozen=True)
class Place:
    """The plan placed on devices, one answer for every part of the page: `asked` has their number filled in."""

    asked: PlanSettings
    fleet: Fleet
    planned: OnDevices


def fleet(asked: PlanSettings, along: Plan, whole: WholeRun | None, count: str) -> Fleet:
    """The devices along the sampled budgets; `count` is the fit's count of parameters, `whole` has the batch that they share."""
    budgets = np.log10(along.flops.value)
    if asked.devices:
        return Fleet(((float(budgets[-1]), asked.devices),), True)
    alone = 3600.0 * asked.hardware.device_hours(along.flops.value)
    least = least_along(asked, along, count)
    batch: Sequence[float | None] = [None] * len(budgets) if whole is None else [known(b) for b in whole.batch.value]
    each = [(float(at), automatic(float(a), n, b)) for at, a, n, b in zip(budgets, alone, least, batch, strict=True)]
    # Of budgets that take as many, the last says so for all.
    return Fleet(tuple(list(same)[-1] for _, same in groupby(each, key=lambda one: one[1])), False)


def least_along(asked: PlanSettings, along: Plan, count: str) -> list[float | None]:
    """The fewest devices that hold the training at each budget."""
    if along.params is None:
        return [None] * len(along.flops.value)
    memory = asked.memory
    return [fewest_for(float(n), count, memory) for n in along.params.value]


def known(value: Any) -> float | None:
    """A positive number, or None."""
    number = float(value)
    return number if math.isfinite(number) and number > 0 else None


def planned(fit: Fit, here: Plan, whole: WholeRun | None, asked: PlanSettings, *, chosen: bool) -> OnDevices:
    """The plan at the budget on its devices, the one that every part of the page says; `asked` has their number."""
    return on_devices(
        here,
        asked.hardware,
        chosen=chosen,
        count=fit.settings.count,
        batch=None if whole is None else known(whole.batch.value),
        steps=None if whole is None else known(whole.steps.value),
        latency=asked.latency / 1000.0,
        name=asked.device,
        memory=asked.memory,
    )


def parts(place: Place, along: Plan, here: Plan, count: str) -> dict[str, Any]:
    """The entries of the budget chart that the devices change."""
    asked, shared = place.asked, place.fleet
    # A budget said as a time is one on so many devices: they stand still while it is dragged.
    counts = ((shared.counts[-1][0], asked.devices),) if asked.unit == "time" else shared.counts
    said = spoken(asked.hardware, asked.device, asked.unit, counts, auto=not shared.chosen)
    return {**said, **along_the_budget(asked, shared.chosen, along, here, count)}


def along_the_budget(asked: PlanSettings, chosen: bool, along: Plan, here: Plan, count: str) -> dict[str, Any]:
    """The entries of the budget chart that say where the devices hold no training, and what it needs: those of one device.

    `asked` has the devices of the plan `here`; a number that nobody chose holds each budget's training, unless none does.
    """
    if along.params is None or here.params is None:
        return {"numbers": [], "sayings": []}
    grid = Grid(np.log10(along.flops.value), math.log10(here.flops.value))
    own = fewest_for(float(here.params.value), count, asked.memory)
    least = np.array(grid.put([_number(n) for n in least_along(asked, along, count)], _number(own)))
    short = np.where(least > asked.devices, 1, 0) if chosen else np.zeros(len(least), int)
    short[np.isinf(least)] = 2
    # Between two rows of the chart the fewest are drawn straight: where they pass the number of devices is about there.
    rows = grid.put(grid.nodes, grid.at)
    sayings = []
    for kind, places in groupby(range(len(short)), key=lambda i: int(short[i])):
        at = list(places)
        ends = (at[0] - 1 if at[0] else None, at[-1] if at[-1] + 1 < len(rows) else None)
        low, high = (None if i is None else _edge(asked.devices, rows, least, i) for i in ends)
        if kind:
            said = needs_words(asked, math.inf if kind == 2 else "{least}")
            sentence = f"Train {{params}} parameters on {{tokens}} tokens. {said}"
            sayings.append(Saying(low, high, sentence, takes=said))
    return {"numbers": [Named(key="least", format="whole", value=least)], "sayings": sayings}


def _number(least: float | None) -> float:
    return math.nan if least is None else float(least)


def _edge(devices: int, rows: Sequence[float], least: np.ndarray, i: int) -> float:
    """Where between rows i and i + 1 the fewest pass so many devices."""
    a, b = float(least[i]), float(least[i + 1])
    share = 0.5
    if math.isfinite(a) and math.isfinite(b) and a != b:
        share = min(max((devices + 0.5 - a) / (b - a), 0.02), 0.98)
    return float(rows[i] + share * (rows[i + 1] - rows[i]))


def needs_words(asked: PlanSettings, least: float | str, devices: float | str | None = None) -> str:
    """What the plan needs, in a sentence that may stand in a template, where so many devices do not hold it."""
    name = asked.device.replace("{", "(").replace("}", ")")  # a template's braces are its own
    return needs(asked.devices if devices is None else devices, least, name, asked.memory)
