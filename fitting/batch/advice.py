"""Where a planned run's batch, learning rate or critical batch is taken from: a paper, the person's own runs, or a number.

Every critical batch here is McCandlish's, in tokens a step: Zhang's is turned into it by the identity between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from data.alike import Alike
from fitting.arguments import in_short, one_number, takes
from fitting.batch.along import AlongLoss
from fitting.batch.growth import Growth
from fitting.batch.published import CRITICAL, OPTIMAL, PUBLISHED, RATE, PublishedLaw
from fitting.batch.rates import RateLaw
from fitting.errors import FitError
from fitting.shown import shown

Array = np.ndarray
Run = Mapping[str, Array]

# Zhang et al. 2024: critical is where steps are 20 % above linear scaling from 256 sequences.
ZHANG_OVERHEAD, ZHANG_BASE = 0.2, 256.0


@shown()
@dataclass(frozen=True, eq=False)
class Advice(Alike):
    """One quantity of a run from its params, tokens, flops and loss, arrays by name.

    `gives` is "learning rate", "optimal batch" or "critical batch", the last two in tokens a step. `value` keeps the shape of
    the run's arrays; `drawn` takes them as (R, K) and uses another of the law's own draws in each row, where it has any.
    `outside` says what the law was found on where a run lies beyond it, else '', and `note` what to know before using it;
    `warnings` is what its measurement said against itself, which goes with every plan that rests on it.
    """

    title: str
    gives: str
    value: Callable[[Run], Array]
    drawn: Callable[[Run], Array]
    outside: Callable[[Run], str]
    note: str = ""
    warnings: tuple[str, ...] = ()


def from_paper(key: str) -> Advice:
    """A published law of a rate or a batch by its key in `PUBLISHED`, taken as exact. FitError for one that is not there."""
    laws = {law.key: law for law in PUBLISHED if law.gives in (CRITICAL, OPTIMAL, RATE)}
    if not isinstance(key, str) or key not in laws:
        raise FitError(
            f"There is no published law of a rate or a batch called {in_short(key)}; there are {', '.join(laws)}."
        )
    law = laws[key]
    if law.gives == CRITICAL and law.key.startswith("zhang"):

        def ask(run: Run) -> Array:
            beyond = law(**run) - (1.0 + ZHANG_OVERHEAD) * ZHANG_BASE
            return np.where(beyond > 0, beyond, np.nan) / ZHANG_OVERHEAD * (law.seq_len or 1)

        note = "Turned from Zhang's definition into McCandlish's, three to four times larger."
    elif law.gives in (CRITICAL, OPTIMAL):
        ask, note = (lambda run: law.tokens(**run)), law.note
    else:
        ask, note = (lambda run: law(**run)), law.note
    return Advice(f"{law.paper}", law.gives, ask, ask, lambda run: _outside(law, run), note)


def _outside(law: PublishedLaw, run: Run) -> str:
    return law.exceeded(**{name: run[name] for name in law.inputs})


@takes(law=RateLaw)
def from_runs(law: RateLaw, gives: str, ranges: Mapping[str, tuple[float, float]]) -> Advice:
    """A law refitted from a person's own grid of runs, with its own doubt. `ranges` are the ends of what was run."""

    def drawn(run: Run) -> Array:
        c = law.draws[np.arange(len(run["params"])) % max(1, len(law.draws))]
        return np.exp(c[:, :1] + c[:, 1:2] * np.log(run["params"]) + c[:, 2:] * np.log(run["tokens"]))

    return Advice(
        "Your runs",
        gives,
        lambda run: law(run["params"], run["tokens"]),
        drawn if len(law.draws) else lambda run: law(run["params"], run["tokens"]),
        lambda run: _beyond(run, ranges),
    )


@dataclass(frozen=True, eq=False)
class Line(Alike):
    """A power law with its doubt as plain numbers: log y at `middle` and the exponent, `best` (2,) and `draws` (R, 2)."""

    best: Array
    draws: Array
    middle: float

    def __call__(self, x: Any, c: Array) -> Array:
        """y at x for constants `c` (2,), or (R, 2) with x (R, K)."""
        log = np.log(np.asarray(x, float) / self.middle)
        return np.exp(c[..., :1] + c[..., 1:] * log)


def line_of(law: Growth | AlongLoss, draws: int = 400, seed: int = 0) -> Line:
    """The law of measured critical batches as such numbers: its own draws, or Student's t with what its points leave open."""
    if isinstance(law, AlongLoss):
        return Line(law.best, law.draws[:draws], law.middle)
    rng = np.random.default_rng([seed, 3])
    best = np.array([law.log_middle, law.slope])
    spread = np.zeros((draws, 1))
    if law.freedom > 0:
        spread = law.spread * np.sqrt(law.freedom / rng.chisquare(law.freedom, size=(draws, 1)))
    room = np.sum((np.log(law.x) - np.mean(np.log(law.x))) ** 2)
    off = spread * rng.standard_normal((draws, 2)) / np.sqrt([len(law.x), room])
    return Line(best, best + off, float(np.exp(np.mean(np.log(law.x)))))


def from_sweep(
    line: Line, along: str, unit_tokens: float, ends: tuple[float, float], warnings: tuple[str, ...] = ()
) -> Advice:
    """Critical batches that a person measured, as a power of "params" or "loss" between `ends`.

    `unit_tokens` is how many tokens one unit of the measured batches has: 1, or a sequence's length. `warnings` are what the
    critical batches themselves came with.
    """

    def drawn(run: Run) -> Array:
        x = np.asarray(run[along], float)
        return line(x, line.draws[np.arange(len(x)) % len(line.draws)]) * unit_tokens

    return Advice(
        "Your batch sweep",
        CRITICAL,
        lambda run: line(run[along], line.best[None, :]) * unit_tokens,
        drawn,
        lambda run: _beyond(run, {along: ends}),
        warnings=warnings,
    )


def a_number(value: float, gives: str) -> Advice:
    """The same number whatever the run. Raises FitError unless it is positive."""
    value = one_number(f"The {gives}", value)

    def ask(run: Run) -> Array:
        return np.full(np.shape(run["flops"]), float(value))

    return Advice("A number you gave", gives, ask, ask, lambda run: "")


def _beyond(run: Run, ranges: Mapping[str, tuple[float, float]]) -> str:
    words = {"params": "parameters", "tokens": "tokens", "loss": "nats per token"}
    said = [
        f"{low:.3g} to {high:.3g} {words[name]}".replace("e+0", "e").replace("e+", "e")
        for name, (low, high) in ranges.items()
        if np.any(run[name] < 0.995 * low) or np.any(run[name] > 1.005 * high)
    ]
    return " and ".join(said)


def papers(gives: str) -> dict[str, Any]:
    """The published laws of one quantity that fit a language model's run, key to paper, in a stable order."""
    return {law.key: law.paper for law in PUBLISHED if law.gives == gives and not law.key.startswith("video")}
