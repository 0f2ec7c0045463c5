"""The sequential test of a share tells what it says it does, counted over seeded tables."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fitting.sequential import as_often


@pytest.mark.parametrize(("share", "least", "most"), [(0.95, 0.0, 0.03), (0.75, 0.87, 1.0)])
def test_an_honest_share_passes_and_a_false_one_fails(share, least, most):
    """One of 70 and 90 of 100 by the exact chances of 40 tables at most; bounds lie three standard errors off or more."""
    rng, failed = np.random.default_rng(0), 0
    for _ in range(1000):
        try:
            as_often(iter(rng.random(40) < share))
        except AssertionError:
            failed += 1
    assert least <= failed / 1000 <= most


def test_each_of_several_shares_is_told():
    rng = np.random.default_rng(1)
    with pytest.raises(AssertionError, match="tables"):
        as_often([one < 0.5, True] for one in rng.random(40))
    with pytest.raises(AssertionError, match="no tables"):
        as_often([])
    asked = []
    as_often(asked.append(k) or True for k in range(40))
    assert len(asked) == 10
