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

    For an infinite critical batch progress is examples.
    """
    steps, batch = run.pieces
    share = _share(batch, crit)
    return tuple(np.cumsum(np.sum(steps * s, axis=1)) for s in (share, share**2))  # type: ignore[return-value]


def open_progress(run: Run, crit: float) -> Array:
    """By how much the progress at each row (n,) may be more or less, for not knowing when around a row the batch changed."""
    steps, batch = run.pieces
    share = _share(batch, crit)
    if run.mean is None:
        either = 0.5 * np.abs(share[:, 1] - share[:, 2]) * np.sum(steps, axis=1)
    else:
        either = np.abs(np.sum(steps[:, 1:] * (share[:, 1:] - share[:, :1]), axis=1)) * run.either
    return np.asarray(np.cumsum(either))


def as_constant(done: float, squares: float, crit: float) -> tuple[float, float]:
    """The batch and the steps of a run of one batch that has made the progress `done`, and whose progress moves alike with `crit`.

    The share of a step moves with log crit by -share (1 - share), so that of the sum is squares / done - 1.
    """
    part = squares / done
    batch = crit * part / max(1.0 - part, 1e-300)
    return batch, done / part


def _share(batch: Array, crit: float) -> Array:
    return batch if np.isinf(crit) else batch / (batch + crit)
