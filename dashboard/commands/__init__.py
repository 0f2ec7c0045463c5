"""One file per command of `isoflop`, each offering a click command named `command`; what they share is here."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

from dashboard.trouble import is_for_people

P = ParamSpec("P")
R = TypeVar("R")


class Refusal(click.ClickException):
    """The data can't say: one sentence on stderr, exit code 1."""

    exit_code = 1


def refuses(work: Callable[P, R]) -> Callable[P, R]:
    """Turn the errors that data and fitting raise for a person into a `Refusal`; any other error passes."""

    @functools.wraps(work)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return work(*args, **kwargs)
        except Exception as error:
            if is_for_people(error):
                raise Refusal(str(error)) from error
            raise

    return wrapped


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--json PATH`, `-` being standard output."""
    return click.option("--json", "json_to", metavar="PATH", help="Write JSON to PATH, - for standard output.")(command)


def write_json(document: Any, to: str) -> None:
    """Write `document` as strict JSON (no NaN) to the path `to`, or to standard output for `-`."""
    write_text(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False), to)


def write_text(text: str, to: str) -> None:
    """Write a text, ending in one line break, to the path `to`, or to standard output for `-`."""
    ended = text.rstrip("\n") + "\n"
    if to == "-":
        click.echo(ended, nl=False)
        return
    try:
        Path(to).write_text(ended, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{to} cannot be written: {error.strerror or error}.") from error
