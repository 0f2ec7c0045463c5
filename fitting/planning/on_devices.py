"""A plan on its devices, made once for every part that says it: how many, whether they hold it, how long it takes, what it costs.

Where nobody chose a number of devices it is a power of two: the fewest that end the training within `WEEKS`, no more than
share the batch with `LEAST_EACH` tokens per step each nor than `MOST`, and in any case enough to hold it with room.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from math import ceil, inf, log2, log10
from typing import Any, Protocol

from fitting.arguments import takes
from fitting.band import Band
from fitting.errors import FitError
from fitting.planning.hardware import Hardware
from fitting.planning.memory import FILLED, activation_bytes, least_devices
from fitting.planning.planner import Plan
from fitting.planning.shapes import VOCAB, SizedShape, shapes_near

WEEKS = 4.0
# Assumed: Llama 3's largest run had about a thousand tokens of its batch on each device (Dubey et al. 2024, arXiv 2407.21783,
# 16 M tokens on 16,384); with fewer, devices wait for each other more than they compute.
LEAST_EACH = 1024.0
MOST = 2**17  # assumed: about as many as any one training is known to have had
ROOM = 1.25  # a number chosen for a person holds a training a quarter larger
PASS, LEAST_PASS = 4096, 256  # tokens in one pass on one device: a larger share of the batch is taken in several
ACTIVE = 0.25
PER_DECADE = 12
DAY = 86400.0


@lru_cache(maxsize=8192)
def fewest_for(params: float, count: str, memory: float | None) -> float | None:
    """`fewest` for the shape nearest to a size by this count; None too where no usual shape comes near."""
    shapes = shapes_of(params, count)
    return None if isinstance(shapes, FitError) else fewest(shapes[0], memory)


def automatic(seconds_alone: float, least: float | None = None, batch: float | None = None) -> int:
    """The number of devices where nobody chose one: `seconds_alone` is how long one device computes, `least` hold it, `batch` in tokens."""
    wanted = _power(seconds_alone / (WEEKS * 7.0 * DAY))
    share = inf if batch is None else max(1.0, batch / LEAST_EACH)
    shared = MOST if share >= MOST else 2 ** int(log2(share) + 1e-9)
    holding = 1 if least is None or least == inf else _power(ROOM * least) if least > 1 else 1
    return max(min(wanted, shared, MOST), holding)


def _power(value: float) -> int:
    """The least power of two that is no less, 2^62 where there is none so small."""
    return int(2 ** ceil(log2(min(max(value * (1.0 - 1e-9), 1.0), 2.0**62))))


@lru_cache(maxsize=4096)
def shapes_of(params: float, count: str, vocab: int = VOCAB) -> tuple[SizedShape, ...] | FitError:
    """Shapes near a size by the count that the fit used, of that vocabulary; where it takes it all, by what the blocks hold."""
    known = count if count in ("params_nonembed", "params_active") else "params_total"
    try:
        return shapes_near(params, count=known, vocab=vocab)
    except FitError as refusal:
        try:
            return shapes_near(params, count="params_nonembed", vocab=vocab)
        except FitError:
            return refusal.with_traceback(None)


def fewest(shape: SizedShape, memory: float | None) -> float | None:
    """The fewest devices of `memory` bytes that hold a training; inf where no number does, None where the memory is not known.

    Activations are computed again; a pass has `PASS` tokens, or a half, a quarter ... of them where those would take more than
    `ACTIVE` of what a device is filled to: a larger pass takes more devices, and nearly a whole device of it any number.
    """
    if memory is None:
        return None
    tokens = PASS
    while tokens >= LEAST_PASS:
        if activation_bytes(shape.shape, tokens, "full") <= ACTIVE * FILLED * memory:
            return least_devices(shape, memory, micro_tokens=tokens, recompute="full")
        tokens //= 2
    return inf


@dataclass(frozen=True)
class OnDevices:
    """A plan of `flops` on `hardware`, whose devices are called `name` and have `memory` bytes each (None: not known).

    `chosen` is whether a person said how many. `least` are the fewest that hold its training (None: not known; inf: no number
    does). `batch` is in tokens per step and `steps` goes with it (None without a law of either), `latency` is in seconds a step.
    `budget` is the interval of `flops` where they are what a loss takes, else None.
    """

    flops: float
    hardware: Hardware
    chosen: bool
    name: str = ""
    memory: float | None = None
    least: float | None = None
    batch: float | None = None
    steps: float | None = None
    latency: float = 0.0
    budget: Band | None = None

    @property
    def devices(self) -> float:
        """How many there are."""
        return self.hardware.devices

    @property
    def holds(self) -> bool:
        """Whether the training fits on them, as far as that is known."""
        return self.least is None or self.devices >= self.least

    @property
    def seconds(self) -> float | None:
        """How long the run takes; None where they do not hold it."""
        if not self.holds:
            return None
        return float(3600.0 * self.hardware.hours(self.flops) + (self.steps or 0.0) * self.latency)

    @property
    def device_hours(self) -> float | None:
        """Device-hours; None where they do not hold it."""
        return None if self.seconds is None else self.seconds * self.devices / 3600.0

    @property
    def money(self) -> float | None:
        """What it costs; None without a price, or where they do not hold it."""
        hours, price = self.device_hours, self.hardware.price
        return None if hours is None or price is None else hours * price

    def between(self, quantity: str) -> Band | None:
        """The interval of "seconds", "device_hours" or "money" that the budget's leaves; None where it is certain."""
        value = getattr(self, quantity)
        if self.budget is None or value is None:
            return None
        low, high = (float(getattr(replace(self, flops=c), quantity)) for c in (self.budget.low, self.budget.high))
        return Band(float(value), low, high, self.budget.level)

    @property
    def each(self) -> float | None:
        """Tokens of the batch that a device takes in a step."""
        return None if self.batch is None else self.batch / self.devices

    @property
    def needs(self) -> str:
        """What it needs, in a sentence, where the devices do not hold it; else ''."""
        return "" if self.holds or self.least is None else needs(self.devices, self.least, self.name, self.memory)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences to know before it is run."""
        if not self.holds:
            return (self.needs,)
        wanted = _power(3600.0 * self.hardware.device_hours(self.flops) / (WEEKS * 7.0 * DAY))
        if not self.chosen and wanted > self.devices:
            about = (
                f"about {wanted:,} devices" if wanted <= MOST else f"more than the {MOST:,} devices counted with here"
            )
            share = "" if self.batch is None else f", each with {_tokens(self.batch / wanted)} of this batch per step"
            return (f"To end within {WEEKS:g} weeks it needs {about}{share}; planned are {self.devices:,.0f}.",)
        if self.chosen and self.each is not None and self.each < LEAST_EACH and self.devices > 1:
            return (
                f"{self.devices:,.0f} devices share a batch of {self.batch:,.0f} tokens, {_tokens(self.each)} each per step: the time "
                "counts no waiting for each other.",
            )
        return ()

    def values(self) -> dict[str, Any]:
        """What an export says of it, in plain values: hours and money are None where the devices do not hold it."""
        seconds = self.seconds
        return {
            "hardware": asdict(self.hardware),
            "device": self.name,
            "devices": self.devices,
            "devices_chosen": self.chosen,
            "least_devices": self.least,
            "holds": self.holds,
            "device_hours": self.device_hours,
            "hours": None if seconds is None else seconds / 3600.0,
            "money": self.money,
            **self._intervals(),
        }

    def _intervals(self) -> dict[str, Any]:
        """The ends of hours, device-hours and money that the budget's interval leaves; none for a certain budget."""
        out = {}
        for name, quantity, per in (
            ("device_hours", "device_hours", 1.0),
            ("hours", "seconds", 3600.0),
            ("money", "money", 1.0),
        ):
            if (band := self.between(quantity)) is not None:
                out[f"{name}_interval"] = {"low": band.low / per, "high": band.high / per, "level": band.level}
        return out


def needs(devices: float | str, least: float | str, name: str, memory: float | None) -> str:
    """The sentence for devices that do not hold a training; numbers, or names that a template fills."""
    of = f"{name or 'devices'}" + ("" if memory is None else f" of {memory / 1e9:g} GB")
    if least == inf:
        return (
            f"No number of {of} holds this training: activations of a pass of {LEAST_PASS:,} tokens alone are too large. Choose a "
            "device with more memory."
        )
    said, there = (x if isinstance(x, str) else f"{ceil(x):,}" for x in (least, devices))
    return f"Needs at least {said} {of}: {there} {'does' if there == '1' else 'do'} not hold it."


@takes(plan=Plan, hardware=Hardware)
def on_devices(
    plan: Plan,
    hardware: Hardware,
    *,
    chosen: bool,
    count: str = "params",
    batch: float | None = None,
    steps: float | None = None,
    latency: float = 0.0,
    name: str = "",
    memory: float | None = None,
) -> OnDevices:
    """A plan of one budget on the devices of `hardware`, `chosen` by a person or given by `automatic`.

    `batch` and `steps` are what goes with it, `count` the fit's own count of parameters, `memory` a device's bytes.
    """
    least = None if plan.params is None else fewest_for(float(plan.params.value), count, memory)
    known = not plan.flops.low < plan.flops.high
    budget = None if known else plan.flops
    return OnDevices(float(plan.flops.value), hardware, chosen, name, memory, least, batch, steps, latency, budget)


def automatic_for(
    plan: Plan, hardware: Hardware, *, count: str = "params", batch: float | None = None, memory: float | None = None
) -> int:
    """The number of devices like those of `hardware` for a plan of one budget, where nobody chose one."""
    least = None if plan.params is None else fewest_for(float(plan.params.value), count, memory)
    return automatic(3600.0 * hardware.device_hours(float(plan.flops.value)), least, batch)


def ahead(flops: float) -> float:
    """The budget that the automatic number of devices is of: the next of `PER_DECADE` in each decade, or `flops` if it is one.

    So the number stands still between them, and whatever shows it along the budget reads it from the same few.
    """
    return float(10.0 ** (ceil(PER_DECADE * log10(flops) - 1e-9) / PER_DECADE))


class Batched(Protocol):
    """What goes with a plan, of which no more is asked than its batch and steps: a `WholeRun`."""

    @property
    def batch(self) -> Band:
        """Tokens per step."""

    @property
    def steps(self) -> Band:
        """Optimiser steps."""


def place(
    plan: Plan,
    at: Callable[[float], Plan],
    goes_with: Callable[[Plan], Batched | None],
    hardware: Hardware,
    devices: float | None,
    *,
    count: str = "params",
    latency: float = 0.0,
    name: str = "",
    memory: float | None = None,
) -> OnDevices:
    """A plan of one budget on so many `devices` like those of `hardware`, or on the automatic number where that is None.

    `at` makes the plan of another budget in FLOP as this one was made, and `goes_with` says what goes with a plan.
    """

    def number(band: Band | None) -> float | None:
        value = math.nan if band is None else float(band.value)
        return value if math.isfinite(value) and value > 0 else None

    if devices is None:
        there = at(ahead(float(plan.flops.value)))
        beside = goes_with(there)
        batch = number(beside.batch if beside else None)
        devices = float(automatic_for(there, hardware, count=count, batch=batch, memory=memory))
        chosen = False
    else:
        chosen = True
    whole = goes_with(plan)
    return on_devices(
        plan, replace(hardware, devices=devices), chosen=chosen, count=count, batch=number(whole.batch if whole else None),
        steps=number(whole.steps if whole else None), latency=latency, name=name, memory=memory,
    )  # fmt: skip


def _tokens(value: float) -> str:
    return f"{value:,.0f} tokens" if value >= 10 else f"{value:.2g} tokens"
