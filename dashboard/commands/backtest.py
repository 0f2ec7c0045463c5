"""`isoflop backtest FILE`: leave the largest runs out, forecast them from the rest, and print how near that came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dashboard.commands import TABLE, Command, json_option, law_option, reading, refuses, runs_in, write_json


@click.command(cls=Command, name="backtest", short_help="Forecast the largest runs from the rest.")
@click.argument("files", nargs=-1, required=True, type=TABLE)
@law_option()
@reading
@json_option
@refuses
def command(files: tuple[Path, ...], law: str, json_to: str | None, **answers: Any) -> None:
    """Forecast the largest of the runs in FILES from the rest. Without --json, the sentence is printed."""
    from fitting import backtest, fit
    from fitting.held_out import forecasts

    runs = runs_in(files, answers, law)
    found = fit(runs, law)
    test, apart = backtest(found, runs), forecasts(found, runs)
    if json_to is None:
        click.echo("\n".join([test.sentence, *([apart.sentence] if apart else [])]))
        return
    body = {
        "law": law,
        "level": test.level,
        "sentence": test.sentence,
        "along": test.along,
        "cuts": [
            {
                "flops": c.flops, "largest": c.largest, "seen": c.seen, "asked": len(c.actual), "covered": c.covered, "error": c.error,
                "regret": c.regret, "runs": list(c.runs), "beyond": c.beyond, "actual": c.actual,
                "value": c.forecast.value, "low": c.forecast.low, "high": c.forecast.high,
            }
            for c in test.cuts
        ],
        "held_out": [] if apart is None else apart.to_frame().to_dict("records"),
    }  # fmt: skip
    write_json(body, json_to)
