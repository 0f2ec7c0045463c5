"""What a law may be called, and what its LaTeX may leave out: refused at the declaration, or made to work everywhere."""

from __future__ import annotations

import inspect
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fitting import Fit, FitError, Law, backtest, fit
from fitting.export.latex import equation
from fitting.held_out import HeldOut
from fitting.law import TAKEN, Param
from fitting.solver.parametrization import check_units
from tests.own_laws import COVERAGE, of_input

COVERED = replace(
    COVERAGE, key="covered", output=replace(COVERAGE.output, title="Coverage, ā", unit="share"), latex="e^{-a k^{-b}}"
)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    k = np.geomspace(1, 10_000, 30)
    noise = np.exp(0.02 * np.random.default_rng(0).normal(size=k.size))
    return pd.DataFrame({"samples": k, "coverage": np.clip(COVERED.formula(k, 2.5, 0.35) * noise, 0, 1)})


def called(name: str) -> Law:
    """The law with its input called so."""

    def formula(**given):
        return COVERED.formula(given[name], given["a"], given["b"])

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    formula.__signature__ = inspect.Signature([inspect.Parameter(k, kind) for k in (name, "a", "b")])
    return of_input(name, formula)


@pytest.mark.parametrize("name", sorted(TAKEN - {"self"}))
def test_names_that_results_need_are_refused_where_a_law_is_declared(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name} is an argument of predict, or a column .*Call it otherwise"):
        called(name)
    with pytest.raises(TypeError, match="Call it otherwise"):
        replace(COVERED, output=replace(COVERED.output, column=name))


def test_every_name_that_would_be_overwritten_is_among_them(table: pd.DataFrame) -> None:
    found = fit(table, law=COVERED, resamples=20)
    arguments = {k for k, p in inspect.signature(Fit.predict).parameters.items() if p.kind is not p.VAR_KEYWORD}
    held = HeldOut(("a",), np.ones(1), np.ones(1), found.predict(samples=[1.0]), True, "coverage")
    frames = (found.to_frame(table), backtest(found, table, resamples=20).to_frame(), held.to_frame())
    columns = {c for frame in frames for c in frame if c not in ("samples", "coverage", "cut_samples")}
    assert arguments | columns <= TAKEN


def test_latex_without_a_left_side_gets_the_output_s_title(table: pd.DataFrame) -> None:
    found = fit(table, law=COVERED, resamples=20)
    # Of what LaTeX has for text in a formula, KaTeX, which the page shows it with, knows no mbox; text needs amsmath.
    assert equation(COVERED) == r"\textrm{Coverage, \={a}} = e^{-a k^{-b}}"
    assert r"\textrm{Coverage, \={a}} = e^{-2." in found.to_latex()
    within = replace(COVERED, latex=r"\prod_{i=1}^{9} e^{-a k^{-b}}")
    assert r"= \prod_{i=1}^{9} e^{-2." in replace(found, law=within).to_latex()
    whole = replace(COVERED, latex=r"a(k) = e^{-a k^{-b}}")
    assert "a(k) = e^{-2." in replace(found, law=whole).to_latex()


def test_a_ceiling_that_an_output_rises_towards_is_no_floor() -> None:
    """A floor is kept under the mean of the output; the ceiling of noise-free rows comes back, whatever its range."""

    def risen(samples, a, b, C):
        return C - a * samples**-b

    k = np.geomspace(1, 1024, 16)
    for sign in (1.0, -1.0):
        ceiling = Param("C", "C", "", "what many samples reach", (0.0, 1.0), log=False)
        law = replace(COVERAGE, formula=risen, params=(*COVERAGE.params, ceiling))
        if sign < 0:  # the weight itself below 0, of inputs as they are
            weight = Param("a", "a", "", "what few samples lack", (-1.0, 0.0), log=False)
            law = replace(
                law, formula=lambda samples, a, b, C: C + a * samples**-b, params=(weight, *law.params[1:]), unscaled=("samples",)
            )  # fmt: skip
        table = pd.DataFrame({"samples": k, "coverage": 0.82 - 0.45 * k**-0.6})
        assert fit(table, law=law, resamples=0).params == pytest.approx(
            {"a": sign * 0.45, "b": 0.6, "C": 0.82}, rel=1e-3
        )
        assert not law.param("C").is_floor


def test_an_exponent_below_0_is_tried_without_a_warning() -> None:
    """Warnings fail the tests; in a terminal this one stood under every command."""
    law = replace(COVERAGE, params=(COVERAGE.params[0], replace(COVERAGE.params[1], range=(-4.0, -0.05), log=False)))
    assert not law.is_linear
    assert not law.is_power


def test_an_exponent_of_the_other_sign_is_named() -> None:
    def grown(samples, a, b):
        return a * samples**b

    with pytest.raises(TypeError, match=r"exponent b has the other sign .* A x\^-b .* range below 0"):
        check_units(replace(COVERAGE, formula=grown))


def test_an_output_between_0_and_1_in_per_cent_is_told_so(table: pd.DataFrame) -> None:
    with pytest.raises(
        FitError, match=r"coverage lies between 0 and 1\. These look like per cent: divide coverage by 100\."
    ):
        fit(table.assign(coverage=100 * table["coverage"]), law=COVERED)
    with pytest.raises(FitError, match=r"between 0 and 1\. Check the unit of coverage, or exclude 1 such run\."):
        fit(table.assign(coverage=[7.0, *table["coverage"][1:]]), law=COVERED)
