"""Numbers are said at both ends of what a float holds."""

from __future__ import annotations

import itertools

import pytest

from fitting.digits import KINDS, said_in

VALUES = (0.0, 5e-324, 1e-320, 1e-308, 1e-300, 0.5, 1.0, 999.5, 1e15, 1e300, 1.7e308)
WIDTHS = (None, 5e-324, 1e-320, 1e-12, 0.3, 1e20, 1.7e308)


@pytest.mark.parametrize("kind", KINDS)
def test_every_float_is_said(kind: str) -> None:
    for value, width in itertools.product(VALUES, WIDTHS):
        said = said_in(value, width, KINDS[kind])
        assert said.figures.replace(",", "").replace(".", "").isdigit(), (value, width)


def test_the_smallest_and_the_largest_are_themselves() -> None:
    smallest, share = said_in(5e-324, None, KINDS["flop"]), said_in(1.7e308, None, KINDS["percent"])
    assert (smallest.figures, smallest.exponent) == ("4.9", -324)
    assert (share.figures, share.exponent) == ("1.7", 310)
