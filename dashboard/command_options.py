"""Options that commands share: how to say what the columns of a file of runs are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def pairs(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """`NAME=VALUE` options as a dict; wrong use where one has no sign."""
    found = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"expected NAME=VALUE, such as loss='C4 Eval Loss'; got {text!r}.")
        found[name] = value
    return found


def factors(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, float]:
    """`NAME=FACTOR` options as numbers."""
    try:
        return {name: float(value) for name, value in pairs(ctx, param, given).items()}
    except ValueError:
        raise click.BadParameter("a unit is a number, such as tokens=1e9.") from None


READING = (
    click.option("--column", "columns", multiple=True, callback=pairs, help="NAME=HEADER: which column is which."),
    click.option("--unit", "units", multiple=True, callback=factors, help="NAME=FACTOR of a column, such as tokens=1e9."),
    click.option("--loss-unit", help="nats, bits, bits per byte or perplexity."),
    click.option("--bytes-per-token", type=float, help="For a loss in bits per byte."),
    click.option("--count", help="The count fits use: params, params_total, params_nonembed or params_active."),
)  # fmt: skip


def reading(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that `data.read_runs` takes, by its own names; those not given come as None or empty."""
    for option in reversed(READING):
        command = option(command)
    return command
