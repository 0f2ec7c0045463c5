"""`isoflop plan FIT.json`: from a fitted law and a budget to model size, tokens and loss, each with its interval."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.commands import FIT, POSITIVE, Command, json_option, refuses, write_text

if TYPE_CHECKING:
    from fitting import Plan
    from fitting.batch import WholeRun
    from fitting.law import Output
    from fitting.planning.on_devices import OnDevices

DEFAULT = "H100"


@click.command(cls=Command, name="plan", short_help="Plan a training run with a saved fit.")
@click.argument("file", type=FIT)
@click.option("--flops", type=POSITIVE, help="The budget in FLOP.")
@click.option(
    "--device", metavar="NAME", help="Which device, such as A100; an H100 when neither it nor --peak is given."
)
@click.option(
    "--devices", type=POSITIVE, help="How many devices; as many as hold the model and end within weeks when not given."
)
@click.option("--memory", type=POSITIVE, help="A device's memory in GB; that of --device when not given.")
@click.option("--hours", type=POSITIVE, help="For how many hours the devices run.")
@click.option("--peak", type=POSITIVE, help="A device's dense bf16 peak in FLOP/s; that of --device when not given.")
@click.option(
    "--utilisation", type=click.FloatRange(0, 1, min_open=True), help="Share of the peak reached; 0.4 when not given."
)
@click.option("--money", type=POSITIVE, help="The budget in money; with --price.")
@click.option("--price", type=POSITIVE, help="What one device-hour costs.")
@click.option("--loss", type=POSITIVE, help="Target loss: the least compute that reaches it.")
@click.option("--params", type=POSITIVE, help="Fix the model size at this many parameters instead of the best size.")
@click.option(
    "--unique-tokens", type=POSITIVE, help="Unique tokens available: repeated epochs are weighed, or limited to four."
)
@click.option(
    "--rule",
    type=click.Choice(["steplaw", "porian", "deepseek", "none"]),
    default="steplaw",
    show_default=True,
    help="The law of the best batch and learning rate; none leaves both out.",
)
@click.option(
    "--critical",
    type=click.Choice(["zhang_coupled", "kaplan_critical", "none"]),
    default="zhang_coupled",
    show_default=True,
    help="The law of the critical batch.",
)
@json_option
@click.option("--latex", metavar="PATH", help="Write the plan as a LaTeX table.")
@click.option("--csv", metavar="PATH", help="Write the plan as CSV.")
@refuses
def command(
    file: Path,
    flops: float | None,
    device: str | None,
    devices: float | None,
    memory: float | None,
    hours: float | None,
    peak: float | None,
    utilisation: float | None,
    money: float | None,
    price: float | None,
    loss: float | None,
    params: float | None,
    unique_tokens: float | None,
    rule: str,
    critical: str,
    json_to: str | None,
    latex: str | None,
    csv: str | None,
) -> None:
    """Plan a training with the law saved in FILE (by `isoflop fit ... --json FILE`).

    Give one budget: --flops, --devices with --hours, --money with --price, or a --loss wanted.
    """
    from fitting import load_fit, plan
    from fitting.export import plan_to_csv, plan_to_json, plan_to_latex
    from fitting.planning.devices import device as of_table
    from fitting.planning.on_devices import place

    given = [name for name, value in {"flops": flops, "hours": hours, "money": money, "loss": loss}.items() if value]
    if len(given) != 1:
        said = " and ".join(f"--{name}" for name in given) or "none"
        raise click.UsageError(
            f"Give one budget: --flops, --devices with --hours, --money with --price, or --loss; given: {said}."
        )
    if money is not None and price is None:
        raise click.UsageError("--money needs --price, what one device-hour costs.")
    if hours is not None and devices is None:
        raise click.UsageError("--hours needs --devices.")
    device = DEFAULT if device is None and peak is None else device
    known = None if device is None else of_table(device)
    if known is not None and peak is None:
        peak = known.peak
    room = memory * 1e9 if memory is not None else None if known is None else known.memory
    fitted = load_fit(file)
    found = plan(
        fitted, flops=flops, params=params, loss=loss, devices=devices, hours=hours,
        peak=peak, utilisation=utilisation, money=money, price=price, unique_tokens=unique_tokens,
    )  # fmt: skip

    def at(budget: float) -> Plan:
        return plan(fitted, flops=budget, params=params, unique_tokens=unique_tokens)

    def goes_with(one: Plan) -> WholeRun | None:
        return _goes_with(one, rule, critical)

    whole = goes_with(found)
    assert found.hardware is not None  # its peak was given
    on = place(
        found, at, goes_with, found.hardware, devices, count=fitted.settings.count, name=device or "", memory=room
    )
    outputs = (
        (json_to, lambda: plan_to_json(fitted, found, whole, on)),
        (latex, lambda: plan_to_latex(fitted, found, whole, on)),
        (csv, lambda: plan_to_csv(fitted, found, whole, on)),
    )
    for to, make in outputs:
        if to is not None:
            write_text(make(), to)
    if all(to is None for to, _ in outputs):
        click.echo(_table(found, whole, on, fitted.law.output))


def _goes_with(found: Plan, rule: str, critical: str) -> WholeRun | None:
    """The batch, learning rate and steps that go with a plan; None where neither law is wanted or the plan has no sizes."""
    from fitting.batch import from_paper, whole_run

    if rule == "none" or found.params is None:
        return None
    laws = (from_paper(f"{rule}_batch"), from_paper(f"{rule}_lr"))
    return whole_run(found, *laws, None if critical == "none" else from_paper(critical))


def _table(found: Plan, whole: WholeRun | None, on: OnDevices, output: Output) -> str:
    """The plan as text for a terminal."""
    from dashboard import numbers
    from fitting.batch.published import OPTIMAL, RATE

    what = output.title.lower()
    rows = [
        ("compute", found.flops, "flop", "FLOP"), ("parameters", found.params, "count", ""),
        ("tokens", found.tokens, "count", ""), ("tokens per parameter", found.tokens_per_param, "ratio", ""),
        (what, found.loss, "loss", output.unit), (f"{what} of a new run", found.loss_run, "loss", output.unit),
        ("above the best size", found.penalty, "percent", ""),
    ]  # fmt: skip
    if whole is not None:
        rows += [
            ("batch", whole.batch, "count", "tokens per step"), ("learning rate", whole.lr, "flop", ""),
            ("steps", whole.steps, "count", ""), ("critical batch", whole.critical, "count", "tokens per step"),
        ]  # fmt: skip
    lines = []
    for name, band, kind, unit in rows:
        if band is None:
            continue
        beside = (found.loss.low, found.loss.high) if band is found.loss_run else None
        value, interval = numbers.with_interval(band.value, band.low, band.high, kind, beside)
        law = None if beside is None else numbers.with_interval(found.loss.value, *beside, kind)[1]
        same = ", the same as the law's" if interval == law and interval not in (value, numbers.MISSING) else ""
        lines.append(f"  {name:<22}{value:>12}   {'' if value == interval else interval} {unit}{same}".rstrip())
        if whole is not None and (ends := whole.papers.get({"batch": OPTIMAL, "learning rate": RATE}.get(name, ""))):
            lines.append(f"  {'  by published laws':<22}{'':>12}   {numbers.interval(ends[0], ends[1], kind)}")
    kind = " ".join(part for part in (on.name, "" if on.chosen else "(auto)") if part)
    lines.append(f"  {'devices':<22}{numbers.whole(on.devices):>12}   {kind}".rstrip())
    for name, quantity, kind in (
        ("time", "seconds", "duration"),
        ("device-hours", "device_hours", "count"),
        ("money", "money", "money"),
    ):
        known, band = getattr(on, quantity), on.between(quantity)
        said, within = numbers.say(known, kind), ""
        if band is not None:
            said, within = numbers.with_interval(band.value, band.low, band.high, kind)
        if said != numbers.MISSING:
            lines.append(f"  {name:<22}{said:>12}   {within}".rstrip())
    return "\n".join([*lines, "", *dict.fromkeys([*found.notes, *(whole.notes if whole else ()), *on.notes])]).rstrip()
