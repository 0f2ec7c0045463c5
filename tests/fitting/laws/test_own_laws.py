"""Laws made in memory, and a law of another output than the loss: from a table to the export, and read back."""

from __future__ import annotations

import json
import math
import pickle
import subprocess
import sys
from dataclasses import replace
from io import StringIO

import numpy as np
import pandas as pd
import pytest

from dashboard.charts import loss_compute
from data import MappingNeeded, NothingKept, load, read_runs
from data.own_columns import read_columns
from fitting import FitError, Law, backtest, compare_families, compare_laws, fit, load_fit, plan
from fitting.export import residuals_to_csv
from fitting.held_out import forecasts
from fitting.law import Output, Param, coefficient
from fitting.same_runs import without
from fitting.solver.parametrization import check_units
from tests.own_laws import ERROR_RATE
from tests.own_laws import SAMPLES_DRAWN as COVERAGE

coverage, error_rate = COVERAGE.formula, ERROR_RATE.formula


def toy(params, tokens, A, B, g):
    return A * params**-g + B * tokens**-g


TOY = Law(
    key="toy",
    title="Toy L(N, D)",
    formula=toy,
    latex=r"L = A N^{-g} + B D^{-g}",
    inputs=("params", "tokens"),
    params=(
        Param("A", "A", "nats params^g", "weight of size", (1e-12, 1e60), anchor=coefficient("params", "g")),
        Param("B", "B", "nats tokens^g", "weight of data", (1e-12, 1e60), anchor=coefficient("tokens", "g")),
        Param("g", "g", "", "how fast the loss falls", (0.001, 3.0)),
    ),
    cite="made up for a test",
)


def shots(noise: float = 0.05) -> pd.DataFrame:
    k = np.geomspace(100, 10_000, 25)
    told = error_rate(k, 5.96, 0.5) * np.exp(noise * np.random.default_rng(3).standard_normal(25))
    return pd.DataFrame({"shots": k, "error_rate": told, "run": [f"k={x:.0f}" for x in k]})


TRUE = (5.0, 9.0, 0.07)


def sweep(noise: float = 0.02, seed: int = 0) -> pd.DataFrame:
    k = np.geomspace(1, 10_000, 25)
    told = coverage(k, 2.1, 0.31) * np.exp(noise * np.random.default_rng(seed).standard_normal(25))
    return pd.DataFrame({"Samples drawn": k, "coverage": np.minimum(told, 1.0), "model": [f"k={x:.0f}" for x in k]})


def test_coverage_goes_from_a_table_to_a_fit_and_its_exports(tmp_path):
    check_units(COVERAGE)
    frame = sweep()
    frame.to_csv(tmp_path / "coverage.csv", index=False)
    f = fit(tmp_path / "coverage.csv", law=COVERAGE, resamples=300)
    assert f.n == 25
    for name, true in {"a": 2.1, "b": 0.31}.items():
        band = f.interval(name)
        assert band.low <= true <= band.high
        assert band.high / band.low < 1.2
    there = f.predict(samples_drawn=300.0)
    assert there.low <= coverage(300.0, 2.1, 0.31) <= there.high <= 1.0
    back = load_fit(f.to_json(), law=COVERAGE)
    assert back.law is COVERAGE
    assert back.predict(samples_drawn=300.0) == there
    (tmp_path / "law.py").write_text(f.to_python())
    said = subprocess.run(
        [sys.executable, "-c", "import law; print(law.coverage(300.0))"], cwd=tmp_path, capture_output=True, text=True, check=True
    )  # fmt: skip
    assert float(said.stdout) == pytest.approx(there.value, rel=1e-12)
    drawn = loss_compute.figure(read_columns(frame, ("samples_drawn", "coverage")), COVERAGE, f)
    assert drawn.layout.yaxis.title.text == "Coverage"
    (runs,) = (trace for trace in drawn.data if trace.name == "runs")
    assert np.allclose(sorted(runs.y), sorted(frame["coverage"]))
    assert "c(k)" in f.to_latex()
    assert "nats" not in f.to_latex() + f.to_python() + repr(f) + "".join(map(str, f.terms().to_numpy().ravel()))
    assert json.loads(f.to_json())["law"] == "coverage"


def test_what_a_law_of_its_own_cannot_say_is_a_sentence(tmp_path):
    with pytest.raises(MappingNeeded, match=r"no column samples_drawn"):
        read_columns(pd.DataFrame({"k": [1, 2], "coverage": [0.1, 0.2]}), ("samples_drawn", "coverage"))
    with pytest.raises(NothingKept, match="no row has positive numbers"):
        read_columns(pd.DataFrame({"samples_drawn": [0.0], "coverage": [0.1]}), ("samples_drawn", "coverage"))
    over = sweep(0.0)
    over.loc[3, "coverage"] = 1.2
    with pytest.raises(FitError, match=r"coverage of 1\.2"):
        fit(over, law=COVERAGE, resamples=0)
    f = fit(sweep(), law=COVERAGE, resamples=0)
    with pytest.raises(FitError, match="samples_drawn"):
        plan(f, flops=1e21)
    with pytest.raises(FitError, match=r"not here.*load_fit\(path, law=\.\.\.\)"):
        load_fit(f.to_json())
    # A law given is the one that was fitted, as a law or by its key.
    for given, said in (
        (TOY, "of the law 'coverage'; law is 'toy'"),
        ("general", "of the law 'coverage'; law is 'general'"),
        ("coverage", "not here"),
        (3, "law is a Law or a str, or None; it was 3"),
    ):
        with pytest.raises(FitError, match=said):
            load_fit(f.to_json(), law=given)


def test_a_row_without_a_number_is_set_aside_with_its_reason():
    frame = sweep()
    frame["coverage"] = frame["coverage"].astype(object)
    frame.loc[2, "coverage"] = "crashed"
    runs = read_columns(frame, ("samples_drawn", "coverage"))
    assert len(runs) == 24
    assert list(runs.set_aside["reason"]) == ["no positive coverage"]
    assert runs.digest != read_columns(sweep(seed=1), ("samples_drawn", "coverage")).digest


def test_the_index_of_a_frame_names_its_runs():
    """As in a table of losses: names without or with a name of the index, numbers that are no plain count; a column goes first."""
    frame = pd.DataFrame({"shots": [100.0, 200.0, 400.0], "error_rate": [0.5, 0.4, 0.3]})
    m, plain = ["m0", "m1", "m2"], ["table 1", "table 2", "table 3"]
    for index, names in (
        (m, m),
        (pd.Index(m, name="experiment"), m),
        (pd.Index(m, name="run"), m),
        ([5, 7, 9], ["5", "7", "9"]),
        ([0, 1, 2], plain),
    ):
        given = frame.set_axis(index, axis=0)
        for source in (given, [given]):
            assert list(read_columns(source, ("shots", "error_rate")).kept["run"]) == names, index
    for read in (
        lambda f: read_columns(f, ("shots", "error_rate")),
        lambda f: read_runs(f.assign(params=1e7 * f["shots"], loss=3 + f["error_rate"])),
    ):
        twice = read(frame.set_axis(["r3", "r4", "r3"], axis=0))
        assert sum("several rows 'r3'" in note for note in twice.notes) == 1, twice.notes
        assert not any("several rows" in note for note in read(frame.set_axis(m, axis=0)).notes)
    own = frame.assign(run=list("abc")).set_axis(m, axis=0)
    assert list(read_columns(own, ("shots", "error_rate")).kept["run"]) == list("abc")
    named = shots().drop(columns="run").set_axis([f"m{k}" for k in range(25)], axis=0)
    found = fit(named, law=ERROR_RATE, exclude=["m0"], resamples=0)
    assert found.settings.excluded == ("m0",)
    assert found.runs[0] == "m1"


def test_runs_held_out_are_forecast_and_not_fitted(tmp_path):
    """A column `role`, in a frame or a file, and runs that the caller holds out: the fit is that of the other rows."""
    frame = sweep()
    out = np.isin(np.arange(len(frame)), (23, 24))
    frame.loc[out, "coverage"] = 0.2  # far from the law: a fit that saw them would say so
    alone = fit(frame[~out], law=COVERAGE, resamples=50)
    names = tuple(frame["model"][out])
    told = frame.assign(role=np.where(out, "held out", "fitted"))
    told.to_csv(tmp_path / "told.csv", index=False)
    columns = ("samples_drawn", "coverage")
    ways = {
        "a frame": told,
        "a file": tmp_path / "told.csv",
        "a flag": frame.assign(**{"held out": np.where(out, "yes", "no")}),
        "blanks": frame.assign(split=np.where(out, "held out", "")),
        "the caller": read_columns(frame, columns).hold_out(names),
    }
    for way, table in ways.items():
        f = fit(table, law=COVERAGE, resamples=50)
        assert f.settings.held_out == names, way
        assert f.params == alone.params, way
        assert f.digest == alone.digest, way
        apart = forecasts(f, table)
        assert apart.runs == names, way
        assert np.all(apart.actual == 0.2), way
        assert not apart.inside.any(), way
        assert list(apart.to_frame()["coverage"]) == [0.2, 0.2], way
    crashed = told.astype({"coverage": object})
    crashed.loc[out, "coverage"] = "crashed"
    assert "role" not in read_columns(crashed, columns).kept, "no row left is held out"
    with pytest.raises(FitError, match="none is left to fit"):
        fit(frame.assign(role="held out"), law=COVERAGE, resamples=0)


def test_a_prediction_keeps_to_the_bounds_that_are_declared():
    """At one shot the formula says 5.96, and no error rate exceeds 1: value and ends are cut, and the notes say so."""
    f = fit(shots(), law=ERROR_RATE, resamples=300)
    for of in ("law", "run"):
        one = f.predict(shots=1.0, of=of)
        assert tuple(one) == (1.0, 1.0, 1.0), of
        assert any("0 to 1" in note and "error rate" in note for note in one.notes), of
        many = f.predict(shots=np.geomspace(1, 1e5, 60), of=of)
        assert np.all((many.low >= 0) & (many.low <= many.value) & (many.value <= many.high) & (many.high <= 1)), of
        assert np.any(many.value < 1), of
        inside = f.predict(shots=1000.0, of=of)
        assert not any("cut" in note for note in inside.notes), of
        assert inside.value == pytest.approx(error_rate(1000.0, f.params["a"], f.params["b"]), rel=0.1), of
    edge = f.predict(shots=float((f.params["a"] / 0.999) ** (1 / f.params["b"])), of="law")
    assert edge.value == pytest.approx(0.999)
    assert edge.high == 1.0
    assert any("interval is cut" in note for note in edge.notes)


def test_a_row_at_a_bound_is_set_aside_aloud():
    """A rate of 0 is inside 0 to 1 and has no logarithm: the table says why it is set aside, and so does the fit."""
    frame = shots()
    frame.loc[[4, 9], "error_rate"] = 0.0
    frame.loc[7, "error_rate"] = np.nan
    frame.loc[11, "error_rate"] = 1.0  # at the other bound, where nothing is in the way
    runs = read_columns(frame, ("shots", "error_rate"))
    assert runs.reasons == {"error_rate is 0, and logarithms are fitted": 2, "no positive error_rate": 1}
    f = fit(frame, law=ERROR_RATE, resamples=50, exclude=["k=100"])
    assert f.n == 21
    assert not {*frame["run"][[0, 4, 7, 9]]} & {*f.runs}
    (note,) = (v for v in f.verdicts if v.key == "aside")
    assert note.state == "caution"
    assert note.sentence.startswith("3 rows of table are not fitted: error_rate is 0")
    assert "(2)" in note.sentence
    assert "excluded" not in note.sentence
    assert note in load_fit(f.to_json(), law=ERROR_RATE).verdicts
    assert not any(v.key == "aside" for v in fit(shots(), law=ERROR_RATE, resamples=0, exclude=["k=100"]).verdicts)


def test_a_plan_keeps_to_the_bounds_that_are_declared():
    n, d = (x.ravel() for x in np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5)))
    noise = np.exp(0.02 * np.random.default_rng(0).standard_normal(25))
    frame = pd.DataFrame({"params": n, "tokens": d, "error_rate": 0.2 * toy(n, d, *TRUE) * noise})
    law = replace(TOY, key="toy-rate", output=Output("error_rate", "Error rate", "", bounds=(0.0, 1.0)))
    f = fit(frame, law=law, resamples=50)
    low = plan(f, flops=1e6)
    for band in (low.loss, low.loss_run, low.band(lambda run: run["loss"])):
        assert tuple(band) == (1.0, 1.0, 1.0)
    assert sum("0 to 1" in note for note in low.notes) == 1, low.notes
    assert not any("cut" in note for note in plan(f, flops=1e19).notes)
    with pytest.raises(FitError, match=r"Error rate lies in 0 to 1; it was asked for 1\.5"):
        plan(f, loss=1.5)


def test_a_law_made_in_memory_is_fitted_planned_saved_and_read_back(tmp_path):
    n, d = (x.ravel() for x in np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5)))
    frame = pd.DataFrame({"params": n, "tokens": d, "loss": toy(n, d, *TRUE)})
    f = fit(frame, law=TOY, resamples=50)
    assert f.params["g"] == pytest.approx(0.07, rel=1e-6)
    p = plan(f, flops=1e22)
    assert p.params.value == pytest.approx(
        (TRUE[0] / TRUE[1]) ** (1 / TRUE[2]) * p.tokens.value, rel=1e-3
    )  # A N^-g = B D^-g
    f.to_json(tmp_path / "fit.json")
    back = load_fit(tmp_path / "fit.json", law=TOY)
    assert back.params == f.params
    assert back.predict(params=1e10, tokens=1e12) == f.predict(params=1e10, tokens=1e12)
    assert pickle.loads(pickle.dumps(f)).params == f.params
    assert math.isclose(back.predict(params=1e10, tokens=1e12).value, toy(1e10, 1e12, *TRUE), rel_tol=1e-6)


def success(params, shots, c, a, b):
    return np.exp(-c * params**-a * shots**-b)


SUCCESS = Law(
    key="success",
    title="Success s(N, k)",
    formula=success,
    latex=r"s = e^{-c N^{-a} k^{-b}}",
    inputs=("params", "shots"),
    params=(
        Param("c", "c", "params^a shots^b", "how hard the tasks are", (1e-9, 1e30), anchor=coefficient("params", "a", shots="b")),
        Param("a", "a", "", "how fast size helps", (0.001, 3.0)),
        Param("b", "b", "", "how fast shots help", (0.001, 3.0)),
    ),
    cite="made up for a test",
    output=Output("success", "Success rate", "", rises=("params", "shots"), bounds=(1e-9, 1.0)),
)  # fmt: skip


def pass_at(params, shots, c, a):
    return 1 - (1 - np.exp(-c * params**-a)) ** shots


PASS_AT = replace(
    SUCCESS,
    key="pass-at",
    formula=pass_at,
    params=(replace(SUCCESS.params[0], unit="params^a", anchor=coefficient("params", "a")), SUCCESS.params[1]),
    unscaled=("shots",),
)


def over_reference(params, E, A, a):
    return E + A * (params / 1e8) ** -a


REFERENCE = Law(
    key="reference",
    title="Of a reference size",
    formula=over_reference,
    latex="L = E + A (N / 10^8)^{-a}",
    inputs=("params",),
    params=(
        Param("E", "E", "nats", "floor", (0.0, 10.0), log=False),
        Param("A", "A", "nats", "weight", (1e-3, 1e2)),
        Param("a", "a", "", "exponent", (0.01, 3.0)),
    ),
    cite="made up for a test",
    unscaled=("params",),
)


def test_a_coefficient_of_two_inputs_and_an_input_without_a_unit():
    """Planted constants come back from tables in other units; without its declaration each form is refused by what it lacks."""
    n, k = (x.ravel() for x in np.meshgrid(np.geomspace(1e7, 1e9, 6), np.geomspace(1, 1000, 6)))
    for law, column, true in (
        (SUCCESS, "success", (300.0, 0.3, 0.2)),
        (PASS_AT, "success", (500.0, 0.3)),
        (REFERENCE, "loss", (1.7, 0.5, 0.3)),
    ):
        given = {"params": n, "tokens": 20 * n, "shots": k}
        table = pd.DataFrame({**given, column: law.formula(*(given[x] for x in law.inputs), *true)})
        found = fit(table, law=law, resamples=0, delta=1e-3)
        assert np.allclose(found.values, true, rtol=1e-4), law.key
        other = fit(table.assign(shots=7 * k), law=law, resamples=0, delta=1e-3) if law is SUCCESS else found
        assert law is not SUCCESS or other.params["c"] == pytest.approx(300.0 * 7**0.2, rel=1e-4)
        assert np.allclose(found.law(given, found.params), table[column], rtol=1e-6), law.key
    term = fit(
        pd.DataFrame({"params": n, "shots": k, "success": success(n, k, 300.0, 0.3, 0.2)}), law=SUCCESS, resamples=0
    ).terms()
    assert term["value"][0] == pytest.approx(300.0 * 1e8**-0.3 * 32**-0.2, rel=1e-3)
    assert "params = 1e+08 and shots = 32" in term["meaning"][0]
    for law, said in (
        (replace(SUCCESS, params=(replace(SUCCESS.params[0], anchor=coefficient("params", "a")), *SUCCESS.params[1:])),
         "unit of shots does.*lacks an input"),
        (replace(PASS_AT, unscaled=()), r"unit of shots does.*1 - \(1 - p\)\^k"),
        (replace(REFERENCE, unscaled=()), r"log\(params / 1e9\)"),
    ):  # fmt: skip
        with pytest.raises(TypeError, match=said):
            check_units(law)
    for wrong, said in (
        ({"unscaled": ("params",)}, "anchored to params, which is unscaled"),
        ({"unscaled": ("x",)}, "unscaled are"),
    ):
        with pytest.raises(TypeError, match=said):
            replace(SUCCESS, **wrong)
    with pytest.raises(TypeError, match="which the law does not have"):
        replace(
            SUCCESS,
            params=(replace(SUCCESS.params[0], anchor=coefficient("params", "a", shots="z")), *SUCCESS.params[1:]),
        )


def test_a_formula_that_takes_no_arrays_is_refused_in_a_sentence():
    def by_math(samples_drawn, a, b):
        return math.exp(-a) * samples_drawn**-b

    def by_math_of_inputs(samples_drawn, a, b):
        return a * math.log(samples_drawn) ** -b

    def by_if(samples_drawn, a, b):
        return a if samples_drawn > b else samples_drawn**-b

    def fails(samples_drawn, a, b):
        return {}["no such key"]

    for formula in (by_math, by_math_of_inputs, by_if, fails):
        with pytest.raises(
            TypeError, match=r"law 'coverage': its formula takes no arrays .*np\.exp for math\.exp"
        ) as found:
            check_units(replace(COVERAGE, formula=formula))
        assert "Dual" not in str(found.value), formula


def crowded(shots, error_rate, ORIGIN, RATIO_IDLE, math, ORIGIN_):
    near = np.where(shots > math, ORIGIN, ORIGIN + 1e-3)
    return error_rate * shots**-near + 0.0 * (RATIO_IDLE + ORIGIN_)


def test_a_module_of_its_own_runs_whatever_its_parameters_are_called_and_its_source_says():
    """Names that the module has for other things, quotes and backslashes in a cite; and what has no source is a sentence."""
    text = 'said """so""" \\alpha "x"'
    law = replace(
        ERROR_RATE,
        title='"Error',
        formula=crowded,
        params=tuple(
            Param(n, n, "", n, (1e-3, 10.0)) for n in ("error_rate", "ORIGIN", "RATIO_IDLE", "math", "ORIGIN_")
        ),
        cite=text,
        output=replace(ERROR_RATE.output, title='Error "rate"'),
        unscaled=("shots",),
    )
    f = fit(shots(), law=law, resamples=0)
    made: dict[str, object] = {}
    exec(f.to_python(), made)
    assert made["error_rate"](300.0) == pytest.approx(f.predict(shots=300.0).value, rel=1e-12)
    assert made["ORIGIN"]["digest"] == f.digest
    assert text in made["__doc__"]
    typed: dict[str, object] = {"np": np}
    exec("def error_rate(shots, a, b):\n    return a * shots**-b", typed)

    def of_helper(shots, a, b):
        return math.sqrt(4.0) * coverage(1.0, 0.0, 0.0) * a * shots**-b

    for formula, said in (
        (typed["error_rate"], "has no source"),
        (lambda shots, a, b: a * shots**-b, "plain function|no source"),
        (of_helper, "uses coverage, defined outside it"),
    ):
        with pytest.raises(FitError, match=said):
            fit(shots(), law=replace(ERROR_RATE, formula=formula), resamples=0).to_python()


def test_runs_with_residuals_are_made_of_any_table(tmp_path):
    frame = shots()
    frame.to_csv(tmp_path / "shots.csv", index=False)
    f = fit(frame, law=ERROR_RATE, resamples=0, exclude=["k=100"])
    made = residuals_to_csv(f, frame).splitlines()
    assert made == residuals_to_csv(f, without(read_columns(frame, ("shots", "error_rate")), ["k=100"])[0]).splitlines()
    assert [line.split(",")[:1] for line in made] == [
        line.split(",")[:1] for line in residuals_to_csv(f, tmp_path / "shots.csv").splitlines()
    ]
    said = pd.read_csv(StringIO("\n".join(made)), comment="#").dropna(subset="residual").set_index("run")
    assert np.allclose(said["residual"], f.to_frame(frame)["residual"][said.index]), "one sign, observed less fitted"
    assert sum(line.startswith("k=100,") for line in made) == 1


def test_a_declaration_that_contradicts_itself_is_refused():
    a, b = ERROR_RATE.params

    def nothing(shots):
        return 1.0 / shots

    for wrong, said in (
        ({"output": replace(ERROR_RATE.output, rises=("tokens",))}, "rises with"),
        ({"output": replace(ERROR_RATE.output, column="shots")}, "output shots is one of its inputs"),
        (
            {"output": replace(ERROR_RATE.output, bounds=(1.0, 0.0))},
            r"bounds of its output: the lower end comes first; it was \(1, 0\)",
        ),
        ({"params": (replace(a, range=(1.0, 0.0)), b)}, r"range of a: the lower end comes first; it was \(1, 0\)"),
        ({"params": (replace(a, range=(1.0, math.nan)), b)}, "range of a"),
        ({"params": (replace(a, range=(0.0, 1.0)), b)}, "range of a begins above 0"),
        ({"formula": nothing, "params": ()}, "no parameters"),
    ):
        with pytest.raises(TypeError, match=f"law 'error-rate': .*{said}"):
            replace(ERROR_RATE, **wrong)


def test_the_words_of_a_fit_are_those_of_its_output():
    f = fit(shots(), law=ERROR_RATE, resamples=50)
    said = f.settings.objective + " ".join(v.sentence for v in f.verdicts if v.key in ("outliers", "shape"))
    assert "loss" not in said
    assert "% of the error rate each" in said
    assert "noise of an output with bounds" in f.settings.intervals_reason
    with pytest.raises(FitError, match="a mask of True and False with <NA> at number 3 of 25"):
        fit(
            shots(), law=ERROR_RATE, exclude=pd.Series([True, False, None] + [False] * 22, dtype="boolean"), resamples=0
        )


def test_a_fit_of_a_law_defined_otherwise_says_so(tmp_path):
    """Other parameters, another formula of the same, and other inputs; with refits and without."""
    other_params = replace(
        ERROR_RATE, formula=lambda shots, a, c: a * shots**-c, params=(
            Param("a", "a", "shots^c", "errors at one shot", (1e-9, 1e9), anchor=coefficient("shots", "c")),
            Param("c", "c", "", "how fast more shots help", (0.01, 5.0)),
        )
    )  # fmt: skip
    other_formula = replace(ERROR_RATE, formula=lambda shots, a, b: a * (shots**-b) * (1.0 + shots**-b))
    for resamples in (0, 20):
        f = fit(shots(), law=ERROR_RATE, resamples=resamples)
        f.to_json(tmp_path / "fit.json")
        assert load_fit(tmp_path / "fit.json", law=ERROR_RATE).params == f.params
        for other in (other_params, other_formula):
            with pytest.raises(
                FitError, match=r"'error-rate' was defined otherwise .* load_fit\(path, law=\.\.\.\), or fit"
            ):
                load_fit(tmp_path / "fit.json", law=other)


STEEPER = replace(ERROR_RATE, key="error-floor", title="Error rate with a floor", formula=lambda shots, a, b, c: a * shots**-b + c, params=(
    *ERROR_RATE.params, Param("c", "c", "", "errors that no shots take away", (0.0, 1.0), log=False),
))  # fmt: skip


def test_laws_of_own_columns_are_backtested_and_compared(tmp_path):
    """Larger is by the one input where a table has no FLOPs; the law that was planted forecasts best."""
    table = shots(0.01)
    table.to_csv(tmp_path / "shots.csv", index=False)
    f = fit(table, law=ERROR_RATE, resamples=50)
    test = backtest(f, tmp_path / "shots.csv", resamples=50)
    assert test.along == "shots"
    assert test.cuts[0].largest == pytest.approx(np.quantile(table["shots"], 0.5, method="lower"))
    assert list(test.to_frame().columns) == ["cut_shots", "run", "beyond", "error_rate", "forecast", "low", "high"]
    assert all(c.error < 0.02 and c.regret is None for c in test.cuts)
    assert "larger in shots were off by" in test.sentence
    assert "of the error rate (median)" in test.sentence
    laws = [
        ERROR_RATE,
        STEEPER,
        replace(ERROR_RATE, key="flat", title="Flat", formula=lambda shots, a, b: a * np.log1p(shots) ** -b),
    ]
    for given in (table, tmp_path / "shots.csv", read_columns(table, ("shots", "error_rate"))):
        found = compare_laws(given, laws=laws)
        assert found.along == "shots"
        assert found.held_out == 5
        assert [s.key for s in found.scores][-1] == "flat"
        assert all(s.error < 0.03 for s in found.scores[:2])


def test_of_several_inputs_the_one_that_spans_most_makes_runs_large_where_none_is_named():
    k, w = (x.ravel() for x in np.meshgrid(np.geomspace(10, 1000, 6), np.geomspace(100, 1600, 5)))
    law = replace(
        ERROR_RATE, key="two", formula=lambda breadth, shots, a, b: a * shots**-b * breadth**-0.1, inputs=("breadth", "shots"),
        unscaled=("breadth",), params=(Param("a", "a", "", "", (1e-9, 1e9), anchor=coefficient("shots", "b")), ERROR_RATE.params[1]),
    )  # fmt: skip
    noise = np.exp(0.01 * np.random.default_rng(0).standard_normal(30))
    frame = pd.DataFrame({"shots": k, "breadth": w, "error_rate": 0.9 * k**-0.4 * w**-0.1 * noise})
    f = fit(frame, law=law, resamples=20)
    for ask in (lambda **x: backtest(f, frame, resamples=20, **x), lambda **x: compare_laws(frame, laws=[law], **x)):
        assert ask().along == "shots"
        assert "in order of shots, the input that spans the largest factor" in ask().sentence
        with pytest.raises(FitError, match="along was 'depth'"):
            ask(along="depth")
        assert ask(along="breadth").along == "breadth"
        assert "in order of" not in ask(along="breadth").sentence
    with pytest.raises(FitError, match="laws is a list of laws"):
        compare_laws(frame, laws=["no such law"])
    with pytest.raises(FitError, match="these give error_rate and loss"):
        compare_laws(frame, laws=[law, TOY])


def test_a_changed_objective_of_another_output_is_seen():
    """In a file without a checksum too; its words are others than for a loss."""
    body = json.loads(fit(shots(), law=ERROR_RATE, resamples=0).to_json())
    del body["checksum"]
    assert load_fit(json.dumps(body), law=ERROR_RATE).n == 25
    with pytest.raises(FitError, match="its objective is"):
        load_fit(json.dumps({**body, "objective": 2 * body["objective"]}), law=ERROR_RATE)


def test_other_columns_group_and_leave_out_runs_as_for_the_built_in_laws(tmp_path):
    """A column that no law names is kept: `group` resamples by it, a mask leaves out by it, and a copy in a file says the same."""
    rng = np.random.default_rng(1)
    shared = np.repeat(np.exp(0.2 * rng.standard_normal(5)), 5)
    frame = shots(0.01).assign(prompt=np.repeat(list("abcde"), 5), Sweep=np.repeat(list("vwxyz"), 5), depth=range(25))
    frame["error_rate"] *= shared
    frame.to_csv(tmp_path / "shots.csv", index=False)
    alone = fit(frame, law=ERROR_RATE, intervals="runs", resamples=200).interval("b")
    for given in (frame, tmp_path / "shots.csv"):
        runs = read_columns(given, ("shots", "error_rate"))
        assert runs.extras == ("prompt", "Sweep", "depth")
        assert runs.kept["depth"].dtype == float
        for column in ("prompt", "Sweep"):
            f = fit(given, law=ERROR_RATE, group=column, intervals="groups", resamples=200)
            assert f.settings.grouping == column
            assert f.interval("b").high - f.interval("b").low > 1.5 * (alone.high - alone.low)
        less = fit(runs, law=ERROR_RATE, exclude=runs.kept["prompt"] == "e", resamples=0)
        assert less.n == 20
    with pytest.raises(FitError, match="no column 'colour' to group by; choose one of run, shots, error_rate, prompt"):
        fit(frame, law=ERROR_RATE, group="colour", resamples=0)


def test_columns_of_the_runs_table_group_runs_of_other_laws_too():
    """Sizes and sweeps show shared noise as for a law of losses; numbers whose unit is not known take no part as themselves."""
    frame = shots(0.01).assign(
        params=np.repeat([1.0, 2, 4, 8, 16], 5), group=np.tile(list("abcde"), 5), loss=3.0, role="teacher"
    )
    runs = read_columns(frame, ("shots", "error_rate"))
    assert runs.columns == ("run", "group", "params", "shots", "error_rate")
    assert runs.extras == ("loss (file)", "role (file)")
    assert not len(runs.held_out)
    for column in ("params", "group", "loss (file)", "role"):
        assert runs.called(column) is not None
    f = fit(frame, law=ERROR_RATE, group="params", intervals="groups", resamples=50)
    assert f.settings.grouping == "params"
    frame["params"] = 0.0
    assert "params" not in read_columns(frame, ("shots", "error_rate")).columns


def test_families_are_not_compared_by_a_law_of_own_columns_and_it_is_said_how_else():
    """Whether the table was read or not; and what is said to be done can be done."""
    frame = shots(0.01).assign(kind=["old", "new"] * 12 + ["old"])
    runs = read_columns(frame, ("shots", "error_rate"))
    for given in (frame, runs, load("simulated-ladder")):
        with pytest.raises(FitError) as said:
            compare_families(given, "kind", ERROR_RATE)
        assert (
            "a law of the loss in params and tokens, or in flops; Error rate e(k) gives error_rate from shots."
            in str(said.value)
        )
        assert "fit(runs, law, exclude=runs.kept['kind'] != ...)" in str(said.value)
    assert fit(runs, law=ERROR_RATE, exclude=runs.kept["kind"] != "new", resamples=0).n == 12


def test_a_table_read_for_another_law_has_no_law_recommended():
    runs = read_columns(shots().assign(params=np.geomspace(1e7, 1e9, 25)), ("shots", "error_rate"))
    with pytest.raises(FitError, match="beside a loss"):
        fit(runs)
