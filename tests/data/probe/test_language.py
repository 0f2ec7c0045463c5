"""The synthetic language has the entropy it says, and any part of it can be drawn without the rest."""

from __future__ import annotations

import numpy as np
import pytest

from data.errors import DataError
from data.probe.corpus import Order, Synthetic, corpus, order
from data.probe.language import BASE, WORD, Language
from data.probe.spec import spec


@pytest.mark.parametrize(("exponent", "entropy"), [(1.4, 1.07739), (1.2, 1.37601)])
def test_the_entropy_is_that_of_its_counts(exponent, entropy):
    """Stated values were worked out elsewhere; counts of two million words have a bias of contexts / 2n / 4 nats."""
    language = Language(exponent)
    assert language.entropy == pytest.approx(entropy, abs=5e-6)
    words = language.words(0, 2_000_000)
    context = words[:, :3] @ BASE ** np.arange(3)
    _, counts = np.unique(context * BASE + words[:, 3] - BASE, return_counts=True)
    shares = counts / counts.sum()
    seen = -shares @ np.log(shares) / WORD
    assert seen == pytest.approx(language.entropy, abs=6e-3)
    assert seen < language.entropy


def test_any_part_is_drawn_without_the_rest():
    language = Language()
    whole = language.tokens(0, 1000)
    for first, count in ((0, 4), (3, 9), (997, 3), (500, 1)):
        np.testing.assert_array_equal(language.tokens(first, count), whole[first : first + count])
    far = language.words(2**50, 2)
    assert far.shape == (2, WORD)
    assert (language.words(0, 50, stream=1) != language.words(0, 50)).any()


def test_windows_begin_with_a_word_and_hold_every_place_of_one_equally_often():
    text = Synthetic()
    drawn = text.train(np.array([7, 8, 3]), 12)
    assert drawn.shape == (3, 13)
    assert (drawn[:, 3::4] >= BASE).all()
    assert (np.delete(drawn, [3, 7, 11], axis=1) < BASE).all()
    np.testing.assert_array_equal(drawn[0, -1], drawn[1, 0])  # the last target of one is the first token of the next
    np.testing.assert_array_equal(text.train(np.array([3]), 12)[0], drawn[2])
    with pytest.raises(DataError, match="multiple of 4 tokens long; 10 came"):
        text.train(np.array([0]), 10)


def test_unique_tokens_are_gone_through_again_in_another_order():
    one = spec({"unique_tokens": 1280.0, "seed": 3})
    text = corpus(one)
    numbers = order(one, text).numbers(0, 30)
    for k in range(3):
        assert sorted(numbers[10 * k : 10 * k + 10]) == list(range(10))
    assert (numbers[:10] != numbers[10:20]).any()
    np.testing.assert_array_equal(order(one, text).numbers(7, 9), numbers[7:16])
    assert list(Order(None, 3).numbers(5, 3)) == [5, 6, 7]


def test_seeds_have_text_of_their_own_and_the_same_is_held_out_from_all():
    a, b = (corpus(spec({"seed": k})) for k in (0, 1))
    some = np.arange(4)
    assert (a.train(some, 128) != b.train(some, 128)).any()
    np.testing.assert_array_equal(a.held_out(0, 4, 128), b.held_out(0, 4, 128))
    assert (a.train(some, 128) != a.held_out(0, 4, 128)).any()
