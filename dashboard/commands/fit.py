"""`isoflop fit FILE`: fit a law to a file of runs, print its constants with their intervals, and write it out."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import click

from dashboard.commands import (
    TABLE,
    Command,
    json_option,
    law_option,
    printable,
    reading,
    refuses,
    resampling,
    runs_in,
    write_text,
)

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


@click.command(cls=Command, name="fit", short_help="Fit a scaling law to runs.")
@click.argument("files", nargs=-1, required=True, type=TABLE)
@law_option()
@click.option("--exclude", multiple=True, metavar="RUN", help="A run to leave out; may be given many times.")
@click.option(
    "--hold-out",
    "hold_out",
    multiple=True,
    metavar="RUN",
    help="A run to forecast, not to fit; may be given many times.",
)
@click.option("--group", metavar="COLUMN", help="Correlated noise: runs with one value of COLUMN may share noise.")
@click.option(
    "--delta", type=Delta(), default="auto", show_default=True,
    help="Huber's delta in log loss; auto scales it to the noise, inf is least squares, papers use 0.001.",
)  # fmt: skip
@click.option(
    "--intervals",
    type=click.Choice(METHODS),
    default="auto",
    show_default=True,
    help="What the bootstrap refits resample.",
)
@click.option(
    "--prior",
    type=click.Choice(("auto", "published", "none")),
    default="auto",
    show_default=True,
    help="Prior of the general law: published sweeps or none; auto drops it where the runs contradict it.",
)
@click.option(
    "--weights",
    type=click.Choice(("loss_error",)),
    help="Count each run by the error stated with its loss (3.24 ± 0.01, or a column such as loss_std).",
)
@resampling(4000)
@click.option("--calibrate", is_flag=True, help="Calibrate the intervals on tables simulated from the fit.")
@reading
@json_option
@click.option("--latex", metavar="PATH", help="Write formula and table as LaTeX.")
@click.option("--python", metavar="PATH", help="Write the law as a Python file that runs alone.")
@click.option("--csv", metavar="PATH", help="Write the runs with their residuals as CSV.")
@refuses
def command(
    files: tuple[Path, ...],
    law: str,
    exclude: tuple[str, ...],
    hold_out: tuple[str, ...],
    group: str | None,
    delta: float | str,
    intervals: str,
    prior: str,
    weights: str | None,
    resamples: int,
    seed: int,
    calibrate: bool,
    json_to: str | None,
    latex: str | None,
    python: str | None,
    csv: str | None,
    **answers: Any,
) -> None:
    """Fit a law to the runs in FILES. A PATH of - is standard output; with no output asked for, a table is printed."""
    from data.masks import not_called
    from fitting import fit
    from fitting.export import fit_to_json, fit_to_latex, fit_to_python, residuals_to_csv
    from fitting.held_out import forecasts
    from fitting.same_runs import without

    runs = runs_in(files, answers, law)
    for given, option in ((exclude, "--exclude"), (hold_out, "--hold-out")):
        unknown = sorted(set(given) - set(runs.kept["run"].astype(str)))
        if unknown:
            raise click.BadParameter(not_called(unknown, list(runs.kept["run"])), param_hint=option)
    runs = runs.hold_out(hold_out) if hold_out else runs
    if group is not None and group not in runs.kept:
        raise click.BadParameter(
            f"no column is called {group!r}; there are {', '.join(runs.kept)}.", param_hint="--group"
        )
    found = fit(
        runs, law, exclude=exclude, group=group, delta=delta, intervals=intervals, prior=prior, weights=weights,
        resamples=resamples, seed=seed,
    )  # fmt: skip
    if calibrate:
        from fitting.diagnostics.calibration import calibrate as calibrated_by

        with click.progressbar(length=100, label="Simulating tables", file=sys.stderr) as bar:
            by = calibrated_by(found, runs, seed=seed, progress=lambda share: bar.update(round(100 * share) - bar.pos))
        found = found.calibrated(by)
    apart = forecasts(found, runs)
    beside = [] if apart is None else apart.to_frame().to_dict("records")
    outputs = (
        (json_to, lambda: fit_to_json(found, held_out=beside)),
        (latex, lambda: fit_to_latex(found)),
        (python, lambda: fit_to_python(found)),
        (csv, lambda: residuals_to_csv(found, without(runs, exclude)[0])),
    )
    for to, make in outputs:
        if to is not None:
            write_text(make(), to)
    if all(to is None for to, _ in outputs):
        click.echo(_table(found, apart))


def _table(found: Any, apart: Any) -> str:
    """The constants, the runs held out (`apart`, None for none) and the checks as text for a terminal."""
    from dashboard import numbers, parameters
    from fitting.solver.weighting import CAPPED

    lines = [f"{found.law.title}, {found.n} runs, objective {found.objective:.10g}", ""]
    names = [f"{p.name} [{p.unit}]" if p.unit else p.name for p in found.law.params]
    for name, row in zip(names, found.summary().to_dict("records"), strict=True):
        value, interval = parameters.said(found, row["name"], "ratio")
        lines.append(f"  {name:<24}{value:>12}   {interval}")
    for row in found.terms().to_dict("records"):
        if row["name"] in found.unidentified:
            continue
        value, interval = numbers.with_interval(row["value"], row["low"], row["high"], "ratio")
        unit = f" [{row['unit']}]" if row["unit"] else ""
        lines.append(f"  {'term of ' + row['name'] + unit:<24}{value:>12}   {interval}   at {row['at']:.2g}")
    if found.settings.intervals_reason:
        lines += ["", f"  Intervals: {found.settings.intervals_reason}."]
    if found.settings.weights != "none":
        capped = " No run weighs more than 25 times the median run." if CAPPED in found.settings.objective else ""
        lines += ["", f"  Weights: each run counts by the error stated with its loss.{capped}"]
    if apart is not None:
        lines += ["", f"  {apart.sentence}"]
    lines += ["", *(f"  {v.state:<7} {v.title}: {v.sentence}" for v in found.verdicts), "", found.status.sentence]
    return printable(lines)
