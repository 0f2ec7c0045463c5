"""`isoflop schedule FILE`: the multi-power law of loss curves under a learning-rate schedule, and what another schedule would give."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.commands import POSITIVE, TABLE, Command, json_option, reading, refuses, resampling, runs_in, write_json

if TYPE_CHECKING:
    from fitting.band import Band
    from fitting.schedule.curves import LoggedCurve, Unseen
    from fitting.schedule.multi_power import CurveFit, Schedule

SHAPES = ("cosine", "wsd", "constant", "linear")


@click.command(cls=Command, name="schedule", short_help="Fit the multi-power law to training curves.")
@click.argument("files", nargs=-1, required=True, type=TABLE)
@click.option("--params", type=POSITIVE, help="The model size, where FILES hold several.")
@click.option(
    "--run",
    "chosen",
    multiple=True,
    metavar="RUN",
    help="Fit this run's curve; may be given many times. The others are then forecast as a check; else each is in turn.",
)
@click.option("--warmup", type=click.IntRange(min=0), help="Steps of warm-up; else where the logged rate stops rising.")
@click.option("--predict", "shape", type=click.Choice(SHAPES), help="Forecast the final loss under this schedule.")
@click.option(
    "--steps", type=click.IntRange(min=1), help="Its steps, warm-up included; else those of the longest curve."
)
@click.option("--peak", type=POSITIVE, help="Its highest learning rate; else that of the curves.")
@click.option(
    "--end",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.1,
    show_default=True,
    help="Its last rate, as a share of the peak.",
)
@click.option(
    "--cooldown",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.2,
    show_default=True,
    help="The share of steps in which wsd comes down.",
)
@resampling(400, least=1, most=10_000, help="Refits.")
@reading
@json_option
@refuses
def command(
    files: tuple[Path, ...],
    params: float | None,
    chosen: tuple[str, ...],
    warmup: int | None,
    shape: str | None,
    steps: int | None,
    peak: float | None,
    end: float,
    cooldown: float,
    resamples: int,
    seed: int,
    json_to: str | None,
    **answers: Any,
) -> None:
    """Fit the multi-power law to the loss curves in FILES, which log the learning rate (a column lr) at every row."""
    import numpy as np

    from data.probe.runs import holds_probes
    from data.probe.trunks import NOT_DECAYED
    from fitting.errors import FitError
    from fitting.schedule.curves import ahead, check, fit_logged, logged_curves

    if any(holds_probes(file) for file in files):  # the trunk of a schedule set is a curve like the others
        answers["states"] = (*answers["states"], NOT_DECAYED)
    runs = runs_in(files, answers)
    repeated = [note for note in runs.notes if "repeat" in note]
    apart = tuple(runs.held_out["run"].astype(str))
    curves = logged_curves(runs, params, warmup)
    names = {c.run for c in curves}
    for name in chosen:
        if name in apart:
            raise click.BadParameter(f"{name!r} is held out, so it is forecast and not fitted.", param_hint="--run")
        if name not in names:
            raise click.BadParameter(
                f"no curve of a run {name!r}; there are {', '.join(sorted(names))}.", param_hint="--run"
            )
    known = [c for c in curves if not chosen or c.run in chosen]
    fit = fit_logged(known, resamples, seed)
    if apart:
        beside = runs.hold_out(apart, held=False).exclude([r for r in runs.kept["run"] if r not in apart])
        try:
            curves += logged_curves(beside, params, known[0].schedule.warmup)
        except FitError as error:
            repeated.append(f"Of the runs held out none is forecast: {error}")
    unseen = check(curves, known, fit)
    forecast: tuple[Schedule, Band, Band] | None = None
    if shape is not None:
        longest = max(len(c.schedule.lr) for c in known)
        planned = ahead(
            shape,
            steps or longest,
            peak or max(float(c.schedule.lr.max()) for c in known),
            known[0].schedule.warmup,
            end,
            cooldown,
        )
        at = np.array([len(planned.lr)])
        forecast = planned, fit.predict(planned, at), fit.predict(planned, at, of="run")
        value = float(forecast[1].value[0])
        if not 0 < value < 2.0 * max(float(c.loss.max()) for c in known):
            raise FitError(
                f"The law gives a loss of {value:.4g} for {shape} from a peak of {planned.lr.max():.3g}, which no training ends at. "
                f"Ask for a peak nearer to the curves', at most {max(float(c.schedule.lr.max()) for c in known):.3g}."
            )
    found = _Found(fit, known, unseen, forecast, shape, repeated)
    if json_to is not None:
        write_json(_document(found), json_to)
    else:
        click.echo("\n".join(_lines(found)))


@dataclass(frozen=True)
class _Found:
    """What was fitted to which curves, how it forecast the others, and another schedule's forecast."""

    fit: CurveFit
    known: list[LoggedCurve]
    unseen: list[Unseen]
    forecast: tuple[Schedule, Band, Band] | None
    shape: str | None
    repeated: list[str]


def _document(found: _Found) -> dict[str, Any]:
    from fitting.export.text import finite
    from fitting.schedule.curves import unlike
    from fitting.schedule.multi_power import law

    out: dict[str, Any] = {
        "law": law.key,
        "params": {name: _band(found.fit.interval(name)) for name in law.names},
        "converged": found.fit.converged,
        "notes": [*found.fit.notes, *dict.fromkeys(n for c in found.known for n in c.notes), *found.repeated],
        "curves": [
            {"run": c.run, "rows": len(c.steps), "warmup": c.schedule.warmup, "between": c.between} for c in found.known
        ],
        "held_out": [
            {"run": u.run, "error": u.error, "last": u.last, "loss": u.loss, "final": _band(u.final), "holds": u.holds}
            for u in found.unseen
        ],
        "predict": None,
    }
    if found.forecast is not None:
        schedule, curve, run = found.forecast
        out["predict"] = {
            "schedule": found.shape,
            "steps": len(schedule.lr),
            "peak": float(schedule.lr.max()),
            "end": float(schedule.lr[-1]),
            "notes": list(unlike(schedule, found.known)),
            "law": _band(curve),
            "run": _band(run),
        }
    made: dict[str, Any] = finite(out)
    return made


def _lines(found: _Found) -> list[str]:
    from fitting.schedule.curves import unlike
    from fitting.schedule.multi_power import law

    lines = [f"{law.title}, fitted to {len(found.known)} {'curve' if len(found.known) == 1 else 'curves'}", ""]
    for name in law.names:
        value, low, high = found.fit.interval(name)
        lines.append(f"  {name:<6} {value:<10.4g} (95 % {low:.4g} to {high:.4g})")
    lines.append("")
    for u in found.unseen:
        word = "inside" if u.holds else "outside"
        lines.append(
            f"Not shown {u.run}, the law misses it by {100 * u.error:.2g} % along the way and {100 * u.last:+.2g} % at its end, "
            f"{word} the {100 * u.final.level:.0f} % interval ({_said(u.final)})."
        )
    if found.forecast is not None:
        schedule, curve, run = found.forecast
        peak, last = float(schedule.lr.max()), float(schedule.lr[-1])
        fallen = f" from a peak of {peak:.3g}" if last < peak * 0.999 else ""
        lines.append(
            f"Final loss of {found.shape} over {len(schedule.lr):,} steps to {last:.3g}{fallen}: {_said(run)}; "
            f"by noise alone {float(curve.low[0]):.4f} to {float(curve.high[0]):.4f}."
        )
        lines += unlike(schedule, found.known)
    lines += [*found.fit.notes, *dict.fromkeys(n for c in found.known for n in c.notes), *found.repeated]
    return lines


def _said(band: Band) -> str:
    value, low, high = (float(v) for part in band for v in [part.item() if hasattr(part, "item") else part])
    return f"{value:.4f}, {100 * band.level:.0f} % {low:.4f} to {high:.4f}"


def _band(band: Band) -> dict[str, float]:
    value, low, high = (part.item() if hasattr(part, "item") else float(part) for part in band)
    return {"value": value, "low": low, "high": high, "level": band.level}
