"""`isoflop hours FIT.json`: the best model in each class of accelerator-hours, at a measured speed or at a device's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.commands import FIT, POSITIVE, TABLE, Command, json_option, refuses, write_json

if TYPE_CHECKING:
    from fitting import Fit
    from fitting.planning.hour_classes import HourClass


@click.command(cls=Command, name="hours", short_help="Find the best model size for hours on one device.")
@click.argument("file", type=FIT)
@click.option(
    "--hours", "classes", multiple=True, type=POSITIVE, help="A class, in hours of one device; may be given many times."
)
@click.option("--batch", type=POSITIVE, help="Tokens per step: needed with --steps, and says how many steps there are.")
@click.option(
    "--steps",
    "measured",
    type=TABLE,
    help="Measured steps, a table or a folder of runs: params, batch (tokens), and step_seconds or tokens_per_second.",
)
@click.option("--device", "name", default="H100", show_default=True, help="Without --steps: whose dense bf16 peak.")
@click.option(
    "--utilisation",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.4,
    show_default=True,
    help="Without --steps: the share of that peak reached.",
)
@json_option
@refuses
def command(
    file: Path,
    classes: tuple[float, ...],
    batch: float | None,
    measured: Path | None,
    name: str,
    utilisation: float,
    json_to: str | None,
) -> None:
    """The size with the lowest loss in each class of hours on one device, by the law saved in FILE (by `isoflop fit --json FILE`).

    A small model that waits for its memory loses what FLOPs promise it: give --steps, and speed is what was measured. Classes
    are by default those of the Languini Kitchen (Stanic et al. 2023, arXiv 2309.11197), 3 to 384 hours.
    """
    from fitting import load_fit
    from fitting.planning.hour_classes import CLASSES, hour_classes, notes_of

    if measured is not None and batch is None:
        raise click.UsageError("--steps needs --batch, the tokens per step that the speed is asked at.")
    fitted = load_fit(file)
    speed, told = (
        _measured(measured, float(batch or 0)) if measured is not None else _by_peak(fitted, name, utilisation)
    )
    found = hour_classes(fitted, speed, hours=classes or CLASSES, batch=batch)
    if json_to is not None:
        write_json(
            {"speed": told, "classes": [_document(one) for one in found], "notes": list(notes_of(found))}, json_to
        )
        return
    click.echo(told)
    click.echo(_table(found, fitted.law.output.title.lower()))
    for note in notes_of(found):
        click.echo(note)


def _by_peak(fit: Fit, name: str, utilisation: float) -> tuple[Callable[[Any], Any], str]:
    from fitting.planning.devices import device
    from fitting.planning.hour_classes import PeakSpeed

    counted = "6 FLOP a parameter and token" if fit.accounting.is_six_nd else "FLOPs as the fitted table counts them"
    speed = PeakSpeed(device(name).peak * utilisation, fit.accounting)
    return speed, f"Speed: {utilisation:.0%} of one {name}'s peak, {counted}."


def _measured(path: Path, batch: float) -> tuple[Callable[[Any], Any], str]:
    from fitting import FitError
    from fitting.planning.step_time import step_time

    law = step_time(_columns(path))
    if not law.count:
        raise FitError(
            f"{path.name} tells shapes apart; an hour class asks for any size. Leave out the columns layers and width."
        )
    return (lambda n: law.tokens_per_second(n, batch).value), f"Speed: as measured in {path.name}. {law.sentence}"


def _columns(path: Path) -> Any:
    """The table's numbers under the names that step times go by, whatever its own are; of runs in a folder without their shapes."""
    from data import read_runs
    from data.readers import read_table
    from data.recognition import recognise
    from fitting.planning.step_time import SHAPE

    if path.is_dir():
        return read_runs(path).kept.drop(columns=[*SHAPE], errors="ignore")

    table = read_table(path.read_bytes(), path.name)
    renamed = {guess.header: column for column, guess in recognise(table).guesses.items()}
    return {renamed.get(header, header): table.numbers(header).values for header in table.headers}


def _document(one: HourClass) -> dict[str, Any]:
    from fitting.export.text import band_values

    bands = {"params": one.params, "tokens": one.tokens, "loss": one.loss, "loss_run": one.loss_run}
    said = {k: band_values(b) for k, b in bands.items()}
    return {"hours": one.hours, **said, "steps": one.steps, "notes": list(one.notes)}


def _table(found: tuple[HourClass, ...], output: str = "loss") -> str:
    from dashboard import numbers

    lines = [f"  {'hours':>7}  {'parameters':<26}{'tokens':<26}{output:<26}{'steps':>8}".rstrip()]
    for one in found:
        cells = []
        for band, kind in ((one.params, "count"), (one.tokens, "count"), (one.loss, "loss")):
            value, within = numbers.with_interval(band.value, band.low, band.high, kind)
            cells.append(f"{value} ({within})" if within != value else value)
        steps = "" if one.steps is None else numbers.count(one.steps)
        lines.append(f"  {one.hours:>7g}  {cells[0]:<26}{cells[1]:<26}{cells[2]:<26}{steps:>8}".rstrip())
    return "\n".join(lines)
