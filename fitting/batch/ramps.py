"""Runs whose batch changes on the way, each as a run of one batch: the same progress, and the same doubt about it.

By the hyperbola a step of batch b makes 1 / (1 + B_crit / b) of what a step of an endless batch makes (McCandlish et al. 2018,
arXiv 1812.06162), so that S_min = sum s / (1 + B_crit / b) over the steps s at each batch. How that sum moves with B_crit is how
it moves for one batch between the smallest and the largest: counted as a run of that batch, a ramp bears on the critical batch
and on its interval as it should.
"""

from __future__ import annotations

import numpy as np

from fitting.batch.ladder import Run

Array = np.ndarray


def progress(run: Run, crit: float) -> tuple[Array, Array]:
    """What a run has done at each of its rows (n,), in steps of an endless batch, and the sum of the squared shares (n,).

    For an infinite critical batch progress is examples. Between rows the mean of both shares counts.
    """
    share = run.batch if np.isinf(crit) else 1.0 / (1.0 + crit / run.batch)
    return _along(run.step, share), _along(run.step, share**2)


def as_constant(done: float, squares: float, crit: float) -> tuple[float, float]:
    """The batch and the steps of a run of one batch that has made the progress `done`, and whose progress moves alike with `crit`.

    The share of a step moves with log crit by -share (1 - share), so that of the sum is squares / done - 1.
    """
    part = squares / done
    batch = crit * part / max(1.0 - part, 1e-300)
    return batch, done / part


def _along(step: Array, share: Array) -> Array:
    between = np.diff(step) * 0.5 * (share[1:] + share[:-1])
    return np.asarray(step[0] * share[0] + np.concatenate([[0.0], np.cumsum(between)]))
