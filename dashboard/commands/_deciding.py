"""The options that decide a fit, and the fit made under them, for every command whose numbers are to be those of one fit."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from data.schema import Runs
    from fitting import Fit

# As in fitting.uncertainty.interval_method, which would bring NumPy in before anybody asks for a fit.
METHODS = ("auto", "runs", "groups", "residuals", "components")
INFINITE = ("inf", "least-squares")


class Delta(click.ParamType):
    """A positive number, `inf` for least squares, or `auto`."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        if value == "auto":
            return "auto"
        try:
            number = math.inf if value in INFINITE else float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number; try auto, 0.001, or inf for least squares.", param, ctx)
        if not number > 0:
            self.fail(f"delta is above 0, such as 0.001; it was {value}.", param, ctx)
        return number


DECIDING = (
    click.option("--exclude", multiple=True, metavar="RUN", help="A run to leave out; may be given many times."),
    click.option(
        "--hold-out",
        "hold_out",
        multiple=True,
        metavar="RUN",
        help="A run to forecast, not to fit; may be given many times.",
    ),
    click.option("--group", metavar="COLUMN", help="Correlated noise: runs with one value of COLUMN may share noise."),
    click.option(
        "--delta",
        type=Delta(),
        default="auto",
        show_default=True,
        help="Huber's delta in log loss; auto scales it to the noise, inf is least squares, papers use 0.001.",
    ),
    click.option(
        "--intervals",
        type=click.Choice(METHODS),
        default="auto",
        show_default=True,
        help="What the bootstrap refits resample.",
    ),
    click.option(
        "--prior",
        type=click.Choice(("auto", "published", "none")),
        default="auto",
        show_default=True,
        help="Prior of the general law: published sweeps or none; auto drops it where the runs contradict it.",
    ),
    click.option(
        "--weights",
        type=click.Choice(("loss_error",)),
        help="Count each run by the error stated with its loss (3.24 ± 0.01, or a column such as loss_std).",
    ),
)
NAMES = ("exclude", "hold_out", "group", "delta", "intervals", "prior", "weights")


def deciding(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that decide a fit, but for its law, resamples and seed."""
    for option in reversed(DECIDING):
        command = option(command)
    return command


def parted(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options that `deciding` added, and the others."""
    return {k: given[k] for k in NAMES}, {k: v for k, v in given.items() if k not in NAMES}


def fitted(
    runs: Runs, law: str, *, exclude: tuple[str, ...], hold_out: tuple[str, ...], group: str | None, **how: Any
) -> tuple[Runs, Fit]:
    """The runs, those named held out, and the law fitted to them under these options; wrong use where none has such a name."""
    from data.masks import not_called
    from fitting import fit

    for given, option in ((exclude, "--exclude"), (hold_out, "--hold-out")):
        unknown = sorted(set(given) - set(runs.kept["run"].astype(str)))
        if unknown:
            raise click.BadParameter(not_called(unknown, list(runs.kept["run"])), param_hint=option)
    runs = runs.hold_out(hold_out) if hold_out else runs
    if group is not None and group not in runs.kept:
        raise click.BadParameter(
            f"no column is called {group!r}; there are {', '.join(runs.kept)}.", param_hint="--group"
        )
    return runs, fit(runs, law, exclude=exclude, group=group, **how)
