"""What a sweep will cost, said before it is made: steps, FLOPs, memory, and seconds of one CPU thread."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import pairwise
from math import ceil

import numpy as np

from data.errors import DataError
from data.flops import six_nd
from data.probe.feed import Feed
from data.probe.schedule import planned
from data.probe.spec import Spec

Array = np.ndarray

FLOP = "FLOP (6ND)"  # what FLOP of probes are called where they are said: 6 times parameters without embeddings times tokens

# Seconds of one CPU thread, float32, for each thing that `work` counts. Fitted to the steps of 42 shapes, whose times they give within
# 17 %, on cores that other work shared; then times .75, which is what steps took where two runs had two cores to themselves
# (tests/benchmarks/probe_cost.py).
PRICES = 0.75 * np.array([2.3e-3, 1.07e-3, 4.56e-11, 2.64e-8, 1.98e-9, 1.75e-10, 8.6e-9, 0.0])
# The share of a step's work that a forward pass alone is. Evaluations of whole runs took 1.03 to 1.41 times as long, beside their own
# steps, as .35 said at widths 16 to 64 on three kinds of text; measured apart in the trainer.
FORWARD = 0.42
# What a measure takes in plain steps on as many sequences as it looks at, measured in turns with such steps at widths 32 and 96
# (tests/benchmarks/probe_extras.py): noise 2.1 and 2.4, update_noise 4.6 and 4.9, with Muon 4.2 and 4.8, hessian 120 at both,
# coordinates 2.0 and 2.2, distance .06 and .05. Adafactor's goes through the gradients as often as AdamW's, SGD's is `noise`.
MEASURE = {"noise": 2.3, "hessian": 120.0, "coordinates": 2.1, "distance": 0.05}
UPDATE_NOISE = {"adamw": 4.8, "adafactor": 4.8, "muon": 4.5, "sgd": 2.3}
# What a step takes however few tokens it has, again for each further part of its batch: .61 to .73 at width 32, 1.0 at 96 [likewise].
PART = 0.85
# Evaluations of k runs at once take k to this power of one's: 2.1 to 2.5 of one at k = 2, 11 to 13 at k = 8 [likewise, widths 16, 32].
SEEN_AT_ONCE = 1.2
# Seconds of a process until its first step: Python and torch 1.3, text .1 to .4 [measured apart in the trainer]; and from its end until
# the next begins, as the queue looks once a second.
START, TURN = 1.8, 0.7
IN_ONE = 16_384  # tokens of an evaluation at once
PROCESS = 270e6  # bytes that a process with torch holds before its first step on a CPU
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
    batches = [spec.batch, *(stage.batch for stage in spec.stages)]
    most = max(batch // parts(spec, batch) for batch in batches)
    of_a_token = shape.layers * (14 * shape.width + 3 * shape.d_ffn) + 35 * shape.width + 4 * shape.vocab
    return 4.0 * (_held(spec) + most * spec.seq_len * of_a_token)


def process_memory(spec: Spec, runs: int = 1) -> float:
    """Bytes that the process of so many runs at once holds on a CPU: torch, and the larger of a step and of an evaluation's pass."""
    shape = spec.shape
    evaluated = min(IN_ONE, max(scored(spec)) * spec.seq_len) * (35 * shape.width + 2.5 * shape.vocab)
    return PROCESS + runs * max(memory(spec), 4.0 * (_held(spec) + evaluated))


def _held(spec: Spec) -> float:
    """Numbers that are kept from step to step."""
    return spec.counts.total * (2 + _STATES[spec.optimiser] + len(spec.averages))


# --- what there is to do ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Todo:
    """What one process does that makes runs of one kind: how many steps and how many evaluations, each by (sequences of a step,
    runs that are made at once)."""

    steps: Mapping[tuple[int, int], int]
    evaluated: Mapping[tuple[int, int], int]


def todo(specs: Sequence[Spec], begins: Sequence[int] = ()) -> Todo:
    """What is left of runs that are alike and stand at these steps: those that are further wait until the others have caught up."""
    plan = planned(specs[0])
    at = sorted(begins or [0] * len(specs))
    first = at[0] if at else 0
    cuts = sorted({first, len(plan), *at, *(one.first for one in plan.stretches)})
    steps: Counter[tuple[int, int]] = Counter()
    for begun, until in pairwise(cut for cut in cuts if first <= cut <= len(plan)):
        steps[plan.batch_of(begun), bisect_right(at, begun)] += until - begun
    seen = Counter((plan.batch_of(n - 1), bisect_right(at, n - 1)) for n in plan.evaluated if n > first)
    return Todo(dict(sorted(steps.items())), seen)


def scored(spec: Spec) -> tuple[int, ...]:
    """How many held-out sequences of each source an evaluation goes through: as many as are asked for, or all that there are."""
    text = tuple((pool.corpus, pool.unique_tokens) for pool in spec.pools) or ((spec.corpus, spec.unique_tokens),)
    return _scored(text, bool(spec.pools), spec.seq_len, spec.vocab, spec.eval_tokens)


@lru_cache(maxsize=4096)
def _scored(
    text: tuple[tuple[str, float], ...], mixed: bool, seq_len: int, vocab: int, eval_tokens: int
) -> tuple[int, ...]:
    """By what a text is alone, so that each is looked at once for all runs on it."""
    share = 1.0 / len(text)
    data = {"pools": [{"corpus": name, "share": share, "unique_tokens": n} for name, n in text]} if mixed else {
        "corpus": text[0][0], "unique_tokens": text[0][1],
    }  # fmt: skip
    try:
        one = Spec().with_(**data, seq_len=seq_len, vocab=vocab, eval_tokens=eval_tokens)
        return tuple(source.scored for source in Feed.of(one).sources)
    except DataError:  # text that is gone: the run itself will say so
        return (max(1, eval_tokens // seq_len),) * len(text)


# --- seconds ----------------------------------------------------------------------------------------------------------


def seconds(spec: Spec) -> float:
    """Seconds of one CPU thread that a run takes: its steps, its evaluations (of averaged weights too) and its start."""
    return START + TURN + work_seconds(spec, todo([spec]))


def work_seconds(spec: Spec, what: Todo) -> float:
    """Seconds of one CPU thread that the steps and evaluations of runs such as this one take."""
    return stepping_seconds(spec, what) + evaluating_seconds(spec, what)


def stepping_seconds(spec: Spec, what: Todo) -> float:
    """Seconds of one CPU thread that the steps of runs such as this one take."""
    return sum(n * step_seconds(spec, batch, runs) for (batch, runs), n in what.steps.items())


def evaluating_seconds(spec: Spec, what: Todo) -> float:
    """Seconds of one CPU thread that all rows of the logs of runs such as this one take beside their steps."""
    return sum(n * measuring_seconds(spec, batch, runs) for (batch, runs), n in what.evaluated.items())


def step_seconds(spec: Spec, batch: int, runs: int = 1) -> float:
    """Seconds of one CPU thread that a step at so many sequences takes, of so many runs at once."""
    return float(work(spec, batch, runs) @ PRICES)


def evaluation_seconds(spec: Spec, runs: int = 1) -> float:
    """Seconds of one CPU thread that one evaluation of one set of weights takes, of each of so many runs at once."""
    return float(evaluation(spec) @ PRICES) * runs**SEEN_AT_ONCE


def measuring_seconds(spec: Spec, batch: int, runs: int = 1) -> float:
    """Seconds of one CPU thread that a row of each run's log takes beside steps of such a batch: losses, and what the spec asks for."""
    losses = (1 + len(spec.averages)) * evaluation_seconds(spec, runs)
    plain = _in_one(spec)
    return losses + runs * sum(steps * step_seconds(plain, n) for steps, n in measures(spec, batch))


def measures(spec: Spec, batch: int) -> list[tuple[float, int]]:
    """Each measure that a spec asks for, as so many steps of a batch of so many sequences."""
    out = []
    for name in spec.measure:
        steps = UPDATE_NOISE[spec.optimiser] if name == "update_noise" else MEASURE[name]
        n = batch if name in ("coordinates", "distance") else spec.measure_batch
        out.append((steps, batch + max(n, 4 * batch) if name == "hessian" else n))
    return out


def work(spec: Spec, batch: int, runs: int = 1) -> Array:
    """What a step does (k,): the step itself, layers, multiplications of matrices and of attention, numbers that are touched in
    layers and in logits, weights that are updated, and tokens that are drawn. The first two are the same for several runs at once."""
    shape, counts = spec.shape, spec.counts
    tokens = float(runs * batch * spec.seq_len)
    again = 1.0 + PART * (parts(spec, batch) - 1)
    return np.array(
        [
            again,
            again * shape.layers,
            tokens * (counts.nonembed + counts.head),
            tokens * shape.layers * (shape.width + shape.d_ffn),
            tokens * shape.vocab,
            tokens * shape.layers * shape.d_attn * spec.seq_len,
            runs * counts.total * (1.0 + 0.25 * len(spec.averages)),
            tokens,
        ]
    )


def evaluation(spec: Spec) -> Array:
    """What an evaluation does (k,), in the terms of `work`: forward passes over every source, and no weights that are updated."""
    total = np.zeros(len(PRICES))
    for sequences in scored(spec):
        done = work(_in_one(spec), sequences)
        done[:2] *= ceil(sequences / max(1, IN_ONE // spec.seq_len))
        done[6] = 0.0
        done[:6] *= FORWARD
        total += done
    return total


def _in_one(spec: Spec) -> Spec:
    """The same run where no batch is divided."""
    return replace(spec, micro=0) if spec.micro else spec


def parts(spec: Spec, batch: int) -> int:
    """Into how many parts of one size a batch is divided where a spec says how many sequences fit."""
    return divided(batch, spec.micro) if spec.micro else 1


@cache
def divided(share: int, most: int) -> int:
    """The least divisor of a batch that leaves parts of at most so many sequences."""
    return next(n for n in range(1, share + 1) if share % n == 0 and share // n <= max(1, most))


@lru_cache(maxsize=1024)
def most_at_once(spec: Spec, room: float, runs: int = 1) -> int:
    """How many sequences of each of so many runs fit in so many bytes at once, by estimate; 1 where not even one does."""
    one, two = (memory(replace(spec, batch=n, stages=(), micro=0)) for n in (1, 2))
    return max(1, 1 + int((FILLED * room / runs - one) // (two - one)))
