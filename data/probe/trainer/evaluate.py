"""The row of a run's log: its loss on held-out tokens and what was summed since the last."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from data.probe.trainer.distributed import Ranks
from data.probe.trainer.model import Weights, losses
from data.probe.trainer.since import Since
from data.probe.trainer.state import Run

AT_ONCE = 16_384  # held-out tokens of a run that are gone through at once


@torch.no_grad()
def held_out(run: Run, weights: Weights, ranks: Ranks = Ranks()) -> list[tuple[float, float]]:  # noqa: B008
    """Each run's loss on held-out tokens and its standard error over sequences, both in nats per token."""
    length = run.spec.seq_len
    count, each = max(1, run.spec.eval_tokens // length), max(1, AT_ONCE // length)
    lost = torch.zeros(len(run), count, dtype=torch.float64, device=run.device.torch)
    for number, first in enumerate(range(0, count, each)):
        if number % ranks.world == ranks.rank:
            n = min(each, count - first)
            with run.device.products():
                lost[:, first : first + n] = losses(run.spec, weights, _tokens(run, first, n), each=True).double()
    ranks.add([lost])
    return [(float(one.mean()), float(one.std() / math.sqrt(count)) if count > 1 else math.nan) for one in lost]


def _tokens(run: Run, first: int, count: int) -> Tensor:
    each = [torch.from_numpy(text.held_out(first, count, run.spec.seq_len)) for text in run.texts]
    return torch.stack(each).to(run.device.torch)


def measured(run: Run, ranks: Ranks = Ranks()) -> list[dict[str, Any]]:  # noqa: B008
    """The row of each run's log after the step that was just made; what was summed since the last begins anew."""
    found = held_out(run, run.weights, ranks)
    averaged = [held_out(run, held, ranks) for held in run.averages]
    rows = []
    for i, (loss, error) in enumerate(found):
        row: dict[str, Any] = {
            "step": run.done,
            "tokens": run.plan.after(run.done),
            "loss": loss,
            "loss_se": error,
            "lr": float(run.plans[i].rate[run.done - 1]),
            "batch": int(run.plan.batch[run.done - 1]),
        }
        row |= {f"loss_average_{share:g}": one[i][0] for share, one in zip(run.spec.averages, averaged, strict=True)}
        row |= run.since[i].row()
        if run.since[i].seconds:
            row["peak_memory"] = run.device.peak_memory
        if len(run) > 1:
            row["stack"] = len(run)  # runs that a step's seconds and the memory are of
        rows.append({name: value for name, value in row.items() if value == value})
        run.since[i] = Since()
    return rows
