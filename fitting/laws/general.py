"""The general law: a floor plus two power laws joined by an exponent of their own, with Chinchilla and Kaplan as its ends."""

from dataclasses import replace

import numpy as np

from fitting.law import Law, Param, Prior, coefficient
from fitting.laws import chinchilla

# Measured on public sweeps of language models (Chinchilla's, Porian et al. 2024, Li et al. 2025, Marin's, Gadre et al. 2024),
# each fitted on its own: where their values lie, and how far apart, as a forecast from each's smaller runs meets them.
# The factors were chosen with those sweeps in sight: `tests/benchmarks/forecast` leaves out the centres alone, and its
# `chosen` q's factor too. That is wider than the sweeps lie apart: narrower ones forecast them and Chinchilla's law worse.
FLOOR, EXPONENT, JOIN = Prior(0.59, 1.2), Prior(0.32, 1.6), Prior(0.53, 2.2)


def formula(params, tokens, E, A, B, alpha, beta, q):
    # Whatever is the same for all runs is divided first, so that nothing as long as the table is.
    size = np.log(A) / q - (alpha / q) * np.log(params)
    data = np.log(B) / q - (beta / q) * np.log(tokens)
    return E + np.exp(q * np.logaddexp(size, data))


law = Law(
    key="general",
    title="General L(N, D)",
    formula=formula,
    latex=r"L(N, D) = E + \left[\left(\frac{A}{N^{\alpha}}\right)^{1/q} + \left(\frac{B}{D^{\beta}}\right)^{1/q}\right]^{q}",
    inputs=("params", "tokens"),
    exponents=("alpha", "beta"),
    params=(
        Param("E", "E", "nats", "the loss that no model and no data get below (entropy of the text)", (0.0, 1e3),
              log=False, prior=FLOOR),
        Param("A", "A", "nats params^alpha", "weight of the term for finite model size", (1e-12, 1e60),
              anchor=coefficient("params", "alpha")),
        Param("B", "B", "nats tokens^beta", "weight of the term for finite data", (1e-12, 1e60),
              anchor=coefficient("tokens", "beta")),
        Param("alpha", r"\alpha", "", "how fast the loss falls with model size where data are plenty", (0.01, 3.0), prior=EXPONENT),
        Param("beta", r"\beta", "", "how fast the loss falls with data where the model is large", (0.01, 3.0), prior=EXPONENT),
        Param("q", "q", "", "how the two shortages add up: 1 as in Chinchilla, below 1 the larger one counts for more", (0.1, 3.0),
              prior=JOIN),
    ),
    cite="Skaling, arXiv 2608.07222; q = 1 is Hoffmann et al. 2022, eq. 10; E = 0 is Kaplan et al. 2020, eq. 1.5",
    published=tuple(
        replace(p, values={**p.values, "q": 1.0}, source=f"{p.source}; Chinchilla's law, which is this one at q = 1")
        for p in chinchilla.law.published
    ),
)  # fmt: skip
