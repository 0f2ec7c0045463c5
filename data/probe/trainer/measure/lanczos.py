"""Eigenvalues of a symmetric operator that can only be applied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Apply = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Ritz:
    """Eigenvalues found, rising (m,), and how far each may be from one of the operator's: its residual, (m,)."""

    values: Tensor
    errors: Tensor


def lanczos(apply: Apply, start: Tensor, steps: int) -> Ritz:
    """Ritz values after so many applications to a vector (n,), each made orthogonal to all before it, twice."""
    held = [start / start.norm()]
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in range(min(steps, len(start))):
        w = apply(held[-1])
        diagonal.append(float(w @ held[-1]))
        for _again in range(2):
            for v in held:
                w = w - (w @ v) * v
        size = float(w.norm())
        beside.append(size)
        if size <= 10 * torch.finfo(w.dtype).eps * max(map(abs, diagonal)):
            break  # an invariant subspace: what was found is exact
        held.append(w / size)
    m = len(diagonal)
    small = torch.diag(torch.tensor(diagonal, dtype=torch.float64))
    for i, b in enumerate(beside[: m - 1]):
        small[i, i + 1] = small[i + 1, i] = b
    values, vectors = torch.linalg.eigh(small)
    return Ritz(values, beside[m - 1] * vectors[-1].abs())


def trace(apply: Apply, n: int, probes: int, rng: torch.Generator, like: Tensor) -> tuple[float, float]:
    """The trace and its standard error from random vectors of signs (Hutchinson 1989)."""
    found = []
    for _ in range(probes):
        v = (torch.randint(0, 2, (n,), generator=rng) * 2 - 1).to(like)
        found.append(float(v @ apply(v)))
    held = torch.tensor(found, dtype=torch.float64)
    return float(held.mean()), float(held.std() / probes**0.5)
