"""Parameter and FLOP counts, held against published counts and against each other."""

from __future__ import annotations

import numpy as np
import pytest

from data.flops import (
    CONVENTIONS,
    PF_DAY,
    Shape,
    chinchilla_forward,
    deepseek_6n1,
    deepseek_6n2,
    kaplan,
    kaplan_params,
    megatron,
    olmo_core,
    palm,
    params_by_group,
    porian,
    porian_attention,
    porian_params,
    six_nd,
    step_law,
    utilisation,
)

# Shapes of Hoffmann et al. 2022, table A9: layers, width, heads, head width, ffn; vocabulary 32 000, 2 048 tokens.
CHINCHILLA = {
    73e6: (Shape(10, 640, 10, 64, 2560, 32_000, 2048), 1.03),
    305e6: (Shape(20, 1024, 16, 64, 4096, 32_000, 2048), 1.10),
    552e6: (Shape(24, 1280, 10, 128, 5120, 32_000, 2048), 1.08),
    6.796e9: (Shape(40, 3584, 28, 128, 14_336, 32_000, 2048), 0.99),
}


@pytest.mark.parametrize("params", CHINCHILLA)
def test_chinchilla_ratio_to_6nd_is_the_published_one(params: float) -> None:
    shape, published = CHINCHILLA[params]
    ratio = 3 * chinchilla_forward(shape, blocks_only=True) / six_nd(params, shape.seq_len)
    assert ratio == pytest.approx(published, abs=0.0075)


def test_chinchilla_ratio_with_embeddings_and_head_is_not() -> None:
    shape, _ = CHINCHILLA[73e6]
    assert 3 * chinchilla_forward(shape) / six_nd(73e6, shape.seq_len) == pytest.approx(1.60, abs=0.01)


@pytest.mark.parametrize(
    ("layers", "width", "heads", "ffn", "published"),
    [(7, 960, 15, 9368, 214_663_680), (10, 1280, 10, 9472, 429_260_800), (8, 1024, 16, 9552, 268_304_384)],
)
def test_step_law_parameter_counts(layers: int, width: int, heads: int, ffn: int, published: int) -> None:
    shape = Shape(layers, width, heads, ffn=ffn, gated=True)
    assert params_by_group(shape).nonembed == published


def test_open_lm_count_with_head() -> None:
    # Gadre et al. 2024: d = 96, 8 layers, 10 569 312 parameters, 5 727 840 without the input embedding (norms included).
    shape = Shape(8, 96, 4, ffn=256, vocab=50_432, gated=True)
    assert porian_params(shape) == pytest.approx(5_727_840, rel=5e-4)
    assert params_by_group(shape).total == pytest.approx(10_569_312, rel=5e-4)


def test_plain_shapes_have_twelve_l_d_squared() -> None:
    shape = Shape(12, 768, 12, vocab=50_257, seq_len=1024)
    counts = params_by_group(shape)
    assert kaplan_params(shape) == 12 * 12 * 768**2 == counts.nonembed
    assert deepseek_6n1(shape) == kaplan(shape) == 6 * counts.nonembed
    assert deepseek_6n2(shape) == porian(shape) == 6 * (counts.nonembed + counts.head)
    assert counts.total == counts.embedding + counts.matrices + counts.head


def test_conventions_differ_by_the_terms_they_say() -> None:
    shape = Shape(24, 2048, 16, vocab=50_000, seq_len=2048)
    full_attention = 2 * 2 * shape.layers * shape.seq_len * shape.d_attn
    assert porian_attention(shape) - porian(shape) == 6 * shape.seq_len * shape.width * shape.layers
    assert CONVENTIONS["deepseek"](shape) - deepseek_6n1(shape) == 3 * full_attention
    assert olmo_core(shape, params=0) == 3 * full_attention == palm(shape, params=0)
    without = 72 * shape.layers * shape.width**2 + 3 * full_attention + 6 * shape.vocab * shape.width
    assert megatron(shape, recompute=False) == pytest.approx(without, rel=1e-12)
    gated = Shape(24, 2048, 16, ffn=5632, seq_len=2048, gated=True)
    assert step_law(gated) == 6 * params_by_group(gated).nonembed + 3 * 2 * 2 * 24 * 2048 * 2048


def test_experts_count_once_when_idle() -> None:
    shape = Shape(4, 512, 8, vocab=1000, gated=True, experts=8, top_k=2)
    counts = params_by_group(shape)
    assert counts.ffn == 4 * counts.ffn_active
    assert counts.total - counts.active == counts.ffn - counts.ffn_active
    dense = params_by_group(Shape(4, 512, 8, vocab=1000, gated=True))
    assert dense.total == dense.active


def test_tied_head_counts_once_but_costs_compute() -> None:
    free, tied = Shape(4, 512, 8, vocab=1000), Shape(4, 512, 8, vocab=1000, tied=True)
    assert params_by_group(free).total - params_by_group(tied).total == 512 * 1000
    assert porian(free) == porian(tied)


def test_numbers_and_arrays() -> None:
    assert six_nd(7e10, 1.4e12) == pytest.approx(5.88e23)
    assert np.allclose(six_nd(np.array([1e9, 2e9]), 1e10), [6e19, 1.2e20])
    shape = Shape(12, 768, 12, vocab=50_257, seq_len=1024)
    assert utilisation(1e5, 6e9, 1e15) == pytest.approx(0.6)
    assert PF_DAY == 1e15 * 86_400
    assert all(convention(shape) > 0 for convention in CONVENTIONS.values())
