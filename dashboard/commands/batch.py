"""`isoflop batch FILE`: critical batch sizes from steps to a loss, or from training curves, with how they grow with size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.commands import json_option, refuses, write_json

if TYPE_CHECKING:
    from fitting.batch import CriticalBatch, Growth
    from fitting.result import Band

    Group = tuple[str, Any, Any, tuple[str, ...]]  # its name, batch sizes, steps, and what to know first


@click.command(name="batch")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--target",
    "targets",
    multiple=True,
    type=float,
    metavar="LOSS",
    help="A loss to reach, for training curves; may be given many times.",
)
@click.option(
    "--by",
    metavar="COLUMN",
    help="The column that tells groups apart in a table of steps; model and target by default.",
)
@click.option(
    "--base",
    type=click.FloatRange(min=0, min_open=True),
    help="Also the batch of a given overhead over linear scaling from this one.",
)
@click.option(
    "--overhead",
    type=click.FloatRange(min=0, min_open=True),
    default=0.2,
    show_default=True,
    help="That overhead, as a share.",
)
@click.option(
    "--smooth",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    show_default=True,
    help="Weight of the past in a mean of each curve.",
)
@click.option(
    "--resamples", type=click.IntRange(1, 100_000), default=4000, show_default=True, help="Refits for the intervals."
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The same seed gives the same intervals."
)
@json_option
@refuses
def command(
    file: Path,
    targets: tuple[float, ...],
    by: str | None,
    base: float | None,
    overhead: float,
    smooth: float,
    resamples: int,
    seed: int,
    json_to: str | None,
) -> None:
    """Fit the critical batch to FILE: a table of steps to a target at each batch size, or training curves with --target."""
    from data.readers import read_table
    from data.steps import holds_steps, steps_table
    from fitting import FitError
    from fitting.batch import critical_batch, growth
    from fitting.batch.export import document

    table = read_table(file.read_bytes(), file.name)
    if holds_steps(table):
        read = steps_table(table, by)
        unit, sizes = read.unit, read.sizes
        groups: list[Group] = [
            (str(name), g["batch"], g["steps"], ()) for name, g in read.frame.groupby("group", sort=False)
        ]
    else:
        unit, sizes = "tokens", {}
        groups = list(_curves(file, targets, smooth))
    found: dict[str, CriticalBatch] = {}
    notes: dict[str, list[str]] = {}
    for name, batch, steps, said in groups:
        try:
            found[name] = critical_batch(batch, steps, resamples=resamples, seed=seed)
        except FitError as refused:
            notes[name] = [str(refused)]
            continue
        notes[name] = [*said, *found[name].notes]
    if not found:
        raise FitError(" ".join(words for each in notes.values() for words in each))
    law: Growth | None = None
    measured = [(sizes[n], f) for n, f in found.items() if n in sizes]
    if len({size for size, _ in measured}) >= 3 and len(measured) == len({size for size, _ in measured}):
        law = growth([s for s, _ in measured], [_shown(f, base, overhead).value for _, f in measured])
    if json_to is not None:
        write_json(document(found, notes, unit, base, overhead, law), json_to)
        return
    for name in notes:
        if name in found:
            click.echo(_line(name, found[name], unit, base, overhead))
        for sentence in notes[name]:
            click.echo(f"  {sentence}" if name in found else f"{name or file.name}: {sentence}")
    if law is not None:
        exponent = law.exponent()
        which = "critical batch" if base is None else f"batch of {overhead:.0%} overhead"
        click.echo(f"The {which} grows as N^{exponent.value:.3f} (95 % {exponent.low:.3f} to {exponent.high:.3f}).")


def _curves(file: Path, targets: tuple[float, ...], smooth: float) -> Iterator[Group]:
    from data import read_runs
    from data.errors import DataError
    from fitting.batch import steps_to_target

    runs = read_runs(file)
    curves = runs.history if runs.history is not None else runs.kept
    if "batch" not in curves or "steps" not in curves:
        raise DataError(
            f"{file.name} holds neither steps to a target nor training curves: expected a column such as steps_to_target beside "
            "the batch sizes, or many rows a run with its batch size, step and loss."
        )
    curves = curves.rename(columns={"steps": "step"})
    if not targets:
        each = curves.groupby("batch")["loss"].min()
        raise click.UsageError(
            f"training curves need a --target; every batch size comes down to {each.max():.4g}, the best to {each.min():.4g}"
        )
    for target in targets:
        reached = steps_to_target(curves, target, smooth)
        yield f"loss {target:g}", reached.batch, reached.steps, reached.notes


def _shown(found: CriticalBatch, base: float | None, overhead: float) -> Band:
    return found.b_crit if base is None else found.overhead_batch(base, overhead)


def _line(name: str, found: CriticalBatch, unit: str, base: float | None, overhead: float) -> str:
    s, e, b = found.s_min, found.e_min, found.b_crit
    told = f"critical batch {_said(b)} {unit}, fewest steps {_said(s)}, fewest {unit} {_said(e)}"
    if base is not None:
        told += f"; {overhead:.0%} over linear scaling from {base:g} at {_said(found.overhead_batch(base, overhead))}"
    return f"{name}: {told}" if name else told[0].upper() + told[1:]


def _said(band: Band) -> str:
    return f"{band.value:.4g} ({band.low:.4g} to {band.high:.4g})"
