"""What one probe is: a small decoder, its data, its optimiser and what it measures, as plain values that JSON can hold."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Annotated, Any, Self

from data.errors import DataError
from data.flops import CONVENTIONS, Counts, Shape, params_by_group
from data.plain import After, PlainError, Share, With, at_most, one_of, plain, read, text
from data.probe import fields

OPTIMISERS = ("adamw", "muon", "sgd", "adafactor")
SCHEDULES = ("constant", "linear", "cosine")
PARAMETRISATIONS = ("standard", "mup", "mup_depth")
ACTIVATIONS = ("squared_relu", "swiglu")
#: What can be measured on request at every evaluation (`trainer/measure/`); README.md has the columns.
MEASURES = ("noise", "update_noise", "hessian", "coordinates", "distance")

MOST_WIDTH, MOST_DEPTH, MOST_SEQ, MOST_VOCAB = 16_384, 256, 65_536, 262_144
MOST_TOKENS, MOST_BATCH, MOST_STEPS = 1e13, 10**7, 10**8
MOST_POOLS = 16
MOST_SEED = 2**53 - 1  # the largest whole number that every reader of JSON and every table of floats holds
MOST_FLOAT = 1e30  # of a rate and the like: float32, in which runs are made, holds it
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


def _key(x: str) -> str:
    if x and not re.fullmatch(r"[0-9a-f]{16}", x):
        raise ValueError(f"should be the key of a run, 16 digits to the base 16; {x!r:.40} came")
    return x


def _on_one_line(x: str) -> str:
    if not x.isprintable():
        raise ValueError("should be text on one line, without signs that a terminal acts on")
    return x


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in MEASURES if name in names)


@dataclass(frozen=True)
class Stage:
    """From so many tokens on, so many sequences a step."""

    tokens: Annotated[float, With(strict=True, gt=0, le=MOST_TOKENS)]
    batch: Annotated[int, _whole(1, MOST_BATCH)]


@dataclass(frozen=True)
class Pool:
    """A corpus of a mixture, and the share of a run's sequences drawn from it; `unique_tokens` of it are gone through again and again."""

    corpus: Annotated[str, text(1, 1000), After(_on_one_line)]
    share: Share
    unique_tokens: Annotated[float, With(strict=True, ge=0, le=MOST_TOKENS)] = 0.0


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
    lr: Annotated[float, With(strict=True, ge=0, le=MOST_FLOAT, allow_inf_nan=False)] = 0.0
    schedule: Annotated[str, one_of(SCHEDULES)] = "linear"
    warmup: Share = 0.05
    decay: Share = 0.3
    final: Share = 0.0
    # The optimiser: Muon takes the matrices of the blocks and leaves the rest to AdamW.
    optimiser: Annotated[str, one_of(OPTIMISERS)] = "adamw"
    beta1: Annotated[float, With(strict=True, ge=0, lt=1)] = 0.9
    beta2: Annotated[float, With(strict=True, ge=0, lt=1)] = 0.95
    eps: Annotated[float, With(strict=True, gt=0, le=MOST_FLOAT, allow_inf_nan=False)] = 1e-8
    weight_decay: Annotated[float, With(strict=True, ge=0, le=10)] = 0.0
    clip: Annotated[float, With(strict=True, ge=0, le=MOST_FLOAT, allow_inf_nan=False)] = (
        1.0  # of the gradient's norm; 0 clips none
    )
    parametrisation: Annotated[str, one_of(PARAMETRISATIONS)] = "standard"
    base_width: Annotated[int, _whole(0, MOST_WIDTH)] = 0
    base_depth: Annotated[int, _whole(1, MOST_DEPTH)] = 2
    averages: Annotated[
        tuple[Annotated[float, With(strict=True, gt=0, le=1)], ...], at_most(16)
    ] = ()  # shares of a run
    # The data: `unique_tokens` of the corpus are gone through again and again; 0 takes all there are.
    corpus: Annotated[str, text(1, 1000), After(_on_one_line)] = "synthetic"
    unique_tokens: Annotated[float, With(strict=True, ge=0, le=MOST_TOKENS)] = 0.0
    seed: Annotated[int, _whole(0, MOST_SEED)] = 0
    # What is measured: the held-out loss at log-spaced places, each time on so many tokens.
    evals: Annotated[int, _whole(1, 10_000)] = 20
    eval_tokens: Annotated[int, _whole(1, 10**9)] = 65_536
    name: Annotated[str, text(0, 200)] = ""
    # A mixture in place of a corpus: each sequence is drawn from one of its pools.
    pools: Annotated[tuple[Pool, ...], at_most(MOST_POOLS)] = ()
    # The schedule in tokens: a warm-up of so many stands in place of its share, and the state after so many is kept for others.
    warmup_tokens: Annotated[float, With(strict=True, ge=0, le=MOST_TOKENS)] = 0.0
    keep: Annotated[tuple[Annotated[float, With(strict=True, gt=0, le=MOST_TOKENS)], ...], at_most(64)] = ()
    # Where it may begin: from what the run with this key kept after so many tokens, if both have done the same until then.
    trunk: Annotated[str, After(_key)] = ""
    trunk_tokens: Annotated[float, With(strict=True, ge=0, le=MOST_TOKENS)] = 0.0
    # At most so many sequences in memory at once: a larger batch is gone through in parts of one size; 0 asks the device.
    micro: Annotated[int, _whole(0, MOST_BATCH)] = 0
    # What is measured beside it on request, on so many sequences: it costs time and changes no weight.
    measure: Annotated[tuple[Annotated[str, one_of(MEASURES)], ...], at_most(16), After(_once)] = ()
    measure_batch: Annotated[int, _whole(4, 10**6)] = 128

    def __post_init__(self) -> None:
        heads = self.heads or max(1, self.width // HEAD)
        if self.width % heads or (self.width // heads) % 2:
            raise ValueError(
                f"width should be an even multiple of heads, for rotary positions; {self.width} and {heads} heads came"
            )
        if self.warm_share + (self.decay if self.schedule == "linear" else 0.0) > 1:
            raise ValueError(
                f"warmup and decay should be 1 together at most; {self.warm_share:g} and {self.decay:g} came"
            )
        if self.pools:
            if self.corpus != Spec.corpus or self.unique_tokens:
                raise ValueError("pools should stand without corpus and unique_tokens, which each pool has for itself")
            if abs(sum(pool.share for pool in self.pools) - 1) > 1e-6:
                raise ValueError(f"the shares of pools should be 1 together; {sum(p.share for p in self.pools):g} came")

    @property
    def warm_share(self) -> float:
        """The share of the run in which the rate rises."""
        return self.warmup_tokens / self.tokens if self.warmup_tokens else self.warmup

    @cached_property
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

    @cached_property
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
        return {name: self.tokens * each for name, each in _of_a_token(self.shape).items()}

    @cached_property
    def key(self) -> str:
        """What this run is, as 16 digits: two specs with the same key make the same run.

        Its name does not count, nor whose beginning it shares: its curve is the same without. A field that came later counts where it
        says something, so that runs from before it keep their keys.
        """
        held = plain(replace(self, name="", trunk="", trunk_tokens=0.0))
        told = {name: value for name, value in held.items() if name not in _LATER or value != _plain_default(name)}
        return hashlib.sha256(json.dumps(told, sort_keys=True, allow_nan=False).encode()).hexdigest()[:16]

    def with_(self, **changes: Any) -> Self:
        """The same with other values, checked as any are. Raises DataError."""
        return spec({**plain(self), **changes})  # type: ignore[return-value]


#: Fields that older runs do not have.
_LATER = frozenset({"pools", "warmup_tokens", "keep", "trunk", "trunk_tokens", "micro", "measure", "measure_batch"})


def _plain_default(name: str) -> Any:
    value = Spec.__dataclass_fields__[name].default
    return list(value) if isinstance(value, tuple) else value


@lru_cache(maxsize=1024)
def _of_a_token(shape: Shape) -> dict[str, float]:
    """The FLOP of a token by each convention."""
    return {name: count(shape) for name, count in CONVENTIONS.items()}


def spec(values: Any) -> Spec:
    """The run that plain values say. Raises DataError with the first thing that is wrong with them."""
    try:
        unknown = sorted(set(values) - set(Spec.__dataclass_fields__), key=str) if isinstance(values, dict) else []
        if unknown:
            if "design" in unknown:
                raise PlainError(
                    "it has a 'design', so it is a sweep of several runs: `isoflop probe FILE --out FOLDER` makes it"
                )
            raise PlainError("it " + fields.unknown(unknown, Spec.__dataclass_fields__))
        return read(Spec, values)
    except PlainError as fault:
        raise DataError(f"A probe's spec cannot be read: {fault}.") from None
