"""Data-constrained: Chinchilla's law in which a repeated token and a superfluous parameter are each worth less than a new one."""

import numpy as np

from fitting.law import Law, Param, Published, coefficient


def formula(params, tokens, unique_tokens, E, A, B, alpha, beta, R_N, R_D):
    unique = np.minimum(tokens, unique_tokens)
    # The size that the unique tokens deserve: where Chinchilla's law has alpha A / N^alpha = beta B / D^beta, the condition
    # of the best split of a budget. It uses the law's own constants, so that it moves with them in a fit.
    deserved = (alpha * A / (beta * B)) ** (1.0 / alpha) * unique ** (beta / alpha)
    size = np.minimum(params, deserved)
    # Each repeat is worth less than the one before, and all of them together no more than R times what is repeated.
    worth_params = size * (1.0 - R_N * np.expm1((1.0 - params / size) / R_N))
    worth_tokens = unique * (1.0 - R_D * np.expm1((1.0 - tokens / unique) / R_D))
    return E + A * worth_params**-alpha + B * worth_tokens**-beta


law = Law(
    key="data-constrained",
    title="Data-constrained L(N, D, U)",
    formula=formula,
    latex=(
        r"\begin{aligned} L(N, D, U) &= E + \frac{A}{N'^{\alpha}} + \frac{B}{D'^{\beta}} \\"
        r" D' &= U_D + U_D R_D^{*} \left(1 - e^{(1 - D/U_D)/R_D^{*}}\right) \\"
        r" N' &= U_N + U_N R_N^{*} \left(1 - e^{(1 - N/U_N)/R_N^{*}}\right) \\"
        r" U_D &= \min(D, U), \quad"
        r" U_N = \min\left(N, \left(\frac{\alpha A}{\beta B}\right)^{1/\alpha}\, U_D^{\beta/\alpha}\right) \end{aligned}"
    ),
    inputs=("params", "tokens", "unique_tokens"),
    exponents=("alpha", "beta"),
    params=(
        Param("E", "E", "nats", "the loss that no model and no data get below (entropy of the text)", (0.0, 1e3), log=False),
        Param("A", "A", "nats params^alpha", "weight of the term for finite model size", (1e-12, 1e60),
              anchor=coefficient("params", "alpha")),
        Param("B", "B", "nats tokens^beta", "weight of the term for finite data", (1e-12, 1e60),
              anchor=coefficient("tokens", "beta")),
        Param("alpha", r"\alpha", "", "how fast the loss falls with model size", (0.01, 3.0)),
        Param("beta", r"\beta", "", "how fast the loss falls with data", (0.01, 3.0)),
        Param("R_N", "R_N^{*}", "times the size that the data deserve",
              "how far a model may outgrow its unique data before more parameters are worth little", (0.01, 1e4)),
        Param("R_D", "R_D^{*}", "repeats", "how often data may be repeated before more repeats are worth little", (0.01, 1e4)),
    ),
    cite="Muennighoff et al. 2023, arXiv 2305.16264, section 3.1 and appendix A",
    published=(
        Published(
            "Muennighoff et al. 2023",
            {"E": float(np.exp(0.6254804)), "A": float(np.exp(6.255414)), "B": float(np.exp(7.3049974)),
             "alpha": 0.3526596, "beta": 0.3526596, "R_N": 5.309743, "R_D": 15.387756},
            "arXiv 2305.16264, section 6, unrounded as in its released code",
            note="alpha and beta were fitted as one number, on runs without repeats; R_N and R_D afterwards, the rest held.",
        ),
    ),
)  # fmt: skip
