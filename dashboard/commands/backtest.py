"""`isoflop backtest FILE`: leave the largest runs out, forecast them from the rest, and print how near that came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dashboard.commands import Command, json_option, reading, refuses, write_json


@click.command(cls=Command, name="backtest")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--law", default="auto", show_default=True, help="A law's key; auto takes the one the columns allow best."
)
@reading
@json_option
@refuses
def command(files: tuple[Path, ...], law: str, json_to: str | None, **answers: Any) -> None:
    """Forecast the largest of the runs in FILES from the rest. Without --json, the sentence is printed."""
    from data import read_runs
    from fitting import all_laws, backtest, fit
    from fitting.held_out import forecasts

    if law != "auto" and law not in all_laws():
        raise click.BadParameter(f"{law!r} is no law; there are auto, {', '.join(all_laws())}.", param_hint="--law")
    told: dict[str, Any] = {name: value or None for name, value in answers.items()}
    runs = read_runs(files[0] if len(files) == 1 else list(files), **told)
    found = fit(runs, law)
    test, apart = backtest(found, runs), forecasts(found, runs)
    if json_to is None:
        click.echo("\n".join([test.sentence, *([apart.sentence] if apart else [])]))
        return
    body = {
        "law": law,
        "level": test.level,
        "sentence": test.sentence,
        "cuts": [
            {
                "flops": c.flops, "seen": c.seen, "asked": len(c.actual), "covered": c.covered, "error": c.error,
                "regret": c.regret, "runs": list(c.runs), "beyond": c.beyond, "actual": c.actual,
                "value": c.forecast.value, "low": c.forecast.low, "high": c.forecast.high,
            }
            for c in test.cuts
        ],
        "held_out": [] if apart is None else apart.to_frame().to_dict("records"),
    }  # fmt: skip
    write_json(body, json_to)
