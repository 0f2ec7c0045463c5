"""`isoflop compare FILE --by COLUMN`: families compared by compute, where they cross, and what would settle it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dashboard.commands import (
    POSITIVE,
    TABLE,
    Command,
    json_option,
    printable,
    reading,
    refuses,
    resampling,
    runs_in,
    write_text,
)
from dashboard.commands._deciding import Delta

SHARES = ("auto", "nothing", "floor", "exponents", "floor and exponents")


@click.command(cls=Command, name="compare", short_help="Compare families of runs by compute multiplier.")
@click.argument("files", nargs=-1, required=True, type=TABLE)
@click.option("--by", "by", metavar="COLUMN", help="The column that names the families.")
@click.option(
    "--law", default="auto", show_default=True, help="A law's key; auto is Chinchilla where size and tokens vary."
)
@click.option(
    "--share", type=click.Choice(SHARES), default="auto", show_default=True, help="What the families have in common."
)
@click.option("--reference", metavar="FAMILY", help="The family the others are compared with; the one with most runs.")
@click.option(
    "--target", type=POSITIVE, help="The budget asked about, in FLOP; ten times the largest run."
)  # fmt: skip
@click.option("--exclude", multiple=True, metavar="RUN", help="A run to leave out; may be given many times.")
@click.option("--group", metavar="COLUMN", help="Resample all runs with one value of COLUMN together.")
@click.option(
    "--delta",
    type=Delta(),
    default="auto",
    show_default=True,
    help="Huber's delta in log loss; auto scales it to the noise, inf is least squares.",
)
@resampling(1000)
@reading
@json_option
@click.option("--csv", metavar="PATH", help="Write multiplier and loss along budgets as CSV.")
@refuses
def command(
    files: tuple[Path, ...],
    by: str | None,
    law: str,
    share: str,
    reference: str | None,
    target: float | None,
    exclude: tuple[str, ...],
    group: str | None,
    delta: float | str,
    resamples: int,
    seed: int,
    json_to: str | None,
    csv: str | None,
    **answers: Any,
) -> None:
    """Compare the families of runs in FILES. A PATH of - is standard output; with no output asked for, prints a summary."""
    from fitting import FitError, compare_families
    from fitting.families import family_columns, resolved

    runs = runs_in(files, answers)
    if by is None:
        able = ", ".join(family_columns(runs)) or "none of this table's"
        raise click.BadParameter(f"name the column of families; {able} could be it.", param_hint="--by")
    try:
        resolved(runs, by)
    except FitError as error:
        raise click.BadParameter(str(error), param_hint="--by") from None
    found = compare_families(
        runs, by, law, share=share, reference=reference, target=target, exclude=exclude, group=group,
        delta=delta, resamples=resamples, seed=seed,
    )  # fmt: skip
    for to, make in ((json_to, found.to_json), (csv, found.to_csv)):
        if to is not None:
            write_text(make(), to)
    if json_to is None and csv is None:
        click.echo(_words(found))


def _words(found: Any) -> str:
    """The comparison in sentences for a terminal."""
    lines = [*found.warnings, found.why, ""]
    for name in found.others:
        versus = found.versus(name)
        lines += [versus.sentence, f"  {versus.settle}"]
    return printable([*lines, "", *found.notes]).rstrip()
