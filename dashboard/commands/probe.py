"""`isoflop probe SWEEP.json --out FOLDER`: make the runs of a sweep here or on a cluster, follow them, and go on where they stopped."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.commands import POSITIVE, Command, json_option, printable, refuses, write_json

if TYPE_CHECKING:
    from data.probe.jobs.settings import Settings
    from data.probe.spec import Spec
    from data.probe.submitter import Submitter

INTERRUPTED = 130  # the exit code of what Ctrl-C ended, as shells have it
RUNS, STOPPING = "Runs", "Stopping"  # of the bar
KINDS = ("slurm", "torchrun", "kubernetes", "skypilot")  # as `data.probe.jobs.text` has them, which is imported late


def _fields(ctx: click.Context, param: click.Parameter, given: bool) -> None:
    """Print the fields that a sweep may have and end, if asked to."""
    if given and not ctx.resilient_parsing:
        from data.probe.fields import as_text
        from data.probe.sweep import DESIGNS

        click.echo(as_text((name, one.title, dict(one.own)) for name, one in DESIGNS.items()))
        ctx.exit()


@click.command(cls=Command, name="probe", short_help="Train a sweep of small language models on this machine.")
@click.argument("sweep", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder of the runs and of their queue.",
)
@click.option("--devices", default="", help="Only these devices, divided by commas: cpu, 0, 1.")
@click.option("--cores", type=click.IntRange(1, 1024), default=1, show_default=True, help="Runs at once on the CPU.")
@click.option("--retry", is_flag=True, help="Make again those that failed, diverged or were cancelled.")
@click.option(
    "--slurm",
    is_flag=False,
    flag_value="",
    metavar="[CONFIG]",
    help="Submit to Slurm; CONFIG says what a run is given.",
)
@click.option(
    "--print", "printed", type=click.Choice(KINDS), help="Print the job that makes the runs, and make nothing."
)
@click.option(
    "--fields", is_flag=True, is_eager=True, expose_value=False, callback=_fields, help="List the fields of a sweep."
)
@click.option("--dry-run", is_flag=True, help="Say what the sweep takes, by group of runs, and make nothing.")
@click.option("--price", type=POSITIVE, help="What an hour of one device costs, in dollars, for --dry-run.")
@json_option
@refuses
def command(
    sweep: Path,
    out: Path,
    devices: str,
    cores: int,
    retry: bool,
    slurm: str | None,
    printed: str | None,
    dry_run: bool,
    price: float | None,
    json_to: str | None,
) -> None:
    """Make the runs of a sweep of small language models, one a device at a time, here or with --slurm on a cluster.

    SWEEP is a JSON file of a probe's fields, each a value or a list where the sweep varies; --fields lists them. Runs that are
    made already are not made again, and those that were stopped go on from their checkpoints. Ctrl-C leaves the runs at work; the
    same command follows them again.
    """
    from dashboard.probe import dry_run as ahead
    from dashboard.probe import followed, launched, on_slurm
    from dashboard.probe.estimate import Target
    from data.errors import DataError
    from data.plural import plural
    from data.probe.jobs.settings import Settings
    from data.probe.names import checked
    from data.probe.sweep import sweep as laid

    name = checked(sweep.stem) if str(sweep) != "-" else "sweep"
    values = _read(sweep)
    specs, given, to_stderr = laid(values), _settings(slurm), printed is not None or json_to == "-"
    named, elsewhere = tuple(filter(None, devices.split(","))), slurm is not None or printed is not None
    at_once = ""
    if slurm is not None:
        target, slots = on_slurm.target(given or Settings(), price), on_slurm.at_once(given or Settings(), len(specs))
        at_once = on = on_slurm.words(slots)
    elif printed is not None:
        # How many run at once there nobody knows here: what is said is the time of one device in all.
        target, slots, at_once = Target(alone=True), 1, "one run after the other"
        on = f"one CPU thread, {at_once}"
    else:
        target = ahead.targets(named, price)
        slots = ahead.slots(target, named, cores)
        on = plural(slots, "CPU thread" if target.kind == "cpu" else "GPU")
    with _written_below(out):
        found = ahead.told(specs, target, slots, out, again=retry)
    click.echo(ahead.headline(specs, found, on), err=to_stderr)
    if joined := followed.joins(out / name, [one.key for one in specs]):
        click.echo(joined, err=to_stderr)
    if dry_run:
        if json_to is not None:
            write_json(ahead.document(found), json_to)
        if json_to != "-":
            click.echo(
                f"\n{ahead.table(found)}\n\n{ahead.sentence(found, at_once)}" if found.left else ahead.sentence(found)
            )
        return
    if printed is not None:
        with _written_below(out):
            _print(printed, out, name, specs, given)
        return
    with _written_below(out):
        queue = _queue(out, cores, named, given, on_slurm=slurm is not None)
        if slurm is not None and given is None and (said := on_slurm.begun_with(out)):
            click.echo(said, err=to_stderr)
        began = time.monotonic()
        keys = {one.key for one in queue.submit(name, specs)}
        launched.remember(out / name, found)
        if retry:
            queue.retry(keys)
    try:
        _follow(queue, keys, err=to_stderr)
    except KeyboardInterrupt:
        click.echo("\nThe runs go on. The same command follows them again.", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    if not elsewhere and (said := ahead.afterwards(found, out / name, out, time.monotonic() - began)):
        click.echo(said, err=to_stderr)
    asked = [one for one in queue.states() if one.key in keys]
    _refuse_missing(len(keys) - len(asked))
    if json_to is not None:
        write_json(followed.document(asked, name, specs), json_to)
    click.echo(printable(lines := followed.left(asked)), nl=bool(lines), err=to_stderr)
    if why := followed.refusal(asked):
        raise DataError(why)
    click.echo(followed.done(len(asked), out / name, str(dict(values).get("design", "grid"))), err=to_stderr)


def _read(sweep: Path) -> Any:
    """What the file of a sweep says, or standard input for `-`."""
    from data.errors import DataError
    from data.probe.written import MOST_BYTES, parsed

    try:
        with click.open_file(str(sweep), "rb") as given:
            return parsed(given.read(MOST_BYTES + 1), "The sweep" if str(sweep) == "-" else str(sweep))
    except OSError as error:
        raise DataError(f"{sweep} cannot be read: {error.strerror or error}.") from None


@contextmanager
def _written_below(out: Path) -> Iterator[None]:
    """A folder of runs is made and written to; where that cannot be it is named."""
    from data.errors import DataError

    try:
        yield
    except OSError as error:
        raise DataError(
            f"{out} cannot hold runs: {error.strerror or error}. Choose another folder with --out."
        ) from None


def _settings(slurm: str | None) -> Settings | None:
    """What a file says that runs are given; None where none is named."""
    from data.probe.jobs.settings import settings_in

    return settings_in(Path(slurm)) if slurm else None


def _print(kind: str, out: Path, name: str, specs: list[Spec], given: Settings | None) -> None:
    """Declare the runs in their folders and print the job that makes them."""
    from data.probe.jobs.settings import Settings
    from data.probe.jobs.text import job_of_sweep
    from data.probe.members import join

    text, folders = job_of_sweep(kind, specs, given or Settings(), out=out.resolve(), name=name)
    join(out.resolve() / name, (one.key for one in specs))
    for folder, one in zip(folders, specs, strict=True):
        folder.declare(one)
    click.echo(text, nl=False)


def _queue(out: Path, cores: int, devices: tuple[str, ...], given: Settings | None, *, on_slurm: bool) -> Submitter:
    """The queue that a folder's runs are in. Raises DataError where they are in the other one, which knows nothing of this."""
    from data.errors import DataError
    from data.probe.queue.local import LocalQueue
    from data.probe.queue.store import FILE
    from data.probe.slurm.submit import SlurmQueue, begun_at

    if on_slurm:
        if (out / FILE).exists():
            raise DataError(
                f"The runs in {out} are in this machine's queue: leave out --slurm, or choose another folder."
            )
        return SlurmQueue(out.resolve(), given)
    if begun_at(out):
        raise DataError(f"The runs in {out} are on Slurm: give --slurm, or choose another folder.")
    if not _has_torch():
        raise DataError(
            "A probe is trained with torch, which is not installed: pip install -e '.[probe]' in Isoflop's folder."
        )
    return LocalQueue(out, cores, devices)


def _has_torch() -> bool:
    try:
        return importlib.util.find_spec("torch") is not None
    except ImportError:  # whoever stands between refuses it
        return False


def _follow(queue: Submitter, keys: set[str], *, err: bool = False) -> None:
    """Have the runs made and follow them to their ends: a bar on a terminal, else lines."""
    from dashboard.probe.followed import Lines
    from data.errors import DataError

    lines, watched = Lines(len(keys)), (sys.stderr if err else sys.stdout).isatty()
    with click.progressbar(length=len(keys), label=RUNS, show_pos=True, file=sys.stderr if err else None) as bar:
        done = 0
        while True:
            held = queue.tend(keys)
            mine = [one for one in queue.states() if one.key in keys]
            _refuse_missing(len(keys) - len(mine))
            states = Counter(one.state for one in mine)
            ended = len(keys) - states["queued"] - states["running"]
            stopping = states["running"] > 0 and sum(one.stopping for one in mine) == len(keys) - ended
            _say_stopping(bar, stopping)
            bar.update(ended - done)
            if not watched and (line := lines.ended(ended)):
                click.echo(line, err=err)
            done = ended
            if ended == len(keys):
                queue.tend()  # how the last of them ended
                break
            if held and not states["running"]:
                raise DataError(
                    f"{held.rstrip('.')}. `--retry` makes those that failed again, and lets the others begin."
                )
            time.sleep(queue.look_every)


def _refuse_missing(count: int) -> None:
    """Raise DataError where runs that are followed are in the queue no more: nothing can be said of how they stand."""
    from data.errors import DataError
    from data.plural import agreeing

    if count:
        raise DataError(
            f"{agreeing(count, 'run is', 'runs are')} in the queue no more, as the folders were deleted or moved. "
            "The same command makes them anew."
        )


def _say_stopping(bar: Any, stopping: bool) -> None:
    """Have the bar say so while all that is left was cancelled, and no time: what is awaited are checkpoints."""
    if stopping != (bar.label == STOPPING):
        bar.label, bar.show_eta = (STOPPING, False) if stopping else (RUNS, True)
        bar.render_progress()
