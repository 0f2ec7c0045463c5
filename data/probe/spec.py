"""What one probe is: a small decoder, its data, its optimiser and what it measures, as plain values that JSON can hold."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Any, Self

from data.errors import DataError
from data.flops import CONVENTIONS, Counts, Shape, params_by_group
from data.plain import Above, After, Count, PlainError, Share, With, at_most, one_of, plain, read, text

OPTIMISERS = ("adamw", "muon", "sgd", "adafactor")
SCHEDULES = ("constant", "linear", "cosine")
PARAMETRISATIONS = ("standard", "mup", "mup_depth")
ACTIVATIONS = ("squared_relu", "swiglu")
#: What can be measured on request at every evaluation (`trainer/measure/`); README.md has the columns.
MEASURES = ("noise", "update_noise", "hessian", "coordinates", "distance")

MOST_WIDTH, MOST_DEPTH, MOST_SEQ, MOST_VOCAB = 16_384, 256, 65_536, 262_144
MOST_TOKENS, MOST_BATCH, MOST_STEPS = 1e13, 10**7, 10**8
HEAD = 16  # the width of a head of a small model; nothing narrower is left of rotary positions
#: Times width: near the best rate of ladders at widths 16 to 64 with AdamW on the synthetic language [measured; probe README].
RATE_WIDTH = 0.25
_NAME = r"[A-Za-z0-9._=+-]"


def _whole(least: int, most: int) -> With:
    return With(strict=True, ge=least, le=most)


def _tokens(x: float) -> float:
    if not 1 <= x <= MOST_TOKENS:
        raise ValueError(f"should be from 1 to {MOST_TOKENS:.0e} tokens; {x:g} came")
    return x


def _in_order(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    if any(a.tokens >= b.tokens for a, b in pairwise(stages)):
        raise ValueError("should begin at more tokens from each stage to the next")
    return stages


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in MEASURES if name in names)


@dataclass(frozen=True)
class Stage:
    """From so many tokens on, so many sequences a step."""

    tokens: Annotated[float, With(strict=True, gt=0, allow_inf_nan=False)]
    batch: Annotated[int, _whole(1, MOST_BATCH)]


@dataclass(frozen=True)
class Spec:
    """One run. Left at 0 a field follows from the others: `heads`, `vocab` (the corpus's own), `lr` and `base_width`.

    Raises DataError through `spec`, the one way to make it of values that somebody wrote.
    """

    # The shape: a decoder with rotary positions, normalised queries and keys, and a head of its own.
    width: Annotated[int, _whole(4, MOST_WIDTH)] = 64
    depth: Annotated[int, _whole(1, MOST_DEPTH)] = 2
    heads: Annotated[int, _whole(0, 1024)] = 0
    seq_len: Annotated[int, _whole(4, MOST_SEQ)] = 128
    vocab: Annotated[int, _whole(0, MOST_VOCAB)] = 0
    ffn_ratio: Annotated[float, With(strict=True, ge=0.25, le=16)] = 4.0
    activation: Annotated[str, one_of(ACTIVATIONS)] = "squared_relu"
    # How long, and how much a step: `batch` in sequences; `stages` change it on the way.
    tokens: Annotated[float, With(strict=True), After(_tokens)] = 1e6
    batch: Annotated[int, _whole(1, MOST_BATCH)] = 8
    stages: Annotated[tuple[Stage, ...], at_most(64), After(_in_order)] = ()
    # The rate: `warmup` and `decay` are shares of the run, `final` the share of the peak that is left at its end.
    lr: Annotated[float, With(strict=True, ge=0, allow_inf_nan=False)] = 0.0
    schedule: Annotated[str, one_of(SCHEDULES)] = "linear"
    warmup: Share = 0.05
    decay: Share = 0.3
    final: Share = 0.0
    # The optimiser: Muon takes the matrices of the blocks and leaves the rest to AdamW.
    optimiser: Annotated[str, one_of(OPTIMISERS)] = "adamw"
    beta1: Annotated[float, With(strict=True, ge=0, lt=1)] = 0.9
    beta2: Annotated[float, With(strict=True, ge=0, lt=1)] = 0.95
    eps: Above = 1e-8
    weight_decay: Annotated[float, With(strict=True, ge=0, le=10)] = 0.0
    clip: Annotated[float, With(strict=True, ge=0, allow_inf_nan=False)] = 1.0  # of the gradient's norm; 0 clips none
    parametrisation: Annotated[str, one_of(PARAMETRISATIONS)] = "standard"
    base_width: Annotated[int, _whole(0, MOST_WIDTH)] = 0
    base_depth: Annotated[int, _whole(1, MOST_DEPTH)] = 2
    averages: Annotated[
        tuple[Annotated[float, With(strict=True, gt=0, le=1)], ...], at_most(16)
    ] = ()  # shares of a run
    # The data: `unique_tokens` of the corpus are gone through again and again; 0 takes all there are.
    corpus: Annotated[str, text(1, 1000)] = "synthetic"
    unique_tokens: Annotated[float, With(strict=True, ge=0, le=MOST_TOKENS)] = 0.0
    seed: Count = 0
    # What is measured: the held-out loss at log-spaced places, each time on so many tokens.
    evals: Annotated[int, _whole(1, 10_000)] = 20
    eval_tokens: Annotated[int, _whole(1, 10**9)] = 65_536
    name: Annotated[str, text(0, 200)] = ""
    # What is measured beside it on request, on so many sequences: it costs time and changes no weight.
    measure: Annotated[tuple[Annotated[str, one_of(MEASURES)], ...], at_most(16), After(_once)] = ()
    measure_batch: Annotated[int, _whole(4, 10**6)] = 128

    def __post_init__(self) -> None:
        heads = self.heads or max(1, self.width // HEAD)
        if self.width % heads or (self.width // heads) % 2:
            raise ValueError(
                f"width should be an even multiple of heads, for rotary positions; {self.width} and {heads} heads came"
            )
        if self.warmup + (self.decay if self.schedule == "linear" else 0.0) > 1:
            raise ValueError(f"warmup and decay should be 1 together at most; {self.warmup:g} and {self.decay:g} came")

    @property
    def shape(self) -> Shape:
        """The decoder's shape, with what was left at 0 worked out."""
        return Shape(
            layers=self.depth,
            width=self.width,
            heads=self.heads or max(1, self.width // HEAD),
            head_dim=self.width // (self.heads or max(1, self.width // HEAD)),
            ffn=max(1, round(self.ffn_ratio * self.width)),
            vocab=self.vocab,
            seq_len=self.seq_len,
            gated=self.activation == "swiglu",
        )

    @property
    def counts(self) -> Counts:
        """Parameters by group; none else has any: norms have none, positions are rotary, and there are no biases."""
        return params_by_group(self.shape)

    @property
    def rate(self) -> float:
        """The peak of the learning rate: what is said, or `RATE_WIDTH` over the width (the base width under muP)."""
        return self.lr or RATE_WIDTH / (
            self.base_width or self.width if self.parametrisation != "standard" else self.width
        )

    @property
    def flops(self) -> dict[str, float]:
        """The FLOP of the whole run by each convention of `data.flops`."""
        return {name: self.tokens * count(self.shape) for name, count in CONVENTIONS.items()}

    @property
    def key(self) -> str:
        """What this run is, as 16 digits: two specs with the same key make the same run. Its name does not count."""
        held = json.dumps(plain(replace(self, name="")), sort_keys=True, allow_nan=False)
        return hashlib.sha256(held.encode()).hexdigest()[:16]

    def with_(self, **changes: Any) -> Self:
        """The same with other values, checked as any are. Raises DataError."""
        return spec({**plain(self), **changes})  # type: ignore[return-value]


def spec(values: Any) -> Spec:
    """The run that plain values say. Raises DataError with the first thing that is wrong with them."""
    try:
        unknown = sorted(set(values) - set(Spec.__dataclass_fields__)) if isinstance(values, dict) else []
        if unknown:
            raise PlainError(f"has no field {unknown[0]!r}; it has {', '.join(Spec.__dataclass_fields__)}")
        return read(Spec, values)
    except PlainError as fault:
        raise DataError(f"A probe's spec cannot be read: {fault}.") from None
