"""The device table: dense peaks, plausible figures, a source each, and the page's list made of it."""

from __future__ import annotations

import pytest

from dashboard.plan.device_table import MAKERS
from fitting import FitError
from fitting.planning.devices import DEVICES, device
from fitting.planning.hardware import Hardware


def test_the_figures_people_quote() -> None:
    """Dense bf16 FLOP/s, bytes/s and bytes, as makers print them (sources in the table)."""
    quoted = {
        "H100": (989e12, 3.35e12, 80e9),
        "H200": (989e12, 4.8e12, 141e9),
        "A100": (312e12, 2.04e12, 80e9),
        "MI300X": (1307e12, 5.3e12, 192e9),
        "TPU v5e": (197e12, 0.82e12, 16e9),
    }
    for name, figures in quoted.items():
        found = device(name)
        assert (found.peak, found.bandwidth, found.memory) == pytest.approx(figures, rel=2e-3)


@pytest.mark.parametrize("found", DEVICES, ids=lambda d: d.name)
def test_each_is_plausible_and_says_where_it_is_from(found) -> None:
    assert 1e14 < found.peak < 5e15
    assert 16e9 <= found.memory < 300e9
    # A sparse peak, or bits taken for bytes, would leave this range: high-bandwidth memory keeps up with 140 to 590 FLOPs.
    assert 100 < found.peak / found.bandwidth < 600
    assert found.source.endswith(("[V]", "[V2]"))


def test_names_are_unique_and_the_page_lists_them() -> None:
    assert len({d.name for d in DEVICES}) == len(DEVICES)
    assert {d.name: d.peak for d in DEVICES} == pytest.approx({row.name: row.peak * 1e12 for row in MAKERS})


def test_a_device_makes_hardware() -> None:
    assert device("H100").hardware(8, 0.5, 2.0) == Hardware(8, 989e12, 0.5, 2.0)
    assert Hardware().peak == device("H100").peak


def test_an_unknown_device_is_named_with_those_there_are() -> None:
    with pytest.raises(FitError, match=r"'H800'; there are H100, H200"):
        device("H800")
