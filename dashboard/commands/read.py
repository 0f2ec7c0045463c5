"""`isoflop read FILE_OR_FOLDER ...`: what a table of runs holds, what was set aside, and how its columns were recognised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dashboard.commands import Command, TablePath, json_option, reading, refuses, write_json
from dashboard.commands._asked import otherwise


@click.command(cls=Command, name="read", short_help="Read tables of runs and summarise them.")
@click.argument("files", nargs=-1, required=True, type=TablePath(exists=False))
@reading
@click.option("--rows", "every_row", is_flag=True, help="List every row as well.")
@json_option
@refuses
def command(files: tuple[Path, ...], json_to: str | None, every_row: bool, **answers: Any) -> None:
    """Read tables of runs, files or folders, and say what is in them.

    With --json, a file that cannot be read gives an object with the error and the questions it leaves open, exit code 1.
    """
    from data.errors import DataError
    from data.summary import describe_error, read_summary

    source = files[0] if len(files) == 1 else list(files)
    told: dict[str, Any] = {name: value or None for name, value in answers.items()}
    told["rows_are"] = told.pop("rows")
    try:
        found = read_summary(source, rows=every_row, **told)
    except DataError as error:
        if json_to:
            write_json(describe_error(error), json_to)
        raise
    if json_to:
        write_json(found, json_to)
    else:
        click.echo(_said(found))


def _said(found: dict[str, Any]) -> str:
    """The summary as lines for a terminal."""
    from data.errors import Question
    from fitting.plural import plural

    held = f" ({found['held_out']:,} held out)" if found["held_out"] else ""
    lines = [f"{found['name']}: {plural(found['kept'], 'run')} kept{held}, {found['set_aside']:,} set aside"]
    lines += [f"  {number:>6,}  {reason}" for reason, number in found["reasons"].items()]
    # FLOPs that were derived say by their own line how they are counted.
    columns = [c for c in found["columns"] if c["column"] != "flops_convention" or c["how"]]
    width = max((len(_label(column["column"])) for column in columns), default=0)
    for column in columns:
        taken = f"from {column['header']!r}, " if column["header"] else ""
        lines.append(f"  {_label(column['column']):<{width}}  {taken}{column['how']}".rstrip(" ,"))
    return "\n".join([*lines, *found["notes"], *(otherwise(Question(**q)) for q in found["questions"])])


def _label(column: str) -> str:
    """How a column is called in a line for people."""
    return {"flops_convention": "FLOPs counted"}.get(column, column)
