"""The Fit page's figures: what is drawn, from numbers of the fit itself, for every law and for hostile names."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dashboard.charts import forest, loss_compute, marks, residuals, theme
from data import read_runs
from data.library import bundled, load
from fitting import FitError, all_laws, fit, plan

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
HOSTILE = ("<img src=x onerror=alert(1)>", "%{x} <extra>x</extra>", "**b** [x](javascript:1) $a$")


@pytest.fixture(scope="module")
def runs():
    return load("probe-isoflop")


@pytest.fixture(scope="module")
def fits():
    found = {f.law_key: f for f in fitted("probe-isoflop")}
    assert {"chinchilla", "kaplan", "compute", "compute-floor", "general", "overtraining"} <= set(found)
    return found


def fitted(table, without=(), resamples=100):
    """The fits of the laws that a bundled table can carry; the others are refused."""
    found = (fit_or_none(table, key, resamples) for key in all_laws() if key not in without)
    return [f for f in found if f is not None]


@cache
def fit_or_none(table, law, resamples):
    with contextlib.suppress(FitError):
        return fit(load(table), law, resamples=resamples)


def named(figure, name):
    return next(trace for trace in figure.data if trace.name and trace.name.startswith(name))


def read_off(figure) -> list[str]:
    """What a person reads on a figure: the axes with their scales, the legend in its order, the notes; numbers that are fitted as #."""
    axes = ", ".join(
        f"{axis.title.text or '-'} ({axis.type or 'linear'})" for axis in (figure.layout.xaxis, figure.layout.yaxis)
    )
    legend = dict.fromkeys(t.name for t in figure.data if t.name and t.showlegend is not False)
    notes = dict.fromkeys(note.text for note in figure.layout.annotations if note.text)
    lines = [f"axes {axes}", *(f"legend {name}" for name in legend), *(f"note {note}" for note in notes)]
    return [re.sub(r"\d[\d.,]*(–[\d.,]+)?", "#", line) if "floor" in line or "note" in line else line for line in lines]


def held_to(name: str, found: str) -> None:
    """Compares with a golden file; ISOFLOP_GOLDEN=write writes it anew, to be read before it is committed."""
    path = GOLDEN / name
    if os.environ.get("ISOFLOP_GOLDEN") == "write":
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


def test_what_a_person_reads_on_every_law_s_figures(runs, fits):
    said = []
    for key, f in fits.items():
        said += [f"# {key}", *read_off(loss_compute.figure(runs, f.law, f, floor=1.07739))]
        for against in residuals.inputs(runs, f):
            said += [f"## residuals, {against}", *read_off(residuals.figure(runs, f, against))]
        for p in forest.drawn(f):
            said += [f"## forest, {p.name}", *read_off(forest.figure(f, p.name))]
    held_to("fit_figures.txt", "\n".join(said) + "\n")


def test_the_summary_that_every_display_shows():
    table = fit(load("simulated-ladder"), "chinchilla").summary()
    # Two digits of what resampling gives and four of what the optimum does: the same on every platform.
    lines = [
        f"{r['name']} {r['symbol']} [{r['unit']}] {r['value']:.4g} ({r['low']:.2g} to {r['high']:.2g}) {r['meaning']}"
        for r in table.to_dict("records")
    ]
    held_to("summary_simulated_ladder.txt", "\n".join(lines) + "\n")


def test_the_curve_is_the_law_and_its_band(runs, fits):
    for f in fits.values():
        figure = loss_compute.figure(runs, f.law, f)
        x = loss_compute.across(f.law)
        curve = named(figure, "best split" if x == "flops" and "params" in f.law.inputs else "the law")
        at = np.asarray(curve.x, float)
        band = plan(f, flops=at).loss if set(f.law.inputs) == {"params", "tokens"} else f.predict(**{x: at})
        assert np.allclose(curve.y, band.value, rtol=1e-12), f.law_key
        low, high = (t for t in figure.data if t.line.width == 0 and t.fill != "toself")
        assert np.allclose(low.y, band.low, rtol=1e-12), f.law_key
        assert np.allclose(high.y, band.high, rtol=1e-12), f.law_key
        assert at[-1] > 9 * f.ranges[x][1]  # a decade beyond the largest run at least


def test_every_run_is_drawn_once_where_it_belongs(runs, fits):
    one = runs.kept["run"].iloc[3]
    for f in fits.values():
        gone = runs.exclude([one])
        refit = replace(f, runs=tuple(r for r in f.runs if r != one), residuals=f.residuals[[r != one for r in f.runs]])
        figure = loss_compute.figure(gone, f.law, refit)
        count = {t.name: len(t.x) for t in figure.data if t.mode == "markers"}
        assert count["runs"] == refit.n
        assert count["set aside"] == 1
        assert sum(count.values()) == len(gone.kept) + len(gone.set_aside)
        assert named(figure, "set aside").marker.symbol[0] == "circle-open"


def test_a_size_s_curve_holds_the_size_and_has_its_colour(runs, fits):
    f = fits["chinchilla"]
    figure = loss_compute.figure(runs, f.law, f)
    curves = [t for t in figure.data if t.name == "one model size"]
    sizes = sorted(runs.kept["params"].unique())
    assert len(curves) == len(sizes)
    assert sum(t.showlegend for t in curves) == 1
    ends = (sizes[0], sizes[-1])
    for size, curve in zip(sizes, curves, strict=True):
        c = np.asarray(curve.x, float)
        expected = f.law({"params": size, "tokens": c / 6 / size}, f.params)
        assert np.allclose(curve.y, expected, rtol=1e-9)
        assert curve.line.color == marks.colour(size, ends)
    assert [marks.colour(size, ends) for size in ends] == [theme.SEQUENTIAL[0], theme.SEQUENTIAL[-1]]


def test_many_sizes_become_a_handful_and_names_do_not_touch():
    sizes = np.geomspace(1e6, 1e10, 300)
    chosen = loss_compute.handful(sizes)
    assert len(chosen) == loss_compute.MOST_CURVES
    assert chosen[0] == sizes[0]
    assert chosen[-1] == sizes[-1]
    places = [0.9, 0.5, 0.3, 0.28, 0.27, 0.26, 1.4]  # in order of size; the last is out of the window
    named_ones = loss_compute.apart(places)
    assert named_ones == {0, 1, 5}
    kept = sorted(places[k] for k in named_ones)
    assert all(b - a > loss_compute.LABEL_GAP for a, b in itertools.pairwise(kept))


def test_floors_are_drawn_where_they_are_known(runs, fits):
    f = fits["chinchilla"]
    figure = loss_compute.figure(runs, f.law, f, floor=1.07739)
    assert named(figure, "true floor 1.07739").y == (1.07739, 1.07739)
    assert named(figure, "fitted floor").y[0] == f.params["E"]
    band = f.interval("E")
    (shade,) = [s for s in figure.layout.shapes if s.type == "rect"]
    assert shade.y1 == band.high
    assert not any(t.name and t.name.startswith("true floor") for t in loss_compute.figure(runs, f.law, f).data)


def test_what_lies_beyond_the_largest_run_is_hatched(runs, fits):
    figure = loss_compute.figure(runs, fits["chinchilla"].law, fits["chinchilla"])
    hatched = next(t for t in figure.data if t.fill == "toself")
    assert hatched.x[0] == pytest.approx(runs.kept["flops"].max())
    assert any("beyond the largest run" in a.text for a in figure.layout.annotations)


def wild(**changed) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n, d = 10 ** rng.uniform(7, 10, 40), 10 ** rng.uniform(9, 11, 40)
    loss = (1.7 + 400 / n**0.34 + 900 / d**0.33) * np.exp(rng.normal(0, 0.01, 40))
    names = [f"{HOSTILE[i % 3]} {i}" for i in range(40)]
    return pd.DataFrame({"run": names, "params": n, "tokens": d, "loss": loss} | changed)


def test_names_are_shown_letter_for_letter():
    runs = read_runs(wild())
    f = fit(runs, "chinchilla", resamples=50)
    gone = runs.exclude([runs.kept["run"][1]], reason="<b>why</b>")
    figures = [
        loss_compute.figure(gone, f.law, fit(gone, "chinchilla", resamples=50)),
        *(residuals.figure(runs, f, a) for a in residuals.inputs(runs, f)),
    ]
    for figure in figures:
        shown = " ".join(text for t in figure.data if t.text is not None for text in t.text)
        assert "&lt;img" in shown
        assert not re.search(r"<(?!/?b>|br>|/?i>)", shown)
        assert "<b>why" not in shown
        # A name stays data: nothing of it gets into the template that Plotly fills in.
        assert all(t.hovertemplate in (None, "%{text}<extra></extra>") for t in figure.data)


def test_a_run_that_blew_up_stands_at_the_edge():
    table = wild()
    table.loc[3, "loss"] = 12.0
    runs = read_runs(table)
    f = fit(runs, "chinchilla", resamples=50)
    figure = loss_compute.figure(runs, f.law, f)
    top = figure.layout.yaxis.range[1]
    assert top < 6
    dots = named(figure, "runs")
    at = list(runs.kept["run"]).index(table["run"][3])
    assert dots.marker.symbol[at] == "triangle-up"
    assert dots.y[at] < top
    assert "loss 12" in dots.text[at]
    left_over = residuals.figure(runs, f, "params")
    end = left_over.layout.yaxis.range[1]
    assert named(left_over, "runs").y[at] == pytest.approx(residuals.EDGE * end)


def test_residuals_are_percent_above_the_law(runs, fits):
    f = fits["chinchilla"]
    dots = named(residuals.figure(runs, f, "ratio"), "runs")
    above = dict(zip(f.runs, 100 * f.residuals, strict=True))
    assert np.allclose(dots.y, [above[r] for r in runs.kept["run"]])
    assert np.allclose(dots.x, runs.kept["tokens"] / runs.kept["params"])
    run = runs.kept.iloc[0]
    law = f.predict(params=run["params"], tokens=run["tokens"]).value
    assert dots.y[0] == pytest.approx(100 * math.log(run["loss"] / law), rel=1e-9)


def test_the_smoother_finds_a_bend_and_is_not_steered_by_one_run():
    rng = np.random.default_rng(2)
    x = np.sort(rng.uniform(0, 10, 200))
    y = 0.3 * (x - 5) ** 2 + rng.normal(0, 0.2, 200)
    y[100] += 500
    at, line = residuals.smooth(x, y)
    assert np.max(np.abs(line - 0.3 * (at - 5) ** 2)) < 1.2
    straight = residuals.smooth(x, 2 - 3 * x)
    assert np.allclose(straight[1], 2 - 3 * straight[0], atol=1e-9)
    assert residuals.smooth(x[:7], y[:7]) is None
    assert residuals.smooth(np.ones(50), y[:50]) is None


def test_the_forest_holds_every_paper_s_constant(fits):
    for f in fits.values():
        for p in forest.drawn(f):
            figure = forest.figure(f, p.name)
            marked = [t.x[0] for t in figure.data if t.mode == "markers"]
            assert marked == [f.params[p.name], *(pub.values[p.name] for pub in f.law.published)]
            low, high = figure.layout.xaxis.range
            inside = [math.log10(v) if figure.layout.xaxis.type == "log" else v for v in marked]
            assert all(low <= v <= high for v in inside)
            assert list(figure.layout.yaxis.ticktext) == ["these runs", *(pub.paper for pub in f.law.published)]
    assert {p.name for p in forest.drawn(fits["chinchilla"])} == {"E", "alpha", "beta"}


def test_without_a_fit_the_runs_are_still_shown(runs):
    for law in [None, *all_laws().values()]:
        figure = loss_compute.unfitted(runs, law)
        assert len(named(figure, "runs").x) == len(runs)
    only = read_runs(pd.DataFrame({"run": ["a", "b"], "params": [1e6, 2e6], "loss": [3.0, 2.9]}))
    assert loss_compute.unfitted(only, all_laws()["compute"]).layout.xaxis.title.text == "Parameters"
    with pytest.raises(ValueError, match="no run has flops"):
        loss_compute.figure(only, all_laws()["compute"])


# The families are two tables of the ladder's kind, for the Compare page.
@pytest.mark.parametrize("entry", [e for e in bundled() if e.key != "simulated-families"], ids=lambda e: e.key)
def test_every_bundled_set_and_law_gives_figures_of_finite_numbers(entry):
    table = entry.load()
    # A broken power is slow where no break is; `fits` have them.
    found = fitted(entry.key, without=("broken-params", "broken-compute", "broken-tokens"), resamples=20)
    one_size = table.kept["params"].nunique() == 1  # a ladder of batches tells what tokens do, and no more
    assert ({"kaplan-tokens"} if one_size else {"kaplan-params", "compute-floor"}) <= {f.law_key for f in found}
    for f in found:
        figures = [loss_compute.figure(table, f.law, f, floor=entry.true_floor)]
        figures += [residuals.figure(table, f, a) for a in residuals.inputs(table, f)]
        figures += [forest.figure(f, p.name) for p in forest.drawn(f)]
        for figure in figures:
            assert np.isfinite([*figure.layout.xaxis.range, *figure.layout.yaxis.range]).all()
            assert figure.layout.xaxis.range[0] < figure.layout.xaxis.range[1]
            for trace in figure.data:
                assert np.isfinite(np.asarray(trace.x, float)).all()
                assert np.isfinite(np.asarray(trace.y, float)).all()
        assert figures[0].layout.height >= 480


@pytest.mark.parametrize("law", ["chinchilla", "compute-floor"])
def test_no_band_is_drawn_under_a_floor_that_is_known(law):
    runs = load("probe-isoflop")
    floor = 0.999 * runs.kept["loss"].min()  # bands go under it where runs are
    f = fit(runs, law, resamples=300)
    for known, cut in ((floor, True), (None, False)):
        out = loss_compute.figure(runs, f.law, f, floor=known)
        low = next(t for t, filled in itertools.pairwise(out.data) if filled.fill == "tonexty").y
        assert (min(low) >= floor) == cut
        assert any(t.name and "cut at the true floor" in t.name for t in out.data) == cut
