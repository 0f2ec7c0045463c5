"""The Probe page in words: the answer on top, the line under it, what a launch costs, how a sweep stands."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard import numbers
from dashboard.probe.price import Price, size
from dashboard.probe.watching import Sweep
from data.plural import plural
from data.probe.cost import FLOP
from data.probe.schedule import planned
from data.probe.spec import Spec

NO_DEVICE = "no device"
INSTALL = "pip install -e '.[probe]'"
NO_TORCH = "Runs are trained with torch, which is not installed here."

#: What a loss is over where runs mix pools in several ways: each logs that of its own mix, which are of different text.
ALIKE = "the mean over all pools, whatever a run's mix"

#: What to do where a sweep may not be launched, by what stands in the way: fields by their labels on the page.
REMEDIES = {
    "runs": "Take fewer values in the fields, or raise “Runs of a sweep” under Limits, below.",
    "time": "Turn “Compute of the most expensive run” down, or raise “Hours” under Limits, below.",
    "disk": "Take fewer or smaller runs, free some disk, or lower “Disk to stay free, GB” under Limits, below.",
    "again": "Choose the sweep that holds them in the menu above, or change a field; other Seeds make other runs.",
    "devices": "Devices, below, says what holds each; name others there, or wait until they are free.",
}


def designed(specs: Sequence[Spec], found: Price, on: str, before: int = 0) -> tuple[str, str, dict[str, str]]:
    """What the runs of a sweep that is laid out will take which were not launched `before`: the sentence, the line under it, the values."""
    whole = plural(len(specs) + before, "run")
    if not found.runs:
        return "{n} " + ("was" if whole == "1 run" else "were") + " launched before.", "", {"n": whole}
    sentence = ("The {n} left" if before else "{n}") + " would take about {time}" + f", {on}."
    launched = f"{before:,} of {whole} {'was' if before == 1 else 'were'} launched before. " if before else ""
    sizes = sorted(float(one.counts.nonembed) for one in specs)
    tokens = sorted(float(planned(one).tokens) for one in specs)
    money = f", {numbers.money(found.money)}" if found.money is not None else ""
    under = (
        f"{launched}{_span(sizes)} parameters without embeddings, {_span(tokens)} tokens each; "
        f"{numbers.flop(found.flops)} {FLOP} in all{money}, "
        f"{size(found.memory)} of memory for the largest, {size(found.disk)} of disk. The time is {found.how}, "
        f"within a factor of {found.factor:.2g}."
    )
    return sentence, under, {"n": plural(found.runs, "run"), "time": found.time}


def confirmed(found: Price, on: str) -> str:
    """What the confirmation of a launch states."""
    money = f" and {numbers.money(found.money)}" if found.money is not None else ""
    return (
        f"{plural(found.runs, 'run')}, {numbers.flop(found.flops)} {FLOP}: about {found.time}, {on}{money}, "
        f"{size(found.disk)} of disk. They go on when this page, the browser or the server is closed. This page's address finds them "
        "again; a page that is opened without it lists them under Earlier work."
    )


def standing(sweep: Sweep) -> tuple[str, str, dict[str, str]]:
    """How a sweep stands: the sentence, the line under it, the values."""
    whole = len(sweep.runs)
    values = {"done": f"{sweep.done} of {plural(whole, 'run')}"}
    verb = "is" if 1 in (sweep.done, whole) else "are"
    asked = sum(run.stopping for run in sweep.runs)
    counted = [
        (asked - sweep.stopping, "stopping"),
        *((sweep.counts[s] - asked * (s == "running"), word) for s, word in _OTHERS),
    ]
    others = [f"{count} {word}" for count, word in counted if count]
    under = f"{', '.join(others)[:1].upper()}{', '.join(others)[1:]}." if others else ""
    losses = sorted(run.loss for run in sweep.runs if run.state == "done" and run.loss is not None)
    if losses:
        over = f", {ALIKE}" if sweep.mixed else ""
        under = f"{under} Held-out loss {_range(losses)} nats per token{over}.".strip()
    if sweep.stopping:
        under = f"{under} What stops writes a checkpoint first.".strip()
        return f"{{done}} {verb} done, {sweep.stopping} stopping.", under, values
    if sweep.held:
        return f"{{done}} {verb} done; the sweep is held.", under, values
    if sweep.active:
        left = numbers.roughly(sweep.left)
        return f"{{done}} {verb} done, about {{left}} left.", under, values | {"left": left}
    return f"{{done}} {verb} done.", under, values


def title(sweep: Sweep) -> str:
    """What the browser's tab says of a sweep."""
    whole = len(sweep.runs)
    if sweep.stopping:
        return f"Stopping: {sweep.name}"
    if sweep.held:
        return f"Held: {sweep.name}"
    if sweep.active:
        return f"{sweep.done} of {whole} · {sweep.name}"
    return f"Done: {sweep.name}" if sweep.done == whole else f"Ended: {sweep.name}"


def chosen(sweep: Sweep) -> str:
    """A sweep in the menu."""
    whole = len(sweep.runs)
    going = "stopping" if sweep.stopping else "running"
    how = "held" if sweep.held else going if sweep.active else "done" if sweep.done == whole else "ended"
    return f"{sweep.name}: {sweep.done} of {whole}, {how}"


def on(slots: Sequence[str], noun: str = "") -> str:
    """How many runs are at work at once on these devices: `one at a time on the CPU`, `2 at a time, each on a GPU`; NO_DEVICE for none.

    With a `noun` they are called so: `1 run at a time on the CPU`.
    """
    gpus = sum(name.startswith("gpu") for name in slots)
    if not slots:
        return NO_DEVICE
    count = plural(len(slots), noun) if noun else "one" if len(slots) == 1 else f"{len(slots):,}"
    mixed = 0 < gpus < len(slots)
    where = (
        " on GPUs and the CPU"
        if mixed
        else " on the CPU"
        if not gpus
        else " on a GPU"
        if gpus == 1
        else ", each on a GPU"
    )
    return f"{count} at a time{where}"


_OTHERS = (
    ("running", "running"),
    ("queued", "waiting"),
    ("lost", "interrupted"),
    ("failed", "failed"),
    ("diverged", "diverged"),
    ("cancelled", "cancelled"),
)


def _range(losses: Sequence[float]) -> str:
    low, high = f"{losses[0]:.3f}", f"{losses[-1]:.3f}"
    return low if low == high else f"from {low} to {high}"


def _span(values: Sequence[float]) -> str:
    low, high = numbers.count(values[0]), numbers.count(values[-1])
    return low if low == high else f"{low} to {high}"
