"""Tokens in a row, cut into sequences by number, and which held-out sequences stand nowhere in what is trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

Array = np.ndarray

_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, so that it has an inverse modulo 2**64
_CHUNK = 2**20  # tokens that are searched at once
_BITS = 20  # of a digest, by which nearly all places are passed over


@dataclass(frozen=True, eq=False)
class Stream:
    """Rows of tokens, each on its own: no sequence goes from one into the next."""

    parts: tuple[Array, ...]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def sequences(self, length: int) -> int:
        """How many sequences there are, each with the token after its last."""
        return self._windows(length)[1][-1]

    def take(self, numbers: Array, length: int) -> Array:
        """The sequences of these numbers (n,), as (n, length + 1) tokens."""
        windows, starts = self._windows(length)
        if len(windows) == 1:
            return windows[0][numbers].astype(np.int64)
        out = np.empty((len(numbers), length + 1), np.int64)
        part = np.searchsorted(starts, numbers, side="right") - 1
        for one in np.unique(part):
            inside = part == one
            out[inside] = windows[one][numbers[inside] - starts[one]]
        return out

    @cached_property
    def _held(self) -> dict[int, tuple[list[Array], list[int]]]:
        return {}

    def _windows(self, length: int) -> tuple[list[Array], list[int]]:
        """The sequences of each part, as views, and how many there are before each and in all."""
        if length not in self._held:
            views = [
                np.lib.stride_tricks.sliding_window_view(part, length + 1)[::length]
                if len(part) > length
                else np.empty((0, length + 1), part.dtype)
                for part in map(np.asarray, self.parts)
            ]
            self._held[length] = views, [0, *np.cumsum([len(v) for v in views]).tolist()]
        return self._held[length]


def seen(held: Stream, trained: Sequence[Stream], length: int) -> Array:
    """Which held-out sequences (n,) stand at any place of what is trained on, with the token after their last.

    They are told by digests of 64 bits, so that one in about 2**40 may be taken for seen that is not.
    """
    n = held.sequences(length)
    digests = np.empty(n, np.uint64)
    for first in range(0, n, max(1, _CHUNK // length)):
        some = np.arange(first, min(n, first + max(1, _CHUNK // length)))
        digests[some] = held.take(some, length).astype(np.uint64) @ _powers(length + 1)
    table = np.zeros(1 << _BITS, bool)
    table[digests >> np.uint64(64 - _BITS)] = True
    known = np.unique(digests)
    found: list[Array] = []
    for places in _digests(trained, length + 1):
        maybe = places[table[places >> np.uint64(64 - _BITS)]]
        found.append(np.intersect1d(maybe, known))
    return np.isin(digests, np.concatenate(found)) if found else np.zeros(n, bool)


def _powers(n: int) -> Array:
    return np.cumprod(np.full(n, _FACTOR))


def _digests(streams: Iterable[Stream], width: int) -> Iterator[Array]:
    """The digest of the `width` tokens from every place on: a polynomial in them, as differences of its running sums."""
    powers = _powers(_CHUNK + width)
    inverse = np.cumprod(np.full(_CHUNK + 1, np.uint64(pow(int(_FACTOR), -1, 2**64)))) * _FACTOR
    for part in (part for stream in streams for part in stream.parts):
        for first in range(0, len(part) - width + 1, _CHUNK):
            tokens = np.asarray(part[first : first + _CHUNK + width - 1]).astype(np.uint64)
            sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(tokens * powers[: len(tokens)])])
            n = len(tokens) - width + 1
            yield (sums[width:] - sums[:n]) * inverse[:n]
