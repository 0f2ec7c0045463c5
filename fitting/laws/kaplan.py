"""Kaplan: loss as a pure power of size, of data, or of both, with no floor."""

from fitting.law import Law, Param, Published, scale

PAPER = "Kaplan et al. 2020"
COUNT = "Parameters are counted without embeddings."


def in_params(params, N_c, alpha_N):
    return (N_c / params) ** alpha_N


def in_tokens(tokens, D_c, alpha_D):
    return (D_c / tokens) ** alpha_D


def in_both(params, tokens, N_c, D_c, alpha_N, alpha_D):
    return ((N_c / params) ** (alpha_N / alpha_D) + D_c / tokens) ** alpha_D


alpha_N = Param("alpha_N", r"\alpha_N", "", "how fast the loss falls with model size", (0.005, 3.0))
alpha_D = Param("alpha_D", r"\alpha_D", "", "how fast the loss falls with data", (0.005, 3.0))
N_c = Param(
    "N_c", "N_c", "params", "the size at which the loss would be one nat, data unlimited", (1.0, 1e60),
    anchor=scale("params", "alpha_N"),
)  # fmt: skip
D_c = Param(
    "D_c", "D_c", "tokens", "the data at which the loss would be one nat, size unlimited", (1.0, 1e60),
    anchor=scale("tokens", "alpha_D"),
)  # fmt: skip

laws = (
    Law(
        key="kaplan",
        title="Kaplan L(N, D)",
        formula=in_both,
        latex=r"L(N, D) = \left[\left(\frac{N_c}{N}\right)^{\alpha_N/\alpha_D} + \frac{D_c}{D}\right]^{\alpha_D}",
        inputs=("params", "tokens"),
        exponents=("alpha_N", "alpha_D"),
        params=(N_c, D_c, alpha_N, alpha_D),
        cite="Kaplan et al. 2020, arXiv 2001.08361, eq. 1.5",
        published=(
            Published(
                PAPER,
                {"N_c": 6.4e13, "D_c": 1.8e13, "alpha_N": 0.076, "alpha_D": 0.103},
                "arXiv 2001.08361, Table 2",
                note=COUNT,
            ),
        ),
    ),
    Law(
        key="kaplan-params",
        title="Kaplan L(N)",
        formula=in_params,
        latex=r"L(N) = \left(\frac{N_c}{N}\right)^{\alpha_N}",
        inputs=("params",),
        params=(N_c, alpha_N),
        cite="Kaplan et al. 2020, arXiv 2001.08361, eq. 1.1",
        published=(Published(PAPER, {"N_c": 8.8e13, "alpha_N": 0.076}, "arXiv 2001.08361, Table 5", note=COUNT),),
    ),
    Law(
        key="kaplan-tokens",
        title="Kaplan L(D)",
        formula=in_tokens,
        latex=r"L(D) = \left(\frac{D_c}{D}\right)^{\alpha_D}",
        inputs=("tokens",),
        params=(D_c, alpha_D),
        cite="Kaplan et al. 2020, arXiv 2001.08361, eq. 1.2",
        published=(Published(PAPER, {"D_c": 5.4e13, "alpha_D": 0.095}, "arXiv 2001.08361, Table 5"),),
    ),
)
