"""What the pasted tables share: a planted surface of losses, and a case with its files and its right answer."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SEED = 1905
Build = Callable[[np.random.Generator], tuple[Mapping[str, str | bytes], dict[str, Any]]]


def surface(params: float, tokens: float) -> float:
    """Nats per token, with the constants that Besiroglu et al. 2024 (arXiv 2404.10102) found for Chinchilla."""
    return 1.8172 + 482.01 / params**0.3478 + 2085.43 / tokens**0.3658


def loss(rng: np.random.Generator, params: float, tokens: float) -> float:
    """The planted loss with noise of .3 %."""
    return float(surface(params, tokens) * np.exp(rng.normal(0, 0.003)))


def curve(rng: np.random.Generator, params: float, tokens: np.ndarray) -> list[float]:
    """Losses along one run: the planted ones, with noise of .1 %."""
    return [float(surface(params, t) * np.exp(rng.normal(0, 0.001))) for t in tokens]


@dataclass(frozen=True)
class Case:
    """One table: the files a person would hand over, and the right answer, written down before anything read them."""

    name: str
    build: Build = field(repr=False)

    def made(self) -> tuple[dict[str, bytes], dict[str, Any]]:
        """The files by their path below `tables/`, and the answer."""
        files, answer = self.build(np.random.default_rng([SEED, zlib.crc32(self.name.encode())]))
        as_bytes = {path: text if isinstance(text, bytes) else text.encode() for path, text in files.items()}
        return as_bytes, answer


CASES: dict[str, Case] = {}


def case(build: Build) -> Build:
    """Register a builder under its function's name."""
    CASES[build.__name__] = Case(build.__name__, build)
    return build
