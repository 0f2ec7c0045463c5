"""One dial lays out a whole sweep: from the compute of its most expensive run follow sizes, tokens, batches and rates.

The most expensive run has 20 tokens a parameter, near the compute-optimal ratio of Hoffmann et al. 2022 (arXiv 2203.15556, approach 2),
so that C = 6ND gives N = sqrt(C / 120). Sizes lie a factor sqrt(2) apart in width, as a power law's slope is seen over a range.
Learning rate, warm-up and decay are the trainer's own defaults.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

PER_PARAMETER = 20.0  # tokens
LAYER = 12  # a layer's matrices hold 12 width^2 weights, the hidden layer being four times as wide
DEPTH = 2
NARROWEST = 8
LOSS_PER_BATCH = 7  # batches of a ladder, each twice the one before

Values = dict[str, Any]


def widths() -> list[int]:
    """The widths that a decoder with heads of 16 can have, up to 16,384."""
    return [8, 12, 16, 20, 24, 28, *range(32, 256, 16), *range(256, 1024, 64), *range(1024, 16_385, 256)]


def nearest_width(width: float) -> int:
    """The width that is possible and nearest by its logarithm."""
    return min(widths(), key=lambda w: abs(math.log(w / max(width, 1.0))))


def optimum(compute: float) -> tuple[int, float]:
    """The width and the tokens that this many FLOP train best."""
    n = math.sqrt(compute / (6.0 * PER_PARAMETER))
    width = nearest_width(math.sqrt(n / (LAYER * DEPTH)))
    return width, compute / (6.0 * parameters(width))


def parameters(width: int) -> int:
    """Parameters without embeddings and head."""
    return LAYER * DEPTH * width**2


def derived(design: str, compute: float) -> Values:
    """The sweep of a design whose most expensive run takes about so many FLOP; a design of its own kind gets sizes and tokens alone."""
    width, tokens = optimum(compute)
    made = _OF.get(design, _some)(width, tokens, compute)
    return {"design": design, **made}


def changed(sweep: Mapping[str, Any], design: str, compute: float) -> Values:
    """The sweep under another design or compute: what follows from these is derived anew, what else was said of its runs stays."""
    made, before = derived(design, compute), str(sweep.get("design", "grid"))
    follows = {"design", "width", "tokens", "flops"}
    if before != design:
        follows |= {*made, *derived(before, compute), *_SAID_BY_ANOTHER.get(design, ()), *_OWN}
    return {**made, **{name: value for name, value in sweep.items() if name not in follows}}


def _around(width: int, factors: Sequence[float]) -> list[int]:
    return sorted({max(NARROWEST, nearest_width(width * each)) for each in factors})


def _grid(width: int, tokens: float, compute: float) -> Values:
    sizes = _around(width, (0.25, 0.354, 0.5, 0.707, 1.0))
    return {"width": sizes, "tokens": [_round(tokens / each) for each in (8, 4, 2, 1)]}


def _isoflop(width: int, tokens: float, compute: float) -> Values:
    sizes = _around(width, (0.35, 0.5, 0.707, 1.0, 1.41))
    return {"flops": [_round(compute / each) for each in (16, 4, 1)], "width": sizes}


def _batch(width: int, tokens: float, compute: float) -> Values:
    return {
        "width": width,
        "tokens": _round(tokens),
        "batch": [2**k for k in range(1, 1 + LOSS_PER_BATCH)],
        "rates": [0.5, 1, 2],
    }


def _rate(width: int, tokens: float, compute: float) -> Values:
    return {"width": _around(width, (0.25, 0.5, 1.0)), "tokens": _round(tokens), "rates": [0.25, 0.5, 1, 2, 4]}


def _width(width: int, tokens: float, compute: float) -> Values:
    sizes = _around(width, (0.125, 0.25, 0.5, 1.0))
    return {"width": sizes, "tokens": _round(tokens), "rates": [2.0**-k for k in range(3, 10)]}


def _mixture(width: int, tokens: float, compute: float) -> Values:
    return {
        "width": width,
        "tokens": _round(tokens),
        "pools": [{"corpus": "synthetic"}, {"corpus": "synthetic:1.1"}],
        "parts": 4,
    }


def _schedule(width: int, tokens: float, compute: float) -> Values:
    return {"width": width, "tokens": [_round(tokens / each) for each in (4, 2, 1)]}


def _some(width: int, tokens: float, compute: float) -> Values:
    return {"width": _around(width, (0.5, 1.0)), "tokens": _round(tokens)}


def _round(x: float) -> float:
    """Two figures: what a person would have written."""
    return float(f"{x:.1e}")


_OF: dict[str, Callable[[int, float, float], Values]] = {
    "grid": _grid,
    "isoflop": _isoflop,
    "batch": _batch,
    "rate": _rate,
    "width": _width,
    "mixture": _mixture,
    "schedule": _schedule,
}
_OWN = ("rates", "pools", "parts")  # fields that mean something in one design alone
#: What a design refuses, as it says that itself.
_SAID_BY_ANOTHER = {"mixture": ("corpus", "unique_tokens"), "schedule": ("schedule", "averages")}
