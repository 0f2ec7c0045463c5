"""Which runs move a quantity most when they are left out together: ranked by one Gauss-Newton step, up and down apart."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fitting.solver.solver import Problem, slopes

Array = np.ndarray
STEP = 1e-4


def runs_to_drop(prob: Problem, theta: Array, measure: Callable[[Array], Array]) -> Array:
    """Run indices (n,), from the one whose absence raises `measure` most to the one whose absence lowers it most.

    `measure` takes coordinates (R, p) and returns (R,). The k first (or last) are, to first order, the k runs that move
    it most together (Broderick, Giordano and Meager 2020, arXiv 2011.14999, section 2).
    """
    r, jac = (a[0] for a in slopes(prob, theta[None, :]))
    p = len(theta)
    ends = measure(np.vstack([theta + STEP * np.eye(p), theta - STEP * np.eye(p)]))
    gradient = np.nan_to_num((ends[:p] - ends[p:]) / (2 * STEP))
    pull = np.clip(r, -prob.delta, prob.delta)
    share = np.minimum(1.0, prob.delta / np.maximum(np.abs(r), 1e-300))
    unit = np.maximum(np.linalg.norm(jac, axis=1), 1e-300)
    curve = (jac * share) @ jac.T / np.outer(unit, unit)
    # Without run i the gradient of the objective loses j_i psi_i, and the optimum moves by the inverse curvature times it.
    effect = (gradient / unit) @ np.linalg.pinv(curve, rcond=1e-10, hermitian=True) @ (jac * pull / unit[:, None])
    return np.argsort(-effect, kind="stable")
