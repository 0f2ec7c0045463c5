"""Exact derivatives by forward-mode automatic differentiation: a number that carries its slopes along.

A law's formula is ordinary NumPy. Called with `Dual` parameters it returns its value together with its partial
derivatives, exact to rounding, so that no law has to spell out a gradient and none can get one wrong.

Partials are kept in a dictionary and only where they are not zero: a Chinchilla formula has two powers and costs two
exponentials whether or not slopes are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray
Partials = dict[int, Any]


class Dual:
    """A value (any broadcastable shape) and its partial derivatives by parameter index."""

    __slots__ = ("partials", "value")

    def __init__(self, value: Any, partials: Partials) -> None:
        self.value = value
        self.partials = partials

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if ufunc.__name__ in _COMPARED and method == "__call__" and not kwargs:
            return ufunc(*map(value_of, inputs))
        rule = _RULES.get(ufunc.__name__)
        if rule is None or method != "__call__" or kwargs:
            raise TypeError(f"a law's formula may not use numpy.{ufunc.__name__}: no derivative is known for it")
        return rule(*inputs)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if function is not np.where or len(args) != 3 or kwargs:
            raise TypeError(f"a law's formula may not use numpy.{function.__name__}: no derivative is known for it")
        return _where(*args)

    def __float__(self) -> float:
        raise TypeError("a law's formula takes arrays: use np.exp for math.exp, and so for every function of math")

    def __lt__(self, other: Any) -> Any:
        return np.less(self.value, value_of(other))

    def __le__(self, other: Any) -> Any:
        return np.less_equal(self.value, value_of(other))

    def __gt__(self, other: Any) -> Any:
        return np.greater(self.value, value_of(other))

    def __ge__(self, other: Any) -> Any:
        return np.greater_equal(self.value, value_of(other))

    def __add__(self, other: Any) -> Dual:
        return _add(self, other)

    __radd__ = __add__

    def __mul__(self, other: Any) -> Dual:
        return _multiply(self, other)

    __rmul__ = __mul__

    def __neg__(self) -> Dual:
        return self._scaled(-self.value, -1.0)

    def __sub__(self, other: Any) -> Dual:
        return _add(self, -other)

    def __rsub__(self, other: Any) -> Dual:
        return _add(-self, other)

    def __truediv__(self, other: Any) -> Dual:
        return _divide(self, other)

    def __rtruediv__(self, other: Any) -> Dual:
        return _divide(other, self)

    def __pow__(self, other: Any) -> Dual:
        return _power(self, other)

    def __rpow__(self, other: Any) -> Dual:
        return _power(other, self)

    def _scaled(self, value: Any, slope: Any) -> Dual:
        """The chain rule for one function of one variable: its value and its slope here."""
        return Dual(value, {k: slope * d for k, d in self.partials.items()})


def seed(values: list[Any]) -> list[Dual]:
    """Independent variables: the k-th has derivative one with respect to index k."""
    return [Dual(v, {k: 1.0}) for k, v in enumerate(values)]


def value_of(x: Any) -> Any:
    """The plain value of a number that may be a `Dual`."""
    return x.value if isinstance(x, Dual) else x


def partials_of(x: Any) -> Partials:
    """The partial derivatives of a number that may be a `Dual` (none for a plain one)."""
    return x.partials if isinstance(x, Dual) else {}


def stretches(x: Any, first: Array) -> Any:
    """Sums (..., n) over consecutive stretches of the last axis (..., M) of `x`, which begin at `first` (n,), rising."""

    def total(v: Any) -> Array:
        return np.add.reduceat(np.broadcast_to(v, np.shape(value_of(x))), first, axis=-1)

    if not isinstance(x, Dual):
        return total(x)
    return Dual(total(x.value), {k: total(d) for k, d in x.partials.items()})


def _merge(a: Partials, b: Partials) -> Partials:
    out = dict(a)
    for k, d in b.items():
        out[k] = out[k] + d if k in out else d
    return out


def _add(a: Any, b: Any) -> Dual:
    return Dual(value_of(a) + value_of(b), _merge(partials_of(a), partials_of(b)))


def _subtract(a: Any, b: Any) -> Dual:
    return _add(a, -b)


def _multiply(a: Any, b: Any) -> Dual:
    u, v = value_of(a), value_of(b)
    left = {k: d * v for k, d in partials_of(a).items()}
    right = {k: d * u for k, d in partials_of(b).items()}
    return Dual(u * v, _merge(left, right))


def _divide(a: Any, b: Any) -> Dual:
    u, v = value_of(a), value_of(b)
    w = u / v
    left = {k: d / v for k, d in partials_of(a).items()}
    right = {k: -d * (w / v) for k, d in partials_of(b).items()}
    return Dual(w, _merge(left, right))


def _power(base: Any, exponent: Any) -> Dual:
    """base ** exponent for a positive base (the only kind a scaling law has)."""
    u, v = value_of(base), value_of(exponent)
    log_u = np.log(u)
    w = np.exp(v * log_u)  # several times cheaper than np.power, and as exact for these magnitudes
    left = {k: d * (w * v / u) for k, d in partials_of(base).items()}
    right = {k: d * (w * log_u) for k, d in partials_of(exponent).items()}
    return Dual(w, _merge(left, right))


def _log_add_exp(a: Any, b: Any) -> Dual:
    """log(e^a + e^b), whose slopes are the shares of the two terms."""
    u, v = value_of(a), value_of(b)
    ahead = u - v
    with np.errstate(over="ignore"):  # far apart, the smaller one's share is nothing
        rest = 1.0 / (1.0 + np.exp(ahead))
    # np.logaddexp itself has no vector instructions: it took three times as long as all this.
    w = np.maximum(u, v) - np.log(np.maximum(rest, 1.0 - rest))
    left = {k: d * (1.0 - rest) for k, d in partials_of(a).items()}
    right = {k: d * rest for k, d in partials_of(b).items()}
    return Dual(w, _merge(left, right))


def _where(condition: Any, a: Any, b: Any) -> Dual:
    """One of two numbers, place by place, with its slopes."""
    take = value_of(condition)
    left = {k: np.where(take, d, 0.0) for k, d in partials_of(a).items()}
    right = {k: np.where(take, 0.0, d) for k, d in partials_of(b).items()}
    return Dual(np.where(take, value_of(a), value_of(b)), _merge(left, right))


def _choose(of: np.ufunc, first: np.ufunc) -> Callable[[Any, Any], Dual]:
    """The smaller or the larger of two numbers, with the slopes of the one taken (of the first where they are equal)."""

    def rule(a: Any, b: Any) -> Dual:
        u, v = value_of(a), value_of(b)
        return Dual(of(u, v), _where(first(u, v), a, b).partials)

    return rule


def _unary(f: Callable[[Any], Any], slope: Callable[[Any, Any], Any]) -> Callable[[Dual], Dual]:
    def rule(x: Dual) -> Dual:
        y = f(x.value)
        return x._scaled(y, slope(x.value, y))

    return rule


_COMPARED = ("less", "less_equal", "greater", "greater_equal")  # what they give has no slope
_RULES: dict[str, Callable[..., Dual]] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "power": _power,
    "logaddexp": _log_add_exp,
    "minimum": _choose(np.minimum, np.less_equal),
    "maximum": _choose(np.maximum, np.greater_equal),
    "negative": _unary(np.negative, lambda x, y: -1.0),
    "exp": _unary(np.exp, lambda x, y: y),
    "expm1": _unary(np.expm1, lambda x, y: y + 1.0),
    "log": _unary(np.log, lambda x, y: 1.0 / x),
    "log1p": _unary(np.log1p, lambda x, y: 1.0 / (1.0 + x)),
    "sqrt": _unary(np.sqrt, lambda x, y: 0.5 / y),
}
