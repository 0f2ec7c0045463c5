"""`isoflop probe SWEEP.json --out FOLDER`: make the runs of a sweep on this machine, follow them, and go on where they stopped."""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.commands import POSITIVE, Command, json_option, refuses, write_json

if TYPE_CHECKING:
    from data.probe.spec import Spec

LOOK_EVERY = 1.0  # seconds


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
    dry_run: bool,
    price: float | None,
    json_to: str | None,
) -> None:
    """Make the runs of a sweep of small language models, one a device at a time.

    SWEEP is a JSON file of a probe's fields, each a value or a list where the sweep varies. Runs that are made already are not made
    again, and those that were stopped go on from their checkpoints. Ctrl-C leaves the runs at work; the same command follows them
    again.
    """
    from dashboard import numbers
    from data.errors import DataError
    from data.probe.cost import cost
    from data.probe.sweep import sweep as laid

    try:
        specs = laid(json.loads(sys.stdin.read() if str(sweep) == "-" else sweep.read_text(encoding="utf-8")))
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{sweep} is no JSON: {error}.") from None
    whole = cost(specs)
    sizes = [one.counts.nonembed for one in specs]
    click.echo(
        f"{whole.runs} runs of {numbers.say(min(sizes), 'count')} to {numbers.say(max(sizes), 'count')} parameters without embeddings, "
        f"{numbers.say(whole.tokens, 'count')} tokens and {numbers.say(whole.flops, 'flop')} FLOP in all; "
        f"about {numbers.duration(whole.seconds / cores)} on {cores} CPU thread{'s' if cores > 1 else ''}.",
        err=dry_run and json_to == "-",
    )
    if dry_run:
        _said_before(specs, out, tuple(filter(None, devices.split(","))), cores, price, json_to)
        return
    if importlib.util.find_spec("torch") is None:
        raise DataError(
            "A probe is trained with torch, which is not installed: pip install -e '.[probe]' in Isoflop's folder."
        )
    _follow(
        out, sweep.stem if str(sweep) != "-" else "sweep", specs, cores, tuple(filter(None, devices.split(","))), retry
    )
    if json_to is not None:
        from data.probe.queue.store import Store

        write_json(
            [{k: getattr(job, k) for k in ("key", "sweep", "name", "state", "sentence")} for job in Store(out).jobs()],
            json_to,
        )


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


def _follow(out: Path, name: str, specs: list[Spec], cores: int, devices: tuple[str, ...], retry: bool) -> None:
    from data.errors import DataError
    from data.probe.queue.launch import ensure_served
    from data.probe.queue.store import Store

    store = Store(out)
    keys = {job.key for job in store.submit(name, specs)}
    if retry:
        store.retry(keys)
        store.release(name)
    with click.progressbar(length=len(keys), label="Runs", show_pos=True) as bar:
        done = 0
        while True:
            jobs = [job for job in store.jobs() if job.key in keys]
            states = Counter(job.state for job in jobs)
            ended = len(jobs) - states["queued"] - states["running"]
            bar.update(ended - done)
            done = ended
            if ended == len(jobs):
                break
            held = store.held()
            if states["running"] == 0 and all(job.sweep in held for job in jobs if job.state == "queued"):
                raise DataError(next(iter(held.values())))
            ensure_served(out, cpus=cores, devices=devices)
            time.sleep(LOOK_EVERY)
    for job in jobs:
        if job.state != "done":
            click.echo(f"{job.name}: {job.state}. {job.sentence}")
    if states["done"] < len(jobs):
        raise DataError(
            f"{states['done']} of {len(jobs)} runs are done. `--retry` makes the others again, from their checkpoints."
        )
