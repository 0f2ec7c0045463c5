"""One step of k runs: their gradients in parts of one size, clipped, and taken by the optimiser."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from functools import cache

import torch
from torch import Tensor

from data.errors import DataError
from data.probe.cost import divided, most_at_once
from data.probe.schedule import NOISE_EVERY
from data.probe.trainer.apart import apart, is_light
from data.probe.trainer.distributed import Ranks
from data.probe.trainer.model import Weights, losses
from data.probe.trainer.optimisers import clip_weights
from data.probe.trainer.state import Run

SHARDS = 4  # parts of a batch whose gradients are told apart where it fits whole
WARM = 3  # steps that count in no time of a step: what is compiled is compiled in them


class DivergedError(Exception):
    """The training loss of some runs is no number any more, or above a guess: a sentence for each, by its place."""

    def __init__(self, sentence: str, said: Mapping[int, str] | None = None) -> None:
        super().__init__(sentence, said)
        self.said = dict(said or {})

    def __str__(self) -> str:
        """The sentences."""
        return str(self.args[0])


def parts(run: Run, ranks: Ranks) -> tuple[int, bool]:
    """Into how many parts of one size a rank has to divide its share of the next step, and whether parts are told apart.

    A batch that does not fit is divided by its least divisor that lets the parts fit, so that all parts are of one size. Raises
    DataError where the ranks cannot share the batch alike.
    """
    size = int(run.plan.batch[run.done])
    if size % ranks.world:
        raise DataError(f"A batch of {size} sequences cannot be shared by {ranks.world} processes; take a multiple.")
    share = size // ranks.world
    count = divided(share, run.spec.micro or most_at_once(run.spec, run.device.memory, len(run)))
    whole = count * ranks.world == 1
    return count, not whole or (run.done % NOISE_EVERY == 0 and size % SHARDS == 0 and size > SHARDS)


def step(run: Run, ranks: Ranks = Ranks(), asked: bool = False) -> bool:  # noqa: B008
    """One step of the optimiser; returns whether any rank was asked to stop. Raises DivergedError before anything is changed."""
    started = time.perf_counter()
    size = int(run.plan.batch[run.done])
    count, told = parts(run, ranks)
    of = SHARDS if told and count * ranks.world == 1 else count * ranks.world
    share = size // ranks.world
    tokens = run.tokens(run.plan.sequences(run.done) + ranks.rank * share, share)
    drawn = time.perf_counter() - started
    if count * ranks.world < of and is_light(run.weights, of):
        loss, gradients, small = apart(run.spec, run.weights, tokens, of, run.device.products)
    else:
        loss, gradients, small = _gradients(run, tokens, of // ranks.world, of, told)
    stop = torch.full((1,), float(asked), dtype=torch.float64, device=run.device.torch)
    if ranks.world > 1:
        ranks.add(list(gradients.values()))
        ranks.add([loss, small, stop])
    # (k, names): squared gradients of each weight
    sizes = torch.stack([g.square().sum((-2, -1)) for g in gradients.values()], dim=1)
    lost, big = loss.tolist(), sizes.sum(1).tolist()
    wrong = {
        i: f"The loss was {lost[i]:g} and the squared gradient {big[i]:g} at step {run.done + 1}."
        for i in range(len(run))
        if not (math.isfinite(lost[i]) and math.isfinite(big[i]))
    }
    if wrong:
        raise DivergedError("; ".join(wrong.values()), wrong)
    if told:
        names = list(gradients)
        for i, (one, whole) in enumerate(zip(small.tolist(), sizes.tolist(), strict=True)):
            run.since[i].note(
                dict(zip(names, one, strict=True)),
                dict(zip(names, whole, strict=True)),
                size / of,
                size,
            )
    clips = [_clip(spec.clip, norm) for spec, norm in zip(run.specs, _norms(run, sizes), strict=True)]
    _update(run, gradients, clips, size)
    run.done += 1
    for i, since in enumerate(run.since):
        since.steps += 1
        since.loss += lost[i]
        since.last = lost[i]
        since.clipped += clips[i] < 1.0
        since.factor += clips[i]
    run.made += 1
    if run.made > WARM:
        run.device.wait()
        took = time.perf_counter() - started
        for since in run.since:
            since.seconds.append(took)
            since.data_seconds.append(drawn)
    return bool(stop.item() > 0) if ranks.world > 1 else asked


def _norms(run: Run, sizes: Tensor) -> list[float]:
    """The norm of each run's gradient that is clipped, from the squared gradients of each weight (k, names)."""
    if run.spec.parametrisation != "standard":
        sizes = sizes * sizes.new_tensor(clip_weights(run.spec, run.weights))
    return [math.sqrt(one) for one in sizes.sum(1).tolist()]


def _clip(most: float, norm: float) -> float:
    return most / norm if most and norm > most else 1.0


@torch.no_grad()
def _update(run: Run, gradients: Weights, clips: list[float], size: int) -> None:
    if len(run) == 1 and clips[0] < 1.0:
        torch._foreach_mul_(list(gradients.values()), clips[0])
    elif min(clips) < 1.0:
        factor = torch.tensor(clips, device=run.device.torch).view(-1, 1, 1)
        for g in gradients.values():
            g.mul_(factor)
    rates = torch.tensor([float(plan.rate[run.done]) for plan in run.plans], device=run.device.torch)
    run.optimiser.step(run.weights, gradients, rates)
    for share, held in zip(run.spec.averages, run.averages, strict=True):
        keep = math.exp(-size * run.plan.seq_len / (share * run.plan.tokens))
        torch._foreach_mul_(list(held.values()), keep)
        torch._foreach_add_(list(held.values()), [w.detach() for w in run.weights.values()], alpha=1.0 - keep)


def _gradients(run: Run, tokens: Tensor, count: int, of: int, told: bool) -> tuple[Tensor, Weights, Tensor]:
    """A share's part of the mean over `of` parts: the loss (k,), its gradient, and squared gradients (k, names) of the parts."""
    total: Weights = {}
    k, names = len(run), list(run.weights)
    loss = torch.zeros(k, dtype=torch.float64, device=tokens.device)
    small = torch.zeros(k, len(names), dtype=torch.float64, device=tokens.device)
    function = _compiled() if run.device.compiled else losses
    for part in tokens.chunk(count, dim=1):
        with run.device.products():
            each = function(run.spec, run.weights, part)
        found = torch.autograd.grad(each.sum(), list(run.weights.values()))
        loss += each.detach().double() / of
        if told:
            small += torch.stack([g.square().sum((-2, -1)) for g in found], dim=1).double() / of
        for name, g in zip(names, found, strict=True):
            total[name] = g / of if name not in total else total[name].add_(g, alpha=1.0 / of)
    return loss, total, small


@cache
def _compiled() -> Callable[..., Tensor]:
    return torch.compile(losses)
