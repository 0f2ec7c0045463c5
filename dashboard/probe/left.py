"""What is left of runs at work and to come, in seconds: their start, steps and evaluations, as they were said and as they are measured."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from dashboard.probe.estimate import at_once, measured_evaluation, measured_step
from data.probe import cost
from data.probe.found import Probe
from data.probe.schedule import planned
from data.probe.spec import Spec


@dataclass(frozen=True)
class Own:
    """What a run makes itself: from which step on, how many steps and evaluations, and its seconds on a core, as said of any."""

    begin: int
    steps: int
    evaluations: int
    seconds: float


@lru_cache(maxsize=10_000)
def own(spec: Spec, from_trunk: bool) -> Own:
    """The part of a run that is its own, where it goes on from its trunk's state or makes all of it."""
    plan = planned(spec)
    begin = min(plan.step_at(spec.trunk_tokens), len(plan)) if from_trunk else 0
    evaluations = sum(n > begin for n in plan.evaluated)
    seconds = cost.START + cost.TURN + cost.work_seconds(spec, cost.todo([spec], [begin]))
    return Own(begin, len(plan) - begin, evaluations, seconds)


def goes_on_from_trunk(spec: Spec, keys: Collection[str]) -> bool:
    """Whether a run of a sweep of these keys takes the beginning from another of them."""
    return bool(spec.trunk) and spec.trunk in keys


def process_seconds(one: Probe, what: Spec, step: int, start: float) -> float | None:
    """Seconds until the process of a run at this step has made its last, by its own measurements; None before it has measured a step.

    Where nothing says how long evaluations take they are said to take as many steps as on any CPU. `start` is what is left of loading.
    """
    each = measured_step(one)
    if each is None:
        return None
    plan, k = planned(what), at_once(one)
    said = cost.measuring_seconds(what, what.batch, k) / cost.step_seconds(what, what.batch, k)
    evaluation = measured_evaluation(one) or said * each
    return start + each * (len(plan) - step) + evaluation * sum(n > step for n in plan.evaluated)


def whole_seconds(one: Probe, what: Spec, made: Own, start: float) -> float | None:
    """Seconds that a run's own part takes in all, by its own measurements, its share where several are made at once."""
    left = process_seconds(one, what, made.begin, start + cost.TURN)
    return None if left is None else left / at_once(one)
