"""A law of columns of its own on the pages: offered where the file has its columns, fitted as by `isoflop fit --law`, exported."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import chdir
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import downloads
from dashboard.charts import loss_compute, residuals
from dashboard.fit import words as fit_words
from dashboard.workspace import store as workspace
from data.own_columns import read_columns
from data.schema import Runs
from fitting import Fit, Law, all_laws, fit, load_fit
from fitting.export.latex import formula
from fitting.law import Output, Param, coefficient

APP = Path(__file__).parents[3] / "dashboard" / "app.py"
K = np.geomspace(1, 10_000, 20)
NOISE = np.exp(0.01 * np.random.default_rng(0).standard_normal(20))
COVERAGE = "run,samples,coverage\n" + "".join(
    f"r{i},{k:.6g},{np.exp(-2.1 * k**-0.3) * e:.6f}\n" for i, (k, e) in enumerate(zip(K, NOISE, strict=True))
)
BOTH = "run,params,tokens,loss,Samples,Coverage\n" + "".join(
    f"r{i},{10 ** (7 + i % 4)},{10 ** (9 + i // 4)},{3 - 0.05 * i + 0.1 * (i % 3):.3f},{k:.6g},{np.exp(-2.1 * k**-0.3):.6f}\n"
    for i, k in enumerate(K)
)
SHOTS = "run,shots,error_rate\n" + "".join(
    f"r{i},{k:.6g},{0.8 * k**-0.02 * e:.6f}\n" for i, (k, e) in enumerate(zip(K, NOISE, strict=True))
)
SETTINGS = {"resamples": 500}
Page = Callable[..., tuple[AppTest, workspace.Workspace, str]]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dropped_in: tuple[str, ...]) -> Page:
    """A function that opens the Fit page on this file or bundled set, with the laws dropped in: page, workspace, source."""
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path / "home"))

    def opened(
        given: str, law: str = "auto", view: str = "fit", **more: object
    ) -> tuple[AppTest, workspace.Workspace, str]:
        space = workspace.new()
        source = workspace.keep(space, "table.csv", given.encode()).source if "\n" in given else given
        workspace.change(space, "open", {"source": source, f"fit:{source}": {**SETTINGS, "law": law}, **more})
        at = AppTest.from_file(str(APP), default_timeout=60)
        at.query_params["w"] = space.id
        return at.switch_page(f"views/{view}.py").run(), space, source

    return opened


def text(at: AppTest) -> str:
    assert not at.exception
    said = unescape("\n".join(str(element.proto.body) for element in at.get("html")))
    assert "Something went wrong" not in said
    return said


def menu(at: AppTest) -> list[str]:
    return list(at.selectbox(key="fit_law").options)


def here(table: str, law: str, tmp_path: Path) -> tuple[Runs, Fit]:
    """The file's runs for this law, and the law fitted to them as in Python."""
    (tmp_path / "table.csv").write_text(table)
    one = all_laws()[law]
    runs = read_columns(tmp_path / "table.csv", (*one.inputs, one.output.column))
    return runs, fit(runs, law, **SETTINGS)


def test_runs_without_its_columns_do_not_offer_it_and_say_which_it_needs(page: Page, broken_law: Path):
    """And a law file that cannot be loaded is named beside the menu."""
    at, *_ = page("bundled:simulated-ladder", "kaplan-params")
    assert "Coverage c(k) needs the columns samples and coverage, which these data lack." in text(at)
    assert f"The law file {broken_law} could not be loaded: AttributeError" in text(at)
    assert not [option for option in menu(at) if "Coverage" in option or "Error rate" in option]


def test_a_file_of_its_columns_alone_offers_it_on_the_fit_page_and_no_law_of_losses(page: Page):
    at, space, source = page(COVERAGE)
    assert "Coverage c(k) can be fitted to this file." in " ".join(
        text(at).replace('<em class="">', "").replace("</em>", "").split()
    )
    assert menu(at) == ["Recommended: none for this table", "Coverage c(k)"]
    at.button(key="try_coverage").click().run()
    assert "Coverage c(k) fits these runs" in text(at)
    assert workspace.values(space)[f"fit:{source}"]["law"] == "coverage"
    at.button(key="undo").click().run()
    assert "can be fitted to this file" in text(at)


def test_the_page_fits_it_as_the_command_does(page: Page, tmp_path: Path):
    at, *_ = page(COVERAGE, "coverage")
    _, made = here(COVERAGE, "coverage", tmp_path)
    said = text(at)
    assert unescape(fit_words.answer(made)) in said
    assert "fits these runs: <i>a</i> = " in said
    assert fit_words.under(made).startswith("95 % intervals: a ")
    assert at.latex[0].value.strip("$\n ") == formula(made)
    assert all(verdict.title in said for verdict in made.verdicts)
    assert "samples 1.0 to 10,000; coverage 0." in said
    assert "Parameters are" not in said
    assert len(at.get("download_button")) == 5
    assert [tab.label for tab in at.tabs] == ["Checks", "Constants", "Residuals", "Forecast test"]
    scope: dict[str, object] = {}
    with chdir(tmp_path):
        exec(at.code[-1].value, scope)
    assert scope["f"].params == made.params  # type: ignore[attr-defined]
    for tab, has in (
        ("Constants", "how many tries"),
        ("Residuals", "a trend shows"),
        ("Forecast test", "larger in samples"),
    ):
        at.session_state["tab"] = tab
        assert has in text(at.run())
        assert "FLOP" not in text(at)
        assert "egret" not in text(at)


def test_its_files_are_those_of_the_command(tmp_path: Path, dropped_in: tuple[str, ...]):
    runs, made = here(COVERAGE, "coverage", tmp_path)
    files = {file.label: file.make() for file in downloads.of_fit(made, runs, fit_words.file_stem(made))}
    assert load_fit(files["JSON"]).params == made.params
    assert "def coverage(samples" in files["Python"]
    assert "c(k)" in files["LaTeX"]
    assert files["Runs with residuals"].count("\n") >= 20


def test_the_picture_is_along_its_input_and_straight_for_a_power_law(tmp_path: Path, dropped_in: tuple[str, ...]):
    runs, made = here(SHOTS, "error-rate", tmp_path)
    drawn = loss_compute.figure(runs, made.law, made)
    assert (drawn.layout.xaxis.title.text, drawn.layout.yaxis.title.text) == ("Shots", "Error rate")
    assert (drawn.layout.xaxis.type, drawn.layout.yaxis.type) == ("log", "log"), (
        "although the rates differ by less than four times"
    )
    assert [trace.name for trace in drawn.data if "band" in (trace.name or "")] == ["the law, 95 % band"]
    assert fit_words.answer(made).startswith("Error rate falls as <em>shots<sup>−0.02")
    assert residuals.inputs(runs, made) == ["shots"]
    runs, made = here(COVERAGE, "coverage", tmp_path)
    drawn = loss_compute.figure(runs, made.law, made)
    (law,) = (trace for trace in drawn.data if "band" in (trace.name or ""))
    low, high = (10**end for end in drawn.layout.yaxis.range)
    assert low < min(law.y), "a law that rises is seen from end to end"
    assert max(law.y) < high
    assert next(a.y for a in drawn.layout.annotations if "beyond" in a.text) == 0, "and does not run through the words"


def test_a_law_of_two_inputs_has_a_curve_for_each_value_of_the_other():
    two = Law(
        key="two", title="Two", latex="s", inputs=("shots", "tries"), cite="-", output=Output("right", "Right", ""),
        formula=lambda shots, tries, a, b, c: a * shots**-b * tries**-c,
        params=(Param("a", "a", "", "", (1e-9, 1e9), anchor=coefficient("shots", "b", tries="c")),
                Param("b", "b", "", "", (0.01, 5.0)), Param("c", "c", "", "", (0.01, 5.0))),
    )  # fmt: skip
    assert two.is_power
    frame = pd.DataFrame([(k, t) for k in (1, 10, 100, 1000) for t in (1, 4, 16)], columns=["shots", "tries"])
    runs = read_columns(
        frame.assign(right=0.9 * frame["shots"] ** -0.3 * frame["tries"] ** -0.1), ("shots", "tries", "right")
    )
    drawn = loss_compute.figure(runs, two, fit(runs, law=two, resamples=0))
    assert sum(trace.name == "the law at one value of tries" for trace in drawn.data) == 3
    # Beyond the largest run all but the least curve leave the picture at its top: each is named where all are seen.
    rising = replace(
        two, formula=lambda shots, tries, a, b, c: a * shots**b * tries**c, unscaled=("shots", "tries"),
        params=tuple(replace(p, anchor=None) for p in two.params),
    )  # fmt: skip
    frame = frame[frame["shots"] < 100 * frame["tries"] ** -0.3]
    steep = read_columns(
        frame.assign(right=1e-6 * frame["shots"] ** 2.0 * frame["tries"] ** 1.5), ("shots", "tries", "right")
    )
    drawn = loss_compute.figure(steep, rising, fit(steep, law=rising, resamples=0))
    assert {"1", "4", "16"} <= {note.text for note in drawn.layout.annotations}


def test_the_same_file_carries_both_and_a_law_of_losses_stays_one_choice_away(page: Page):
    at, space, source = page(BOTH, "kaplan-tokens")
    assert "Loss falls as" in text(at)
    at.session_state["tab"] = "Approaches"  # which this law has nothing for
    at.selectbox(key="fit_law").select("coverage").run()
    assert "Coverage c(k) fits these runs" in text(at)
    assert "Diagnostics" in text(at)
    assert {"Coverage c(k)", "Kaplan L(N)", "Recommended: General L(N, D)"} <= set(menu(at))
    assert "Error rate e(k)" not in menu(at)
    workspace.change(space, "exclude r3", {f"excluded:{source}": ["r3"], f"roles:{source}": {"r19": "held out"}})
    said = text(at.run())
    assert "18 runs fitted" in said
    assert "1 held-out run lies" in said
    at.button(key="undo").click().run()
    assert "20 runs, 0 set aside" in text(at)
    at.selectbox(key="fit_law").select("kaplan-tokens").run()
    assert "Loss falls as" in text(at)


@pytest.mark.parametrize("view", ["runs", "plan", "batch", "compare", "probe"])
def test_every_other_page_stands_and_says_what_to_do(page: Page, view: str):
    at, *_ = page(COVERAGE, "coverage", view)
    said = text(at)
    if view == "runs":
        assert "Samples 1.0 to 10,000, coverage 0." in said
        assert "Read for Coverage c(k), the law chosen on the Fit page." in said
        assert len(at.get("plotly_chart")) == 1
    elif view != "probe":
        assert "Coverage c(k), chosen on the Fit page, has columns of its own: choose another law there" in said
    assert "needs, beside the loss" not in said


def test_the_runs_page_says_that_the_fit_page_fits_it(page: Page):
    at, *_ = page(COVERAGE, view="runs")
    assert "All columns of the law coverage are here: choose it on the Fit page" in text(at)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("samples,coverage\n0,0\n0,0\n", "no row has positive numbers in samples, coverage"),
        ("samples,coverage\n1,0.1\n2,0.2\n", "needs at least 4 runs"),
        ("samples,coverage,Coverage\n1,0.1,0.2\n2,0.2,0.3\n", "Which column holds coverage"),
    ],
)
def test_a_file_that_it_cannot_be_fitted_to_is_a_sentence_with_the_menu_of_laws(page: Page, table: str, says: str):
    at, *_ = page(table, "coverage")
    assert says in text(at)
    assert "Coverage c(k)" in menu(at)


def test_a_law_that_the_data_cannot_carry_leaves_the_page_whole(page: Page):
    at, *_ = page("bundled:simulated-ladder", "coverage")
    assert "Coverage c(k) needs the columns samples, coverage" in text(at)
    assert "Coverage c(k) (these data lack its columns)" in menu(at)
    assert at.button(key="try_broken-params")
