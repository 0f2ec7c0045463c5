"""What is no number, or no table, is answered in a sentence of ours by all that reads batches: no error of others, no warning."""

from __future__ import annotations

import traceback
import warnings

import numpy as np
import pandas as pd
import pytest

from data.errors import DataError
from data.read import from_frame
from data.steps.tables import steps_table
from fitting import FitError, fit, plan
from fitting.batch import (
    a_number,
    adaptive_batch,
    along_loss,
    critical_batch,
    curve_groups,
    curves,
    decayed,
    final_groups,
    fit_trajectory,
    from_paper,
    growth,
    held_out,
    noise_scale,
    published,
    rate_laws,
    steps_to_target,
)

BATCHES = 2.0 ** np.arange(6, 12)
STEPS = 1000 * (1 + 600 / BATCHES)
LOGGED = np.unique(np.geomspace(20, 20000, 20).astype(int)).astype(float)
CURVES = pd.DataFrame(
    [(f"r{b:g}", b, s, 2 + (3e3 / (s / (1 + 600 / b))) ** 0.4) for b in BATCHES for s in LOGGED],
    columns=["run", "batch", "step", "loss"],
)
FINAL = pd.DataFrame(
    [(b, t, 2 + 30 * (t / (1 + b / 600)) ** -0.25) for b in BATCHES for t in (1e6, 4e6, 1.6e7, 6.4e7)],
    columns=["batch", "tokens", "loss"],
)
ONES, RISING = np.ones(20), np.linspace(10.0, 1000.0, 20)
WRONG = (
    None, "a", "2.4", np.nan, np.inf, -np.inf, -1, 0, [2.4], [1, 2], [[1.0], [2.0, 3.0]], True, {}, np.array([]), 1e300, 1e-300,
    10**400, pd.DataFrame({"x": [1, 2]}), object(),
)  # fmt: skip


def broken(frame):
    """Tables that are none: without rows or columns, and each column with text, blanks, negative or endless numbers in it."""
    yield from (frame.iloc[:0], pd.DataFrame())
    for column in [c for c in frame if c != "run"]:
        for what in ("abc", np.nan, -1.0):
            yield frame.assign(**{column: what})
        for what in ("abc", "2.4", np.inf):
            yield frame.assign(**{column: frame[column].astype(object).where(np.arange(len(frame)) != 3, what)})


def ours(error: Exception) -> bool:
    """Whether an error was raised by a line of the project, in words."""
    line = traceback.extract_tb(error.__traceback__)[-1].line or ""
    return isinstance(error, FitError | DataError) or (isinstance(error, TypeError | ValueError) and "raise" in line)


def asked(asks, values) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, ask in asks.items():
            for k, wrong in enumerate(values):
                error = None
                try:
                    ask(wrong)
                except Exception as e:
                    error = e
                assert error is None or ours(error), (name, k, repr(wrong)[:60], repr(error)[:200])
                assert "\n" not in str(error), (name, k, str(error))


def test_numbers_and_tables_that_are_none(noisy):
    chinchilla = fit(noisy, "chinchilla", resamples=5)
    found = critical_batch(BATCHES, STEPS, resamples=5)
    law = growth([1, 10, 100], [2, 6, 20.0])
    reached = [steps_to_target(CURVES, t) for t in (3.5, 4.0, 4.5)]
    table = from_frame(pd.DataFrame({"batch_tokens": BATCHES, "steps_to_target": STEPS}), "steps")
    asked(
        {
            "target": lambda w: steps_to_target(CURVES, w),
            "smooth": lambda w: steps_to_target(CURVES, 3.5, smooth=w),
            "curves": lambda w: steps_to_target(w, 3.5),
            "after": lambda w: curves(CURVES, after=w),
            "rows": lambda w: curves(CURVES, rows=w),
            "frame": curves,
            "trajectory": lambda w: fit_trajectory(w, resamples=2),
            "held out": lambda w: held_out(w, resamples=2),
            "growth x": lambda w: growth(w, [1, 2, 3]),
            "growth y": lambda w: growth([1, 2, 3], w),
            "growth at": law.at,
            "growth level": law.exponent,
            "paper": from_paper,
            "published": published,
            "a number": lambda w: a_number(w, "learning rate"),
            "final": lambda w: decayed(w, resamples=2),
            "final target": lambda w: decayed(FINAL, w, resamples=2),
            "one exponent": lambda w: decayed(FINAL, one_exponent=w, resamples=2),
            "batch": lambda w: critical_batch(w, STEPS, resamples=2),
            "steps": lambda w: critical_batch(BATCHES, w, resamples=2),
            "doubt": lambda w: critical_batch(BATCHES, STEPS, doubt=w, resamples=2),
            "steps at": found.steps_at,
            "examples at": found.examples_at,
            "overhead": lambda w: found.overhead_batch(64, w),
            "groups": curve_groups,
            "groups by": lambda w: curve_groups(CURVES, w),
            "final groups": final_groups,
            "noise small": lambda w: noise_scale(w, ONES, 1, 8),
            "noise big": lambda w: noise_scale(9 * ONES, w, 1, 8),
            "noise batch": lambda w: noise_scale(9 * ONES, ONES, 1, w),
            "noise steps": lambda w: noise_scale(9 * ONES, ONES, 1, 8, w),
            "rates": lambda w: rate_laws(w, resamples=2),
            "progress": lambda w: adaptive_batch(w, RISING, ratio=1.0),
            "noise": lambda w: adaptive_batch(RISING, w, ratio=1.0),
            "ratio": lambda w: adaptive_batch(RISING, RISING, ratio=w),
            "examples": lambda w: adaptive_batch(RISING, RISING, examples=w),
            "along": lambda w: along_loss(w, resamples=2),
            "along refits": lambda w: along_loss(reached, resamples=w),
            "fit": fit,
            "by": lambda w: steps_table(table, by=w),
            "hours": lambda w: plan(chinchilla, hours=w),
            "money": lambda w: plan(chinchilla, money=w, price=2.0),
        },
        WRONG,
    )  # fmt: skip


def test_tables_whose_columns_hold_no_numbers():
    asked(
        {"target": lambda w: steps_to_target(w, 3.5), "curves": curves, "groups": curve_groups},
        broken(CURVES),
    )
    asked({"final": lambda w: decayed(w, resamples=2), "groups": final_groups}, broken(FINAL))


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: steps_to_target(CURVES, -1), "target is a positive number, a loss; it was -1"),
        (lambda: steps_to_target(CURVES, "2.4"), "target is a positive number, a loss; it was '2.4'"),
        (lambda: steps_to_target(CURVES, [2.4]), "ask for each alone"),
        (lambda: steps_to_target(CURVES, 3.5, smooth=None), "smooth is a weight from 0 to below 1"),
        (lambda: steps_to_target(CURVES.assign(loss=np.nan), 3.5), "positive batch, step and loss; there are none"),
        (lambda: steps_to_target(CURVES.assign(batch=-1), 3.5), "positive batch, step and loss; there are none"),
        (lambda: steps_to_target(CURVES.assign(loss="x"), 3.5), "The column loss holds numbers; it has 'x'"),
        (lambda: decayed(FINAL.assign(batch="x")), "The column batch holds numbers; it has 'x'"),
        (lambda: curves(CURVES, rows=0), "1 or more; it was 0"),
        (lambda: growth("abc", [1, 2, 3]), "x are numbers"),
        (lambda: from_paper("zz"), "no published law of a rate or a batch called 'zz'; there are"),
        (lambda: decayed(FINAL, one_exponent="x"), "one_exponent is True, False or None; it was 'x'"),
        (lambda: decayed(None), "Final losses are a frame"),
        (lambda: fit(None), "runs is a table of runs"),
    ],
)
def test_the_sentence_says_what_was_meant(ask, words):
    with pytest.raises(FitError, match=words):
        ask()
