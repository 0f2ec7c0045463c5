"""Memory of a training against the papers' own examples, and the fewest devices against a search."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.flops import Shape
from fitting import FitError
from fitting.planning.memory import activation_bytes, least_devices, memory_per_device
from fitting.planning.shapes import shapes_near


def test_the_states_of_zeros_example() -> None:
    """7.5e9 parameters on 64 devices: 120 GB whole, 1.9 GB divided (Rajbhandari et al. 2020, arXiv 1910.02054, figure 1)."""
    whole = memory_per_device(7.5e9, 64, micro_tokens=1, sharded=False)
    assert whole.total - whole.activations == pytest.approx(120e9)
    divided = memory_per_device(7.5e9, 64, micro_tokens=1)
    assert divided.total - divided.activations == pytest.approx(1.875e9)
    assert (divided.weights, divided.gradients) == (pytest.approx(2 * 7.5e9 / 64), pytest.approx(2 * 7.5e9 / 64))


def test_activations_are_those_of_the_paper() -> None:
    """A layer keeps s b h (34 + 5 a s / h) bytes; 5 a s / h is 80 for GPT-3 (Korthikanti et al. 2022, arXiv 2205.05198)."""
    gpt3 = Shape(96, 12_288, 96, ffn=4 * 12_288, seq_len=2048)
    s, h = 2048, 12_288
    outside = 4 * s * h
    assert activation_bytes(gpt3, s, "attention") - outside == pytest.approx(96 * s * h * 34)
    assert activation_bytes(gpt3, s, "none") - outside == pytest.approx(96 * s * h * (34 + 80))
    assert activation_bytes(gpt3, s, "full") - outside == pytest.approx(96 * s * h * 2)
    with_words = Shape(96, 12_288, 96, vocab=50_257, seq_len=2048)
    assert activation_bytes(with_words, s, "full") - activation_bytes(gpt3, s, "full") == 4 * s * 50_257


def test_three_matrices_keep_more_than_two() -> None:
    plain, gated = Shape(10, 1024, 8, ffn=3072), Shape(10, 1024, 8, ffn=3072, gated=True)
    assert activation_bytes(gated, 1.0) - activation_bytes(plain, 1.0) == 10 * 4 * 3072


@settings(deadline=None, max_examples=60)
@given(e=st.floats(8.0, 12.5), memory=st.sampled_from([24e9, 80e9, 192e9]), share=st.floats(0.5, 1.0))
def test_the_fewest_devices_fit_and_one_fewer_do_not(e, memory, share) -> None:
    shape = shapes_near(10**e, seq_len=256)[0]
    least = least_devices(shape, memory, share=share, recompute="full")
    assert memory_per_device(shape, least, recompute="full").total <= share * memory * (1 + 1e-9)
    if least > 1:
        assert memory_per_device(shape, least - 1, recompute="full").total > share * memory * (1 - 1e-9)


def test_what_fits_nowhere_says_what_to_do() -> None:
    big = shapes_near(1e13, seq_len=8192)[0]
    with pytest.raises(FitError, match=r'fewer micro_tokens, recompute="full"'):
        least_devices(big, 80e9)
    with pytest.raises(FitError, match="Say micro_tokens"):
        memory_per_device(1e9)
    with pytest.raises(FitError, match="give the shape its seq_len"):
        activation_bytes(Shape(2, 64), 1.0, "none")
    with pytest.raises(FitError, match="recompute is one of none, attention, full"):
        activation_bytes(Shape(2, 64), 1.0, "some")
    with pytest.raises(FitError, match="memory is a device's bytes"):
        least_devices(1e9, 80e9, micro_tokens=10, share=0.0)
