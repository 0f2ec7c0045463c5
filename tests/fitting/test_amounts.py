"""Amounts are said as people say them."""

from fitting.amounts import count, times


def test_amounts_have_no_exponent_that_people_do_not_say():
    for value, said in (
        (1e11, "100 B"), (2e12, "2 T"), (1.26e9, "1.26 B"), (999.6e6, "1 B"), (5e6, "5 M"), (1500.0, "1.5 k"), (999.6, "1 k"), (12.0, "12"),
        (0.5, "0.5"), (3e15, "3e+15"), (float("inf"), "inf"),
    ):  # fmt: skip
        assert count(value) == said, value
    for value, said in (
        (4000.0, "4,000"), (4003.0, "4,000"), (999.9, "1,000"), (64.0, "64"), (2.5, "2.5"), (1.2e6, "1,200,000"), (2e9, "2e+09"),
    ):  # fmt: skip
        assert times(value) == said, value
