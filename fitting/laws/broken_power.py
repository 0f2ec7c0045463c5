"""Broken power law: a power law that turns into a steeper one at a place of its own, as where a skill sets in."""

import numpy as np

from fitting.law import Law, Param, coefficient, location


# In logarithms: far behind a sharp break (x / x1)^(1 / f) is beyond the floating-point numbers.
def in_params(params, E, B, c0, c1, x1, f1):
    past = np.logaddexp(0.0, (np.log(params) - np.log(x1)) / f1)
    return E + B * np.exp(-c0 * np.log(params) - c1 * f1 * past)


def in_tokens(tokens, E, B, c0, c1, x1, f1):
    past = np.logaddexp(0.0, (np.log(tokens) - np.log(x1)) / f1)
    return E + B * np.exp(-c0 * np.log(tokens) - c1 * f1 * past)


def in_flops(flops, E, B, c0, c1, x1, f1):
    past = np.logaddexp(0.0, (np.log(flops) - np.log(x1)) / f1)
    return E + B * np.exp(-c0 * np.log(flops) - c1 * f1 * past)


def declared(key: str, symbol: str, column: str, unit: str, formula, **more) -> Law:
    """The law in one input. Only breaks that steepen: c1 > 0, so that more never means a higher loss."""
    return Law(
        key=f"broken-{key}",
        title=f"Broken L({symbol})",
        formula=formula,
        latex=rf"L({symbol}) = E + B\,{symbol}^{{-c_0}} \left(1 + \left(\frac{{{symbol}}}{{x_1}}\right)^{{1/f_1}}\right)^{{-c_1 f_1}}",
        inputs=(column,),
        params=(
            Param("E", "E", "nats", f"the loss that no number of {column} gets below", (0.0, 1e3), log=False),
            Param("B", "B", f"nats {unit}^c_0", "weight of the term that falls", (1e-12, 1e90), anchor=coefficient(column, "c0")),
            Param("c0", "c_0", "", "how fast that term falls before the break", (1e-3, 3.0)),
            Param("c1", "c_1", "", "how much faster it falls after the break", (1e-3, 30.0)),
            Param("x1", "x_1", unit, "where the break is", (1e-9, 1e60), anchor=location(column)),
            Param("f1", "f_1", "", "how gradual the break is: its width in logs", (0.02, 3.0)),
        ),
        cite="Caballero et al. 2023, arXiv 2210.14891, eq. 1 with one break",
        **more,
    )  # fmt: skip


laws = (
    declared("params", "N", "params", "params", in_params),
    declared("tokens", "D", "tokens", "tokens", in_tokens),
    declared("compute", "C", "flops", "FLOP", in_flops, frontier=True),
)
