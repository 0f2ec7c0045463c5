"""`isoflop approaches FILE`: the best split of a budget by envelope, by IsoFLOP profiles and by a law, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dashboard.commands import (
    POSITIVE,
    TABLE,
    Command,
    json_option,
    law_option,
    printable,
    reading,
    refuses,
    resampling,
    runs_in,
    write_text,
)


@click.command(cls=Command, name="approaches", short_help="Compare Approaches 1, 2 and 3 of Hoffmann et al. 2022.")
@click.argument("files", nargs=-1, required=True, type=TABLE)
@click.option("--flops", type=POSITIVE, help="The budget in FLOP; else the largest run's.")
@law_option("The law of Approach 3; auto takes the one that fits here.")
@click.option(
    "--method",
    type=click.Choice(["quadratic", "akima"]),
    default="quadratic",
    show_default=True,
    help="The profiles' curve.",
)
@click.option(
    "--tolerance", type=click.FloatRange(0, 1), default=0.12, show_default=True, help="Runs this near share a budget."
)
@resampling(4000, help="Refits of the law.")
@reading
@json_option
@refuses
def command(
    files: tuple[Path, ...],
    flops: float | None,
    law: str,
    method: str,
    tolerance: float,
    resamples: int,
    seed: int,
    json_to: str | None,
    **answers: Any,
) -> None:
    """Compare Approaches 1, 2 and 3 (Hoffmann et al. 2022) on the runs in FILES at one budget."""
    from fitting import fit
    from fitting.export.approaches import comparison_to_json
    from fitting.isoflop import compare

    runs = runs_in(files, answers)
    fitted = fit(runs, law, resamples=resamples, seed=seed)
    if flops is None and "flops" not in fitted.ranges:
        raise click.UsageError("The runs have no compute; give the budget with --flops.")
    found = compare(runs, fitted, flops, method=method, tolerance=tolerance)
    if json_to is not None:
        write_text(comparison_to_json(fitted, found), json_to)
    else:
        click.echo(_table(found))


def _table(found: Any) -> str:
    """The comparison as text for a terminal."""
    from dashboard import numbers

    lines = [f"At {numbers.flop(found.flops)} FLOP", ""]
    for row in found.rows:
        lines.append(f"  {row.title}")
        said = (("a", row.a, "ratio"), ("parameters", row.params, "count"), ("tokens", row.tokens, "count"),
                ("tokens per parameter", row.tokens_per_param, "ratio"), ("loss", row.loss, "loss"))  # fmt: skip
        for name, band, kind in said:
            if band is not None:
                value, interval = numbers.with_interval(band.value, band.low, band.high, kind)
                lines.append(f"    {name:<22}{value:>10}   {interval}")
        lines += [f"    {row.note}"] if row.note else []
    if found.left_out:
        lines += ["", f"  In no profile: {len(found.left_out)} runs; --json lists them with the reason."]
    return printable([*lines, "", found.sentence])
