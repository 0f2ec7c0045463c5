"""Shapes near a size: counted anew, close, with heads that fill the width, and like those that were built."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.flops import kaplan_params, params_by_group
from fitting import FitError
from fitting.planning.shapes import REACH, shapes_near, usual_aspect

sizes = st.floats(6.0, 13.0).map(lambda e: 10.0**e)
plans = st.fixed_dictionaries(
    {
        "count": st.sampled_from(["params", "params_total", "params_nonembed", "params_active"]),
        "tied": st.booleans(),
        "gated": st.booleans(),
        "head_dim": st.sampled_from([64, 80, 96, 128, 256]),
    }
)


def matrices(shape):
    """The sizes of every matrix of a transformer, one by one."""
    heads = shape.heads * shape.head_dim
    block = [(shape.width, heads)] * 3 + [(heads, shape.width)]
    block += [(shape.width, shape.ffn)] * (2 if shape.gated else 1) + [(shape.ffn, shape.width)]
    return [a * b for a, b in block] * shape.layers


@settings(deadline=None, max_examples=60)
@given(params=sizes, plan=plans)
def test_what_is_counted_is_what_is_built_and_close(params, plan):
    vocab = 64 if params < 1e8 else 50_304
    found = shapes_near(params, vocab=vocab, **plan)
    assert 1 <= len(found) <= 3
    assert len({f.shape.width for f in found}) == len(found)
    for each in found:
        shape = each.shape
        outside = 0 if plan["count"] == "params_nonembed" else vocab * shape.width * (1 if plan["tied"] else 2)
        assert each.params == sum(matrices(shape)) + outside
        assert each.off == pytest.approx(each.params / params - 1)
        assert shape.heads * shape.head_dim == shape.width
        assert plan["head_dim"] % shape.head_dim == 0
        assert 1 / REACH / 1.001 <= each.aspect / usual_aspect(each.counts.matrices) <= REACH * 1.001
    # A layer of the smallest is a seventh of it, and its usual proportions count too: 1,500 sizes from 1e6 to 2e6 are off by 5.8 % at most.
    assert abs(found[0].off) < (0.07 if params < 2e6 else 0.05 if params < 1e8 else 0.04)


def test_a_few_per_cent_over_seven_orders():
    for count, vocab, limit in (("params_nonembed", 50_304, 0.03), ("params_total", 256, 0.04)):
        off = [abs(shapes_near(10.0**e, count=count, vocab=vocab)[0].off) for e in np.linspace(6, 13, 141)]
        assert max(off) < limit
        assert np.median(off) < 0.01


@pytest.mark.parametrize(
    ("params", "plan", "layers", "width"),
    [
        # GPT-2 small and GPT-3 (Brown et al. 2020, arXiv 2005.14165, table 2.1), Pythia 12B (arXiv 2304.01373, table 1),
        # Llama 7B (arXiv 2302.13971, table 2: feed-forward 11,008, 32 layers), Llama 3 405B's width (arXiv 2407.21783).
        (85e6, {"count": "params_nonembed"}, 12, 768),
        (174.6e9, {}, 96, 12_288),
        (11.3e9, {"count": "params_nonembed"}, 36, 5120),
        (6.738e9, {"vocab": 32_000, "gated": True}, 32, 4096),
    ],
)
def test_published_sizes_find_their_shapes(params, plan, layers, width):
    assert (layers, width) in {(f.shape.layers, f.shape.width) for f in shapes_near(params, **plan)}
    if plan.get("gated"):
        assert 11_008 in {f.shape.ffn for f in shapes_near(params, **plan)}


def test_small_models_have_small_heads():
    for params in (1e3, 1e4, 1e5):
        for each in shapes_near(params, count="params_nonembed"):
            assert each.shape.layers >= 1
            assert each.shape.heads >= 4
            assert abs(each.off) < 0.25
    assert abs(shapes_near(1e4, count="params_nonembed")[0].off) < 0.05
    assert shapes_near(1e4, count="params_nonembed")[0].shape.head_dim < 16


def test_the_nearer_of_two_usual_ratios_comes_first():
    first, *rest = shapes_near(1.5e9, count="params_nonembed", most=40)
    wide = max(rest, key=lambda f: f.aspect)
    assert wide.aspect > first.aspect
    bounded = shapes_near(1.5e9, count="params_nonembed", aspect=(30, 40), most=9)
    assert bounded
    assert all(30 <= f.aspect <= 40 for f in bounded)
    assert (48, 1600) in {  # GPT-2 XL, by the steps it was chosen in
        (f.shape.layers, f.shape.width)
        for f in shapes_near(1.4746e9, count="params_nonembed", multiple=64, head_dim=64, aspect=(30, 40))
    }


def test_multiples_and_feed_forward_factors():
    for each in shapes_near(2e9, multiple=256, gated=True):
        assert each.shape.width % 256 == each.shape.ffn % 256 == 0
    each = shapes_near(1e9, count="params_nonembed", ffn_factor=2.0)[0]
    assert each.shape.ffn == 2 * each.shape.width
    assert kaplan_params(each.shape) == each.params == params_by_group(each.shape).nonembed


def test_the_sentence_says_the_shape():
    each = shapes_near(85e6, count="params_nonembed")[0]
    assert (
        each.sentence == "12 layers of width 768, 6 heads of 128, feed-forward 3,072: 0.1 % fewer parameters than asked"
    )


def test_what_has_no_shape_is_refused():
    with pytest.raises(FitError, match="vocabulary of 50,304: embedding and head take too many"):
        shapes_near(1e6)
    with pytest.raises(FitError, match="wider aspect or a smaller multiple"):
        shapes_near(1e4, count="params_nonembed", multiple=128)
    for wrong in (
        {"params": -1.0},
        {"params": float("nan")},
        {"params": 1e9, "most": 0},
        {"params": 1e9, "head_dim": 0},
    ):
        with pytest.raises(FitError, match="positive number of parameters"):
            shapes_near(**wrong)
    with pytest.raises(FitError, match="count is one of"):
        shapes_near(1e9, count="tokens")
    with pytest.raises(FitError, match="aspect is the lowest"):
        shapes_near(1e9, aspect=(50, 10))
