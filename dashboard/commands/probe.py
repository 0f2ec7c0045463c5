"""`isoflop probe SWEEP.json --out FOLDER`: make the runs of a sweep here or on a cluster, follow them, and go on where they stopped."""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.commands import POSITIVE, Command, json_option, printable, refuses, write_json

if TYPE_CHECKING:
    from data.probe.jobs.settings import Settings
    from data.probe.spec import Spec
    from data.probe.submitter import Submitter

KINDS = ("slurm", "torchrun", "kubernetes", "skypilot")  # as `data.probe.jobs.text` has them, which is imported late


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

    SWEEP is a JSON file of a probe's fields, each a value or a list where the sweep varies. Runs that are made already are not made
    again, and those that were stopped go on from their checkpoints. Ctrl-C leaves the runs at work; the same command follows them
    again.
    """
    from dashboard import numbers
    from data.errors import DataError
    from data.plural import plural
    from data.probe.cost import cost
    from data.probe.sweep import sweep as laid

    try:
        specs = laid(json.loads(sys.stdin.read() if str(sweep) == "-" else sweep.read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{sweep} is no JSON: {error}.") from None
    whole = cost(specs)
    sizes = [one.counts.nonembed for one in specs]
    click.echo(
        f"{plural(whole.runs, 'run')} of {' to '.join(dict.fromkeys(numbers.say(n, 'count') for n in (min(sizes), max(sizes))))} "
        "parameters without embeddings, "
        f"{numbers.say(whole.tokens, 'count')} tokens and {numbers.say(whole.flops, 'flop')} FLOP in all; "
        f"about {numbers.duration(whole.seconds / cores)} on {cores} CPU thread{'s' if cores > 1 else ''}.",
        err=printed is not None or (dry_run and json_to == "-"),
    )
    if dry_run:
        _said_before(specs, out, tuple(filter(None, devices.split(","))), cores, price, json_to)
        return
    name = sweep.stem if str(sweep) != "-" else "sweep"
    given = _settings(slurm)
    if printed is not None:
        _print(printed, out, name, specs, given)
        return
    queue = _queue(out, cores, tuple(filter(None, devices.split(","))), given, on_slurm=slurm is not None)
    keys = _follow(queue, name, specs, retry)
    if json_to is not None:
        write_json(
            [
                {
                    "key": one.key,
                    "sweep": one.sweep,
                    "name": one.folder.path.name,
                    "state": one.state,
                    "sentence": one.sentence,
                }
                for one in queue.states()
                if one.key in keys or slurm is None
            ],
            json_to,
        )
    _refuse_unless_done(queue, keys)


def _settings(slurm: str | None) -> Settings | None:
    """What a file says that runs are given; None where none is named."""
    from data.probe.jobs.settings import settings_in

    return settings_in(Path(slurm)) if slurm else None


def _print(kind: str, out: Path, name: str, specs: list[Spec], given: Settings | None) -> None:
    """Declare the runs in their folders and print the job that makes them."""
    from data.probe.folder import Folder
    from data.probe.jobs.settings import Settings
    from data.probe.jobs.text import of_sweep

    text = of_sweep(kind, specs, given or Settings(), out=out.resolve(), name=name)
    for one in specs:
        Folder(out.resolve() / name / one.key).declare(one)
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
    if importlib.util.find_spec("torch") is None:
        raise DataError(
            "A probe is trained with torch, which is not installed: pip install -e '.[probe]' in Isoflop's folder."
        )
    return LocalQueue(out, cores, devices)


def _said_before(
    specs: list[Spec], out: Path, devices: tuple[str, ...], cores: int, price: float | None, json_to: str | None
) -> None:
    from dashboard.probe import dry_run

    target = dry_run.targets(devices, price)
    slots = cores if target.kind == "cpu" else max(1, len(devices))
    found = dry_run.estimates(specs, target, out)
    if json_to is not None:
        write_json(dry_run.document(found, slots), json_to)
    if json_to != "-":
        click.echo(f"\n{dry_run.table(found)}\n\n{dry_run.sentence(found, slots)}")


def _follow(queue: Submitter, name: str, specs: list[Spec], retry: bool) -> set[str]:
    """Have the runs made and follow them to their ends; returns their keys."""
    from data.errors import DataError

    keys = {one.key for one in queue.submit(name, specs)}
    if retry:
        queue.retry(keys)
    with click.progressbar(length=len(keys), label="Runs", show_pos=True) as bar:
        done = 0
        while True:
            held = queue.tend()
            states = Counter(one.state for one in queue.states() if one.key in keys)
            ended = len(keys) - states["queued"] - states["running"]
            bar.update(ended - done)
            done = ended
            if ended == len(keys):
                queue.tend()  # how the last of them ended
                break
            if held and not states["running"]:
                raise DataError(held)
            time.sleep(queue.look_every)
    return keys


def _refuse_unless_done(queue: Submitter, keys: set[str]) -> None:
    from data.errors import DataError

    asked = [one for one in queue.states() if one.key in keys]
    left = [one for one in asked if one.state != "done"]
    click.echo(printable([f"{one.folder.path.name}: {one.state}. {one.sentence}" for one in left]), nl=bool(left))
    if left:
        raise DataError(
            f"{len(asked) - len(left)} of {len(asked)} runs are done. `--retry` makes the others again, from their checkpoints."
        )
