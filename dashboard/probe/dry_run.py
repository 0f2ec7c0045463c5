"""What a sweep takes, said before it is made: a table by group of runs, and every run as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from dashboard import numbers
from dashboard.probe.estimate import Estimate, Estimator, Target
from dashboard.probe.launched import compared, launch_of
from dashboard.probe.outlook import Outlook, outlook
from data.plural import agreeing, plural
from data.probe.cost import FLOP
from data.probe.found import Probe, probes, run_folders
from data.probe.queue.slots import gpus
from data.probe.spec import Spec

HEADS = (
    "runs",
    "at once",
    "width",
    "depth",
    "batch",
    "parameters",
    "tokens each",
    "steps each",
    "time each",
    "memory",
    f"{FLOP} in all",
)


def targets(devices: Sequence[str], price: float | None) -> Target:
    """What runs are made on where these devices are named, or none: as the queue has it, GPUs before the CPU."""
    named = _named(devices)
    on_gpu = bool(named) if not devices else any(one != "cpu" for one in devices)
    return Target("cuda", named[0].name if named else "", price) if on_gpu else Target("cpu", "", price)


def slots(target: Target, devices: Sequence[str], cores: int) -> int:
    """How many processes are at work at once: one a core, or one a GPU."""
    return cores if target.kind == "cpu" else max(1, len(_named(devices)))


def _named(devices: Sequence[str]) -> list[Any]:
    return [gpu for gpu in gpus() if not devices or gpu.index in devices or gpu.uuid in devices]


def found_in(out: Path) -> dict[str, Probe]:
    """The runs under a folder that can be read, by key."""
    there = probes(run_folders(out)) if out.is_dir() else []
    return {one.what.key: one for one in there if one.what is not None}


def told(specs: Sequence[Spec], target: Target, slots: int, out: Path, *, again: bool = False) -> Outlook:
    """What is left of a sweep takes, by the runs that are done under `out` where there are any."""
    found = found_in(out)
    return outlook(specs, Estimator(target, done(found.values())), slots, found, again=again)


def done(found: Iterable[Probe]) -> tuple[Probe, ...]:
    """Those of these runs that are done."""
    return tuple(one for one in found if one.status.state == "done")


def headline(specs: Sequence[Spec], found: Outlook, on: str) -> str:
    """What a sweep is, how much of it is done, and what the rest takes on so many slots, which `on` says in words."""
    sizes = [one.counts.nonembed for one in specs]
    ends = " to ".join(dict.fromkeys(numbers.say(n, "count") for n in (min(sizes), max(sizes))))
    what = f"{plural(found.runs, 'run')} of {ends} parameters without embeddings"
    if not found.left:
        return f"{what}; {found.standing or 'none is left'}."
    rest = f"{numbers.say(found.tokens, 'count')} tokens and {numbers.say(found.flops, 'flop')} {FLOP} in all; {_time(found)} on {on}."
    return f"{what}; {found.standing}; left: {rest}" if found.standing else f"{what}, {rest}"


def _time(found: Outlook) -> str:
    return "an unknown time" if found.seconds is None else f"about {numbers.roughly(found.seconds)}"


def table(found: Outlook) -> str:
    """Runs that are left of one shape and batch as a row each, in the order of the sweep."""
    groups: dict[tuple[int, ...], list[Estimate]] = {}
    for one in found.left:
        s = one.spec
        groups.setdefault((s.width, s.depth, s.batch, s.seq_len), []).append(one)
    rows = [HEADS, *(_row(own) for own in groups.values())]
    widths = [max(len(row[k]) for row in rows) for k in range(len(HEADS))]
    return "\n".join("  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows)


def sentence(found: Outlook, on: str = "") -> str:
    """When the whole is done, how far off that may be, where it is from, and what it costs where a price is set.

    `on` says in words how many runs are at work at once, where they are no processes of this machine.
    """
    if not found.left:
        return "Nothing is left to make."
    if found.seconds is None:
        return f"The time is {found.how}."
    with_ = on or f"{found.slots} process{'' if found.slots == 1 else 'es'} at once"
    said = f"Done in about {numbers.roughly(found.seconds)} with {with_}, within a factor of {found.factor:.2g}: {found.how}."
    if (shared := sum(one.at_once > 1 for one in found.left)) > 0:
        said += f" {agreeing(shared, 'run shares', 'runs share')} a process with others; the time of each is its part."
    money = [one.money for one in found.left if one.money is not None]
    return f"{said} That costs ${sum(money):,.2f}." if money else said


def afterwards(said: Outlook, sweep: Path, out: Path, seconds: float) -> str:
    """What was said of runs beside what they took: the whole, a step, an evaluation, the start and memory, in one sentence; '' where not
    all of them are done."""
    there = found_in(out)
    made = [there[one.spec.key] for one in said.left if one.spec.key in there]
    if not made or len(done(made)) < len(said.left):
        return ""
    whole = f"{numbers.roughly(seconds)} in all" + (
        f", where about {numbers.roughly(said.seconds)} was said" if said.seconds is not None else ""
    )
    each = compared(launch_of(sweep), made)
    return f"Made in {whole}{'; ' if each else ''}{each}."


def document(found: Outlook) -> dict[str, Any]:
    """The same for JSON: how many runs there are, are done and ended otherwise, seconds until the last is done, and every run left."""
    return {
        "count": found.runs, "done": found.done, "ended": found.ended, "seconds": found.seconds, "slots": found.slots,
        "runs": [one.plain() for one in found.left],
    }  # fmt: skip


def _row(own: Sequence[Estimate]) -> tuple[str, ...]:
    spec = own[0].spec
    seconds = [one.seconds for one in own if one.seconds is not None]
    return (
        f"{len(own):,}",
        _span([one.at_once for one in own]),
        str(spec.width),
        str(spec.depth),
        f"{spec.batch} x {spec.seq_len}",
        numbers.say(spec.counts.nonembed, "count"),
        _span([one.tokens for one in own]),
        _span([one.steps for one in own]),
        _between([numbers.roughly(f(seconds)) for f in (min, max)]) if seconds else "not known",
        f"{max(one.memory for one in own) / 1e6:,.0f} MB",
        numbers.say(sum(one.flops["6ND"] for one in own), "flop"),
    )


def _span(values: Sequence[float]) -> str:
    return _between([numbers.say(f(values), "count") for f in (min, max)])


def _between(ends: Sequence[str]) -> str:
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
