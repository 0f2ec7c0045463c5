"""What a sweep will cost, said before it is made: steps, FLOPs, memory, and seconds of one CPU thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil

import numpy as np

from data.flops import six_nd
from data.probe.schedule import planned
from data.probe.spec import Spec

Array = np.ndarray

# Seconds of one CPU thread, float32, for each thing that `work` counts. Fitted to the steps of 42 shapes, whose times they give within
# 17 %, on cores that other work shared; then times .75, which is what steps took where two runs had two cores to themselves
# (tests/benchmarks/probe_cost.py).
PRICES = 0.75 * np.array([2.3e-3, 1.07e-3, 4.56e-11, 2.64e-8, 1.98e-9, 1.75e-10, 8.6e-9, 0.0])
FORWARD = 0.35  # the share of a step's work that a forward pass alone is
START = 2.5  # seconds until the first step: torch is loaded
IN_ONE = 16_384  # tokens of an evaluation at once
PROCESS = 385e6  # bytes that a process with torch holds before its first step on a CPU
FILLED = 0.8  # the share of a device's memory that a run is let take by estimate
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
        max((process_memory(one) for one in specs), default=0.0),
        sum(map(seconds, specs)),
    )


def memory(spec: Spec) -> float:
    """Bytes that a run's steps hold in float32: weights, gradients, the optimiser's state, averages, and hidden states.

    Measured on a CPU: 26 numbers a token for each layer and its width, 35 for the width alone.
    """
    shape = spec.shape
    most = max(spec.batch, *(stage.batch for stage in spec.stages)) if spec.stages else spec.batch
    of_a_token = shape.layers * (14 * shape.width + 3 * shape.d_ffn) + 35 * shape.width + 4 * shape.vocab
    return 4.0 * (_held(spec) + most * spec.seq_len * of_a_token)


def process_memory(spec: Spec) -> float:
    """Bytes that a run's process holds on a CPU: torch, and the larger of a step and of an evaluation's forward pass."""
    shape = spec.shape
    evaluated = min(IN_ONE, max(spec.eval_tokens, spec.seq_len)) * (35 * shape.width + 2.5 * shape.vocab)
    return PROCESS + max(memory(spec), 4.0 * (_held(spec) + evaluated))


def _held(spec: Spec) -> float:
    """Numbers that are kept from step to step."""
    return spec.counts.total * (2 + _STATES[spec.optimiser] + len(spec.averages))


def seconds(spec: Spec) -> float:
    """Seconds of one CPU thread that a run takes: its steps, its evaluations (of averaged weights too) and its start."""
    plan = planned(spec)
    batches, counts = np.unique(plan.batch, return_counts=True)
    stepping = sum(n * step_seconds(spec, int(b)) for b, n in zip(batches, counts, strict=True))
    return START + stepping + len(plan.evaluated) * (1 + len(spec.averages)) * evaluation_seconds(spec)


def step_seconds(spec: Spec, batch: int) -> float:
    """Seconds of one CPU thread that a step at so many sequences takes."""
    return float(work(spec, batch) @ PRICES)


def evaluation_seconds(spec: Spec) -> float:
    """Seconds of one CPU thread that one evaluation of one set of weights takes."""
    return float(evaluation(spec) @ PRICES)


def work(spec: Spec, batch: int) -> Array:
    """What a step does (k,): the step itself, layers, multiplications of matrices and of attention, numbers that are touched in
    layers and in logits, weights that are updated, and tokens that are drawn."""
    shape, counts = spec.shape, spec.counts
    tokens = float(batch * spec.seq_len)
    return np.array(
        [
            1.0,
            shape.layers,
            tokens * (counts.nonembed + counts.head),
            tokens * shape.layers * (shape.width + shape.d_ffn),
            tokens * shape.vocab,
            tokens * shape.layers * shape.d_attn * spec.seq_len,
            counts.total * (1.0 + 0.25 * len(spec.averages)),
            tokens,
        ]
    )


def evaluation(spec: Spec) -> Array:
    """What an evaluation does (k,), in the terms of `work`: forward passes, and no weights that are updated."""
    sequences = max(1, spec.eval_tokens // spec.seq_len)
    passes = ceil(sequences / max(1, IN_ONE // spec.seq_len))
    done = work(spec, sequences)
    done[:2] *= passes
    done[6] = 0.0
    done[:6] *= FORWARD
    return done


@lru_cache(maxsize=1024)
def most_at_once(spec: Spec, room: float, runs: int = 1) -> int:
    """How many sequences of each of so many runs fit in so many bytes at once, by estimate; 1 where not even one does."""
    one, two = (memory(replace(spec, batch=n, stages=())) for n in (1, 2))
    return max(1, 1 + int((FILLED * room / runs - one) // (two - one)))
