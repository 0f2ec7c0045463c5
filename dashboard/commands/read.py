"""`isoflop read FILE_OR_FOLDER ...`: what a table of runs holds, what was set aside, and how its columns were recognised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dashboard.commands import Refusal, json_option, refuses, write_json
from data.errors import DataError


def _pairs(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"expected NAME=VALUE, such as loss='C4 Eval Loss'; got {text!r}.")
        pairs[name] = value
    return pairs


@click.command(name="read")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--column", "columns", multiple=True, callback=_pairs, help="NAME=HEADER: which column of the file is which."
)
@click.option(
    "--unit",
    "units",
    multiple=True,
    callback=_pairs,
    help="NAME=FACTOR: the factor of a column's unit, such as tokens=1e9.",
)
@click.option("--loss-unit", help="nats, bits, bits per byte or perplexity.")
@click.option("--bytes-per-token", type=float, help="For a loss in bits per byte.")
@click.option(
    "--count", help="The parameter count that fits use: params, params_total, params_nonembed or params_active."
)
@click.option(
    "--orientation",
    type=click.Choice(["rows", "columns"]),
    help="How the runs stand in a table that can be read both ways.",
)
@click.option("--rows", is_flag=True, help="List every row as well.")
@json_option
@refuses
def command(
    files: tuple[Path, ...],
    columns: dict[str, str],
    units: dict[str, str],
    json_to: str | None,
    rows: bool,
    **answers: Any,
) -> None:
    """Read tables of runs, files or folders, and say what is in them.

    With --json, a file that cannot be read gives an object with the error and the questions it leaves open, exit code 1.
    """
    from data.summary import describe_error, read_summary

    try:
        factors = {name: float(value) for name, value in units.items()}
    except ValueError:
        raise click.BadParameter("a unit is a number, such as tokens=1e9.") from None
    source = files[0] if len(files) == 1 else list(files)
    try:
        found = read_summary(source, rows=rows, columns=columns or None, units=factors or None, **answers)
    except DataError as error:
        if json_to:
            write_json(describe_error(error), json_to)
        raise Refusal(str(error)) from error
    if json_to:
        write_json(found, json_to)
    else:
        click.echo(_said(found))


def _said(found: dict[str, Any]) -> str:
    """The summary as lines for a terminal."""
    lines = [f"{found['name']}: {found['kept']:,} runs kept, {found['set_aside']:,} set aside"]
    lines += [f"  {number:>6,}  {reason}" for reason, number in found["reasons"].items()]
    width = max((len(column["column"]) for column in found["columns"]), default=0)
    for column in found["columns"]:
        taken = f"from {column['header']!r}, " if column["header"] else ""
        lines.append(f"  {column['column']:<{width}}  {taken}{column['how']}".rstrip(" ,"))
    return "\n".join([*lines, *found["notes"]])
