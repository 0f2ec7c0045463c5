"""What a sweep will cost, said before it is made: steps, FLOPs, memory, and time by what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from data.flops import six_nd
from data.probe.schedule import planned
from data.probe.spec import Spec

# Tokens a second on one CPU thread in float32, by parameters in matrices: measured at depth 2, batch 8 x 128, vocabulary 32.
_MATRICES = np.array([6e3, 25e3, 98e3, 2e5, 1e6])
_SPEED = np.array([170e3, 104e3, 48e3, 40e3, 10e3])
_STATES = {"adamw": 2, "muon": 2, "sgd": 1, "adafactor": 0}  # tensors of a weight's size that an optimiser keeps


@dataclass(frozen=True)
class Cost:
    """Of n runs: their steps, tokens and FLOP (6ND), each summed; the most memory of one in bytes; seconds of one CPU thread."""

    runs: int
    steps: int
    tokens: int
    flops: float
    memory: float
    seconds: float


def cost(specs: Sequence[Spec]) -> Cost:
    """What runs cost together. Seconds are an estimate for a core such as it was measured on, right within a factor of two."""
    plans = [planned(one) for one in specs]
    return Cost(
        len(specs),
        sum(map(len, plans)),
        sum(plan.tokens for plan in plans),
        sum(six_nd(one.counts.nonembed, plan.tokens) for one, plan in zip(specs, plans, strict=True)),
        max((memory(one) for one in specs), default=0.0),
        sum(plan.tokens / speed(one) for one, plan in zip(specs, plans, strict=True)),
    )


def memory(spec: Spec) -> float:
    """Bytes that a run holds in float32: weights, gradients, the optimiser's state, averages, and a step's hidden states."""
    counts, shape = spec.counts, spec.shape
    held = counts.total * (2 + _STATES[spec.optimiser] + len(spec.averages))
    most = max(spec.batch, *(stage.batch for stage in spec.stages)) if spec.stages else spec.batch
    of_a_token = shape.layers * (10 * shape.width + 3 * shape.d_ffn) + 4 * shape.vocab
    return 4.0 * (held + most * spec.seq_len * of_a_token)


def speed(spec: Spec) -> float:
    """Tokens a second on one CPU thread: between the sizes measured along a power law, beyond them by the FLOPs."""
    n = spec.counts.nonembed + spec.counts.head
    x = float(np.log(n))
    if n > _MATRICES[-1]:
        return float(_SPEED[-1] * _MATRICES[-1] / n)
    return float(np.exp(np.interp(x, np.log(_MATRICES), np.log(_SPEED))))


FILLED = 0.8  # the share of a device's memory that a run is let take by estimate


@lru_cache(maxsize=1024)
def most_at_once(spec: Spec, room: float, runs: int = 1) -> int:
    """How many sequences of each of so many runs fit in so many bytes at once, by estimate; 1 where not even one does."""
    one, two = (memory(replace(spec, batch=n, stages=())) for n in (1, 2))
    return max(1, 1 + int((FILLED * room / runs - one) // (two - one)))
