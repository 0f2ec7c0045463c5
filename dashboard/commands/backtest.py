"""`isoflop backtest FILE`: leave the largest runs out, forecast them from the rest, and print how near that came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dashboard.commands import (
    TABLE,
    Command,
    json_option,
    law_option,
    reading,
    refuses,
    resampling,
    runs_in,
    write_json,
)
from dashboard.commands._deciding import deciding, fitted, parted


@click.command(cls=Command, name="backtest", short_help="Forecast the largest runs from the rest.")
@click.argument("files", nargs=-1, required=True, type=TABLE)
@law_option()
@deciding
@resampling(400, help="Refits for the intervals of each forecast.")
@reading
@json_option
@refuses
def command(files: tuple[Path, ...], law: str, resamples: int, seed: int, json_to: str | None, **answers: Any) -> None:
    """Forecast the largest of the runs in FILES from the rest. Without --json, the sentence is printed."""
    from fitting import backtest
    from fitting.held_out import forecasts

    how, answers = parted(answers)
    runs, found = fitted(runs_in(files, answers, law), law, seed=seed, **how)
    test, apart = backtest(found, runs, resamples=resamples), forecasts(found, runs)
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
