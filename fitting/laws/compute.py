"""Loss against training compute along the frontier: the best that each budget bought, with and without a floor."""

from fitting.law import Law, Param, Published, coefficient, scale

PF_DAY = 8.64e19  # FLOP: 1e15 FLOP/s for a day


def pure(flops, C_c, alpha_C):
    return (C_c / flops) ** alpha_C


def with_floor(flops, E, A, gamma):
    return E + A * flops**-gamma


laws = (
    Law(
        key="compute",
        title="L(C)",
        formula=pure,
        latex=r"L(C) = \left(\frac{C_c}{C}\right)^{\alpha_C}",
        inputs=("flops",),
        params=(
            Param("C_c", "C_c", "FLOP", "the compute at which the loss would be one nat", (1.0, 1e90),
                  anchor=scale("flops", "alpha_C")),
            Param("alpha_C", r"\alpha_C", "", "how fast the loss falls with compute", (0.002, 3.0)),
        ),
        cite="Kaplan et al. 2020, arXiv 2001.08361, eq. 1.3",
        frontier=True,
        published=(
            Published("Kaplan et al. 2020, optimal batch", {"C_c": 3.1e8 * PF_DAY, "alpha_C": 0.050},
                      "arXiv 2001.08361, Table 5", note="Compute counted as if trained far below the critical batch."),
            Published("Kaplan et al. 2020, fixed batch", {"C_c": 1.6e7 * PF_DAY, "alpha_C": 0.057},
                      "arXiv 2001.08361, Table 5"),
        ),
    ),
    Law(
        key="compute-floor",
        title="L(C) with a floor",
        formula=with_floor,
        latex=r"L(C) = E + A\,C^{-\gamma}",
        inputs=("flops",),
        params=(
            Param("E", "E", "nats", "the loss that no compute gets below", (0.0, 1e3), log=False),
            Param("A", "A", "nats FLOP^gamma", "weight of the term for finite compute", (1e-12, 1e90),
                  anchor=coefficient("flops", "gamma")),
            Param("gamma", r"\gamma", "", "how fast the reducible loss falls with compute", (0.005, 3.0)),
        ),
        cite="Hoffmann et al. 2022, arXiv 2203.15556: what eq. 10 becomes along its optimum, eq. 4",
        frontier=True,
    ),
)  # fmt: skip
