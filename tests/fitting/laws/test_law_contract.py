"""One contract for every law in the folder: a law added tomorrow is tested by this file without an edit."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from fitting import Law, all_laws, fit, offered
from fitting.autodiff import partials_of, seed, value_of
from fitting.export.latex import equation
from fitting.law import LOSS, Param, scale
from fitting.laws import LawKey, not_loaded
from fitting.solver.parametrization import Coordinates, check_units, coordinates
from tests.fitting.laws.plausible import named, plausible

LAWS = list(all_laws().values())
SCALES = ("toy", "small", "huge")
every_law = pytest.mark.parametrize("law", LAWS, ids=lambda law: law.key)
every_scale = pytest.mark.parametrize("scale", SCALES)


def test_the_folder_has_the_laws_promised():
    assert not not_loaded()
    assert set(get_args(get_args(LawKey)[0])) <= {"auto", *all_laws()}
    assert {"chinchilla", "kaplan", "kaplan-params", "kaplan-tokens", "compute", "compute-floor"} <= set(all_laws())


@every_law
def test_declaration(law: Law):
    """The formula takes what is declared, by name and in order, and the words a page needs are there."""
    assert list(inspect.signature(law.formula).parameters) == [*law.inputs, *law.names]
    assert len(set(law.names)) == law.p
    assert law.title
    assert law.cite
    assert "=" in equation(law)
    assert law.output.title
    assert law.output.column not in law.inputs
    assert law.output.bounds[0] < law.output.bounds[1]
    for p in law.params:
        assert p.meaning
        assert p.latex
        assert p.range[0] < p.range[1]
        assert p.latex in law.latex, f"{p.name} does not appear in the formula as written"
        assert not p.log or p.range[0] > 0


@every_law
def test_a_wrong_signature_is_refused(law: Law):
    def formula(wrong, *arguments):
        return wrong

    with pytest.raises(TypeError, match="declaration"):
        replace(law, formula=formula)
    with pytest.raises(TypeError):
        replace(law, params=law.params[:-1])
    with pytest.raises(TypeError):
        replace(law, inputs=law.inputs[::-1] if len(law.inputs) > 1 else ("batch",))


def test_an_anchor_to_nothing_is_refused():
    law = all_laws()["chinchilla"]
    from fitting.law import coefficient

    stray = Param("A", "A", "", "weight", (1e-12, 1e60), anchor=coefficient("params", "gamma"))
    with pytest.raises(TypeError, match="anchored"):
        replace(law, params=(law.params[0], stray, *law.params[2:]))


@every_law
@every_scale
def test_finite_positive_and_falling(law: Law, scale: str, scattered):
    """Wherever its parameters are plausible the law gives a positive output that rises with no input but those declared."""
    x = scattered(law, scale)
    rng = np.random.default_rng(1)
    values = named(law, plausible(law, x, rng, 200))
    loss = law({k: v[None, :] for k, v in x.items()}, values)
    assert loss.shape == (200, 60)
    assert np.all(np.isfinite(loss))
    assert np.all(loss > 0)
    for k in law.inputs:
        more = law({j: v[None, :] * (2.0 if j == k else 1.0) for j, v in x.items()}, values)
        assert np.all(more >= loss if k in law.output.rises else more <= loss), k


@every_law
@every_scale
def test_slopes_are_exact(law: Law, scale: str, scattered):
    """Against finite differences in log parameters, for each parameter and the inputs too."""
    x = scattered(law, scale, n=7)
    rng = np.random.default_rng(2)
    at = [*x.values(), *plausible(law, x, rng)[0]]
    out = law.formula(*seed([np.asarray(v, float) for v in at]))
    d = partials_of(out)
    assert set(d) == set(range(len(at))), "an argument does nothing"
    for k, v in enumerate(at):

        def moved(h: float, k=k, v=v):
            return law.formula(*(v * np.exp(h) if j == k else w for j, w in enumerate(at)))

        h = 1e-3
        wanted = (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h)
        got = np.broadcast_to(d[k] * v, wanted.shape)
        assert np.allclose(got, wanted, rtol=1e-6, atol=1e-9 * np.max(value_of(out))), law.names[k - len(x)]


@every_law
def test_batch_equals_loop(law: Law, scattered):
    """Parameter sets by inputs at once are the same numbers as one by one."""
    x = scattered(law, "small", n=11)
    values = plausible(law, x, np.random.default_rng(3), 5)
    batch = law({k: v[None, :] for k, v in x.items()}, named(law, values))
    for r in range(5):
        for i in range(11):
            one = law({k: v[i] for k, v in x.items()}, dict(zip(law.names, values[r], strict=True)))
            assert np.isclose(batch[r, i], one, rtol=1e-14)


@every_law
@every_scale
def test_units_of_the_inputs_do_not_matter(law: Law, scale: str, scattered):
    """The formula at scaled inputs with scaled parameters is the formula in natural ones, whatever the origin."""
    x = scattered(law, scale)
    rng = np.random.default_rng(4)
    values = plausible(law, x, rng, 20)
    wanted = law({k: v[None, :] for k, v in x.items()}, named(law, values))
    for shift in (1.0, 1e-3, 1e6):
        where = Coordinates(law, {k: shift * float(np.median(v)) for k, v in x.items()}, 3.0, 2.0)
        params = [value_of(p) for p in where.scaled_params(where.internal(values))]
        got = law.formula(*where.scaled(x), *params)
        assert np.allclose(got, wanted, rtol=1e-10, atol=0), shift


@every_law
@every_scale
def test_coordinates_round_trip(law: Law, scale: str, scattered):
    x = scattered(law, scale)
    where = coordinates(law, x, np.array([2.5, 3.5]))
    values = plausible(law, x, np.random.default_rng(5), 50)
    theta = where.internal(values)
    assert np.allclose(where.natural(theta), values, rtol=1e-11, atol=0)
    assert np.allclose(where.internal(where.natural(theta)), theta, rtol=1e-10, atol=1e-11)


@every_law
def test_slopes_in_the_solvers_coordinates(law: Law, scattered):
    """What the solver differentiates: the formula of the scaled parameters, in the internal coordinates."""
    x = scattered(law, "small", n=9)
    where = coordinates(law, x, np.array([2.5, 3.5]))
    theta = where.internal(plausible(law, x, np.random.default_rng(6), 3))
    out = law.formula(*where.scaled(x), *where.scaled_params(theta))
    h = 1e-4
    for k in range(law.p):

        def moved(t: float, k=k):
            return law.formula(*where.scaled(x), *map(value_of, where.scaled_params(theta + t * np.eye(law.p)[k])))

        wanted = (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h)
        assert np.allclose(np.broadcast_to(partials_of(out)[k], wanted.shape), wanted, rtol=1e-7, atol=1e-8)


@every_law
@every_scale
def test_recovers_its_own_data(law: Law, scale: str, scattered, make_runs):
    """Noise-free outputs of the law give its parameters back to 1e-6, cold, wherever the data lie."""
    for trial in range(2):
        x = scattered(law, scale, n=60, seed=trial)
        if law.frontier:  # one best run a budget
            x = {k: np.sort(v) for k, v in x.items()}
        truth = plausible(law, x, np.random.default_rng([7, trial]))[0]
        loss = law(x, dict(zip(law.names, truth, strict=True)))
        f = fit(make_runs(**x, **{law.output.column: loss}), law=law, prior="none", resamples=0)
        assert f.n == 60
        assert np.allclose(f.values, truth, rtol=1e-6, atol=0), dict(zip(law.names, f.values / truth - 1, strict=True))


@every_law
def test_published_constants(law: Law, scattered):
    """They are inside the declared ranges, sourced, and give a loss a language model could have, or an output within bounds."""
    lowest, highest = (1.0, 7.0) if law.output == LOSS else law.output.bounds
    for pub in law.published:
        assert pub.paper
        assert pub.source
        assert set(pub.errors) <= set(law.names)
        for k, v in pub.values.items():
            low, high = law.param(k).range
            assert low <= v <= high, (pub.paper, k)
        x = scattered(law, "small")
        loss = law(x, pub.values)
        assert np.all((loss > lowest) & (loss < highest)), pub.paper
        where = coordinates(law, x, loss)
        theta = where.internal(np.array([pub.values[k] for k in law.names]))
        low, high = where.bounds
        assert np.all((theta > low) & (theta < high)), "a solver's bound would keep the fit from these constants"


@every_law
def test_offered_where_its_columns_are(law: Law):
    everything = {*law.inputs, law.output.column}
    assert offered(everything)[law.key] == ""
    for c in everything:
        assert c in offered(everything - {c})[law.key]


def test_a_declaration_that_forgets_an_anchor_is_refused():
    """Fitted in the data's own units its parameters would come out wrong, to the last digit and with every check passed."""
    chinchilla = all_laws()["chinchilla"]
    for law in all_laws().values():
        check_units(law)
    forgetful = replace(
        chinchilla, params=tuple(replace(p, anchor=None) if p.name == "A" else p for p in chinchilla.params)
    )
    with pytest.raises(TypeError, match=r"without one are A$"):
        check_units(forgetful)
    wrong = replace(
        chinchilla,
        params=tuple(replace(p, anchor=scale("params", "alpha")) if p.name == "A" else p for p in chinchilla.params),
    )
    with pytest.raises(TypeError, match="wrong kind"):
        check_units(wrong)


def test_laws_of_own_columns_keep_the_contract_with_no_other_edit(dropped_in, scattered, make_runs):
    """A file dropped into the folder is all that such a law takes: every check above holds for it as for a law of the loss."""
    given = {"scattered": scattered, "make_runs": make_runs}
    checks = [
        f for f in list(globals().values()) if "law" in getattr(f, "__annotations__", {}) and hasattr(f, "pytestmark")
    ]
    assert len(checks) >= 10
    assert set(dropped_in) == {"coverage", "error-rate"}
    for law in (all_laws()[key] for key in dropped_in):
        assert law.own_columns
        for check in checks:
            names = inspect.signature(check).parameters
            for where in SCALES if "scale" in names else ("",):
                had = {**given, "law": law, "scale": where}
                check(**{name: had[name] for name in names})


def test_the_contract_finds_an_output_that_rises_unsaid(dropped_in, scattered):
    law = all_laws()["coverage"]
    unsaid = replace(law, output=replace(law.output, rises=()))
    with pytest.raises(AssertionError, match="samples"):
        test_finite_positive_and_falling(unsaid, "small", scattered)
