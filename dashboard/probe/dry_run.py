"""What a sweep takes, said before it is made: a table by group of runs, and every run as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dashboard import numbers
from dashboard.probe.estimate import Estimate, Estimator, Target, until_done
from data.probe.found import probes, run_folders
from data.probe.queue.slots import gpus
from data.probe.spec import Spec

HEADS = (
    "runs",
    "width",
    "depth",
    "batch",
    "parameters",
    "tokens each",
    "steps each",
    "time each",
    "memory",
    "FLOP in all",
)


def targets(devices: Sequence[str], price: float | None) -> Target:
    """What runs are made on where these devices are named, or none: as the queue has it, GPUs before the CPU."""
    there = gpus()
    named = [gpu for gpu in there if not devices or gpu.index in devices or gpu.uuid in devices]
    on_gpu = bool(named) if not devices else any(one != "cpu" for one in devices)
    return Target("cuda", named[0].name if named else "", price) if on_gpu else Target("cpu", "", price)


def estimates(specs: Sequence[Spec], target: Target, out: Path) -> list[Estimate]:
    """What each run takes, by the runs that are done under `out` where there are any."""
    own = tuple(one for one in probes(run_folders(out)) if one.status.state == "done") if out.is_dir() else ()
    asked = Estimator(target, own)
    return [asked.of(one) for one in specs]


def table(found: Sequence[Estimate]) -> str:
    """Runs of one shape and batch as a row each, in the order of the sweep."""
    groups: dict[tuple[int, ...], list[Estimate]] = {}
    for one in found:
        s = one.spec
        groups.setdefault((s.width, s.depth, s.batch, s.seq_len), []).append(one)
    rows = [HEADS, *(_row(own) for own in groups.values())]
    widths = [max(len(row[k]) for row in rows) for k in range(len(HEADS))]
    return "\n".join("  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows)


def sentence(found: Sequence[Estimate], slots: int) -> str:
    """When the whole is done, how far off that may be, where it is from, and what it costs where a price is set."""
    whole, first = until_done(found, slots), found[0]
    if whole is None:
        return f"The time is {first.how}."
    said = f"Done in about {numbers.duration(whole)} at {slots} at once, within a factor of {first.factor:.2g}: {first.how}."
    money = [one.money for one in found if one.money is not None]
    return f"{said} That costs ${sum(money):,.2f}." if money else said


def document(found: Sequence[Estimate], slots: int) -> dict[str, Any]:
    """The same for JSON: seconds until the last run is done, and every run."""
    return {"seconds": until_done(found, slots), "slots": slots, "runs": [one.plain() for one in found]}


def _row(own: Sequence[Estimate]) -> tuple[str, ...]:
    spec = own[0].spec
    seconds = [one.seconds for one in own if one.seconds is not None]
    return (
        f"{len(own):,}",
        str(spec.width),
        str(spec.depth),
        f"{spec.batch} x {spec.seq_len}",
        numbers.say(spec.counts.nonembed, "count"),
        _span([one.tokens for one in own]),
        _span([one.steps for one in own]),
        _between([numbers.duration(f(seconds)) for f in (min, max)]) if seconds else "not known",
        f"{max(one.memory for one in own) / 1e6:,.0f} MB",
        numbers.say(sum(one.flops["6ND"] for one in own), "flop"),
    )


def _span(values: Sequence[float]) -> str:
    return _between([numbers.say(f(values), "count") for f in (min, max)])


def _between(ends: Sequence[str]) -> str:
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
