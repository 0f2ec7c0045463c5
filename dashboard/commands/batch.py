"""`isoflop batch FILE`: critical batch sizes from steps to a loss, or from training curves, with how they grow with size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.commands import POSITIVE, TABLE, Command, json_option, reading, refuses, resampling, runs_in, write_json
from dashboard.error_messages import once

if TYPE_CHECKING:
    from data.schema import Runs
    from data.table import Table
    from fitting.band import Band
    from fitting.batch import AlongLoss, CriticalBatch, Growth, RateByWidth
    from fitting.batch.best_rate import BestRate

    Group = tuple[
        str, Any, Any, tuple[str, ...]
    ]  # its name, batch sizes, steps (or the fit itself), and what to know first


@click.command(cls=Command, name="batch", short_help="Fit a law of the critical batch size.")
@click.argument("file", type=TABLE)
@click.option(
    "--target",
    "targets",
    multiple=True,
    type=POSITIVE,
    metavar="LOSS",
    help="Target loss, for training curves and final losses; may be given many times.",
)
@click.option(
    "--by",
    multiple=True,
    metavar="COLUMN",
    help="A column that tells groups apart, may be given many times; by default those in which rows or runs at one batch differ.",
)
@click.option("--base", type=POSITIVE, help="Also the batch of a given overhead over linear scaling from this one.")
@click.option("--overhead", type=POSITIVE, default=0.2, show_default=True, help="That overhead, as a share.")
@click.option(
    "--smooth",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    show_default=True,
    help="Weight of the past in a mean of each curve.",
)
@resampling(4000, least=1)
@reading
@json_option
@refuses
def command(
    file: Path,
    targets: tuple[float, ...],
    by: tuple[str, ...],
    base: float | None,
    overhead: float,
    smooth: float,
    resamples: int,
    seed: int,
    json_to: str | None,
    **answers: Any,
) -> None:
    """Fit the critical batch to FILE: steps to a target at each batch size, training curves with --target, or final losses.

    Final losses are those of runs at three batch sizes or more on three amounts of data each, all decayed to the end. Runs at four
    learning rates or more for each of three widths give the best rate by width too, and at one or two widths the best rate of each.
    FILE may be a folder of probes.
    """
    from dashboard.batch.words import held_said
    from data.errors import DataError
    from data.steps.tables import holds_steps, steps_table
    from fitting import FitError
    from fitting.batch import AlongLoss, CriticalBatch, Reached, critical_batch, growth, width_ladders
    from fitting.batch.best_rate import best_rates
    from fitting.export.critical_batch import document
    from fitting.export.rate_by_width import document as by_width
    from fitting.export.rate_by_width import rates_document

    law: Growth | AlongLoss | None = None
    method, unit = "", "tokens"
    groups: list[Group] = []
    sizes: dict[str, float] = {}
    ladders: tuple[RateByWidth, ...] = ()
    rates: tuple[BestRate, ...] = ()
    lacking: tuple[str, ...] = ()
    table = _table(file)
    if table is not None and holds_steps(table):
        if any(answers.values()):
            raise click.UsageError(
                f"{file.name} holds steps to a target, which are read by their names: leave out what is said of columns."
            )
        read = steps_table(table, by)
        unit, sizes = read.unit, read.sizes
        groups = [
            (name, g["batch"], g["steps"], read.notes.get(name, ()))
            for name in dict.fromkeys([*read.notes, *read.frame["group"]])
            for g in [read.frame[read.frame["group"] == name]]
        ]
    else:
        runs = runs_in((file,), answers).fitted
        ladders, lacking = width_ladders(runs, resamples=resamples, seed=seed)
        rates = () if ladders else best_rates(runs, resamples=resamples, seed=seed)
        try:
            groups, sizes, law, method, unit = _runs(file, runs, targets, by, smooth, resamples, seed)
        except (DataError, FitError, click.UsageError):
            if targets or not (
                ladders or rates or lacking
            ):  # such a ladder has one batch, and was asked for no other answer
                raise
            if not (ladders or rates):
                raise FitError(" ".join(lacking)) from None
        lacking = lacking if ladders else ()  # of a table that shows something else
        if ladders and runs.apart:
            lacking = (*lacking, held_said(runs).strip())
    found: dict[str, CriticalBatch] = {}
    notes: dict[str, list[str]] = {}
    for name, batch, steps, said in groups:
        if isinstance(steps, CriticalBatch):
            found[name], notes[name] = steps, [*said, *steps.notes]
            continue
        doubt, taken = (steps.doubt, steps.steps) if isinstance(steps, Reached) else (0.0, steps)
        try:
            found[name] = critical_batch(batch, taken, doubt=doubt, resamples=resamples, seed=seed)
        except FitError as refused:
            notes[name] = [*said, str(refused)]
            continue
        notes[name] = [*said, *found[name].notes]
    if not found and not ladders and not rates:
        raise FitError(once(words for each in notes.values() for words in each))
    measured = [(sizes[n], f) for n, f in found.items() if n in sizes]
    if len({size for size, _ in measured}) >= 3 and len(measured) == len({size for size, _ in measured}):
        with suppress(FitError):  # too near each other to tell how anything grows
            law = growth([s for s, _ in measured], [_shown(f, base, overhead).value for _, f in measured])
    if json_to is not None:
        body = document(found, notes, unit, base, overhead, law)
        more: dict[str, Any] = {"rate_by_width": by_width(ladders, lacking)} if ladders else {}
        if rates:
            more["best_rates"] = rates_document(rates)
        write_json({**body, **({"method": method} if method else {}), **more}, json_to)
        return
    if method:
        click.echo(method)
    several = list(notes.values()) if len(notes) > 1 else [[]]
    of_all = [one for one in dict.fromkeys(several[0]) if all(one in each for each in several)]
    for name in notes:
        if name in found:
            click.echo(_line(name, found[name], unit, base, overhead))
        for sentence in dict.fromkeys(notes[name]):
            if sentence not in of_all:
                click.echo(f"  {sentence}" if name in found else f"{name or file.name}: {sentence}")
    for sentence in of_all:
        click.echo(sentence)
    if law is not None:
        exponent = law.exponent()
        which = "critical batch" if base is None or isinstance(law, AlongLoss) else f"batch of {overhead:.0%} overhead"
        along = "L" if isinstance(law, AlongLoss) else "N"
        click.echo(
            f"The {which} grows as {along}^{exponent.value:.3f} (95 % {exponent.low:.3f} to {exponent.high:.3f})."
        )
    for line in (*_by_width(ladders, lacking), *(one.sentence for one in rates)):
        click.echo(line)


def _table(path: Path) -> Table | None:
    """The table at a path, a file's or the only one of a folder; None for a folder of probes or of several tables, which are runs."""
    from data.probe.found import below
    from data.read import read_files
    from data.readers import read_table

    if path.is_file():
        return read_table(path.read_bytes(), path.name)
    tables = () if below(path) else read_files([path])[0]
    return tables[0] if len(tables) == 1 else None


def _by_width(ladders: Sequence[RateByWidth], lacking: Sequence[str]) -> Iterator[str]:
    """What a width ladder says: each parametrisation's sentence, the best rate at each width, and what to know first."""
    for one in ladders:
        yield one.sentence
        band = one.rates()
        for width, *ends in zip(one.widths, band.value, band.low, band.high, strict=True):
            yield "  width {:g}: {:.3g} ({:.3g} to {:.3g})".format(width, *ends)
        yield from (f"  {note}" for note in one.notes)
    yield from lacking


def _runs(
    file: Path, runs: Runs, targets: tuple[float, ...], by: tuple[str, ...], smooth: float, resamples: int, seed: int
) -> tuple[list[Group], dict[str, float], AlongLoss | None, str, str]:
    """The groups of a table of runs, the size of each where they differ by size, the law along loss where there is one, what was
    read, and what batches count."""
    from dashboard.batch.words import curves_said, final_said, reading_said
    from data.errors import DataError
    from fitting import FitError
    from fitting.batch import along_loss, curve_groups, steps_to_target
    from fitting.batch.along_finals import decayed_along
    from fitting.batch.decayed import decayed_by_size
    from fitting.batch.rows import curve_rows, in_sequences
    from fitting.batch.targets import lowest_by_batch, one_ladder

    if runs.history is None:
        final = decayed_by_size(runs.kept, targets, by=by, resamples=resamples, seed=seed)
        if final:
            sizes = {name: size for name, size, _ in final if math.isfinite(size)}
            law = None if sizes else decayed_along([read for _, _, read in final])
            said = final_said(runs)
            return (
                [(n, None, read.found, (f"At a loss of {read.target:.4g}.",)) for n, _, read in final],
                sizes,
                law,
                said,
                "tokens",
            )
    curves = curve_rows(runs)
    if curves is None:
        raise DataError(
            f"{file.name} holds neither steps to a target, nor training curves, nor final losses enough: expected a column such as "
            "steps_to_target beside the batch sizes, many rows a run with its batch size, step and loss, runs that end on three "
            "amounts of data at each of three batch sizes, or runs alike at four learning rates for each of three widths."
        )
    groups = curve_groups(curves, by)
    if not targets:
        each = [v for own in groups.parts.values() for v in lowest_by_batch(one_ladder(own)[0]).values()]
        tried = {b for own in groups.parts.values() for b in lowest_by_batch(one_ladder(own)[0])}
        if len(tried) == 1:
            raise FitError(
                f"All runs have a batch of {tried.pop():,.0f} {'sequences' if in_sequences(runs) else 'tokens'}: a critical batch needs "
                "three batch sizes or more. `isoflop probe` makes a ladder of them with the design batch."
            )
        raise click.UsageError(
            f"training curves need a --target; every batch size comes down to {max(each):.4g}, the best to {min(each):.4g}"
        )
    found: list[Group] = []
    refused: list[str] = []
    law = None
    for name, own in groups.parts.items():
        ladder, size = one_ladder(own)
        aside = () if math.isnan(size) else (f"Of several model sizes, the curves of {size:.4g} parameters are read.",)
        reached, trouble = [], []
        for target in targets:
            try:
                reached.append(steps_to_target(ladder, target, smooth))
            except FitError as error:
                trouble.append(str(error))
        if not reached:
            refused += [f"{name}: {words}" if name else words for words in trouble]
            continue
        if len(groups.parts) == 1:
            with suppress(FitError):
                law = along_loss(reached, resamples=resamples, seed=seed)
        for r in reached:
            notes = (*groups.notes, *aside, *trouble, *r.notes, *reading_said(runs))
            found.append((f"{name}, loss {r.target:g}" if name else f"loss {r.target:g}", r.batch, r, notes))
    if not found:
        raise FitError(once(refused))
    if refused:
        found = [(n, batch, steps, (*said, *refused)) for n, batch, steps, said in found]
    unit = "sequences" if in_sequences(runs) else "tokens"
    return found, {}, law, curves_said(curves["run"].nunique(), runs), unit


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
