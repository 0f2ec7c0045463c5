"""The tokens of a run by the numbers of its sequences: from one corpus or from several pools, each by its share.

What a sequence holds depends on the spec and on its number alone, not on batches nor on where a run was stopped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from data.errors import DataError
from data.probe.corpus import Corpus, Order, corpora, order
from data.probe.spec import Spec

Array = np.ndarray

_AHEAD = 2**15  # tokens that are made at once, so that small steps cost no more than large ones
_BLOCK = 256  # sequences in which every pool has its share, to the nearest one
_MANY = 2**16  # blocks that are counted at once
_DRAW = 2**63  # the key under which pools are drawn
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True)
class Draw:
    """Which pool the k-th sequence of a run is from. `ends` (p,) are the sums of the shares up to each pool's, the last of them 1.

    Each block of 256 sequences has every pool's share of it, to the nearest sequence below or above, in an order drawn by the seed.
    """

    ends: tuple[float, ...]
    seed: int

    def pools(self, first: int, count: int) -> Array:
        """The pools of the sequences `first` to `first + count`, (count,), numbered from 0."""
        blocks = range(first // _BLOCK, -(-(first + count) // _BLOCK))
        drawn = np.concatenate([self._block(one) for one in blocks] or [np.empty(0, np.int64)])
        return drawn[first - blocks.start * _BLOCK :][:count]

    def before(self, first: int) -> Array:
        """How many sequences each pool has among the first so many, (p,)."""
        whole = first // _BLOCK
        at, counts = self._counted if self._counted[0] <= whole else (0, np.zeros(len(self.ends), np.int64))
        for begin in range(at, whole, _MANY):
            offsets = self._offset(np.arange(begin, min(whole, begin + _MANY)))[:, None]
            below = np.ceil(np.array(self.ends) * _BLOCK - offsets).clip(0, _BLOCK).astype(np.int64)
            counts = counts + np.diff(below.sum(axis=0), prepend=0)
        self._counted[:] = whole, counts
        return counts + np.bincount(self.pools(whole * _BLOCK, first - whole * _BLOCK), minlength=len(self.ends))

    @cached_property
    def _counted(self) -> list[Any]:
        """How many blocks were counted last, and the sequences of each pool in them (p,)."""
        return [0, np.zeros(len(self.ends), np.int64)]

    def _offset(self, block: Array) -> Array:
        """Where in its share of 1 / 256 a block's places stand: spread evenly over blocks."""
        return np.modf(self._begun + _GOLDEN * block)[0]

    @cached_property
    def _begun(self) -> float:
        return float(np.random.Generator(np.random.Philox(key=np.array([self.seed, _DRAW], np.uint64))).random())

    def _block(self, one: int) -> Array:
        key = np.array([self.seed, _DRAW + 1 + one], np.uint64)
        places = np.random.Generator(np.random.Philox(key=key)).permutation(_BLOCK)
        # Place j is below an end where j + offset < 256 end: as `before` counts.
        below = np.ceil(np.array(self.ends[:-1]) * _BLOCK - self._offset(np.array([one]))).clip(0, _BLOCK)
        return np.searchsorted(below, places, side="right")


@dataclass(frozen=True)
class Source:
    """A corpus of a run: its share, the order in which it is gone through, and how many of its held-out sequences are scored."""

    name: str
    share: float
    text: Corpus
    order: Order
    scored: int


@dataclass(frozen=True, eq=False)
class Feed:
    """What a run is trained and scored on. `sources` are its pools, or the one corpus."""

    sources: tuple[Source, ...]
    draw: Draw | None
    length: int

    @classmethod
    def of(cls, spec: Spec) -> Feed:
        """The feed of a spec. Raises DataError, with one sentence, for whatever its text cannot be."""
        found, length = corpora(spec), spec.seq_len
        asked = max(1, spec.eval_tokens // length)
        sources = []
        for i, text in enumerate(found):
            pool = spec.pools[i] if spec.pools else None
            taken = order(spec, text, i + 1 if pool else 0)
            held = text.held_sequences(length)
            scored = asked if held is None else min(asked, held)
            name, share = (pool.corpus, pool.share) if pool else (spec.corpus, 1.0)
            sources.append(Source(name, share, text, taken, scored))
        ends = np.cumsum([one.share for one in sources])
        return cls(tuple(sources), Draw(tuple((ends / ends[-1]).tolist()), spec.seed) if spec.pools else None, length)

    @property
    def vocab(self) -> int:
        """How many tokens there are."""
        return max(one.text.vocab for one in self.sources)

    @property
    def digest(self) -> str:
        """What tells the text from any other of the same name; '' where the spec settles it."""
        return " ".join(one.text.digest for one in self.sources).strip()

    @cached_property
    def _ahead(self) -> dict[str, Any]:
        return {"first": 0, "tokens": np.empty((0, self.length + 1), np.int64)}

    def train(self, first: int, count: int) -> Array:
        """The sequences `first` to `first + count` of the run, as (count, length + 1) tokens."""
        held = self._ahead
        at = first - held["first"]
        if not 0 <= at <= at + count <= len(held["tokens"]):
            held["tokens"] = self._made(first, max(count, _AHEAD // self.length))
            held["first"], at = first, 0
        return np.array(held["tokens"][at : at + count])

    def elsewhere(self, first: int, count: int) -> Array:
        """The same, anywhere in the run's stream and beyond its end, with what is held ready for the next steps left as it is."""
        return self._aside._made(first, count)

    @cached_property
    def _aside(self) -> Feed:
        """The same feed, with counts and orders of its own in memory."""
        sources = tuple(replace(one, order=replace(one.order)) for one in self.sources)
        return Feed(sources, self.draw and replace(self.draw), self.length)

    def held_out(self, source: int, first: int, count: int) -> Array:
        """Held-out sequences of a source from a number on, as (count, length + 1) tokens."""
        return self.sources[source].text.held_out(first, count, self.length)

    def _made(self, first: int, count: int) -> Array:
        if self.draw is None:
            only = self.sources[0]
            return only.text.train(only.order.numbers(first, count), self.length)
        out = np.empty((count, self.length + 1), np.int64)
        pools, before = self.draw.pools(first, count), self.draw.before(first)
        for i, source in enumerate(self.sources):
            inside = pools == i
            if n := int(inside.sum()):
                out[inside] = source.text.train(source.order.numbers(int(before[i]), n), self.length)
        return out

    def mixed(self, scores: Sequence[tuple[float, float]]) -> dict[str, float]:
        """The columns of held-out losses, from the loss and its standard error on each source.

        The loss of a mixture is that of its pools, each by its share.
        """
        if self.draw is None:
            return {"loss": scores[0][0], "loss_se": scores[0][1]}
        of = [(source.share, score) for source, score in zip(self.sources, scores, strict=True) if source.share > 0]
        row = {
            "loss": sum(share * loss for share, (loss, _) in of),
            "loss_se": math.sqrt(sum((share * error) ** 2 for share, (_, error) in of)),
        }
        return row | {f"loss_pool_{i}": loss for i, (loss, _) in enumerate(scores)}

    @cached_property
    def known(self) -> dict[str, Any]:
        """The columns that stay the same along a run: the loss of the ideal predictor on the tokens scored, and what the text is."""
        row: dict[str, Any] = {}
        floors = [(one.share, self._floor(i)) for i, one in enumerate(self.sources) if one.share > 0]
        if all(floor is not None for _, floor in floors):
            row["loss_floor"] = sum(share * floor for share, floor in floors if floor is not None)
        sizes = [(one.share, one.text.bytes_per_token) for one in self.sources if one.share > 0]
        if all(size is not None for _, size in sizes):
            row["bytes_per_token"] = sum(share * size for share, size in sizes if size is not None)
        return row | ({"corpus_digest": self.digest} if self.digest else {})

    def _floor(self, source: int) -> float | None:
        count, each, sums = self.sources[source].scored, max(1, _AHEAD // self.length), []
        for first in range(0, count, each):
            found = self.sources[source].text.ideal(self.held_out(source, first, min(each, count - first)))
            if found is None:
                return None
            sums.append(found)
        return float(np.concatenate(sums).mean())

    def seen(self, sequences: int) -> dict[str, float]:
        """The columns of how often text was seen after so many sequences; none where no text comes twice.

        Tokens seen are passes times unique tokens, those that there are to train on; in the first pass, passes are below 1.
        """
        if self.draw is None:
            n = self.sources[0].order.n
            return {"unique_tokens": n * self.length, "passes": sequences / n} if n else {}
        row: dict[str, float] = {}
        for i, (source, count) in enumerate(zip(self.sources, self.draw.before(sequences).tolist(), strict=True)):
            row[f"tokens_pool_{i}"] = count * self.length
            if n := source.order.n:
                row |= {f"unique_tokens_pool_{i}": n * self.length, f"passes_pool_{i}": count / n}
        return row

    def check(self, digest: str) -> None:
        """Raises DataError where a run that began with text of this digest would go on with another."""
        if digest != self.digest:
            raise DataError(
                "The text of the corpus is not what it was when the run began (it had "
                f"{digest or 'no digest'}, now {self.digest or 'none'}); put it back, or make the run in another folder."
            )
