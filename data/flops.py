"""How many parameters a transformer has and how much compute its training takes, in every convention in use.

Counts of one model differ by a third, and exponents of a law with them, according to what is counted. So each
convention is a function with its own name, per token of training unless it says otherwise, and two models of the same
shape are compared under one of them. Marks: [V] read in the paper or its authors' code, [V2] in a secondary source,
[D] derived, [M] remembered and not found again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PF_DAY = 8.64e19  # FLOP in a petaflop/s-day
TRAINING = 3.0  # a training step costs three forward passes: one forward, two of work backward


@dataclass(frozen=True)
class Shape:
    """The shape of a decoder-only transformer. Left at 0: `head_dim` is width / heads, `ffn` is 4 x width.

    `gated` says that the feed-forward layer has three matrices (SwiGLU). `experts` feed-forward layers stand in each
    block, of which a token uses `top_k`.
    """

    layers: int
    width: int
    heads: int = 1
    head_dim: int = 0
    ffn: int = 0
    vocab: int = 0
    seq_len: int = 0
    gated: bool = False
    tied: bool = False
    experts: int = 1
    top_k: int = 1

    @property
    def d_attn(self) -> int:
        """The joint width of the attention heads."""
        return self.heads * self.head_dim if self.head_dim else self.width

    @property
    def d_ffn(self) -> int:
        """The width of the feed-forward layer."""
        return self.ffn or 4 * self.width

    @property
    def ffn_matrices(self) -> int:
        """The number of matrices in a feed-forward layer."""
        return 3 if self.gated else 2


@dataclass(frozen=True)
class Counts:
    """A model's parameters by group, so that whoever analyses picks the convention."""

    embedding: int
    attention: int
    ffn: int
    ffn_active: int
    router: int
    head: int

    @property
    def total(self) -> int:
        """All parameters; a head tied to the embedding is counted once."""
        return self.embedding + self.matrices + self.head

    @property
    def matrices(self) -> int:
        """The parameters inside the blocks."""
        return self.attention + self.ffn + self.router

    @property
    def nonembed(self) -> int:
        """The parameters without embedding and head, as Kaplan et al. count them."""
        return self.matrices

    @property
    def active(self) -> int:
        """The parameters that take part in one token's forward pass, embedding included."""
        return self.embedding + self.attention + self.ffn_active + self.router + self.head


def params_by_group(shape: Shape) -> Counts:
    """The parameters of a shape by group. Biases, norms and positions are left out: under a per cent of any model."""
    one_ffn = shape.ffn_matrices * shape.width * shape.d_ffn
    moe = shape.experts > 1
    return Counts(
        embedding=shape.vocab * shape.width,
        attention=4 * shape.layers * shape.width * shape.d_attn,
        ffn=shape.layers * one_ffn * shape.experts,
        ffn_active=shape.layers * one_ffn * (shape.top_k if moe else 1),
        router=shape.layers * shape.width * shape.experts if moe else 0,
        head=0 if shape.tied else shape.vocab * shape.width,
    )


def six_nd(params: Any, tokens: Any) -> Any:
    """Training compute in FLOP as 6 N D: two per parameter and token forward, four backward (numbers or arrays) [V]."""
    return 6.0 * params * tokens


def kaplan_params(shape: Shape) -> int:
    """The parameters without embeddings: 2 d L (2 d_attn + f), which is 12 L d^2 for plain shapes.

    Kaplan et al. 2020, arXiv 2001.08361, eq. 2.1 [V].
    """
    return 2 * shape.width * shape.layers * (2 * shape.d_attn + shape.d_ffn)


def kaplan(shape: Shape) -> float:
    """Training FLOPs of one token as Kaplan et al. 2020 estimate them: 6 N without embeddings and attention [V]."""
    return 6.0 * kaplan_params(shape)


def chinchilla_forward(shape: Shape, *, blocks_only: bool = False) -> float:
    """FLOPs of one sequence's forward pass: embeddings, attention with its softmax, feed-forward layer and head.

    Hoffmann et al. 2022, arXiv 2203.15556, appendix F [V]. Their table of ratios to 6 N D (1.03 at 73 M, 1.10 at 305 M,
    0.99 at 6.8 B) comes out with `blocks_only`: without the rows for embeddings and head; with them the ratio at 73 M
    is 1.6 [D, see tests/data/test_flops.py].
    """
    s, d, a = shape.seq_len, shape.width, shape.d_attn
    attention = 2.0 * 3 * s * d * a + 2.0 * s * s * a + 3.0 * shape.heads * s * s + 2.0 * s * s * a + 2.0 * s * a * d
    dense = 2.0 * s * shape.ffn_matrices * d * shape.d_ffn
    if shape.experts > 1:
        dense = shape.top_k * dense + 3.0 * s * shape.experts
    outside = 0.0 if blocks_only else 4.0 * s * shape.vocab * d
    return shape.layers * (attention + dense) + outside


def chinchilla(shape: Shape) -> float:
    """Training FLOPs of one token after Hoffmann et al. 2022, appendix F: three forward passes [V]."""
    return TRAINING * chinchilla_forward(shape) / shape.seq_len


def porian_params(shape: Shape) -> int:
    """The parameters with the head and without the input embedding.

    Porian et al. 2024, arXiv 2406.19146, as in their code: (4 d + 3 d_ff) d L + V d [V].
    """
    return (4 * shape.width + shape.ffn_matrices * shape.d_ffn) * shape.width * shape.layers + shape.vocab * shape.width


def porian(shape: Shape) -> float:
    """Training FLOPs of one token, "standard" of Porian et al. 2024: 6 x parameters with head, no embedding [V]."""
    return 6.0 * porian_params(shape)


def porian_attention(shape: Shape) -> float:
    """Training FLOPs of one token, "attention" of Porian et al. 2024: the standard count and 6 s d L [V]."""
    return porian(shape) + 6.0 * shape.seq_len * shape.width * shape.layers


def deepseek(shape: Shape) -> float:
    """Training FLOPs of one token: M = 72 L d^2 + 12 L d s, attention in, vocabulary out.

    DeepSeek-AI 2024, arXiv 2401.02954, eq. 2 [V2].
    """
    return 72.0 * shape.layers * shape.width**2 + 12.0 * shape.layers * shape.width * shape.seq_len


def deepseek_6n1(shape: Shape) -> float:
    """Training FLOPs of one token as 6 N without vocabulary: 72 L d^2. DeepSeek-AI 2024, eq. 2 [V2]."""
    return 72.0 * shape.layers * shape.width**2


def deepseek_6n2(shape: Shape) -> float:
    """Training FLOPs of one token as 6 N with vocabulary: 72 L d^2 + 6 V d. DeepSeek-AI 2024, eq. 2 [V2]."""
    return deepseek_6n1(shape) + 6.0 * shape.vocab * shape.width


def step_law(shape: Shape) -> float:
    """Training FLOPs of one token: 6 L d (4 d + 3 f + 2 s), SwiGLU.

    Li et al. 2025 (Step Law), arXiv 2503.04715, as in their code [V].
    """
    return 6.0 * shape.layers * shape.width * (4 * shape.width + 3 * shape.d_ffn + 2 * shape.seq_len)


def olmo_core(shape: Shape, params: float | None = None) -> float:
    """Training FLOPs of one token: 6 x parameters and 12 h d_head s per attention layer, as in OLMo-core's code [V].

    `params` are all the model's parameters where they are known better than the shape gives them.
    """
    count = params_by_group(shape).active if params is None else params
    return 6.0 * count + 12.0 * shape.layers * shape.d_attn * shape.seq_len


def palm(shape: Shape, params: float | None = None) -> float:
    """Training FLOPs of one token for model FLOP utilisation: 6 N + 12 L h d_head s.

    Chowdhery et al. 2022 (PaLM), arXiv 2204.02311, appendix B [M].
    """
    return olmo_core(shape, params)


def megatron(shape: Shape, *, recompute: bool = True) -> float:
    """Training FLOPs of one token: 72 L d^2 (1 + s / 6d + V / 12 L d), with full recomputation 96 and V / 16 L d.

    Narayanan et al. 2021, arXiv 2104.04473, eq. 3 [M, derived again: the blocks cost 24 d^2 + 4 s d forward, times
    three or four, and the head 6 d V].
    """
    lead, share = (96.0, 16.0) if recompute else (72.0, 12.0)
    d, n = shape.width, shape.layers
    return lead * n * d**2 * (1 + shape.seq_len / (6 * d) + shape.vocab / (share * n * d))


def utilisation(tokens_per_second: float, flops_per_token: float, peak: float) -> float:
    """The share of the peak (FLOP/s) that training uses: model FLOP utilisation, 0 to 1."""
    return tokens_per_second * flops_per_token / peak


#: Training FLOPs of one token from a shape, by the name that `flops_convention` carries.
CONVENTIONS: dict[str, Callable[[Shape], float]] = {
    "kaplan": kaplan,
    "chinchilla": chinchilla,
    "porian": porian,
    "porian_attention": porian_attention,
    "deepseek": deepseek,
    "deepseek_6n1": deepseek_6n1,
    "deepseek_6n2": deepseek_6n2,
    "step_law": step_law,
    "olmo_core": olmo_core,
    "palm": palm,
    "megatron": megatron,
}
