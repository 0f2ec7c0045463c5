"""The critical batch by every method that these curves allow, at the same losses side by side, and which one plans use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import streamlit as st

from dashboard import state, widgets
from dashboard.batch import panels as batch_panels
from dashboard.batch import state as batch_state
from dashboard.batch.readings import Sweep
from dashboard.plan import state as plan_state
from dashboard.plan.settings import CRITICAL_LAWS
from fitting import FitError
from fitting.band import Band
from fitting.batch import AlongLoss, TrajectoryFit

TITLE = "The critical batch by each method"
GROWTH = "Scaling of the critical batch"
MOST = 6  # losses in the table
CURVES = "Training-curve law"
NEAR = 1.002  # a loss this near to the ends of what a law was fitted to is not beyond them


@dataclass(frozen=True)
class Method:
    """One way to the critical batch: its name, what it is fitted to, and at each loss a band or why there is none."""

    name: str
    fitted_to: str
    found: tuple[Band | str, ...]
    remarks: tuple[str, ...]


def losses(sweep: Sweep) -> tuple[float, ...]:
    """The losses compared, from the highest: those asked about, and the one that the whole run is asked to reach."""
    asked = st.session_state.get("whole_loss_asked")
    at = {*list(sweep.places.values())[:MOST], *([float(asked)] if isinstance(asked, int | float) else [])}
    return tuple(sorted(at, reverse=True))


def methods(sweep: Sweep, at: tuple[float, ...]) -> list[Method]:
    """Those that these curves allow, the one that plans use among them."""
    out = [_alone(sweep, at)]
    along = batch_state.along()
    if along is not None:
        out.append(_together(along, at))
    whole = batch_state.whole()
    if isinstance(whole, TrajectoryFit):
        out.append(_whole(whole, at))
    return out


def _alone(sweep: Sweep, at: tuple[float, ...]) -> Method:
    found: list[Band | str] = []
    remarks = []
    for loss in at:
        name = next((n for n, place in sweep.places.items() if place == loss and n in sweep.found), None)
        one = sweep.found[name] if name is not None else batch_state.critical_at(loss)
        found.append("cannot be read" if isinstance(one, FitError) else one.b_crit)
        remarks.append("" if isinstance(one, FitError) else f"{len(one.batch)} batches reached it")
    said = "steps against batch size, at one loss"
    return Method("Single loss", said, tuple(found), tuple(remarks))


def _together(law: AlongLoss, at: tuple[float, ...]) -> Method:
    low, high = float(law.x.min()), float(law.x.max())
    said = f"steps against batch size, at {len(law.x)} losses jointly; B_crit a power law of the loss"
    beyond = tuple(
        "" if low / NEAR <= loss <= high * NEAR else f"outside the losses fitted, {low:.4g} to {high:.4g}"
        for loss in at
    )
    return Method("Several losses", said, tuple(law.at(loss) for loss in at), beyond)


def _whole(fit: TrajectoryFit, at: tuple[float, ...]) -> Method:
    law, size = fit.law, float(fit.curves.sizes[-1])
    found = tuple("below its floor" if loss <= law.floor(size).value else law.b_crit(loss) for loss in at)
    return Method(CURVES, "all training curves, with a floor; B_crit a power law of the loss", found, ("",) * len(at))


def panel(sweep: Sweep) -> None:
    """The table with a sentence on why its rows differ and which of them plans use; nothing for other data than curves."""
    if sweep.read_from != "curves":
        return
    at = losses(sweep)
    found = methods(sweep, at)
    if len(found) < 2 or not at:
        return
    widgets.section(TITLE, "at the same losses, with 95 % intervals")
    heads = "".join(f'<th scope="col">loss {loss:.4g}</th>' for loss in at)
    body = "".join(_row(m) for m in found)
    st.html(
        f'<div class="iso-scroll"><table class="iso-table"><thead><tr><th scope="row">{escape(sweep.unit)} per step</th>{heads}'
        f"</tr></thead><tbody>{body}</tbody></table></div>"
    )
    widgets.quiet(why(found), used(found))


def _row(method: Method) -> str:
    alike = method.remarks[0] if len(set(method.remarks)) == 1 else ""  # what holds at every loss is said once
    cells = ""
    for band, remark in zip(method.found, method.remarks, strict=True):
        said = f"<b>{escape(band)}</b>" if isinstance(band, str) else batch_panels.cell(band)
        cells += f"<td>{said}{f'<p>{escape(remark)}</p>' if remark and not alike else ''}</td>"
    fitted = f"{method.fitted_to}; {alike}" if alike else method.fitted_to
    return f'<tr><th scope="row"><b>{escape(method.name)}</b><p>{escape(fitted)}</p></th>{cells}</tr>'


def why(found: list[Method]) -> str:
    """Why the rows differ, for those that there are."""
    names = [m.name for m in found]
    said = "Single loss fits each loss separately, so its interval is wide at losses that few batches reach."
    if "Several losses" in names:
        said += " Several losses fits one power law of the loss to the steps of all losses."
    if CURVES in names:
        said += (
            f" {CURVES} has a power law of the loss too, but fits every evaluation of each curve, early ones included, with one "
            "floor and one exponent of steps: the early part of the curves can make it less steep."
        )
    return f"{said} Compare them at one loss only: the critical batch changes with the loss."


def used(found: list[Method]) -> str:
    """Which of them plans use, as the workspace stands."""
    if not any(m.name == "Several losses" for m in found):
        return "Plans use none of these: they take Several losses, which needs three losses and four batches."
    asked, kept = plan_state.settings().critical, state.setting("critical")
    if asked not in ("", "measured"):
        law = CRITICAL_LAWS.get(asked, "another law")
        return f"Plans use {law}, chosen on the Plan page; of these methods they would take Several losses."
    if isinstance(kept, Mapping) and kept.get("title") == state.chosen().title:
        return "Plans use Several losses, chosen here with Plan with this law."
    if state.chosen().key == batch_state.LADDER and not kept:
        return (
            "Plans of the bundled IsoFLOP sweep of this language use Several losses; other plans do after Plan with this law, "
            f"under {GROWTH}."
        )
    return f"Plans use Several losses after Plan with this law, under {GROWTH}."
