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
    if (edge := too_few(f, least)) is not None:
        few = {
            "sentence": plan_fleet.needs_words(asked, least or 1, "fewer"),
            "subline": TOO_FEW,
            "handle": "does not fit",
        }
        out.append({"from": None if edge <= math.log10(f.seconds[0]) else edge, "to": None, **few})
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


def too_few(f: Front, least: float | None) -> float | None:
    """The time, log10 seconds, from which on the front's devices hold no training; None where all do."""
    if least is None or f.devices.value.min() >= least * (1.0 - 1e-9):
        return None
    if f.devices.value.max() < least:
        return float(np.log10(f.seconds[0]))
    return math.log10(f.at_devices(least))


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
    if (edge := too_few(f, least)) is not None:
        label = "no number of them holds it" if least == math.inf else f"fewer than {least:,} do not hold it"
        out.append({"from": None if edge <= math.log10(f.seconds[0]) else edge, "to": None, "label": label})
    return out
