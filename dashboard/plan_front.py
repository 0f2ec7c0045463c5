"""What the front between time and compute says along itself: where it is the plan, what each limit forbids, and what fits nowhere."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dashboard import numbers, plan_fleet
from dashboard.plan_settings import PlanSettings
from fitting.batch import Front, Limits
from fitting.on_devices import DAY, OnDevices

DONE = "Done in {budget} on {devices} devices, at a batch of {batch} tokens."
TOO_FEW = "So there is no time and no cost to say. Drag the line to more devices, give more, or choose a device with more memory."
EDGE = 1e-8  # of log10 seconds: a row of the front that is meant, but for rounding
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
) -> list[dict[str, Any]]:
    """What the front says where its devices hold no training, at the plan itself, and sooner than at the plan's batch."""
    out: list[dict[str, Any]] = []
    own = float(f.cluster.hardware.devices)
    if least is not None and own < least:
        many = {"sentence": plan_fleet.needs_words(asked, least, own), "subline": TOO_FEW, "handle": "does not fit"}
        out.append({"from": at, "to": at, **many})
    if (stretch := too_few(f, least)) is not None:
        few = {
            "sentence": plan_fleet.needs_words(asked, least or 1, "fewer"),
            "subline": TOO_FEW,
            "handle": "does not fit",
        }
        out.append({**dict(zip(("from", "to"), stretch, strict=True)), **few})
    if abs(f.cluster.tokens * own / plans - 1.0) < SAME:
        auto = "" if planned is None or planned.chosen else " The number of devices is automatic."
        sooner = "Sooner takes a larger batch over more devices, and more compute. Drag the line."
        alone = {"sentence": DONE.replace(" devices,", " device,")} if own == 1 else {}
        out.append({"from": at, "to": at, **alone, "subline": f"This is the plan above.{auto} {costs} {sooner}"})
    there = math.log10(f.at_devices(plans / f.cluster.tokens))
    out.append({"from": None, "to": there, "subline": another(f, plans, "more", costs)})
    return out


def another(f: Front, plans: float, which: str, costs: str) -> str:
    """Why the front says another time and cost than the plan, whose batch is `plans` tokens a step: "more" compute, or "less"."""
    each, batch = numbers.count(f.cluster.tokens), numbers.count(plans)
    return (
        f"Not the plan above: each device takes {each} tokens a step, which makes a batch of {{batch}} where the plan has {batch}, "
        f"and takes {{more}} {which} compute for the same loss. {costs}"
    )


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


def regions(f: Front, asked: PlanSettings, least: float | None) -> list[dict[str, Any]]:
    """What each limit forbids, as a stretch of the time axis."""
    first, last = f.ends(limits(asked))
    words = {
        "devices": f"more than {asked.most_devices:,} devices",
        "money": f"over {numbers.say(asked.most_money, 'money')}",
        "deadline": f"after {numbers.say(asked.deadline * DAY, 'duration')}",
    }
    end = math.log10(f.seconds[-1])
    out: list[dict[str, Any]] = [
        {"from": None, "to": math.log10(t) if math.isfinite(t) else end, "label": words[k]}
        for k, t in first.items()
        if k in words and t > f.seconds[0]
    ]
    out += [
        {"from": math.log10(t), "to": None, "label": words[k]}
        for k, t in last.items()
        if k in words and 0 < t < f.seconds[-1]
    ]
    if (stretch := too_few(f, least)) is not None:
        label = "no number of them holds it" if least == math.inf else f"fewer than {least:,} do not hold it"
        out.append({**dict(zip(("from", "to"), stretch, strict=True)), "label": label})
    return out
