"""Chinchilla: loss is a floor plus what too few parameters and too few tokens cost, each a power law."""

from fitting.law import Law, Param, Published, coefficient


def formula(params, tokens, E, A, B, alpha, beta):
    return E + A * params**-alpha + B * tokens**-beta


law = Law(
    key="chinchilla",
    title="Chinchilla L(N, D)",
    formula=formula,
    latex=r"L(N, D) = E + \frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}",
    inputs=("params", "tokens"),
    exponents=("alpha", "beta"),
    params=(
        Param("E", "E", "nats", "the loss that no model and no data get below (entropy of the text)", (0.0, 1e3), log=False),
        Param("A", "A", "nats params^alpha", "weight of the term for finite model size", (1e-12, 1e60),
              anchor=coefficient("params", "alpha")),
        Param("B", "B", "nats tokens^beta", "weight of the term for finite data", (1e-12, 1e60),
              anchor=coefficient("tokens", "beta")),
        Param("alpha", r"\alpha", "", "how fast the loss falls with model size", (0.01, 3.0)),
        Param("beta", r"\beta", "", "how fast the loss falls with data", (0.01, 3.0)),
    ),
    cite="Hoffmann et al. 2022, arXiv 2203.15556, eq. 2 and 10",
    published=(
        Published(
            "Hoffmann et al. 2022",
            {"E": 1.6934, "A": 406.4, "B": 410.7, "alpha": 0.33917084, "beta": 0.2849083},
            "arXiv 2203.15556, Approach 3, exponents unrounded as in its TeX source",
            note="The optimiser stopped early (Besiroglu et al. 2024): not the best fit to these runs.",
        ),
        Published(
            "Besiroglu et al. 2024",
            {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658},
            "arXiv 2404.10102, refit of the same runs read off Figure 4",
            errors={"E": 0.0257, "A": 124.5, "B": 1293.0, "alpha": 0.0154, "beta": 0.0206},
        ),
    ),
)  # fmt: skip
