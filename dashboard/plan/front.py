"""What the front between time and compute says along itself: where it is the plan, what each limit forbids, and what fits nowhere."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from dashboard import numbers
from dashboard.budget_chart.declared import Payload, Region, Saying, Series
from dashboard.plan import fleet as plan_fleet
from dashboard.plan.settings import PlanSettings
from fitting.batch import Front, Limits, WholeRun
from fitting.planning.on_devices import DAY, OnDevices

Drawn = TypeVar("Drawn", bound=Series)
DONE = "Done in {budget} on {devices} devices, at a batch of {batch} tokens."
SOONER = "Training faster takes a larger batch on more devices, and more compute."
LATER = "More devices save little time: this batch is far above the critical batch. Fewer devices take longer, for less compute."
TOO_FEW = (
    "There is no time and no cost. Drag the line to more devices, enter more, or choose a device with more memory."
)
EDGE = 1e-8  # of log10 seconds: a row of the front that is meant, but for rounding
NEAR = 1e-3  # of the way to the next row of the front
STEPS, RATE = "steps", "learning rate, by the square root of the batch"
EXACT = ("cost", "devices", "FLOP", "device-hours")  # what the plan says without an interval
SAID = ("devices", "batch")  # what devices and their shares say without one
SAME = 1e-6  # a batch that is the plan's, but for rounding


def limits(asked: PlanSettings, least: float | None = None) -> Limits:
    """What the run may take, as the person said; `least` devices hold it."""
    return Limits(
        deadline=asked.deadline * DAY or None,
        devices=float(asked.most_devices) or None,
        money=asked.most_money or None,
        least=least if least is not None and least > 1 else None,
    )


def sayings(
    f: Front, asked: PlanSettings, at: float, least: float | None, plans: float, costs: str, planned: OnDevices | None
) -> list[Saying]:
    """What the front says where its devices hold no training, at the plan itself, and sooner than at the plan's batch."""
    out: list[Saying] = []
    own = float(f.cluster.hardware.devices)
    if least is not None and own < least:
        out.append(Saying(at, at, plan_fleet.needs_words(asked, least, own), TOO_FEW, handle="does not fit"))
    if (stretch := too_few(f, least)) is not None:
        few = plan_fleet.needs_words(asked, least or 1, "fewer")
        out.append(Saying(*stretch, few, TOO_FEW, handle="does not fit"))
    if through(f, plans):
        auto = "" if planned is None or planned.chosen else " The number of devices is automatic."
        most = f.devices.value.max() <= own * (1.0 + SAME)
        sooner = f"{LATER if most else SOONER} Drag the line."
        alone = DONE.replace(" devices,", " device,") if own == 1 else None
        out.append(Saying(at, at, alone, f"This is the plan above.{auto} {costs} {sooner}"))
    there = math.log10(f.at_devices(plans / f.cluster.tokens))
    out.append(Saying(None, there, subline=another(f, plans, "more", costs)))
    return out


def another(f: Front, plans: float, which: str, costs: str) -> str:
    """Why the front says another time and cost than the plan, whose batch is `plans` tokens a step: "more" compute, or "less"."""
    each, batch = numbers.count(f.cluster.tokens), numbers.count(plans)
    return (
        f"Not the plan above: each device takes {each} tokens per step, which makes a batch of {{batch}} where the plan has {batch}, "
        f"and takes {{more}} {which} compute at equal loss. {costs}"
    )


def through(f: Front, plans: float) -> bool:
    """Whether the front's own devices take the plan's batch, of `plans` tokens, and so are the plan."""
    return abs(f.cluster.tokens * f.cluster.hardware.devices / plans - 1.0) < SAME


def as_asked(made: Payload, here: WholeRun | None) -> Payload:
    """The payload of a front whose line says, as long as it stands where it began, the intervals of what was asked for.

    The front's intervals are of runs that end at one time, the plan's of runs at one budget. On a front through the plan batch
    and steps have theirs from `here`, and devices, compute and cost none, as the budget has none; on another (None) the devices
    and the share of each are what somebody said, and so is the batch. Rows close beside keep the front's own, so that the curves
    are as they were.
    """
    exact = SAID if here is None else EXACT
    bands = {} if here is None else {"batch": here.batch, STEPS: here.steps, RATE: here.lr}
    grid = np.asarray(made.grid, float)
    row = int(np.argmin(np.abs(grid - made.budget)))
    places = np.concatenate([np.arange(row), _beside(row, len(grid)), np.arange(row + 1, len(grid))])
    at = int(np.argmin(np.abs(places - row)))

    def read(values: Any) -> np.ndarray:
        values = np.asarray(values, float)
        low = np.minimum(places.astype(int), len(grid) - 2)
        share = places - low
        with np.errstate(invalid="ignore"):
            between = values[low] + share * (values[low + 1] - values[low])
        return np.where(share == 0, values[low], np.where(share == 1, values[low + 1], between))

    def series(one: Drawn, name: str = "") -> Drawn:
        own = bands.get(name)
        ends = {end: read(held) for end in ("value", "low", "high") if (held := getattr(one, end)) is not None}
        for end in ends if own is not None else ():
            ends[end][at] = getattr(own, end)
        if name in exact:
            ends["low"][at] = ends["high"][at] = math.nan
        return replace(one, **ends)

    panels = [
        replace(
            series(panel, panel.key),
            other=None if panel.other is None else series(panel.other),
            extras=[series(x, x.label) for x in panel.extras],
        )
        for panel in made.panels
    ]
    return replace(made, grid=read(grid), panels=panels, numbers=[series(one) for one in made.numbers])


def _beside(row: int, rows: int) -> np.ndarray:
    """A row with two more on either side, nearer than can be seen: the outer keep the curves' slopes as they are."""
    near = row + np.array([-2.0, -1.0, 0.0, 1.0, 2.0]) * NEAR
    return near[(near >= 0) & (near <= rows - 1)]


def holding(f: Front, least: float | None) -> np.ndarray:
    """At which points of the front (K,) its devices hold the training."""
    return np.ones(len(f.seconds), bool) if least is None else f.devices.value >= least * (1.0 - 1e-9)


def too_few(f: Front, least: float | None) -> tuple[float | None, None] | None:
    """The stretch of log10 seconds in which the front's devices hold no training, beyond its edge; None where all do.

    The fewest that hold it lie on the edge, and so outside; the stretch is the whole front where none of its points does.
    """
    held = holding(f, least)
    if least is None or held.all():
        return None
    if not held.any():
        return None, None
    edge, last = math.log10(f.at_devices(least)), float(np.log10(f.seconds[held][-1]))
    return (last if abs(edge - last) < EDGE else edge), None


def regions(f: Front, asked: PlanSettings, least: float | None) -> list[Region]:
    """What each limit forbids, as a stretch of the time axis."""
    first, last = f.ends(limits(asked))
    words = {
        "devices": f"more than {asked.most_devices:,} devices",
        "money": f"over {numbers.say(asked.most_money, 'money')}",
        "deadline": f"after {numbers.say(asked.deadline * DAY, 'duration')}",
    }
    end = math.log10(f.seconds[-1])
    out = [
        Region(None, math.log10(t) if math.isfinite(t) else end, words[k])
        for k, t in first.items()
        if k in words and t > f.seconds[0]
    ]
    out += [Region(math.log10(t), None, words[k]) for k, t in last.items() if k in words and 0 < t < f.seconds[-1]]
    if (stretch := too_few(f, least)) is not None:
        label = (
            "does not fit on any number of devices" if least == math.inf else f"does not fit on fewer than {least:,}"
        )
        out.append(Region(*stretch, label))
    return out
