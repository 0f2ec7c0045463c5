"""Whatever a page raises, its frame stays: navigation, data menu, uploader, undo and redo, and they work."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard import cli, error_messages, state
from dashboard.batch import state as batch_state
from dashboard.charts import plane, theme
from dashboard.probe import state as probe_state
from dashboard.runs import summary
from dashboard.server import launch, local
from dashboard.workspace import store as workspace
from data import read_runs, reading
from data.errors import DataError
from data.readers import read_table
from data.reading import read_upload
from data.schema import Runs
from fitting import FitError

ENTRY = Path(dashboard.__file__).parent / "app.py"
PAGES = ("runs", "fit", "plan", "batch", "compare")
WORD = "run,params_total,tokens,loss\na,1e8,2e9,3\nb,big,2e9,3.1"
GOOD = "run,params,tokens,loss\n" + "".join(f"r{i},{i}e7,{i % 4 + 1}e9,{4 - i / 9:.3f}\n" for i in range(1, 13))
EXTREMES = ["1e300", "1e-308", "5e-324", "1e308", "inf", "-inf", "nan", "-1", "0", "9" * 60, "big", ""]
INSIDE = "Something went wrong inside"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def text(at: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in at.get("html"))


def open_file(content: str, page: str = "runs") -> AppTest:
    """A page on an upload that was opened after a bundled set, so that there is something to undo."""
    space = workspace.new()
    ladder = "bundled:simulated-ladder"
    workspace.change(space, "open the ladder", {"source": ladder, f"fit:{ladder}": {"resamples": 500}})
    kept = workspace.keep(space, "mine.csv", content.encode())
    workspace.change(space, "open mine.csv", {"source": kept.source, f"fit:{kept.source}": {"resamples": 500}})
    at = AppTest.from_file(str(ENTRY), default_timeout=60)
    at.query_params["w"] = space.id
    return (at if page == "runs" else at.switch_page(f"views/{page}.py")).run()


def has_frame(at: AppTest) -> None:
    assert not at.exception
    assert at.selectbox(key="chosen").options
    assert len(at.file_uploader) == 1
    assert {"undo", "redo"} <= {button.key for button in at.button}


# --- pages ------------------------------------------------------------------------------------------------------------

# What each page calls first, in the middle, and last.
PLACES = {
    "runs": [(summary, "chips"), (plane, "figure"), (summary, "counts")],
    "fit": [(state, "current_fit"), (summary, "chips")],
    "plan": [(state, "current_fit"), (summary, "chips")],
    "batch": [(batch_state, "current"), (state, "chosen")],
    "compare": [(state, "current_runs"), (summary, "chips")],
    "probe": [(probe_state, "laid"), (summary, "chips")],
}
CASES = [(page, where, name) for page, places in PLACES.items() for where, name in places if name != "chosen"]


ERRORS = (KeyError("params"), FitError("No law fits."), MemoryError(), RecursionError("deep"))


@pytest.mark.parametrize(
    ("page", "where", "name", "pressed"),
    [(*case, ERRORS[k % len(ERRORS)]) for k, case in enumerate(CASES)],
    ids=[f"{p}-{n}" for p, _, n in CASES],
)
def test_the_frame_stays_and_leads_out(
    page: str, where: Any, name: str, pressed: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is raised at each place; undo is pressed after another error in turn, and by each of them somewhere."""
    monkeypatch.setattr(
        local, "why_not_local", lambda: ""
    )  # AppTest sends no headers, which the page of probes asks for
    at = None
    for error in sorted(ERRORS, key=lambda one: one is pressed):

        def broken(*_: Any, error: Exception = error, **__: Any) -> Any:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(where, name, broken)
            at = open_file(GOOD, page) if at is None else at.run()  # as often as it is looked at
            has_frame(at)
            assert error_messages.message_of(error)[0].replace("'", "&#x27;") in text(at)
            assert text(at).count('class="iso-trouble"') == 1
    assert at is not None
    at.button(key="undo").click().run()
    assert not at.exception
    assert workspace.values(space_of(at))["source"] == "bundled:simulated-ladder"
    assert 'class="iso-trouble"' not in text(at)


def space_of(at: AppTest) -> workspace.Workspace:
    space = workspace.find(at.query_params["w"][0] if isinstance(at.query_params["w"], list) else at.query_params["w"])
    assert space is not None
    return space


def test_other_data_can_be_chosen_on_a_page_that_cannot_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = plane.figure

    def broken(kept: Any, *given: Any, **named: Any) -> Any:
        if len(kept) == 12:
            raise OverflowError("math range error")
        return drawn(kept, *given, **named)

    monkeypatch.setattr(plane, "figure", broken)
    at = open_file(GOOD)
    assert INSIDE in text(at)
    at.selectbox(key="chosen").select("bundled:cerebras-gpt").run()
    assert INSIDE not in text(at)
    assert at.get("plotly_chart")
    again = open_file(GOOD)
    again.file_uploader[0].upload("other.csv", GOOD.replace("r12", "r13").encode() + b"r14,1e9,2e9,2.5\n").run()
    assert INSIDE not in text(again)
    assert again.get("plotly_chart")


def test_trouble_nobody_foresaw_in_reading_is_the_datas(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("params")

    monkeypatch.setattr(reading, "to_runs", broken)
    at = open_file(GOOD)
    for page in PAGES:
        at.switch_page(f"views/{page}.py").run()
        assert INSIDE in text(at), page
        assert not at.exception
        assert "undo" in {button.key for button in at.button}, page
    at = open_file(GOOD)  # where the columns can be named anew
    has_frame(at)
    assert any(box.key == "column:loss" for box in at.selectbox)


def test_a_callback_that_fails_leaves_the_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `launch` hands to Streamlit for errors that escape the page."""
    script = "import streamlit as st\nfrom dashboard.server import launch\nassert launch._apologise(KeyError('x'))\n"
    at = AppTest.from_string(script, default_timeout=30).run()
    assert INSIDE in text(at)
    has_frame(at)


def test_even_a_workspace_that_cannot_be_read_gives_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise OSError(13, "Permission denied")

    monkeypatch.setattr(state, "space", broken)
    at = AppTest.from_file(str(ENTRY), default_timeout=30).run()
    assert not at.exception
    assert "could not be read or written" in text(at)


def test_what_is_wrong_with_the_data_leads_to_the_runs_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> Any:
        raise DataError("The file has no runs.")

    monkeypatch.setattr(state, "current_runs", refused)
    at = open_file(GOOD, "fit")
    has_frame(at)
    assert [e.proto.label for e in at.get("page_link")] == ["Look at the data on the Runs page"]


# --- tables -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_a_word_in_a_parameter_column_is_a_row_set_aside(page: str) -> None:
    at = open_file(WORD, page)
    assert not at.exception
    assert INSIDE not in text(at)
    if page == "runs":
        has_frame(at)
        assert "params is not a number" in text(at)


def with_odd_row(column: str, value: str, aside: bool) -> str:
    rows = ["run,params,tokens,flops,loss"] + [f"r{i},{i}e7,2e9,{12 * i}e16,{4 - i / 9:.3f}" for i in range(1, 7)]
    bad = {"params": "1e8", "tokens": "2e9", "flops": "1.2e18", column: value}
    return "\n".join([*rows, f"odd,{bad['params']},{bad['tokens']},{bad['flops']},{'nan' if aside else 3.3}"])


ODD = list(itertools.product(("params", "tokens", "flops"), (False, True)))


def test_no_value_takes_the_runs_page_away() -> None:
    """Every value on the page, in each column and set aside or not in turn; every combination of the three in what the page draws."""
    for k, value in enumerate(EXTREMES):
        column, aside = ODD[k % len(ODD)]
        at = open_file(with_odd_row(column, value, aside))
        has_frame(at)
        assert INSIDE not in text(at), (column, value, aside)
        assert at.get("plotly_chart"), (column, value, aside)
    for (column, aside), value in itertools.product(ODD, EXTREMES):
        runs = read_upload(read_table(with_odd_row(column, value, aside).encode(), "x.csv"), {}).runs
        assert runs is not None, (column, value, aside)
        assert_drawn(runs)
        assert summary.answer(runs)[0].startswith("{n} run"), (column, value, aside)
        assert sum(summary.counts(runs).values()) >= 7, (column, value, aside)


@st.composite
def tables(draw: st.DrawFn) -> str:
    columns = ["params", "tokens", *draw(st.lists(st.sampled_from(["flops", "batch", "lr", "steps"]), unique=True))]
    cell = st.one_of(st.sampled_from(EXTREMES), st.floats(1e6, 1e12).map(repr), st.floats().map(repr))
    loss = st.one_of(st.sampled_from(EXTREMES), st.floats(1, 9).map(repr))
    rows = [[f"r{i}", *(draw(cell) for _ in columns), draw(loss)] for i in range(draw(st.integers(1, 6)))]
    return "\n".join(
        ",".join(row) for row in [["run", *columns, "loss"], ["good", *["1e8"] * len(columns), "3"], *rows]
    )


@settings(max_examples=40, deadline=None)
@given(tables())
def test_the_plane_can_be_drawn_of_any_runs(table: str) -> None:
    read = read_upload(read_table(table.encode(), "x.csv"), {})
    assert read.trouble is None or error_messages.is_for_people(read.trouble)
    runs = read.runs
    if runs is None or plane.axes(runs.kept, runs.set_aside) is None:
        return
    assert_drawn(runs)


def assert_drawn(runs: Runs) -> None:
    drawn = plane.figure(runs.kept, runs.set_aside)
    for axis in (drawn.layout.xaxis, drawn.layout.yaxis):
        assert axis.range[0] < axis.range[1]
        assert theme.ENDS[0] <= axis.range[0]
        assert axis.range[1] <= theme.ENDS[1]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables())
def test_the_runs_page_keeps_its_frame_over_any_table(table: str) -> None:
    at = open_file(table)
    has_frame(at)
    assert INSIDE not in text(at)


def test_one_slip_does_not_press_the_others_into_a_point() -> None:
    kept = read_runs_of(GOOD).kept
    slip = kept.iloc[:1].assign(run="slip", tokens=1e300, loss=float("nan"), reason="loss is not a number")
    near = kept.iloc[:1].assign(run="near", tokens=1e10, reason="excluded by you")
    alone = plane.figure(kept, slip.iloc[:0])
    drawn = plane.figure(kept, slip)
    assert drawn.layout.yaxis.range == alone.layout.yaxis.range
    assert any("1 run set aside lies far outside" in note.text for note in drawn.layout.annotations)
    wider = plane.figure(kept, near)
    assert wider.layout.yaxis.range[1] > alone.layout.yaxis.range[1]
    assert not any("far outside" in (note.text or "") for note in wider.layout.annotations)


def read_runs_of(content: str) -> Any:
    import io

    import pandas as pd

    return read_runs(pd.read_csv(io.StringIO(content)))


# --- the terminal -----------------------------------------------------------------------------------------------------


@pytest.fixture
def run_main(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*args: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            cli.main([str(a) for a in args])
        said = capfd.readouterr()
        return int(end.value.code or 0), said.out, said.err

    return run


@pytest.mark.parametrize("command", ["read", "fit", "batch", "approaches", "backtest", "compare"])
def test_an_unforeseen_error_is_one_sentence_in_the_terminal(
    command: str, run_main: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_home: Path
) -> None:
    import data.readers

    def broken(*_: object, **__: object) -> None:
        raise KeyError("params")

    monkeypatch.setattr("data.read.read_table", broken)
    monkeypatch.setattr(data.readers, "read_table", broken)
    (tmp_path / "x.csv").write_text(GOOD)
    code, out, err = run_main(command, tmp_path / "x.csv")
    assert code == 3
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("Error: Something went wrong inside Isoflop.")
    assert str(own_home / error_messages.DETAILS) in err
    assert "KeyError: 'params'" in (own_home / error_messages.DETAILS).read_text()


def test_the_traceback_can_be_asked_for(run_main: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("data.summary.read_summary", broken)
    assert "Traceback" not in "".join(map(str, run_main("read", "x.csv")))
    monkeypatch.setenv(error_messages.TRACEBACK, "1")
    assert "ZeroDivisionError: a defect" in "".join(map(str, run_main("read", "x.csv")))


def test_a_word_in_a_parameter_column_in_a_real_terminal(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(WORD)
    done = subprocess.run(
        [sys.executable, "-m", "dashboard", "read", str(tmp_path / "x.csv")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "params is not a number ('big')" in done.stdout
    assert done.stderr == ""


def test_details_do_not_grow_for_ever(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_messages, "LONGEST", 2000)
    for i in range(100):
        error_messages.record(ValueError(f"number {i}"))
    files = list(own_home.iterdir())
    assert sum(f.stat().st_size for f in files) < 8000
    assert "number 99" in (own_home / error_messages.DETAILS).read_text()
    assert launch.PRIVATE["client.disableDataExport"] is True


def test_what_was_put_aside_is_said_once() -> None:
    space = workspace.new()
    workspace.change(space, "open the ladder", {"source": "bundled:simulated-ladder"})
    (space.folder / "settings.json").write_text("{")
    at = AppTest.from_file(str(ENTRY), default_timeout=60)
    at.query_params["w"] = space.id
    (said,) = at.run().toast
    assert "settings.json of this workspace could not be read" in said.value.replace("\\", "")
    assert not at.run().toast


@pytest.mark.parametrize("page", list(PLACES))
def test_no_page_asks_for_arguments_of_python(page: str) -> None:
    at = open_file("params,tokens,speed\n1e6,2e7,3\n2e6,4e7,2\n4e6,8e7,1\n", page)
    shown = text(at) + " ".join(one.value for kind in (at.markdown, at.caption, at.warning, at.error) for one in kind)
    assert "columns=" not in shown.replace("\\", "")
