"""`isoflop lifetime FIT.json`: the size that reaches a loss with the least compute to train and to use."""

from __future__ import annotations

from pathlib import Path

import click

from dashboard.commands import FIT, POSITIVE, Command, json_option, refuses, write_json

POSITIVE = POSITIVE
BANDS = ("params", "tokens", "train_flops", "serve_flops", "flops", "saved")


@click.command(cls=Command, name="lifetime", short_help="Find the size with the least training + inference compute.")
@click.argument("file", type=FIT)
@click.option("--loss", type=POSITIVE, required=True, help="Target loss, nats per token.")
@click.option(
    "--served", type=POSITIVE, required=True, help="Inference tokens: those that the model will process at inference."
)
@json_option
@refuses
def command(file: Path, loss: float, served: float, json_to: str | None) -> None:
    """The size that reaches --loss with the least training and inference compute.

    By the law saved in FILE (by `isoflop fit --json FILE`). The more a model is used, the smaller it should be, and the longer
    trained (Sardana et al. 2023, arXiv 2401.00448). An inference token costs a third of a training token.
    """
    from dashboard import numbers
    from fitting import load_fit
    from fitting.export.text import band_values
    from fitting.planning.lifetime import lifetime

    found = lifetime(load_fit(file), loss=loss, served=served)
    bands = {name: getattr(found, name) for name in BANDS}
    if json_to is not None:
        said = {k: band_values(b) for k, b in bands.items()}
        alone = {k: band.value for k in ("params", "tokens") if (band := getattr(found.trained, k)) is not None}
        write_json(
            {"loss": loss, "served": served, **said, "trained_alone": alone, "notes": list(found.notes)}, json_to
        )
        return
    rows = (
        ("parameters", "params", "count", ""), ("training tokens", "tokens", "count", ""),
        ("training compute", "train_flops", "flop", "FLOP"), ("inference compute", "serve_flops", "flop", "FLOP"),
        ("together", "flops", "flop", "FLOP"), ("saved over the training optimum", "saved", "percent", ""),
    )  # fmt: skip
    for label, name, kind, unit in rows:
        band = bands[name]
        value, within = numbers.with_interval(band.value, band.low, band.high, kind)
        click.echo(f"  {label:<34}{value:>12}   {'' if value == within else within} {unit}".rstrip())
    for note in found.notes:
        click.echo(note)
