"""The row of a run's log: its loss on held-out tokens and what was summed since the last."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import torch

from data.probe.trainer import measure
from data.probe.trainer.distributed import Ranks
from data.probe.trainer.measure.energy import Meter
from data.probe.trainer.measure.moment import Moment
from data.probe.trainer.model import Weights, losses
from data.probe.trainer.optimisers import Optimiser
from data.probe.trainer.since import Since
from data.probe.trainer.state import Run

AT_ONCE = 16_384  # held-out tokens of a run that are gone through at once


@torch.no_grad()
def held_out(run: Run, weights: Weights, ranks: Ranks = Ranks()) -> list[dict[str, float]]:  # noqa: B008
    """Each run's columns of losses on held-out tokens and their standard errors over sequences, in nats per token."""
    scores = [_scores(run, weights, ranks, source) for source in range(len(run.feeds[0].sources))]
    return [feed.mixed([one[i] for one in scores]) for i, feed in enumerate(run.feeds)]


def _scores(run: Run, weights: Weights, ranks: Ranks, source: int) -> list[tuple[float, float]]:
    """Each run's loss on one source's held-out tokens, and its standard error."""
    count, each = run.feeds[0].sources[source].scored, max(1, AT_ONCE // run.spec.seq_len)
    lost = torch.zeros(len(run), count, dtype=torch.float64, device=run.device.torch)
    for number, first in enumerate(range(0, count, each)):
        if number % ranks.world == ranks.rank:
            n = min(each, count - first)
            tokens = torch.from_numpy(np.stack([feed.held_out(source, first, n) for feed in run.feeds]))
            with run.device.products():
                found = losses(run.spec, weights, tokens.to(run.device.torch), each=True)
            lost[:, first : first + n] = found.double()
    ranks.add([lost])
    return [(float(one.mean()), float(one.std() / math.sqrt(count)) if count > 1 else math.nan) for one in lost]


def measured(run: Run, ranks: Ranks, meter: Meter) -> list[dict[str, Any]]:
    """The row of each run's log after the step that was just made; what was summed since the last begins anew.

    All ranks give the same losses; what is measured beside them is in the rows of the first alone.
    """
    began = time.perf_counter()
    found = held_out(run, run.weights, ranks)
    averaged = [held_out(run, held, ranks) for held in run.averages]
    taken = meter.lap(run.device)
    rows = []
    for i, columns in enumerate(found):
        row: dict[str, Any] = {
            "step": run.done,
            "tokens": run.plan.after(run.done),
            **columns,
            **run.feeds[i].known,
            **run.feeds[i].seen(run.plan.sequences(run.done)),
            "lr": float(run.plans[i].rate[run.done - 1]),
            "batch": int(run.plan.batch[run.done - 1]),
        }
        row |= {
            f"loss_average_{share:g}": one[i]["loss"] for share, one in zip(run.spec.averages, averaged, strict=True)
        }
        row |= run.since[i].row()
        if run.since[i].seconds:
            row["peak_memory"] = run.device.peak_memory
        if len(run) > 1:
            row["stack"] = len(run)  # runs that a step's seconds and the memory are of
        if ranks.first:
            energy = None if taken is None else run.since[i].energy + taken / len(run)
            row |= measure.rows(moment(run, i), energy)
        rows.append(
            {name: value for name, value in row.items() if not isinstance(value, float) or math.isfinite(value)}
        )
        run.since[i] = Since()
    took = time.perf_counter() - began
    return [row | {"eval_seconds": took} for row in rows]


def moment(run: Run, i: int = 0) -> Moment:
    """Where one of the runs stands."""
    state = {name: s[i : i + 1] for name, s in run.optimiser.state.items()}

    def tokens(first: int, count: int) -> torch.Tensor:
        return torch.from_numpy(run.feeds[i].elsewhere(first, count))[None].to(run.device.torch)

    return Moment.at(
        run.specs[i], run.plans[i], {name: w[i : i + 1] for name, w in run.weights.items()},
        Optimiser(run.specs[i], state, run.optimiser.steps), run.done, tokens, run.device,
    )  # fmt: skip
