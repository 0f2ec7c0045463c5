"""`isoflop fit FILE`: fit a law to a file of runs, print its constants with their intervals, and write it out."""

from __future__ import annotations

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
from dashboard.commands._deciding import deciding, fitted, parted


@click.command(cls=Command, name="fit", short_help="Fit a scaling law to runs.")
@click.argument("files", nargs=-1, required=True, type=TABLE)
@law_option()
@deciding
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
    from fitting.export import fit_to_json, fit_to_latex, fit_to_python, residuals_to_csv
    from fitting.held_out import forecasts
    from fitting.same_runs import without

    how, answers = parted(answers)
    runs = runs_in(files, answers, law)
    runs, found = fitted(runs, law, resamples=resamples, seed=seed, **how)
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
        (csv, lambda: residuals_to_csv(found, without(runs, how["exclude"])[0])),
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
