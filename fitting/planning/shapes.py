"""A model size as shapes that can be built: layers, width, heads and feed-forward width near a number of parameters.

A law asks for 1.37e9 parameters; somebody has to build a transformer. Loss hardly minds the shape: with parameters held
fixed (embeddings aside), width over layers may vary by a factor of 40 and costs a few per cent of the loss, 6 layers of
width 4,288 coming within 3 % of 48 layers of 1,600 (Kaplan et al. 2020, arXiv 2001.08361, section 3.1 and figure 5 [V]).
So sizes are met closely, and among shapes that meet them those of a usual ratio come first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from data.flops import Counts, Shape, params_by_group
from fitting.amounts import count as amount
from fitting.arguments import a_count, a_flag, as_numbers, in_short, is_one_of, one_number
from fitting.errors import FitError

Array = np.ndarray

# Published shapes, width over layers: GPT-2 64 to 33, GPT-3 64 (125 M) to 128 (175 B), Pythia 85 (70 M) to 142 (12 B),
# Llama 128 (7 B) to 130 (405 B). The line through them is by eye: assumed.
USUAL, USUAL_FROM, USUAL_SLOPE = 128.0, 1e10, 1.0 / 6.0
# How far from the usual ratio a shape may be, if nobody says: a factor of 16 in all, inside Kaplan's 40.
REACH = 4.0
# A ratio twice the usual one counts as much as missing the size by 2.4 %. Assumed.
UNUSUAL = 0.05
# Fewer heads than this and head_dim is halved; widths go in so many steps an octave, as published ones do. Assumed.
LEAST_HEADS, STEPS = 4, 8
VOCAB = 50_304  # GPT-2's 50,257, rounded up to a multiple of 128 as is usual
# Beyond these nothing is built, and widths have no whole numbers or too many of them.
MOST_PARAMS, MOST_COUNT, MOST_WIDTHS = 1e18, 10**9, 1_000_000
COUNTED = {"params": "total", "params_total": "total", "params_nonembed": "nonembed", "params_active": "active"}


@dataclass(frozen=True)
class SizedShape:
    """A shape near a size: `count` says which parameters were asked for (a column of the runs table), `asked` how many."""

    shape: Shape
    count: str
    asked: float

    @cached_property
    def counts(self) -> Counts:
        """Its parameters by group: embedding, attention, feed-forward, head."""
        return params_by_group(self.shape)

    @property
    def params(self) -> int:
        """Its parameters by the count asked for."""
        return int(getattr(self.counts, COUNTED[self.count]))

    @property
    def off(self) -> float:
        """How far it is from the size asked for, as a share of that: 0.01 for 1 % more."""
        return self.params / self.asked - 1.0

    @property
    def aspect(self) -> float:
        """Width over layers."""
        return self.shape.width / self.shape.layers

    @property
    def sentence(self) -> str:
        """The shape in words: 24 layers of width 2,048, 16 heads of 128, feed-forward 8,192: 1.2 % fewer parameters than asked."""
        s = self.shape
        share = 100.0 * abs(self.off)
        size = (
            f"{share:.1f} % {'more' if self.off > 0 else 'fewer'} parameters than asked"
            if share >= 0.05
            else "as asked"
        )
        layers = "1 layer" if s.layers == 1 else f"{s.layers:,} layers"
        heads = "1 head" if s.heads == 1 else f"{s.heads:,} heads"
        return f"{layers} of width {s.width:,}, {heads} of {s.d_attn // s.heads}, feed-forward {s.d_ffn:,}: {size}"


def usual_aspect(params: Any) -> Any:
    """Width over layers as it is usually chosen at so many parameters inside the blocks (numbers or arrays)."""
    return USUAL * np.minimum(np.asarray(params, float) / USUAL_FROM, 1.0) ** USUAL_SLOPE


def shapes_near(
    params: float,
    *,
    count: str = "params_total",
    vocab: int = VOCAB,
    tied: bool = False,
    head_dim: int = 128,
    multiple: int | None = None,
    aspect: tuple[float, float] | None = None,
    gated: bool = False,
    ffn_factor: float | None = None,
    seq_len: int = 0,
    most: int = 3,
) -> tuple[SizedShape, ...]:
    """At most `most` shapes of about `params` parameters by a count of the runs table, the best first, each of another width.

    `head_dim` is halved where a width has no room for four such heads. Widths are multiples of `multiple`, or go in eight
    steps an octave: 4,096, 4,608, 5,120 ... `aspect` bounds width over layers, by default to a factor of four around the usual.
    The feed-forward layer is `ffn_factor` times the width, by default 4, or 8/3 for a `gated` one (SwiGLU), rounded up to
    `multiple` or head_dim; `seq_len` is only carried along. A plain count ("params") is taken as all parameters. Raises FitError
    where no shape comes near.
    """
    if not is_one_of(count, COUNTED):
        raise FitError(f"count is one of {', '.join(COUNTED)}; it was {in_short(count)}.")
    params = one_number("params", params, "a positive number of parameters")
    if params > MOST_PARAMS:
        raise FitError(f"Shapes are looked for up to {MOST_PARAMS:g} parameters; params was {params:g}.")
    gated, tied = a_flag("gated", gated), a_flag("tied", tied)
    vocab, seq_len = a_count("vocab", vocab, MOST_COUNT), a_count("seq_len", seq_len, MOST_COUNT)
    head_dim, most = a_count("head_dim", head_dim, MOST_COUNT), a_count("most", most, MOST_COUNT)
    multiple = None if multiple is None else a_count("multiple", multiple, MOST_COUNT)
    if not (head_dim >= 1 and most >= 1 and (multiple is None or multiple >= 1)):
        raise FitError(
            "A shape needs a positive number of parameters, a head_dim, a multiple and a count of 1 or more."
        )
    if multiple is not None and params > (MOST_WIDTHS * multiple) ** 2:
        raise FitError(
            f"There are too many multiples of {multiple} up to a width for {params:g} parameters. Give a larger multiple."
        )
    ends = np.array([0.0, np.inf]) if aspect is None else as_numbers(aspect)
    if ends is None or ends.shape != (2,) or not 0.0 <= ends[0] < ends[1]:
        raise FitError(f"aspect is the lowest and the highest width over layers; it was {in_short(aspect)}.")
    low, high = ends
    factor = (8.0 / 3.0 if gated else 4.0) if ffn_factor is None else one_number("ffn_factor", ffn_factor)
    outside = 0 if COUNTED[count] == "nonembed" else vocab * (1 if tied else 2)
    width, step = _widths(params, head_dim, multiple)
    step = np.minimum(step, multiple or head_dim)
    ffn = (step * np.maximum(1, np.ceil(factor * width / step - 1e-9))).astype(np.int64)
    layer = width * (4.0 * width + (3 if gated else 2) * ffn)
    exact = (params - outside * width) / layer
    layers = np.stack([np.floor(exact), np.ceil(exact)])
    with np.errstate(all="ignore"):
        ratio = width / layers
        usual = usual_aspect(layers * layer)
        off = np.abs(np.log((layers * layer + outside * width) / params))
        worth = off + UNUSUAL * np.log(ratio / usual) ** 2
        around = (
            (ratio >= low) & (ratio <= high) if aspect is not None else np.abs(np.log(ratio / usual)) <= np.log(REACH)
        )
    worth = np.where((layers >= 1) & around & np.isfinite(worth), worth, np.inf)
    deep = np.argmin(worth, axis=0)
    found = worth[deep, np.arange(len(width))]
    order = [int(i) for i in np.argsort(found, kind="stable")[:most] if np.isfinite(found[i])]
    if not order:
        raise FitError(_nothing(params, count, vocab, outside))
    return tuple(
        SizedShape(
            Shape(
                layers=int(layers[deep[i], i]),
                width=int(width[i]),
                heads=int(width[i]) // _head(int(width[i]), head_dim),
                head_dim=_head(int(width[i]), head_dim),
                ffn=int(ffn[i]),
                vocab=vocab,
                seq_len=seq_len,
                gated=gated,
                tied=tied,
            ),
            count,
            float(params),
        )
        for i in order
    )


def _widths(params: float, head_dim: int, multiple: int | None) -> tuple[Array, Array]:
    """Widths (n,) that a model of this size may have, one layer of it at the most, and what each is a multiple of (n,)."""
    most = int(np.sqrt(params)) + 1
    if multiple is not None:
        width = np.arange(multiple, max(most, multiple) + 1, multiple)
        return width, np.full(len(width), multiple)
    step = min(_halves(head_dim))
    parts = [np.arange(step, 2 * STEPS * step, step)]
    steps = [np.full(len(parts[0]), step)]
    while 2 * STEPS * step <= most:
        step *= 2
        parts.append(np.arange(STEPS * step, 2 * STEPS * step, step))
        steps.append(np.full(STEPS, step))
    return np.concatenate(parts), np.concatenate(steps)


def _halves(head_dim: int) -> list[int]:
    """head_dim, its half, and so on while whole."""
    out = [head_dim]
    while out[-1] % 2 == 0:
        out.append(out[-1] // 2)
    return out


def _head(width: int, head_dim: int) -> int:
    """The largest of head_dim's halves that divides a width into heads enough; else the largest that divides it."""
    whole = [h for h in _halves(head_dim) if width % h == 0] or [1]
    return next((h for h in whole if width >= LEAST_HEADS * h), whole[-1])


def _nothing(params: float, count: str, vocab: int, outside: int) -> str:
    if outside:
        return (
            f"No usual shape has {amount(params)} parameters by {count} with a vocabulary of {vocab:,}: embedding and head take "
            "too many. Give a smaller vocab, tied=True, a wider aspect, or count params_nonembed."
        )
    return f"No usual shape has {amount(params)} parameters by {count}. Give a wider aspect or a smaller multiple."
