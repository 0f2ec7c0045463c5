"""Tables nobody should upload, each as params, tokens, loss and FLOPs or None; what fits them must end, in a fit or a sentence."""

from __future__ import annotations

import numpy as np

ONE_POINT = (
    np.array([794.3285805, 794.32727861, 794.32747923, 794.32376927, 794.33152641, 794.33032742]),
    np.ones(6),
    np.array([3.84714552, 3.84714567, 3.84714564, 3.84714606, 3.84714519, 3.84714532]),
    np.ones(6),
)

ONE_SIZE = (
    np.ones(8),
    np.array([0.43568027, 3.7257504, 0.43568027, 0.43568027, 0.43568027, 0.43568027, 1.89612687, 0.73498183]),
    np.array([1.00000093, 1.00000335, 1.00000093, 1.00000093, 1.00000093, 1.00000093, 0.99999894, 1.00000084]),
    None,
)

ALMOST_ONE_SIZE = (
    1.0 + 1e-8 * np.array([-313.0, 28.0, -313.0, -313.0, -313.0, -313.0, -272.0, -76.0]),
    *ONE_SIZE[1:],
)
