"""What the live chart is given of a sweep."""

from __future__ import annotations

import math

import pytest

from dashboard.probe import live, payload
from tests.dashboard.probe.fake import FOUR, stands


@pytest.fixture
def drawn(queue):
    """A function that gives the plane of a sweep whose runs stand so."""

    def plane(values, states):
        stands(queue, "first", values, states)
        found = next(iter(live.sweeps(queue.root, queue.jobs(), {}, 1)))
        return payload.the_plane(found)

    return plane


def test_budgets_pass_through_a_small_plane_and_say_what_they_are(drawn):
    plane = drawn(FOUR, ["done", "cancelled", "queued", "queued"])
    guides = [series for series in plane["series"] if series["kind"] == "guide"]
    assert len(guides) >= 2
    for line in guides:
        factor, _, power = line["name"].removesuffix(" FLOP").rpartition("×")
        exponent = int(power[2:].translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")))
        said = int(factor or 1) * 10.0**exponent
        assert all(6 * x * y == pytest.approx(said) for x, y in zip(line["x"], line["y"], strict=True))
        assert math.prod(line["x"]) == pytest.approx(math.prod(plane["x"]["range"]))
    assert "A cross is" in plane["words"]


def test_one_size_and_length_still_have_a_plane(drawn):
    plane = drawn({**FOUR, "width": 8, "tokens": 2e4}, ["queued"])
    assert plane["x"]["range"][0] < plane["x"]["range"][1]
    assert any(series["kind"] == "guide" for series in plane["series"])
    assert "A cross is" not in plane["words"]
