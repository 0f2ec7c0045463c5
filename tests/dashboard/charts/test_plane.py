"""The plane and the look that figures share: axes people can read, names that stay names, nothing drawn off the edge."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts import plane, theme


def runs(count: int = 12, **columns: object) -> pd.DataFrame:
    size = np.geomspace(1e6, 1e9, count)
    loss = 3 - 0.9 * np.linspace(0, 1, count)
    names = [f"r{i}" for i in range(count)]
    frame = pd.DataFrame({"run": names, "params": size, "tokens": 20 * size, "loss": loss})
    return frame.assign(flops=6 * frame["params"] * frame["tokens"], **columns)


NONE = runs(0).assign(reason="")


@given(low=st.floats(1e-3, 1e25), span=st.floats(1, 1e20), kind=st.sampled_from(["count", "flop", "plain"]))
def test_ticks_are_inside_in_order_and_few(low: float, span: float, kind: str) -> None:
    values, texts = theme.log_ticks(low, low * span, kind)
    assert len(values) == len(texts) <= 12
    assert values == sorted(values)
    assert all(low <= value <= low * span for value in values)
    assert len(set(texts)) == len(texts)


@given(low=st.floats(1e-3, 1e25), span=st.floats(1, 1e20))
def test_an_axis_holds_its_data_with_room(low: float, span: float) -> None:
    axis = theme.log_axis(low, low * span, "x")
    bottom, top = axis["range"]
    assert bottom < math.log10(low)
    assert top > math.log10(low * span)
    assert top - bottom >= 0.5


def test_ticks_say_what_people_say() -> None:
    shown = [text.replace("\u202f", " ") for text in theme.log_ticks(1e6, 1e11)[1]]
    assert shown == ["1 M", "10 M", "100 M", "1 B", "10 B", "100 B"]
    assert theme.log_ticks(1e18, 1e24, "flop")[1][:2] == ["10¹⁸", "10¹⁹"]
    assert theme.power_of_ten(2e21) == "2×10²¹"
    assert theme.power_of_ten(1e-3) == "10⁻³"


@pytest.mark.parametrize(
    "name", ["<b>x</b>", "a<br>b", "<a href='javascript:x'>y</a>", "&lt;i&gt;", "\x00\u202e", "x" * 999]
)
def test_a_name_is_shown_letter_for_letter(name: str) -> None:
    shown = theme.plain(name)
    assert "<" not in shown
    assert ">" not in shown
    assert len(shown) <= 400
    assert shown.isprintable()


def test_runs_with_size_and_data_lie_on_the_plane_with_budgets() -> None:
    drawn = plane.figure(runs(), NONE)
    assert drawn.layout.xaxis.title.text == "Parameters"
    assert drawn.layout.yaxis.title.text == "Training tokens"
    assert len(drawn.layout.shapes) >= 4
    for line in drawn.layout.shapes:
        power = math.log10(6 * line.x0 * line.y0)
        assert power == pytest.approx(round(power), abs=1e-9)
        assert 6 * line.x0 * line.y0 == pytest.approx(6 * line.x1 * line.y1)
    assert len(drawn.data) == 2
    assert list(drawn.data[1].x) == list(runs()["params"])


def test_the_name_of_a_budget_at_the_edge_is_not_cut_off() -> None:
    """Beside the last of its figure, 5 x 10^11 FLOP lost its last letters."""
    rings = pd.DataFrame(
        {"run": ["a", "b"], "params": [6144.0, 24576.0], "tokens": [2.7e6, 2.0e5], "known": [False, False]}
    )
    none = pd.DataFrame({"run": [], "params": [], "tokens": [], "loss": []}, dtype="float64")
    drawn = plane.proposed(rings, none)
    left, right = (math.log10(end) if end > 100 else end for end in drawn.layout.xaxis.range)
    above = [note for note in drawn.layout.annotations if note.yref == "paper" and "FLOP" in note.text]
    assert above
    assert all((note.x - left) / (right - left) < 0.94 for note in above)


def test_what_is_set_aside_is_hollow_and_says_why() -> None:
    aside = runs(3).assign(reason="loss is not finite <b>(diverged)</b>", run=["x", "y", "z"])
    drawn = plane.figure(runs(), aside)
    assert drawn.data[0].marker.symbol == "circle-open"
    assert drawn.data[0].customdata[0][0] == "x"
    assert drawn.data[0].customdata[0][-1] == "loss is not finite &lt;b&gt;(diverged)&lt;/b&gt;"
    assert "set aside" in drawn.data[0].hovertemplate


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["params", "tokens", "flops"], ("params", "tokens")),
        (["params"], ("params", "loss")),
        (["tokens"], ("tokens", "loss")),
        (["flops"], ("flops", "loss")),
        ([], None),
    ],
)
def test_the_axes_are_those_the_table_has(columns: list[str], expected: tuple[str, str] | None) -> None:
    frame = runs()[["run", "loss", *columns]]
    assert plane.axes(frame) == expected
    if expected:
        assert plane.figure(frame, frame.iloc[:0].assign(reason="")).data[1].x is not None
    else:
        with pytest.raises(ValueError, match="needs params"):
            plane.figure(frame, frame.iloc[:0])


def test_values_that_have_no_logarithm_are_left_out() -> None:
    frame = runs(6, tokens=[1e9, 0.0, -1.0, np.nan, np.inf, 1e10])
    assert len(plane.figure(frame, NONE).data[1].x) == 2


@pytest.mark.parametrize("count", [1, 2])
def test_one_run_or_two_alike_can_be_drawn(count: int) -> None:
    frame = runs(count, params=1e6, tokens=1e9, loss=3.0)
    drawn = plane.figure(frame, NONE)
    assert drawn.data[1].marker.showscale is False


def test_everything_set_aside_still_draws() -> None:
    assert len(plane.figure(NONE.drop(columns="reason"), runs(4).assign(reason="excluded by you")).data[0].x) == 4


def test_many_points_go_to_the_graphics_card() -> None:
    assert plane.figure(runs(plane.MANY + 1), NONE).data[1].type == "scattergl"
    assert plane.figure(runs(), NONE).data[1].type == "scatter"


def test_a_diverged_run_does_not_use_up_the_colours() -> None:
    frame = runs(100)
    frame.loc[0, "loss"] = 1e6
    marker = plane.figure(frame, NONE).data[1].marker
    assert marker.cmax < math.log(10)
