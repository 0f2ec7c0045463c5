"""Every rule of differentiation against finite differences, and what has no rule is refused."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fitting.autodiff import _RULES, Dual, partials_of, seed, value_of

positive = st.floats(0.05, 20.0)

BINARY = {
    "add": (np.add, operator.add),
    "subtract": (np.subtract, operator.sub),
    "multiply": (np.multiply, operator.mul),
    "divide": (np.divide, operator.truediv),
    "power": (np.power, operator.pow),
    "logaddexp": (np.logaddexp, np.logaddexp),
    "minimum": (np.minimum, np.minimum),
    "maximum": (np.maximum, np.maximum),
}
UNARY = ("negative", "exp", "expm1", "log", "log1p", "sqrt")


def slope(f, x: float) -> float:
    """A central difference with Richardson's correction: about 1e-10 relative for smooth f."""
    h = 1e-3 * x
    d = lambda h: (f(x + h) - f(x - h)) / (2 * h)  # noqa: E731
    return (64 * d(h / 4) - 20 * d(h / 2) + d(h)) / 45


def close(a: float, b: float, scale: float = 1.0) -> bool:
    return abs(a - b) <= 1e-7 * (abs(b) + scale * 1e-3)


def test_every_rule_is_tested_here():
    assert set(_RULES) == {*BINARY, *UNARY}


@pytest.mark.parametrize("name", BINARY)
@given(x=positive, y=st.floats(0.1, 4.0))
def test_binary_rules(name: str, x: float, y: float):
    """Both slopes, as operator and as ufunc, with the dual number on the left, on the right and on both sides."""
    assume(name not in ("minimum", "maximum") or abs(x / y - 1) > 0.01)  # the kink itself has no slope to compare with
    ufunc, op = BINARY[name]
    wanted = (slope(lambda v: float(ufunc(v, y)), x), slope(lambda v: float(ufunc(x, v)), y))
    for f in (ufunc, op):
        a, b = seed([np.float64(x), np.float64(y)])
        for out, keys in ((f(a, b), (0, 1)), (f(a, y), (0,)), (f(x, b), (1,)), (f(np.float64(x), b), (1,))):
            assert np.isclose(value_of(out), ufunc(x, y), rtol=1e-14)
            assert set(partials_of(out)) == set(keys)
            for k in keys:
                assert close(float(partials_of(out)[k]), wanted[k], abs(float(ufunc(x, y)))), (f, k)


def test_the_smaller_of_arrays_takes_its_slopes_place_by_place():
    (a,) = seed([np.array([1.0, 2.0, 3.0])])
    out = np.minimum(2.0 * a, 4.0)
    assert value_of(out).tolist() == [2.0, 4.0, 4.0]
    assert partials_of(out)[0].tolist() == [2.0, 2.0, 0.0]  # where they are equal, the first one's
    assert partials_of(np.maximum(4.0, 2.0 * a))[0].tolist() == [0.0, 0.0, 2.0]


@pytest.mark.parametrize("name", UNARY)
@given(x=positive)
def test_unary_rules(name: str, x: float):
    f = getattr(np, name)
    (a,) = seed([np.float64(x)])
    out = f(a)
    assert np.isclose(value_of(out), f(x), rtol=1e-15)
    assert close(float(partials_of(out)[0]), slope(lambda v: float(f(v)), x), abs(float(f(x))))


@given(x=positive)
def test_operators_on_the_number_itself(x: float):
    (a,) = seed([np.float64(x)])
    assert partials_of(-a) == {0: -1.0}
    assert close(float(partials_of(3.0 - a)[0]), -1.0)
    assert close(float(partials_of(a**-0.5)[0]), -0.5 * x**-1.5)
    assert close(float(partials_of(2.0**a)[0]), np.log(2.0) * 2.0**x)
    assert close(float(partials_of(a * a / a)[0]), 1.0)


@given(st.lists(positive, min_size=3, max_size=3))
def test_chain_rule_through_a_deep_expression(xs: list[float]):
    """Against the complex step, which has no rounding of its own to speak of."""

    def f(a, b, c):
        return np.log(a + b**-c) * np.exp(-a / b) + np.sqrt(c * a) / (1.0 + np.log1p(b)) - np.expm1(-c)

    out = f(*seed([np.float64(x) for x in xs]))
    for k in range(3):
        z = [complex(x, 1e-30 if i == k else 0.0) for i, x in enumerate(xs)]
        wanted = f(*(np.complex128(v) for v in z)).imag / 1e-30
        assert np.isclose(float(partials_of(out)[k]), wanted, rtol=1e-11, atol=1e-13)


def test_arrays_broadcast_and_keep_their_slopes():
    rows, cols = np.linspace(1, 2, 4)[:, None], np.linspace(3, 5, 3)
    a, b = seed([rows, np.float64(2.0)])
    out = cols * a**b + cols
    assert value_of(out).shape == (4, 3)
    assert np.allclose(partials_of(out)[0], 2 * rows * cols)
    assert np.allclose(partials_of(out)[1], cols * rows**2 * np.log(rows))


@pytest.mark.parametrize(
    "use",
    [
        lambda a: np.sin(a),
        lambda a: np.fmax(a, 1.0),
        lambda a: np.abs(a),
        lambda a: np.log10(a),
        lambda a: np.floor_divide(a, 2.0),
        lambda a: np.add.reduce(a),
        lambda a: np.add(a, 1.0, out=np.zeros(3)),
        lambda a: np.exp(a, where=np.array([True, False, True])),
    ],
    ids=["sin", "fmax", "abs", "log10", "floor_divide", "reduce", "out", "where"],
)
def test_what_has_no_rule_is_refused(use):
    """A formula must never come out with a slope that is silently missing."""
    (a,) = seed([np.ones(3)])
    with pytest.raises(TypeError):
        use(a)


def test_nothing_turns_a_dual_into_a_plain_number():
    (a,) = seed([np.float64(2.0)])
    with pytest.raises(TypeError):
        float(a)
    with pytest.raises(TypeError):
        np.array([1.0, 2.0]).__iadd__(a)
    assert isinstance(np.float64(3.0) * a, Dual)
    assert isinstance(np.arange(1.0, 4.0) ** a, Dual)


def test_a_choice_between_two_numbers_has_the_slopes_of_the_one_taken():
    """np.where with any comparison of arrays and parameters; what has no derivative is named."""
    n = np.array([1.0, 2.0, 4.0])
    for condition in (
        lambda a: n > a, lambda a: np.greater(n, a), lambda a: a < n, lambda a: np.less(a, n), lambda a: a <= n - 0.5,
    ):  # fmt: skip
        a, b = seed([1.5, 3.0])
        out = np.where(condition(a), a * n, b)
        assert np.array_equal(value_of(out), [3.0, 3.0, 6.0])
        assert np.array_equal(partials_of(out)[0], [0.0, 2.0, 4.0])
        assert np.array_equal(partials_of(out)[1], [1.0, 0.0, 0.0])
    (a,) = seed([1.5])
    for f, said in ((np.sum, "numpy.sum"), (np.sin, "numpy.sin"), (math.exp, "np.exp for math.exp")):
        with pytest.raises(TypeError, match=said):
            f(a)
