"""One file per command of `isoflop`, each offering a click command named `command`; what they share is here."""

from __future__ import annotations

import functools
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from dashboard.commands._asked import options_for
from dashboard.error_messages import in_words, is_for_people

if TYPE_CHECKING:
    from data.schema import Runs

P = ParamSpec("P")
R = TypeVar("R")


class Command(click.Command):
    """A command that takes an option once unless it may be given many times: of two values none would be right unasked."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not ctx.resilient_parsing:
            given = Counter(p for p in self.make_parser(ctx).parse_args(args=list(args))[2] if _takes_one(p))
            twice = [param for param, count in given.items() if count > 1]
            if twice:
                raise click.UsageError(
                    f"{' and '.join(param.opts[0] for param in twice)} may be given once; run the command again for another value.",
                    ctx,
                )
        left = super().parse_args(ctx, args)
        for asked in self.get_params(ctx):
            value = ctx.params.get(asked.name or "")
            if any(isinstance(x, float) and math.isnan(x) for x in (value if isinstance(value, tuple) else (value,))):
                raise click.BadParameter("nan is not a number.", ctx, asked)
        return left


def _takes_one(param: click.Parameter) -> bool:
    return isinstance(param, click.Option) and not (param.multiple or param.is_flag or param.count)


#: Signs that a terminal acts on beside line breaks: a name in a sentence may be a stranger's.
_ACTED_ON = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


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
                said = (in_words(error), options_for(getattr(error, "questions", ())))
                raise Refusal(_ACTED_ON.sub(" ", " ".join(filter(None, said)))) from error
            raise

    return wrapped


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--json PATH`, `-` being standard output."""
    return click.option("--json", "json_to", metavar="PATH", help="Write JSON to PATH, - for standard output.")(command)


def write_json(document: Any, to: str) -> None:
    """Write `document` as strict JSON to the path `to`, or to standard output for `-`: "inf" and null where no number is."""
    from fitting.export.text import finite

    write_text(json.dumps(finite(document), indent=2, ensure_ascii=False, allow_nan=False), to)


def write_text(text: str, to: str) -> None:
    """Write a text, ending in one line break, to the path `to`, and say so; or to standard output for `-`."""
    ended = text.rstrip("\n") + "\n"
    if to == "-":
        click.echo(ended, nl=False)
        return
    try:
        Path(to).write_text(ended, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{to} cannot be written: {error.strerror or error}.") from error
    click.echo(f"Written: {to}", err=True)  # beside standard output, which may be another document


def pairs(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """`NAME=VALUE` options as a dict; wrong use where one has no sign."""
    found = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"expected NAME=VALUE, such as loss='C4 Eval Loss'; got {text!r}.")
        found[name] = value
    return found


class TablePath(click.Path):
    """A path of runs: a table, a folder of tables, or a folder of probes, a run's, a sweep's or one of sweeps."""

    def __init__(self, *, exists: bool = True) -> None:
        super().__init__(exists=exists, path_type=Path)


class FitPath(click.Path):
    """A file that `isoflop fit --json` wrote; runs in its place are told how a fit is made of them."""

    def __init__(self) -> None:
        super().__init__(exists=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if Path(str(found)).is_dir():
            self.fail(
                f"{value} is a folder, and a fit is a file: isoflop fit {value} --json fit.json writes one.", param, ctx
            )
        return found


#: What a path argument of a command may be, one for every command.
TABLE, FIT = TablePath(), FitPath()
POSITIVE = click.FloatRange(min=0, min_open=True)
LOGARITHMS = ("log10", "ln", "log2")


def factors(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, float | str]:
    """`NAME=FACTOR` options as numbers, or the logarithm that a column holds."""
    try:
        return {
            name: value if value in LOGARITHMS else float(value) for name, value in pairs(ctx, param, given).items()
        }
    except ValueError:
        raise click.BadParameter("a unit is a number, such as tokens=1e9, or log10, ln or log2.") from None


def answers_by_file(
    ctx: click.Context, param: click.Parameter, given: tuple[tuple[str, str], ...]
) -> dict[str, dict[str, Any]]:
    """`FILE KEY=VALUE` options as the answers of each file, a question's key being what `--json` shows of it."""
    found: dict[str, dict[str, Any]] = {}
    for file, text in given:
        key, sign, value = text.partition("=")
        if not sign or not key:
            raise click.BadParameter(f"expected FILE KEY=VALUE, such as old.csv bytes_per_token=4.2; got {text!r}.")
        logarithm = key.startswith("units.") and value in LOGARITHMS
        numeric = key in ("bytes_per_token", "devices") or (key.startswith("units.") and not logarithm)
        try:
            found.setdefault(file, {})[key] = float(value) if numeric else value
        except ValueError:
            raise click.BadParameter(f"{key} is a number, such as 4.2; got {value!r}.") from None
    return found


BATCHES = (
    "tokens",
    "sequences",
    "step",
    "device",
    "accumulated",
    "all devices",
)  # as `data.columns.batches` reads them, which is imported late
READING = (
    click.option("--column", "columns", multiple=True, callback=pairs, help="NAME=HEADER: which column is which."),
    click.option("--unit", "units", multiple=True, callback=factors, help="NAME=FACTOR of a column, such as tokens=1e9 or tokens=log10."),
    click.option("--loss-unit", help="nats, bits, perplexity, bits per byte, bits per character, ..."),
    click.option("--bytes-per-token", type=float, help="For a loss per byte, character or word: how many a token has."),
    click.option("--count", help="The count fits use: params, params_total, params_nonembed or params_active."),
    click.option("--rows-are", "rows", type=click.Choice(["runs", "checkpoints"]), help="What rows are that could be either."),
    click.option("--history", metavar="CHOICE", help="A run's loss: last, least, 'mean of last 10', 'highest accuracy'."),
    click.option("--keep-state", "states", multiple=True, metavar="STATE", help="A run state that is kept."),
    click.option("--tokens-from", type=click.Choice(["columns", "flops"]), help="How tokens are derived where no column has them."),
    click.option("--unknown-states", type=click.Choice(["kept", "set aside"]), help="What to do with runs in unknown states."),
    click.option("--batch-is", "batch", type=click.Choice([*BATCHES]), help="What a batch size counts."),
    click.option("--devices", type=float, help="How many devices each run trained on, where the file does not say."),
    click.option("--split", metavar="WHICH", help="Which rows count, by where their loss was measured: val, c4, or all."),
    click.option("--epoch-zero", "epochs", type=click.Choice(["after", "before"]), help="Where the row of epoch 0 stands."),
    click.option("--orientation", type=click.Choice(["rows", "columns"]), help="How runs stand in a table read both ways."),
    click.option("--for", "by_file", nargs=2, multiple=True, callback=answers_by_file, metavar="FILE KEY=VALUE",
                 help="An answer for one of several files, or for those that a pattern such as 'old*.csv' fits."),
)  # fmt: skip


def reading(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that `data.read_runs` takes, by its own names; those not given come as None or empty."""
    for option in reversed(READING):
        command = option(command)
    return command


def runs_in(files: tuple[Path, ...], answers: dict[str, Any], law: str = "auto") -> Runs:
    """The runs in the files named, read under the options that `reading` added, or by the columns of a `law` that has its own.

    Wrong use where such a law comes with these options, which say how a table of losses is read.
    """
    from data import read_runs

    told: dict[str, Any] = {name: value or None for name, value in answers.items()}
    if law != "auto":
        from fitting import all_laws
        from fitting.same_runs import whole_table

        if all_laws()[law].own_columns:
            columns = told.pop("columns")
            given = " and ".join(name.replace("_", " ") for name, value in told.items() if value is not None)
            if given:
                raise click.UsageError(
                    f"{law} takes its columns by their names, in the units they are written in; leave out what is said of {given}."
                )
            return whole_table(list(files), law, columns)
    return read_runs(files[0] if len(files) == 1 else list(files), **told)


def law_option(
    help: str = "A law's key; auto takes the one the columns allow best.",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `--law`, the key of a law or auto; wrong use where there is none of that key."""
    return click.option("--law", default="auto", callback=_known, show_default=True, help=help)


def _known(ctx: click.Context, param: click.Parameter, given: str) -> str:
    from fitting.laws import all_laws, asked_for_none, not_loaded

    if given != "auto" and given not in all_laws():
        said = asked_for_none(f"{given!r} is no law; there are auto, {', '.join(all_laws())}.")
        raise click.BadParameter(said, param_hint="--law")
    for said in not_loaded():
        click.echo(f"Note: {said}", err=True)
    return given


def resampling(
    resamples: int, least: int = 0, most: int = 100_000, help: str = "Refits for the intervals."
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `--resamples`, so many where none is said, and `--seed`."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        said = "The same seed gives the same intervals."
        command = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help=said)(command)
        counted = click.IntRange(least, most)
        return click.option("--resamples", type=counted, default=resamples, show_default=True, help=help)(command)

    return add


def printable(lines: Iterable[str]) -> str:
    """Lines for a terminal: names of runs are a stranger's text, and may hold signs that it acts on."""
    return "\n".join("".join(sign if sign.isprintable() else " " for sign in line) for line in lines)
