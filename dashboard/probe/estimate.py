"""What runs will take on a device, said before they are made, and what they took beside it: time, memory, FLOP, dollars.

On a CPU by `data.probe.cost`, corrected by the user's own finished runs of about that size there. On a GPU by `fitting`'s laws of
step time and memory, fitted to those runs; before there are any, from what the maker prints, which no small model comes near: that
is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from data.flops import six_nd
from data.plural import plural
from data.probe import cost
from data.probe.cost import Todo
from data.probe.found import Probe
from data.probe.queue.ahead import Left
from data.probe.schedule import planned
from data.probe.spec import Spec
from fitting.errors import FitError
from fitting.planning.devices import DEVICES, Device
from fitting.planning.memory import memory_per_device
from fitting.planning.step_time import StepTime, bytes_moved, flops_of, step_time

# Of a GPU nobody has measured a run on, all assumed: seconds of loading and compiling, kernels that a layer and the rest of a step
# start with the time of each, and the share of the peak that larger products reach.
GPU_START, KERNELS, OUTSIDE, EACH, REACHED = 60.0, 40, 60, 5e-6, 0.3
ASSUMED = 3.0  # such a time may be off by this factor
MEASURED_ELSEWHERE = 2.0  # and one of a CPU that is not this one
LEAST_FACTOR = 1.2  # what even the user's own runs leave open
Ratios = tuple[np.ndarray, np.ndarray]  # seconds as they are said (n,), and logs of measured over said (n,)
ALIKE, FEW = (
    4.0,
    3,
)  # runs of a size are those whose steps are said to take up to so many times as long, if there are so many


@dataclass(frozen=True)
class Target:
    """What runs are made on: "cpu" or "cuda", what a GPU is called, the price of an hour of one in dollars, and whether each run has a
    process to itself, as on a cluster, however small it is."""

    kind: str = "cpu"
    title: str = ""
    price: float | None = None
    alone: bool = False

    @property
    def maker(self) -> Device | None:
        """What the maker prints of this GPU, where it is one that is known."""
        plain = self.title.casefold().replace(" ", "")
        return next((d for d in DEVICES if d.name.casefold().replace(" ", "") in plain), None)


@dataclass(frozen=True)
class Estimate:
    """What is left of one run takes: seconds in all and of a step (None where nobody can say), bytes, FLOP by convention, dollars.

    `steps` and `tokens` are what is left, after `begin` steps that are made already or by another run. `start_seconds` pass until the
    first step, `eval_seconds` in each evaluation. Of `at_once` runs in one process, the seconds in all are this run's part, all others
    and the bytes are the process's. `factor` is how far off the seconds may be, `how` where they are from.
    """

    spec: Spec
    begin: int
    at_once: int
    steps: int
    tokens: int
    seconds: float | None
    step_seconds: float | None
    start_seconds: float | None
    eval_seconds: float | None
    memory: float
    flops: Mapping[str, float]
    money: float | None
    factor: float
    how: str

    def plain(self) -> dict[str, Any]:
        """The same as JSON has it."""
        one = self.spec
        return {
            "key": one.key, "width": one.width, "depth": one.depth, "batch": one.batch, "seq_len": one.seq_len, "lr": one.rate,
            "seed": one.seed, "params_total": one.counts.total, "params_nonembed": one.counts.nonembed,
            "begin": self.begin, "at_once": self.at_once, "tokens": self.tokens, "steps": self.steps, "seconds": self.seconds,
            "step_seconds": self.step_seconds, "start_seconds": self.start_seconds, "eval_seconds": self.eval_seconds,
            "seconds_factor": self.factor, "memory": self.memory, "flops": dict(self.flops),
            "dollars": self.money, "how": self.how,
        }  # fmt: skip


@dataclass(frozen=True)
class Time:
    """What a process takes: seconds until its first step, of a step, of an evaluation, and in all; None where nobody can say."""

    start: float | None
    step: float | None
    evaluation: float | None
    whole: float | None = None


@dataclass(frozen=True)
class Estimator:
    """What runs take on a target, learnt from the finished runs `own` that were made on such a one."""

    target: Target = Target()
    own: tuple[Probe, ...] = ()

    @cached_property
    def _known(self) -> list[tuple[Spec, Probe, int]]:
        """Runs made on this kind of device, and how many were made at once."""
        here = (one for one in self.own if one.status.device.startswith(self.target.kind))
        return [(one.what, one, at_once(one)) for one in here if one.what is not None and not one.what.stages]

    @cached_property
    def _measured(self) -> list[tuple[Spec, float, int]]:
        """Those with the median seconds of their steps."""
        return [(what, step, k) for what, one, k in self._known if (step := measured_step(one)) is not None]

    @cached_property
    def _steps(self) -> Ratios:
        """Of each run measured on a CPU: seconds of a step as they are said, and logs of measured over said."""
        return _ratios((cost.step_seconds(what, what.batch, k), step) for what, step, k in self._measured)

    @cached_property
    def _evaluations(self) -> Ratios:
        """Of each whose evaluations were timed: seconds of one as they are said, and logs of measured over said."""
        timed = ((what, measured_evaluation(one), k) for what, one, k in self._known)
        return _ratios((cost.measuring_seconds(what, what.batch, k), took) for what, took, k in timed if took)

    @cached_property
    def start(self) -> float:
        """Seconds until a process makes its first step: the median of those that were timed."""
        found = [took for _, one, _ in self._known if (took := measured_start(one))]
        return float(np.median(found)) if found else cost.START if self.target.kind == "cpu" else GPU_START

    @staticmethod
    def _pace(ratios: Ratios, seconds: float) -> tuple[float, float, int]:
        """Measured over said seconds on a CPU of runs of which it is said to take about so long, the factor by which one may still be
        off, and of how many runs that is: of all where there are few of that size."""
        said, logs = ratios
        near = np.abs(np.log(said / seconds)) <= np.log(ALIKE)
        logs = logs[near] if near.sum() >= FEW else logs
        if not len(logs):
            return 1.0, MEASURED_ELSEWHERE, 0
        middle = float(np.median(logs))
        spread = float(np.median(np.abs(logs - middle))) / 0.6745 if len(logs) > 2 else np.log(MEASURED_ELSEWHERE) / 2
        return float(np.exp(middle)), max(LEAST_FACTOR, float(np.exp(2.0 * spread))), len(logs)

    @cached_property
    def _law(self) -> StepTime | None:
        """The law of step time of the runs measured; None where there are too few."""
        rows = [_row(what, step) for what, step, k in self._measured if k == 1]
        try:
            return step_time(pd.DataFrame(rows), resamples=0)
        except FitError:
            return None

    def of(self, spec: Spec) -> Estimate:
        """What one run takes, alone and from its first step."""
        return self.process([Left(spec)])[0]

    def process(self, runs: Sequence[Left]) -> list[Estimate]:
        """What each of these runs takes that are made at once in one process, from the steps on at which they stand."""
        spec, k, price = runs[0].spec, len(runs), self.target.price
        plan, what = planned(spec), cost.todo([one.spec for one in runs], [one.begin for one in runs])
        took, factor, how = self._on_cpu(spec, what, k) if self.target.kind == "cpu" else self._on_gpu(spec, what)
        share = None if took.whole is None else took.whole / k
        money = None if price is None or share is None else share / 3600.0 * price
        memory, left = self.memory(spec, k), [plan.tokens - plan.after(one.begin) for one in runs]
        return [
            Estimate(
                spec=one.spec, begin=one.begin, at_once=k, steps=len(plan) - one.begin, tokens=tokens, seconds=share,
                step_seconds=took.step, start_seconds=took.start, eval_seconds=took.evaluation,
                memory=memory,
                flops=flops(one.spec, tokens), money=money, factor=factor, how=how,
            )
            for one, tokens in zip(runs, left, strict=True)
        ]  # fmt: skip

    def memory(self, spec: Spec, runs: int = 1) -> float:
        """Bytes of so many runs at once: of their process on a CPU, of the device's memory on a GPU."""
        if self.target.kind == "cpu":
            return cost.process_memory(spec, runs)
        most = max(batch // cost.parts(spec, batch) for batch in [spec.batch, *(stage.batch for stage in spec.stages)])
        tokens = max(most, *cost.scored(spec)) * spec.seq_len
        tokens = max(most * spec.seq_len, min(cost.IN_ONE, tokens))
        held = memory_per_device(spec.shape, 1, micro_tokens=tokens, sharded=False)
        return runs * (held.total + 4.0 * len(spec.averages) * spec.counts.total)

    def _on_cpu(self, spec: Spec, what: Todo, runs: int) -> tuple[Time, float, str]:
        step, each = cost.step_seconds(spec, spec.batch, runs), cost.measuring_seconds(spec, spec.batch, runs)
        pace, factor, n = self._pace(self._steps, step)
        of_evaluations, other, timed = self._pace(self._evaluations, each)
        if not timed:  # runs from before evaluations were timed
            of_evaluations, other = pace, factor
        how = f"as {plural(n, 'run')} here took" if n else "as measured on another CPU"
        working = pace * cost.stepping_seconds(spec, what) + of_evaluations * cost.evaluating_seconds(spec, what)
        took = Time(self.start, pace * step, of_evaluations * each, self.start + cost.TURN + working)
        return took, max(factor, other), how

    def _on_gpu(self, spec: Spec, what: Todo) -> tuple[Time, float, str]:
        law, maker = self._law, self.target.maker
        if law is not None:
            n = len(law.residuals)
            factor = max(LEAST_FACTOR, float(np.exp(2.0 * np.std(law.residuals))))
            found = _on_gpu(spec, what, self.start, lambda tokens: float(law.seconds(spec.shape, tokens).value))
            return found, factor, f"as {plural(n, 'run')} on such a GPU took"
        if maker is None:
            how = f"not known of {self.target.title or 'this GPU'} before some runs were made on it"
            return Time(None, None, None), ASSUMED, how
        starts = EACH * (KERNELS * spec.depth + OUTSIDE)

        def seconds(tokens: float) -> float:
            works = max(
                flops_of(spec.shape, tokens) / (REACHED * maker.peak), bytes_moved(spec.shape, tokens) / maker.bandwidth
            )
            return float(max(starts, works))

        how = f"assumed of {maker.name} by its data sheet; no run was made on it yet"
        return _on_gpu(spec, what, self.start, seconds), ASSUMED, how


def _ratios(pairs: Iterable[tuple[float, float]]) -> Ratios:
    said, took = np.array([*pairs], dtype=float).reshape(-1, 2).T
    return said, np.log(took / said)


def _on_gpu(spec: Spec, what: Todo, start: float, seconds: Callable[[float], float]) -> Time:
    """What a process takes on a GPU, by the seconds of a step of so many tokens.

    What is measured beside losses is taken to be as many steps as on a CPU.
    """

    def step(batch: int, runs: int) -> float:
        parts = cost.parts(spec, batch)
        return parts * seconds(float(runs * batch // parts * spec.seq_len))

    def row(batch: int, runs: int) -> float:
        each = [float(n * spec.seq_len) for n in cost.scored(spec)]
        passes = sum(max(1.0, n / cost.IN_ONE) * seconds(runs * min(float(cost.IN_ONE), n)) for n in each)
        asked = sum(n * seconds(float(of * spec.seq_len)) for n, of in cost.measures(spec, batch))
        return (1 + len(spec.averages)) * cost.FORWARD * passes + runs * asked

    stepping = sum(n * step(*of) for of, n in what.steps.items())
    whole = start + cost.TURN + stepping + sum(n * row(*of) for of, n in what.evaluated.items())
    return Time(start, step(spec.batch, 1), row(spec.batch, 1), whole)


def flops(spec: Spec, tokens: float) -> dict[str, float]:
    """FLOP of a run of so many tokens by every convention, and as 6 times parameters without embeddings times tokens."""
    each = {name: whole * tokens / spec.tokens for name, whole in spec.flops.items()}
    return {"6ND": float(six_nd(spec.counts.nonembed, tokens)), **each}


def at_once(one: Probe) -> int:
    """How many runs were made in a run's process, by its last measurement."""
    return int(next((row.get("stack", 1) for row in reversed(one.rows) if row.get("step_seconds")), 1))


def measured_step(one: Probe) -> float | None:
    """The median over a run's evaluations of the seconds of a step, with as many runs at once as last; None where none was measured."""
    k = at_once(one)
    found = [float(row["step_seconds"]) for row in one.rows if row.get("step_seconds") and row.get("stack", 1) == k]
    return float(np.median(found)) if found else None


def measured_evaluation(one: Probe) -> float | None:
    """The median of the seconds of a run's evaluations, with as many runs at once as last; None where none was timed."""
    k = at_once(one)
    found = [float(row["eval_seconds"]) for row in one.rows if row.get("eval_seconds") and row.get("stack", 1) == k]
    return float(np.median(found)) if found else None


def measured_start(one: Probe) -> float | None:
    """Seconds until the first step of the process that made a run's last rows; None where they were not logged."""
    return next((float(row["start_seconds"]) for row in reversed(one.rows) if row.get("start_seconds")), None)


def measured_memory(one: Probe) -> float | None:
    """The most bytes that a run's process held; None where they were not logged."""
    return max((float(row["peak_memory"]) for row in one.rows if row.get("peak_memory")), default=None)


def _row(what: Spec, step: float) -> dict[str, float]:
    shape = what.shape
    return {
        "layers": shape.layers, "width": shape.width, "heads": shape.heads, "head_dim": shape.head_dim, "ffn": shape.d_ffn,
        "vocab": shape.vocab, "seq_len": shape.seq_len, "batch": what.batch * what.seq_len, "step_seconds": step,
    }  # fmt: skip
