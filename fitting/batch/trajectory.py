"""The whole run before it is made: Kaplan's L(N, S) with six constants, at any size and any batch.

L = (N_c / N)^aN + (S_c (1 + B_crit(L) / B) / S)^aS with B_crit(L) = B* / L^(1/aB) (Kaplan et al. 2020, arXiv 2001.08361, eq.
5.3 to 5.6): the critical batch is that of the loss reached, so the equation is implicit, with one root. Adding up steps
with the critical batch of each moment on the way is another law with fewer steps (the early ones cost less); it is not
what is computed here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from data.alike import Alike
from fitting.amounts import count as amount
from fitting.arguments import an_input, as_numbers, in_short, is_one_of, one_number, together
from fitting.band import LEVEL, Band, from_draws
from fitting.errors import FitError
from fitting.shown import shown

Array = np.ndarray

NAMES = ("N_c", "alpha_N", "S_c", "alpha_S", "B_star", "alpha_B")
ROUNDS = 100
CLOSE = 1e-9  # of log(L - floor): the step that is smaller leaves its square


@shown()
@dataclass(frozen=True, eq=False)
class Trajectory(Alike):
    """Six constants in coordinates that stay finite: `centred` (6,) and from refits `drawn` (R, 6).

    They are log of the floor at `anchors[0]` parameters, log alpha_N, log of what training adds at `anchors[1]` steps, log
    alpha_S, log of the critical batch at a loss of `anchors[2]`, and -log alpha_B. `one_size` says that all runs had one size:
    then the floor is that size's, alpha_N is none, and no other size can be asked about. `unit` is what a batch counts, `setup`
    how the runs were trained, `notes` what to know first, a sentence each.
    """

    centred: Array
    drawn: Array
    anchors: tuple[float, float, float]
    unit: str
    setup: str = ""
    notes: tuple[str, ...] = ()
    one_size: bool = False

    @property
    def values(self) -> Array:
        """N_c, alpha_N, S_c, alpha_S, B*, alpha_B (6,); N_c and alpha_N are nan where there is one size."""
        return self._natural(self.centred)

    @property
    def draws(self) -> Array:
        """The same (R, 6) from refits."""
        return self._natural(self.drawn)

    def constant(self, name: str, level: float = LEVEL) -> Band:
        """One constant by its name in NAMES, with its interval."""
        if not is_one_of(name, NAMES):
            raise FitError(f"A training-curve law has the constants {', '.join(NAMES)}; it has no {in_short(name)}.")
        return self._band(lambda c: self._natural(c)[..., NAMES.index(name)], level)

    @property
    def warning(self) -> str:
        """One sentence to show wherever these constants are used."""
        where = f" ({self.setup.rstrip('.')})" if self.setup else ""
        return (
            f"These constants hold for one setup{where}: text, tokeniser, context, schedule and optimiser. "
            "Do not use them for another setup without runs of your own."
        )

    def floor(self, params: Any = None, level: float = LEVEL) -> Band:
        """The lowest loss that a model of this size reaches however long it trains, (N_c / N)^aN."""
        n = self._sizes(params)
        return self._band(lambda c: self._floor(c, n), level)

    def b_crit(self, loss: Any, level: float = LEVEL) -> Band:
        """The critical batch at a loss, B* / L^(1/aB): there a run takes twice the fewest steps and twice the least data."""
        at = an_input("loss", loss)
        return self._band(lambda c: self._critical(c, at), level)

    def s_min(self, params: Any, loss: Any, level: float = LEVEL) -> Band:
        """The fewest steps to a loss, at very large batches; infinite at or below the floor."""
        n, at = together({"params": self._sizes(params), "loss": an_input("loss", loss)}).values()
        return self._band(lambda c: self._fewest(c, n, at), level)

    def e_min(self, params: Any, loss: Any, level: float = LEVEL) -> Band:
        """The least data to a loss, in `unit`, at very small batches; infinite at or below the floor."""
        n, at = together({"params": self._sizes(params), "loss": an_input("loss", loss)}).values()
        return self._band(lambda c: self._fewest(c, n, at) * self._critical(c, at), level)

    def steps(self, params: Any, batch: Any, loss: Any, level: float = LEVEL) -> Band:
        """The steps to a loss at a batch, S_min (1 + B_crit(L) / B); infinite at or below the floor."""
        asked = {"params": self._sizes(params), "batch": an_input("batch", batch), "loss": an_input("loss", loss)}
        n, b, at = together(asked).values()
        return self._band(lambda c: self._fewest(c, n, at) * (1.0 + self._critical(c, at) / b), level)

    def curve(self, params: Any, batch: Any, steps: Any, level: float = LEVEL) -> Band:
        """The loss after so many steps at a batch: the root of the implicit equation, with the band of the law."""
        asked = {"params": self._sizes(params), "batch": an_input("batch", batch), "steps": an_input("steps", steps)}
        n, b, s = together(asked).values()
        return self._band(lambda c: np.exp(log_loss(c, self.anchors, n, b, s)), level)

    def reachable(self, params: Any, loss: float) -> str:
        """'' where a size can reach a loss; else one sentence that says it can't, or that it is not sure."""
        (value, low, high), loss = self.floor(params), one_number("loss", loss)
        if loss <= value:
            return f"No training takes this size to {loss:g}: its lowest loss is {value:.4g}. Ask for more, or for a larger model."
        if np.isfinite(high) and loss <= high:
            return f"Whether this size reaches {loss:g} is uncertain: its lowest loss lies between {low:.4g} and {high:.4g}."
        return ""

    def _sizes(self, params: Any) -> Array:
        if self.one_size:
            given = an_input("params", self.anchors[0] if params is None else params)
            if not np.all(np.abs(given / self.anchors[0] - 1.0) < 0.01):
                raise FitError(
                    f"All runs fitted had {amount(self.anchors[0])} parameters, so the law holds for no other size. "
                    "Add batch-size sweeps or long runs of other sizes."
                )
            return np.full_like(given, self.anchors[0])
        if params is None:
            raise FitError("Give the model size: these constants hold for any number of parameters.")
        return an_input("params", params)

    def _floor(self, c: Array, n: Array) -> Array:
        slope = 0.0 if self.one_size else np.exp(c[..., 1])
        return np.asarray(np.exp(c[..., 0] - slope * np.log(n / self.anchors[0])))

    def _critical(self, c: Array, loss: Array) -> Array:
        return np.asarray(np.exp(c[..., 4] - np.exp(c[..., 5]) * np.log(loss / self.anchors[2])))

    def _fewest(self, c: Array, n: Array, loss: Array) -> Array:
        over = loss - self._floor(c, n)
        with np.errstate(all="ignore"):
            reached = self.anchors[1] * np.exp((c[..., 2] - np.log(over)) / np.exp(c[..., 3]))
        return np.where(over > 0.0, reached, np.inf)

    def _natural(self, c: Array) -> Array:
        with np.errstate(over="ignore"):
            a_n, a_s, k = np.exp(c[..., 1]), np.exp(c[..., 3]), np.exp(c[..., 5])
            n_c = self.anchors[0] * np.exp(c[..., 0] / a_n)
            s_c = self.anchors[1] * np.exp(c[..., 2] / a_s)
            b_star = np.exp(c[..., 4] + k * np.log(self.anchors[2]))
        if self.one_size:
            n_c, a_n = np.full_like(n_c, np.nan), np.full_like(a_n, np.nan)
        return np.stack([n_c, a_n, s_c, a_s, b_star, 1.0 / k], axis=-1)

    def _band(self, ask: Callable[[Array], Array], level: float) -> Band:
        with np.errstate(all="ignore"):
            best = np.asarray(ask(self.centred), float)
            columns = self.drawn.reshape(len(self.drawn), *(1,) * best.ndim, 6)
            drawn = np.asarray(ask(columns), float)
        return from_draws(best, drawn.reshape(len(self.drawn), *best.shape), level)


def log_loss(c: Array, anchors: tuple[float, float, float], params: Array, batch: Array, steps: Array) -> Array:
    """Log of the root of the implicit equation at coordinates `c` (..., 6), the rest broadcast against its leading axes."""
    return slopes(c, anchors, params, batch, steps, only_value=True)[0]


def slopes(
    c: Array, anchors: tuple[float, float, float], params: Array, batch: Array, steps: Array, only_value: bool = False
) -> tuple[Array, Array]:
    """Log loss (...) and its derivatives (..., 6) by the coordinates, by the implicit function theorem.

    In u = log(L - floor) the equation is h(u) = u - [t + aS log(S_0 / S) + aS log(1 + B_crit(L) / B)] = 0, whose slope lies
    between 1 and 1 + aS / aB: one root, bracketed by B_crit = 0 and by a step of slope 1 from there. Newton, with bisection
    where it would leave the bracket.
    """
    log_n, log_s, log_b = np.log(params / anchors[0]), np.log(steps / anchors[1]), np.log(batch)
    a_n, a_s, k = np.exp(c[..., 1]), np.exp(c[..., 3]), np.exp(c[..., 5])
    floor = np.exp(c[..., 0] - a_n * log_n)
    start = c[..., 2] - a_s * log_s
    at_one = c[..., 4] + k * np.log(anchors[2]) - log_b  # log of B_crit / B at a loss of 1
    floor, start, at_one, a_s, k = np.broadcast_arrays(floor, start, at_one, a_s, k)

    def off(u: Array) -> tuple[Array, Array, Array, Array]:
        over = np.exp(u)
        x = at_one - k * np.log(floor + over)
        return u - start - a_s * _softplus(x), x, over, floor + over

    low = start
    high = low - off(low)[0]
    u, before = high, np.inf
    for _ in range(ROUNDS):
        h, x, over, loss = off(u)
        low, high = np.where(h < 0, u, low), np.where(h > 0, u, high)
        slope = 1.0 + a_s * k * over / loss * expit(x)
        new = u - h / slope
        good = (new > low) & (new < high) & (np.abs(h) < 0.5 * before)
        new = np.where(good | (np.abs(new - u) < CLOSE), new, 0.5 * (low + high))
        moved = np.abs(new - u)
        u, before = new, np.abs(h)
        if not np.any(moved > CLOSE):
            break
    h, x, over, loss = off(u)
    value = np.log(loss)
    if only_value:
        return value, np.empty(0)
    share = expit(x)
    slope = 1.0 + a_s * k * over / loss * share
    f, g = floor / loss, over / loss / slope  # d log L = f d log floor + (over / L) du
    by_floor = f - g * a_s * k * share * f
    by_a_s = g * (_softplus(x) - log_s) * a_s
    by_k = -g * a_s * share * (value - np.log(anchors[2])) * k
    columns = [by_floor, -by_floor * a_n * log_n, g, by_a_s, g * a_s * share, by_k]
    return value, np.stack(np.broadcast_arrays(*columns), axis=-1)


def _softplus(x: Array) -> Array:
    """log(1 + e^x), several times faster than logaddexp."""
    return np.asarray(np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x))))


def of_constants(values: Any, unit: str, setup: str = "", notes: tuple[str, ...] = ()) -> Trajectory:
    """The law at six given constants (N_c, alpha_N, S_c, alpha_S, B*, alpha_B), without intervals. FitError for any not positive."""
    v = as_numbers(values)
    if v is None or v.shape != (6,) or not np.all(np.isfinite(v) & (v > 0)):
        raise FitError(
            f"Six positive constants ({', '.join(NAMES)}) make a training-curve law; they were {in_short(values)}."
        )
    n_c, a_n, s_c, a_s, b_star, a_b = v
    anchors = (1e8, 1e4, 3.0)
    centred = [
        a_n * np.log(n_c / anchors[0]), np.log(a_n), a_s * np.log(s_c / anchors[1]), np.log(a_s),
        np.log(b_star) - np.log(anchors[2]) / a_b, -np.log(a_b),
    ]  # fmt: skip
    return Trajectory(np.array(centred), np.empty((0, 6)), anchors, unit, setup, notes)


# N_c, aN, S_c, aS: table 3; B*, aB: eq. 5.3. The paper prints no intervals.
KAPLAN = of_constants(
    (6.5e13, 0.077, 2.1e3, 0.76, 2e8, 0.21),
    "tokens",
    "Kaplan et al. 2020: WebText2, its tokeniser of 50,257, context 1024, Adam, N without embeddings, after 3000 steps of warm-up",
    ("For comparison alone: such constants differ much from one setup to the next (arXiv 2403.06563).",),
)
