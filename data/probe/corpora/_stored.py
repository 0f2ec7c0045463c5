"""A corpus whose tokens are on the disk: what is trained on, what is held out, and which held-out sequences count."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from data.errors import DataError
from data.probe.corpora import _cache
from data.probe.corpora._stream import Stream, seen

Array = np.ndarray

ABOUT = "about.json"
_MOST_SEARCHED = 3 * 10**8  # training tokens in which held-out sequences are looked for: about ten seconds
_DRAWN = 2**62 - 1  # the key under which the order of held-out sequences is drawn


@dataclass(frozen=True, eq=False)
class Stored:
    """Tokens to train on and held-out ones. Held-out sequences come in an order of their own, without those that are trained on."""

    name: str
    trained: Stream
    held: Stream
    vocab: int
    needed: int
    alphabet: str
    digest: str
    bytes_per_token: float | None = None
    beside: tuple[Stored, ...] = ()  # what else is trained on, in a mixture

    entropy = None

    def sequences(self, length: int) -> int:
        """How many sequences there are to train on. Raises DataError where there is none."""
        return self._enough(self.trained.sequences(length), self.trained, length, "to train on")

    def held_sequences(self, length: int) -> int:
        """How many are held out and stand nowhere in what is trained on. Raises DataError where there is none."""
        self._enough(self.held.sequences(length), self.held, length, "held out")
        if not len(self._fresh(length)):
            raise DataError(
                f"All that is held out of {self.name} stands in what is trained on, too: it has too little text."
            )
        return len(self._fresh(length))

    def train(self, numbers: Array, length: int) -> Array:
        """The training sequences of these numbers."""
        return self.trained.take(numbers, length)

    def held_out(self, first: int, count: int, length: int) -> Array:
        """Held-out sequences from a number on."""
        return self.held.take(self._fresh(length)[first : first + count], length)

    def ideal(self, tokens: Array) -> None:
        """Nobody knows how well this text can be predicted."""
        return

    def _enough(self, n: int, stream: Stream, length: int, what: str) -> int:
        if not n:
            raise DataError(
                f"{self.name} has {len(stream):,} tokens {what}, and a sequence has {length + 1:,}; "
                "add text, or take a shorter seq_len."
            )
        return n

    @cached_property
    def _numbers(self) -> dict[int, Array]:
        return {}

    def _fresh(self, length: int) -> Array:
        """The numbers of the held-out sequences that count, in the order in which they are scored."""
        if length not in self._numbers:
            self._numbers[length] = _fresh(self, length)
        return self._numbers[length]


def _fresh(text: Stored, length: int) -> Array:
    """The numbers of a corpus's held-out sequences that stand nowhere in what is trained on, in an order drawn once for all runs."""
    trained = (text.trained, *(one.trained for one in text.beside))

    def find(folder: Path) -> None:
        numbers = np.arange(text.held.sequences(length))
        if sum(map(len, trained)) <= _MOST_SEARCHED:
            numbers = numbers[~seen(text.held, trained, length)]
        order = np.random.Generator(np.random.Philox(key=np.array([0, _DRAWN], np.uint64)))
        np.save(folder / "numbers.npy", order.permutation(numbers), allow_pickle=False)

    key = blake2b(json.dumps([length, text.digest, *(one.digest for one in text.beside)]).encode(), digest_size=8)
    return np.load(_cache.kept(f"held-{key.hexdigest()}", find) / "numbers.npy", allow_pickle=False)


def kept_tokens(
    digest: str, make: Callable[[], tuple[Array, Array, dict[str, Any]]]
) -> tuple[Stream, Stream, dict[str, Any]]:
    """Tokens to train on, held-out ones and plain facts about them, as `make` gives them the first time; mapped from the disk after."""

    def fill(folder: Path) -> None:
        train, held, about = make()
        train.tofile(folder / "train.bin")
        held.tofile(folder / "held.bin")
        about |= {"dtype": train.dtype.str, "train": len(train), "held": len(held)}
        (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")

    folder = _cache.kept(digest, fill)
    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    train, held = (Stream((mapped(folder / f"{part}.bin", about["dtype"], about[part]),)) for part in ("train", "held"))
    return train, held, about


def mapped(path: Path, dtype: str, count: int, offset: int = 0) -> Array:
    """Numbers in a file, read as they are needed (count,)."""
    if path.stat().st_size < offset + count * np.dtype(dtype).itemsize:
        raise DataError(f"{path} is shorter than it was; remove its folder, and it is made anew.")
    return np.memmap(path, dtype, "r", offset, (count,)) if count else np.empty(0, dtype)
