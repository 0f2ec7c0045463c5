"""A sweep that was followed in a terminal: how far it is, how each run ended, what to do about those that did not, what comes next."""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard import numbers
from data.plural import agreeing, out_of, plural
from data.probe.folder import CHECKPOINT
from data.probe.found import Probe, probe, run_folders

if TYPE_CHECKING:
    from data.probe.spec import Spec
    from data.probe.submitter import Standing

SELDOM = 30.0  # seconds from line to line where nobody watches: a log of a night stays short
#: The command that a design was laid out for; the others are fitted.
MADE_FOR = {"batch": "batch", "rate": "batch", "width": "batch", "mixture": "read", "schedule": "schedule"}
DIVERGED = (
    "would diverge again, being made of the same numbers: lower 'lr' ('rates' in a ladder) or lengthen 'warmup' in the sweep, "
    "which makes a new run and leaves those that are done."
)


class Lines:
    """How far a sweep is in lines, now and then, for where nobody sees a bar."""

    def __init__(self, runs: int) -> None:
        self.runs, self.began, self.last, self.said = runs, time.monotonic(), -SELDOM, -1

    def ended(self, count: int) -> str:
        """The line for so many runs that have ended by now; '' where it is not time for one."""
        now = time.monotonic() - self.began
        if count == self.said or (now - self.last < SELDOM and count < self.runs):
            return ""
        self.last, self.said = now, count
        after = f" after {numbers.duration(now)}" if now >= 1.0 else ""
        return f"{count:,} of {plural(self.runs, 'run')} ended{after}"


def joins(folder: Path, keys: Collection[str]) -> str:
    """What is said where a sweep's folder has other runs already, which these join; '' where it has none."""
    others = {_key(one) for one in map(probe, run_folders(folder))} - set(keys)
    if not others:
        return ""
    has = agreeing(len(others), "other run", "other runs")
    return (
        f"They join the sweep {folder.name} in {folder.parent}, which has {has}: all are read together. "
        "Give the sweep's file another name, or --out another folder, to keep them apart."
    )


def _key(one: Probe) -> str:
    return one.what.key if one.what is not None else one.folder.path.name


def left(asked: Sequence[Standing]) -> list[str]:
    """A line for each run that is not done: its name in tables, its folder's, how it ended, and the rate of one that diverged."""
    lines = []
    for one in asked:
        if one.state != "done":
            found = probe(one.folder.path)
            rate = f" at a learning rate of {found.what.rate:.3g}" if one.state == "diverged" and found.what else ""
            named = found.name if found.name == one.folder.path.name else f"{found.name} ({one.folder.path.name})"
            lines.append(f"{named}: {one.state}{rate}. {one.sentence}".strip())
    return lines


def refusal(asked: Sequence[Standing]) -> str:
    """How many are done, and what to do about those that are not; '' where all are done."""
    states = Counter(one.state for one in asked)
    if states["done"] == len(asked):
        return ""
    said = [f"{out_of(states['done'], len(asked), 'run', 'is', 'are')} done."]
    if others := len(asked) - states["done"] - states["diverged"]:
        which = "it" if len(asked) == 1 else "the other" if others == 1 else "the others"
        which = plural(others, "of them").removesuffix("s") if states["diverged"] else which
        kept = sum((one.folder.path / CHECKPOINT).is_file() for one in asked if one.state not in ("done", "diverged"))
        place = "" if not kept else ", from its checkpoint" if others == 1 else ", from their checkpoints"
        said.append(
            f"`--retry` makes {which} again{place if kept in (0, others) else ', from a checkpoint where there is one'}."
        )
    if states["diverged"]:
        said.append(f"{agreeing(states['diverged'], 'run that diverged', 'runs that diverged')} {DIVERGED}")
    return " ".join(said)


def done(runs: int, folder: Path, design: str) -> str:
    """What is said when all runs are done: how many, and the command that reads them."""
    command = MADE_FOR.get(design, "fit")
    return f"{out_of(runs, runs, 'run', 'is', 'are')} done. Next: isoflop {command} {shlex.quote(str(folder))}"


def document(asked: Sequence[Standing], name: str, specs: Sequence[Spec]) -> list[dict[str, Any]]:
    """Every run for JSON: its name, key, sweep, folder, state and sentence, its last held-out loss, and the fields in which runs differ."""
    varied = _varied(specs)
    out = []
    for one in asked:
        found = probe(one.folder.path)
        losses = [row["loss"] for row in found.rows if "loss" in row]
        out.append(
            {
                "name": found.name, "key": one.key, "sweep": name, "folder": str(one.folder.path), "state": one.state,
                "sentence": one.sentence, "loss": losses[-1] if losses else None, "fields": varied.get(one.key, {}),
            }
        )  # fmt: skip
    return out


def _varied(specs: Sequence[Spec]) -> dict[str, Mapping[str, Any]]:
    """By key, the fields in which the runs of a sweep differ; the rate as it is where a spec leaves it to the width."""
    from data.plain import plain

    each = {one.key: {**plain(one), "lr": one.rate} for one in specs}
    first = next(iter(each.values()), {})
    names = [name for name in first if any(one[name] != first[name] for one in each.values())]
    return {key: {name: one[name] for name in names} for key, one in each.items()}
