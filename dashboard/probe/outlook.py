"""What is left of a sweep and what that takes, run by run and until the last is done: the one source of every time that is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from dashboard.probe.estimate import Estimate, Estimator
from data.plural import agreeing, out_of
from data.probe.found import Probe
from data.probe.queue import ahead
from data.probe.spec import Spec

UP = 1.5  # seconds until a queue has come up, and until the end of its last run is seen


@dataclass(frozen=True)
class Outlook:
    """Of `runs` runs so many are `done` and `ended` otherwise; what each of those `left` takes, in their order; seconds until the last
    has ended on so many slots, None where not known."""

    runs: int
    done: int
    ended: int
    left: tuple[Estimate, ...]
    slots: int
    seconds: float | None

    @cached_property
    def tokens(self) -> float:
        """Tokens that are left to train on."""
        return float(sum(one.tokens for one in self.left))

    @cached_property
    def flops(self) -> float:
        """FLOP (6ND) that are left."""
        return float(sum(one.flops["6ND"] for one in self.left))

    @property
    def how(self) -> str:
        """Where the time is from, of the run that takes the most of it; '' where nothing is left."""
        return max(self.left, key=lambda one: one.seconds or 0.0).how if self.left else ""

    @property
    def factor(self) -> float:
        """The factor by which the time of any run may be off."""
        return max((one.factor for one in self.left), default=1.0)

    @property
    def standing(self) -> str:
        """How much is done already, in words; '' where nothing is."""
        if self.done == self.runs:
            return "all are done already" if self.runs > 1 else "it is done already"
        begun = sum(one.begin > 0 for one in self.left if not one.spec.trunk)
        said = [
            f"{out_of(self.done, self.runs, 'run', 'is', 'are')} done already" if self.done else "",
            f"{agreeing(self.ended, 'ended otherwise and is', 'ended otherwise and are')} made again with --retry alone"
            if self.ended
            else "",
            f"{agreeing(begun, 'goes', 'go')} on from {'its checkpoint' if begun == 1 else 'their checkpoints'}"
            if begun
            else "",
        ]
        return "; ".join(part for part in said if part)


def outlook(
    specs: Sequence[Spec], teller: Estimator, slots: int, found: Mapping[str, Probe], *, again: bool = False
) -> Outlook:
    """What runs take where these were found, by key; those that ended otherwise than done are made `again` or not at all."""
    left = ahead.left(specs, found, again=again)
    kept = {one.spec.key for one in left}
    done = sum(
        one.key in found and found[one.key].status.state == "done" and not found[one.key].damaged for one in specs
    )
    known: dict[tuple[str, ...], list[Estimate]] = {}

    def told(runs: Sequence[ahead.Left]) -> list[Estimate]:
        keys = tuple(one.spec.key for one in runs)
        if keys not in known:
            known[keys] = teller.process(runs)
        return known[keys]

    def seconds(runs: Sequence[ahead.Left]) -> float:
        return sum(one.seconds or 0.0 for one in told(runs))

    made = ahead.processes(left, slots, teller.target.kind, seconds, alone=teller.target.alone)
    each = {i: one for by in made for i, one in zip(by.runs, told([left[i] for i in by.runs]), strict=True)}
    ordered = tuple(each[i] for i in sorted(each))
    whole = None if any(one.seconds is None for one in ordered) else max((by.ended + UP for by in made), default=0.0)
    return Outlook(len(specs), done, len(specs) - done - len(kept), ordered, max(1, slots), whole)
