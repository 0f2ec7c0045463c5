"""What is simulated: Chinchilla's surface with the constants of Besiroglu et al. 2024, on designs like those people run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fitting import all_laws

Array = np.ndarray

LAW = all_laws()["chinchilla"]
# Besiroglu et al. 2024, arXiv 2404.10102.
TRUTH = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
SD = 0.0076  # of log loss: the residual spread of the 240 digitised runs, measured
# How many model sizes n runs share.
SIZES = {12: 6, 24: 8, 48: 12, 240: 24}
NOISES = ("normal", "t4", "shared")
# The digitised runs span 44 M to 16 B parameters and 5 B to 500 B tokens or so.
PARAMS, TOKENS = (5e7, 1.6e10), (1e9, 4e11)
QUANTITIES = ("alpha", "beta", "E", "a", "ln N*", "ln L")
BEYOND = 100.0


@dataclass(frozen=True)
class Cell:
    """One kind of table: how many runs, and the noise of their log losses: normal, t4, or half of it shared by a size."""

    n: int
    noise: str

    def table(self, seed: int) -> tuple[dict[str, Array], Array, Array]:
        """Inputs and losses (n,) of one table, and the labels of its model sizes.

        Sizes and tokens are log-uniform, drawn anew for every table; runs are dealt to the sizes as evenly as they go.
        """
        rng = np.random.default_rng([self.n, NOISES.index(self.noise), seed])
        count = SIZES[self.n]
        sizes = np.exp(rng.uniform(*np.log(PARAMS), count))
        of = rng.permutation(np.arange(self.n) % count)
        inputs = {"params": sizes[of], "tokens": np.exp(rng.uniform(*np.log(TOKENS), self.n))}
        return inputs, LAW(inputs, TRUTH) * np.exp(self._errors(rng, of)), of

    def _errors(self, rng: np.random.Generator, of: Array) -> Array:
        if self.noise == "t4":
            return SD * rng.standard_t(4, self.n) / np.sqrt(2.0)  # a t with four degrees of freedom has variance two
        if self.noise == "shared":
            return SD * np.sqrt(0.5) * (rng.standard_normal(of.max() + 1)[of] + rng.standard_normal(self.n))
        return SD * rng.standard_normal(self.n)


def quantities(values: Array, flops: float) -> Array:
    """What is asked of parameters (R, 5): `QUANTITIES`, with N* and L those of the best split of `flops`. (R, 6).

    The closed form of the optimum is Hoffmann et al. 2022, arXiv 2203.15556, equation 4; the tests hold it to the planner.
    """
    p = dict(zip(LAW.names, values.T, strict=True))
    share = p["beta"] / (p["alpha"] + p["beta"])
    with np.errstate(all="ignore"):
        log_g = np.log(p["alpha"] * p["A"] / (p["beta"] * p["B"])) / (p["alpha"] + p["beta"])
        log_n = log_g + share * np.log(flops / 6.0)
        log_d = np.log(flops / 6.0) - log_n
        loss = p["E"] + p["A"] * np.exp(-p["alpha"] * log_n) + p["B"] * np.exp(-p["beta"] * log_d)
        return np.stack([p["alpha"], p["beta"], p["E"], share, log_n, np.log(loss)], axis=1)
