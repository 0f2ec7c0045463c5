"""What a probe is trained on: the corpus that its spec names, or its pools, and the order in which a run goes through one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from data.errors import DataError
from data.probe.corpora import Corpus, kinds, named, settled
from data.probe.corpora._stored import Stored
from data.probe.corpora.synthetic import Synthetic
from data.probe.spec import Spec

__all__ = ["Corpus", "Order", "Synthetic", "corpora", "corpus", "order", "whole_names"]

Array = np.ndarray

_ORDER = 2**62  # the key under which orders are drawn, apart from any language's
_LANE = 2**40  # keys from one pool of a mixture to the next: more than a run makes passes


@dataclass(frozen=True)
class Order:
    """Which sequence of n is the k-th of a run with this seed: all of them in an order of their own in each pass.

    Without an n no sequence comes twice. `lane` is the number of a pool, whose order is its own.
    """

    n: int | None
    seed: int
    lane: int = 0

    @cached_property
    def _held(self) -> dict[int, Array]:
        return {}

    def numbers(self, first: int, count: int) -> Array:
        """The numbers of the sequences `first` to `first + count` of the run, (count,)."""
        k = np.arange(first, first + count)
        n = self.n
        if n is None or not count:
            return k
        out = np.empty(count, np.int64)
        for one in range(first // n, (first + count - 1) // n + 1):
            inside = slice(max(0, one * n - first), (one + 1) * n - first)
            out[inside] = self._pass(one, n)[k[inside] % n]
        return out

    def _pass(self, one: int, n: int) -> Array:
        if one not in self._held:
            self._held.clear()
            key = np.array([self.seed, _ORDER + self.lane * _LANE + one], np.uint64)
            self._held[one] = np.random.Generator(np.random.Philox(key=key)).permutation(n)
        return self._held[one]


def corpus(spec: Spec) -> Corpus:
    """The corpus of a spec without pools. Raises DataError for a name that is none and for text that it cannot be."""
    if spec.pools:
        raise DataError("A mixture has a corpus for each pool.")
    return _made({0: spec.corpus}, spec)[0]


def corpora(spec: Spec) -> tuple[Corpus, ...]:
    """The corpora of a spec: of each pool, else the one. What is held out of a pool is trained on in none of them.

    Raises DataError for what cannot be one and for pools whose tokens mean different things.
    """
    if not spec.pools:
        return (corpus(spec),)
    made = _made({1 + i: pool.corpus for i, pool in enumerate(spec.pools)}, spec)
    found = tuple(made[1 + i] for i in range(len(spec.pools)))
    for pool, text in zip(spec.pools, found, strict=True):
        if text.alphabet != found[0].alphabet:
            raise DataError(
                f"The pools of a run have tokens of one kind; {spec.pools[0].corpus!r} has {found[0].alphabet} "
                f"and {pool.corpus!r} has {text.alphabet}."
            )
    stored = {one.digest: one for one in found if isinstance(one, Stored)}
    return tuple(
        replace(one, beside=tuple(stored[k] for k in sorted(stored) if k != one.digest))
        if isinstance(one, Stored)
        else one
        for one in found
    )


def order(spec: Spec, text: Corpus, lane: int = 0) -> Order:
    """The order in which a run goes through its corpus, or a pool's: through `unique_tokens` of it where that is said.

    Raises DataError where it has fewer.
    """
    n = text.sequences(spec.seq_len)
    unique = spec.pools[lane - 1].unique_tokens if lane else spec.unique_tokens
    if unique:
        own = max(1, int(unique // spec.seq_len))
        if n is not None and own > n:
            raise DataError(
                f"{spec.pools[lane - 1].corpus if lane else spec.corpus} has {n * spec.seq_len:,} tokens to train on; "
                f"unique_tokens {unique:,.0f} came."
            )
        n = own
    return Order(n, spec.seed, lane)


def whole_names(spec: Spec) -> Spec:
    """The same run, with the names of its corpora such that they mean the same in any folder. Raises DataError for one that is none."""
    if spec.pools:
        return replace(spec, pools=tuple(replace(pool, corpus=settled(pool.corpus)) for pool in spec.pools))
    return replace(spec, corpus=settled(spec.corpus))


def _made(names: dict[int, str], spec: Spec) -> dict[int, Corpus]:
    """The corpora of these names, by lane: those of one kind at once, since they may share a vocabulary."""
    split = {lane: (name.partition(":")[0], named(name)[1]) for lane, name in names.items()}
    found: dict[int, Corpus] = {}
    for kind in dict.fromkeys(kind for kind, _ in split.values()):
        found |= kinds()[kind].make({lane: rest for lane, (own, rest) in split.items() if own == kind}, spec)
    for lane, text in found.items():
        if text.needed > (spec.vocab or text.vocab):
            raise DataError(
                f"{names[lane]} has tokens up to {text.needed - 1:,}, beyond a vocabulary of {spec.vocab or text.vocab:,}; "
                f"vocab is {text.needed:,} at least."
            )
    return found
