"""A sweep while it runs: its answer, picture and table, drawn anew in place, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import numbers, state, widgets
from dashboard.probe import cluster, curves, forecasts, launched, launching, opened, panels, payload, words
from dashboard.probe import state as probe_state
from dashboard.probe.chart import live_chart
from dashboard.probe.price import size
from dashboard.probe.settings import settings
from dashboard.probe.watching import WORDS, Run, Sweep, size_on_disk, sweeps
from data.plural import agreeing, plural
from data.probe.spec import Spec
from data.sources.probe import probe_key
from fitting.batch.rate_by_width import LEAST_RATES, LEAST_WIDTHS

STYLE = Path(__file__).parents[1] / "static" / "probe.css"
SHOWN = 12  # runs up to which the table is as long as they are
EVERY, SELDOM = 2.0, 10.0  # seconds from one look at a sweep to the next, while something runs and while nothing does


def all_sweeps() -> list[Sweep]:
    """Every sweep of the workspace as it stands, the newest first."""
    root = probe_state.root()
    own = sweeps(root, launching.jobs(root), launching.held(root), settings().cores)
    return [*own, *cluster.sweeps(), *opened.sweeps()]


def titles(found: Sequence[Sweep]) -> dict[str, str]:
    """The sweeps as the menu has them, by their names."""
    return {one.name: words.chosen(one) for one in found}


def watch(name: str, others: pd.DataFrame | None, found: Sequence[Sweep]) -> None:
    """The sweep, looked at again and again, often while something of it runs; `found` are the sweeps as the page around it has them."""
    sweep = next(one for one in found if one.name == name)
    if sweep.active and not (sweep.cluster or sweep.elsewhere) and not launching.why_not():
        launching.attempt(launching.wake)
    often = (cluster.EVERY if sweep.cluster else EVERY) if sweep.active else SELDOM
    st.fragment(_shown, run_every=often)(name, others, titles(found), sweep.active, used(sweep))


def look_out(found: Sequence[Sweep]) -> None:
    """Draw the page anew where the sweeps in its menu no longer stand as it says: another window or the queue did something."""
    active = any(one.active for one in found)
    st.fragment(_compared, run_every=EVERY if active else SELDOM)(titles(found))


def used(sweep: Sweep) -> bool:
    """Whether a sweep is the current data."""
    return state.chosen().key == probe_key(sweep.folder)


def _compared(said: Mapping[str, str]) -> None:
    if titles(all_sweeps()) != said:
        st.rerun()


def _shown(
    name: str, others: pd.DataFrame | None, said: Mapping[str, str], began_active: bool, began_used: bool
) -> None:
    every = all_sweeps()
    sweep = next((one for one in every if one.name == name), None)
    # The menu around it counts as it does, and so does what says whether it is used.
    if sweep is None or titles(every) != said or sweep.active != began_active or used(sweep) != began_used:
        st.rerun()
    assert sweep is not None
    st.set_page_config(page_title=words.title(sweep))
    sentence, under, values = words.standing(sweep)
    if sweep.done and not sweep.active:
        under = f"{under} {launched.afterwards(sweep.folder, [run.probe for run in sweep.runs])}".strip()
    widgets.answer(sentence, under, **values)
    if sweep.held:
        st.html(f'<p class="iso-caution" role="note">{escape(sweep.held)}</p>')
    if sweep.faults:
        widgets.trouble(f"Nothing can be shown of {plural(len(sweep.faults), 'more run')}.", sweep.faults[0])
    if sweep.active and not sweep.stopping:
        st.progress(sweep.progress, text=f"{numbers.percent(sweep.progress)} of the work")
    told = forecasts.forecasts(sweep, every) if sweep.counts["running"] else {}
    _actions(sweep)
    if not sweep.runs:
        return
    live_chart({"panels": [payload.the_plane(sweep, None if used(sweep) else others)]}, key=f"probe_live_{name}")
    shown = curves.curves(sweep, told, curves.menu(sweep)) if any(run.rows for run in sweep.runs) else []
    if shown:
        live_chart({"panels": shown}, key=f"probe_curves_{name}")
    drawn = sum(bool(run.losses) for run in sweep.runs)
    if drawn > payload.MOST_PANELS:
        widgets.quiet(f"Curves of {payload.MOST_PANELS} of {drawn} runs, those at work first; the table has all.")
    widgets.section("Runs", "in the order in which they are trained")
    _table(sweep, {key: one.sentence for key, one in told.items()})


def _actions(sweep: Sweep) -> None:
    """What can be done with a sweep; one elsewhere, and all of them from another machine, are looked at alone."""
    why = opened.WHY if sweep.elsewhere else launching.why_not()
    ended = [run for run in sweep.runs if run.state in ("failed", "diverged", "cancelled", "lost")]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if sweep.done:
            if used(sweep):
                _onward(sweep)
            else:
                use = f"Use {'this run' if sweep.done == 1 else f'these {sweep.done} runs'}"
                _button(use, "probe_use", lambda: state.choose(probe_key(sweep.folder)),
                        "Makes the sweep's finished runs the current data of every page.",
                        type="secondary" if sweep.active else "primary")  # fmt: skip
        if sweep.held and not why:
            _button("Release", "probe_release", lambda: launching.release(sweep.name),
                    "Lets the sweep go on with the runs that wait.")  # fmt: skip
        if ended and not why:
            _button("Resume all", "probe_resume", lambda: launching.resume(sweep.name),
                    "Puts runs that failed or were cancelled in the queue again; they go on from their checkpoints.",
                    type="secondary" if sweep.active or sweep.held or sweep.done else "primary")  # fmt: skip
        if (sweep.counts["running"] or sweep.counts["queued"]) and not sweep.stopping and not why:
            _button("Cancel all", "probe_cancel", lambda: launching.cancel(sweep.name),
                    "Runs at work keep a checkpoint, from which Resume goes on.")  # fmt: skip
        if not why:
            _one(sweep)
        if not sweep.counts["running"] and not (sweep.cluster and sweep.counts["queued"]) and not why:
            _cleaner(sweep)
    if why:
        widgets.quiet(why)
    if sweep.elsewhere:
        st.code(opened.command(sweep), language=None, wrap_lines=True)


def _onward(sweep: Sweep) -> None:
    """Where a sweep that is the current data is answered: one of batches alone has no law of size, one of rates at widths another."""
    sizes = {run.spec.counts.nonembed for run in sweep.runs}
    if _of_rates([run.spec for run in sweep.runs if run.state == "done"]):
        st.page_link("views/batch.py", label="See their learning rates on the Batch page")
    elif len(sizes) == 1 and len({run.spec.batch for run in sweep.runs}) > 1:
        st.page_link("views/batch.py", label="See their batches on the Batch page")
    else:
        st.page_link("views/fit.py", label="See their law on the Fit page")


def _of_rates(specs: Sequence[Spec]) -> bool:
    """Whether runs hold a width ladder: rates enough at each of enough widths, alike in all else."""
    rates: dict[tuple[Any, ...], dict[int, set[float]]] = {}
    for one in specs:
        alike = (one.parametrisation, one.tokens, one.batch, one.depth, one.schedule, one.optimiser, one.corpus)
        rates.setdefault(alike, {}).setdefault(one.width, set()).add(one.rate)
    return any(sum(len(of) >= LEAST_RATES for of in widths.values()) >= LEAST_WIDTHS for widths in rates.values())


def _button(label: str, key: str, act: Callable[[], Any], help: str, **look: Any) -> None:
    """A button within the fragment: what it changes is said, and shown around the fragment, too."""
    if st.button(label, key=key, on_click=launching.attempt, args=(act,), help=help, **look):
        st.rerun()


def _one(sweep: Sweep) -> None:
    """Cancelling or resuming one run."""
    able = {run.key: f"{run.label}: {WORDS[run.state].lower()}" for run in sweep.runs if run.state != "done"}
    if len(sweep.runs) < 2 or not able:
        return
    with st.popover("One run"):
        st.selectbox("Run", list(able), format_func=lambda key: able.get(key, str(key)), key="probe_one")
        chosen = str(st.session_state.get("probe_one") or "")
        run = next((run for run in sweep.runs if run.key == chosen), None)
        if run is not None and run.sentence:
            widgets.quiet(run.sentence)
        if run is not None and run.state in ("queued", "running"):
            _button(
                "Cancel it",
                "probe_cancel_one",
                lambda: launching.cancel(sweep.name, [chosen]),
                "It keeps its checkpoint.",
            )
        elif run is not None:
            _button(
                "Resume it", "probe_resume_one", lambda: launching.resume(sweep.name, [chosen]), "From its checkpoint."
            )


def _cleaner(sweep: Sweep) -> None:
    with st.popover("Clean up"):
        folder, staying = sweep.folder, {} if sweep.cluster else launching.outliving(sweep.name)
        held = size_on_disk(folder) - sum(size_on_disk(folder / key) for key in staying)
        names = " and ".join(sorted(set(staying.values())))
        kept = f" {agreeing(len(staying), 'run is', 'runs are')} kept, as {names} has {'it' if len(staying) == 1 else 'them'}, too."
        widgets.quiet(
            f"Deletes {sweep.name} for good: {plural(len(sweep.runs) - len(staying), 'run')} with logs and checkpoints, "
            f"{size(held)}.{kept if staying else ''} Undo does not bring it back."
        )
        _button(f"Delete {size(held)}", "probe_clean", lambda: _clean(sweep), "For good.")


def _clean(sweep: Sweep) -> None:
    if used(sweep) and not launching.why_not():
        state.choose(next(choice.key for choice in state.choices() if not choice.mine))
    launching.clean(sweep.name)
    panels.show(panels.NEW)
    state.say(f"{sweep.name} is deleted.")


def _table(sweep: Sweep, told: Mapping[str, str]) -> None:
    """Every run, one a line."""
    st.dataframe(
        frame(sweep, told), key=f"probe_table_{sweep.name}", hide_index=True, width="stretch",
        height="content" if len(sweep.runs) <= SHOWN else 460,
        column_config={
            "Progress": st.column_config.ProgressColumn("Progress", min_value=0.0, max_value=100.0, format="%d %%", width="small"),
            "Loss": st.column_config.TextColumn("Loss", width="small"),
            "Run": st.column_config.TextColumn("Run", width="medium"),
            "What it says": st.column_config.TextColumn("What it says", width="large"),
        },
    )  # fmt: skip


def _of_pools(run: Run) -> dict[str, str]:
    """The last loss on each pool, of runs that mix the same pools in several ways."""
    if not run.mixed:
        return {}
    last = run.of_pools(run.rows[-1]) if run.rows else [None] * len(run.spec.pools)
    return {
        f"On {pool.corpus}": f"{loss:.4f}" if isinstance(loss, float) else ""
        for pool, loss in zip(run.spec.pools, last, strict=True)
    }


def frame(sweep: Sweep, told: Mapping[str, str]) -> pd.DataFrame:
    """The runs as the table shows them; `told` is what is said of those in flight, by their keys."""
    return pd.DataFrame([_line(run, told.get(run.key, "")) for run in sweep.runs])


def _line(run: Run, told: str) -> dict[str, Any]:
    says = run.sentence if run.state != "done" else run.probe.notice
    return {
        "Run": run.label,
        "State": "Stopping" if run.stopping else WORDS[run.state],
        "Progress": round(100 * run.progress),
        "Time left": numbers.roughly(run.left) if run.state == "running" and run.left else "",
        "Loss": "" if run.loss is None else f"{run.loss:.4f}",  # a column of numbers says None for those that have none
        **_of_pools(run),
        "Device": run.on,
        "What it says": (told if not run.stopping else "") or ("" if says == f"{WORDS[run.state]}." else says),
    }
