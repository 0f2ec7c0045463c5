"""The `isoflop` command: with no command it opens the dashboard; each file in dashboard/commands/ is one command."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence
from importlib.metadata import version

import click

from dashboard import commands, error_messages
from dashboard.server.launch import one_thread_each

DEFAULT = "open"


class OneFilePerCommand(click.Group):
    """A command group whose commands are the modules of dashboard/commands, imported only when asked for.

    A module `fit_.py` or `fit.py` offers the command `fit` by a name `command`; nothing is registered anywhere. What several
    commands share is in modules such as `_asked.py`, which are none.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(name.rstrip("_") for name in _modules())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for name in _modules():
            if name.rstrip("_") == cmd_name:
                command: click.Command = importlib.import_module(f"{commands.__name__}.{name}").command
                return command
        return None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`isoflop`, `isoflop --port 8600` and `isoflop runs.csv` all mean `isoflop open ...`."""
        own = {option for param in self.get_params(ctx) for option in param.opts}
        if not args or (args[0] not in own and args[0] not in self.list_commands(ctx)):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


def _modules() -> list[str]:
    return [found.name for found in pkgutil.iter_modules(commands.__path__) if not found.name.startswith("_")]


@click.command(cls=OneFilePerCommand, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("isoflop"), prog_name="isoflop")
def group() -> None:
    """Isoflop, a workbench for neural scaling laws. With no command, or with a file of runs, it opens the dashboard."""


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 the data can't say (with the sentence), 2 wrong use, 3 something unforeseen."""
    one_thread_each()
    try:
        group.main(args=args, prog_name="isoflop")
    except Exception as error:
        path = error_messages.record(error)
        click.echo(
            f"Error: {error_messages.unforeseen(error)[0]} Details: {path or 'set ' + error_messages.TRACEBACK + '=1'}",
            err=True,
        )
        sys.exit(3)
