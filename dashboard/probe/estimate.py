"""What runs will take on a device, said before they are made, and what they took beside it: time, memory, FLOPs, dollars.

On a CPU by `data.probe.cost`, corrected by the user's own finished runs there. On a GPU by `fitting`'s laws of step time and memory,
fitted to those runs; before there are any, from what the maker prints, which no small model comes near: that is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from data.flops import six_nd
from data.plural import plural
from data.probe import cost
from data.probe.found import Probe
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


@dataclass(frozen=True)
class Target:
    """What runs are made on: "cpu" or "cuda", what a GPU is called, and the price of an hour of one in dollars."""

    kind: str = "cpu"
    title: str = ""
    price: float | None = None

    @property
    def maker(self) -> Device | None:
        """What the maker prints of this GPU, where it is one that is known."""
        plain = self.title.casefold().replace(" ", "")
        return next((d for d in DEVICES if d.name.casefold().replace(" ", "") in plain), None)


@dataclass(frozen=True)
class Estimate:
    """What one run takes: seconds in all and of a step (None where nobody can say), bytes, FLOP by convention, dollars.

    `factor` is how far off the seconds may be, `how` where they are from, `steps` and `tokens` what the plan has.
    """

    spec: Spec
    steps: int
    tokens: int
    seconds: float | None
    step_seconds: float | None
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
            "seed": one.seed, "params_total": one.counts.total, "params_nonembed": one.counts.nonembed, "tokens": self.tokens,
            "steps": self.steps, "seconds": self.seconds, "step_seconds": self.step_seconds, "seconds_factor": self.factor,
            "memory": self.memory, "flops": dict(self.flops), "dollars": self.money, "how": self.how,
        }  # fmt: skip


@dataclass(frozen=True)
class Beside:
    """One finished run: what was said of it and what was measured, seconds of a step and bytes; None where nothing was."""

    name: str
    step_said: float | None
    step_measured: float | None
    memory_said: float
    memory_measured: float | None

    @property
    def ratio(self) -> float | None:
        """Measured over said, of a step's seconds."""
        return None if not self.step_said or not self.step_measured else self.step_measured / self.step_said


@dataclass(frozen=True)
class Estimator:
    """What runs take on a target, learnt from the finished runs `own` that were made on such a one."""

    target: Target = Target()
    own: tuple[Probe, ...] = ()

    @cached_property
    def _measured(self) -> list[tuple[Spec, float]]:
        """Runs made on this kind of device, with the median seconds of their steps."""
        known = [(one.what, measured_step(one)) for one in self.own if one.status.device.startswith(self.target.kind)]
        return [(what, step) for what, step in known if what is not None and step is not None and not what.stages]

    @cached_property
    def _pace(self) -> tuple[float, float]:
        """Measured over said seconds of a step on a CPU, and the factor by which a run may still be off."""
        if not self._measured:
            return 1.0, MEASURED_ELSEWHERE
        logs = np.log([step / cost.step_seconds(what, what.batch) for what, step in self._measured])
        spread = (
            float(np.median(np.abs(logs - np.median(logs)))) / 0.6745
            if len(logs) > 2
            else np.log(MEASURED_ELSEWHERE) / 2
        )
        return float(np.exp(np.median(logs))), max(LEAST_FACTOR, float(np.exp(2.0 * spread)))

    @cached_property
    def _law(self) -> StepTime | None:
        """The law of step time of the runs measured; None where there are too few."""
        try:
            return step_time(pd.DataFrame([_row(what, step) for what, step in self._measured]), resamples=0)
        except FitError:
            return None

    def of(self, spec: Spec) -> Estimate:
        """What one run takes."""
        plan = planned(spec)
        step, whole, factor, how = self._on_cpu(spec) if self.target.kind == "cpu" else self._on_gpu(spec)
        price = self.target.price
        return Estimate(
            spec, len(plan), plan.tokens, whole, step, self.memory(spec), flops(spec, plan.tokens),
            None if price is None or whole is None else whole / 3600.0 * price, factor, how,
        )  # fmt: skip

    def memory(self, spec: Spec) -> float:
        """Bytes of a run: of its process on a CPU, of the device's memory on a GPU."""
        if self.target.kind == "cpu":
            return cost.process_memory(spec)
        most = max([spec.batch, *(stage.batch for stage in spec.stages)])
        tokens = max(most * spec.seq_len, min(cost.IN_ONE, spec.eval_tokens))
        held = memory_per_device(spec.shape, 1, micro_tokens=tokens, sharded=False)
        return held.total + 4.0 * len(spec.averages) * spec.counts.total

    def beside(self, probes: Iterable[Probe]) -> list[Beside]:
        """What was said and what was measured of the runs that are done; own runs do not count among what they are held against."""
        out = []
        for one in probes:
            if one.what is None or one.status.state != "done" or not one.rows:
                continue
            others = Estimator(self.target, tuple(o for o in self.own if o.folder != one.folder))
            said = others.of(one.what)
            peak = [row["peak_memory"] for row in one.rows if row.get("peak_memory")]
            out.append(
                Beside(one.name, said.step_seconds, measured_step(one), said.memory, float(max(peak)) if peak else None)
            )
        return out

    def _on_cpu(self, spec: Spec) -> tuple[float, float, float, str]:
        pace, factor = self._pace
        whole = cost.START + pace * (cost.seconds(spec) - cost.START)
        n = len(self._measured)
        how = f"by {plural(n, 'run')} made on this CPU" if n else "as measured on another CPU"
        return pace * cost.step_seconds(spec, spec.batch), whole, factor, how

    def _on_gpu(self, spec: Spec) -> tuple[float | None, float | None, float, str]:
        law, maker = self._law, self.target.maker
        if law is not None:
            n = len(law.residuals)
            factor = max(LEAST_FACTOR, float(np.exp(2.0 * np.std(law.residuals))))
            return (
                *self._whole(spec, lambda tokens: float(law.seconds(spec.shape, tokens).value)),
                factor,
                f"by {plural(n, 'run')} made on such a GPU",
            )
        if maker is None:
            return (
                None,
                None,
                ASSUMED,
                f"not known of {self.target.title or 'this GPU'} before some runs were made on it",
            )
        starts = EACH * (KERNELS * spec.depth + OUTSIDE)

        def seconds(tokens: float) -> float:
            works = max(
                flops_of(spec.shape, tokens) / (REACHED * maker.peak), bytes_moved(spec.shape, tokens) / maker.bandwidth
            )
            return float(max(starts, works))

        return (
            *self._whole(spec, seconds),
            ASSUMED,
            f"assumed of {maker.name} by its data sheet; no run was made on it yet",
        )

    def _whole(self, spec: Spec, seconds: Any) -> tuple[float, float]:
        """Seconds of a step and of the whole run, by those of a step of so many tokens."""
        plan = planned(spec)
        batches, counts = np.unique(plan.batch, return_counts=True)
        stepping = sum(n * seconds(float(b * spec.seq_len)) for b, n in zip(batches, counts, strict=True))
        passes = max(1.0, spec.eval_tokens / cost.IN_ONE)
        evaluating = passes * cost.FORWARD * seconds(float(min(cost.IN_ONE, spec.eval_tokens)))
        return seconds(float(spec.batch * spec.seq_len)), GPU_START + stepping + len(plan.evaluated) * (
            1 + len(spec.averages)
        ) * evaluating


def flops(spec: Spec, tokens: float) -> dict[str, float]:
    """FLOP of a run of so many tokens by every convention, and as 6 times parameters without embeddings times tokens."""
    each = {name: whole * tokens / spec.tokens for name, whole in spec.flops.items()}
    return {"6ND": float(six_nd(spec.counts.nonembed, tokens)), **each}


def measured_step(one: Probe) -> float | None:
    """The median over a run's evaluations of the seconds of a step; None where none was measured."""
    found = [float(row["step_seconds"]) for row in one.rows if row.get("step_seconds")]
    return float(np.median(found)) if found else None


def until_done(estimates: Sequence[Estimate], slots: int) -> float | None:
    """Seconds until the last of the runs has ended on so many slots, each taking the next as it comes free; None where not known."""
    free = [0.0] * max(1, slots)
    for one in estimates:
        if one.seconds is None:
            return None
        first = min(range(len(free)), key=free.__getitem__)
        free[first] += one.seconds
    return max(free)


def _row(what: Spec, step: float) -> dict[str, float]:
    shape = what.shape
    return {
        "layers": shape.layers, "width": shape.width, "heads": shape.heads, "head_dim": shape.head_dim, "ffn": shape.d_ffn,
        "vocab": shape.vocab, "seq_len": shape.seq_len, "batch": what.batch * what.seq_len, "step_seconds": step,
    }  # fmt: skip
