"""What stands on the Probe page while a sweep is laid out: its design, its fields, its JSON, its devices and limits, its launch."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import html_table, numbers, state, widgets
from dashboard.charts import plane
from dashboard.probe import cluster, corpora, derive, form, launching, words
from dashboard.probe import settings as probe_settings
from dashboard.probe import state as probe_state
from dashboard.probe.price import Limit, Price, limits
from dashboard.probe.settings import LEAST_DIAL, MOST_DIAL, ProbeSettings
from dashboard.probe.watching import labelled
from dashboard.widgets import PLOT
from data.errors import DataError
from data.flops import six_nd
from data.plural import agreeing
from data.probe.cost import FLOP
from data.probe.schedule import planned
from data.probe.spec import Spec
from data.probe.sweep import DESIGNS

NEW = "new"  # in the menu of sweeps and in the address; no sweep is called so
VIEW = "sweep"  # in the address
STEPS = [round(LEAST_DIAL + k / 4, 2) for k in range(int((MOST_DIAL - LEAST_DIAL) * 4) + 1)]  # of the dial
ABOUT = 0.04  # decades by which what a step of the dial lays out may miss it: widths and tokens are round


# --- which sweep is looked at ----------------------------------------------------------------------------------------


def view(names: Sequence[str], default: str) -> str:
    """The sweep that this window looks at, or NEW: the one in the address, else the one of before, else the default."""
    held = st.session_state.get("probe_view", default)
    asked = st.query_params.get(VIEW, held)
    chosen = asked if asked == NEW or asked in names else default
    if chosen != asked and st.query_params.get(VIEW) == asked:
        st.toast(widgets.literal(f"No sweep of this workspace is called {asked[:60]}."))
    show(chosen)
    return chosen


def show(name: str) -> None:
    """Look at a sweep from now on, or at NEW."""
    st.session_state["probe_view"] = name
    if st.query_params.get(VIEW) != name:
        st.query_params[VIEW] = name


def menu(titles: dict[str, str], current: str) -> None:
    """The menu of sweeps, where there is one yet.

    Each view has a menu of its own: what another view's showed may come back late from a busy browser, with whatever is pressed next,
    and would be a choice.
    """
    if titles:
        key = f"probe_menu_{current}"
        options = {NEW: "New sweep", **titles}
        st.selectbox(
            "Sweep", list(options), format_func=lambda name: options.get(name, str(name)),
            key=widgets.show(key, current, options.get(current, "")), on_change=_look, args=(key,), width=340,
        )  # fmt: skip


def _look(key: str) -> None:
    show(str(st.session_state[key] or NEW))


# --- the design and its fields ---------------------------------------------------------------------------------------


def most_flops(specs: Sequence[Spec] | None) -> float:
    """The FLOP (6ND) of the most expensive run that is laid out; 0 for none."""
    return max((six_nd(one.counts.nonembed, one.tokens) for one in specs or ()), default=0.0)


def turned(specs: Sequence[Spec] | None, asked: ProbeSettings) -> float:
    """Where the dial stands: log10 of the FLOP (6ND) of the most expensive run that is laid out, wherever that was said.

    At the step of the dial that lays out about so much; where it was left, in a sweep that cannot be laid out.
    """
    most = most_flops(specs)
    at = min(max(round(math.log10(most), 3), LEAST_DIAL), MOST_DIAL) if most > 0 else asked.dial
    nearest = min(STEPS, key=lambda step: abs(step - at))
    return nearest if abs(nearest - at) < ABOUT else at


def controls(sweep: dict[str, Any], dial: float, most: float = 0.0) -> None:
    """One column: the design, the dial, the fields; each writes to the workspace at once.

    Where the dial stands it says the FLOP (6ND) of the most expensive run that is laid out, `most`, which its step may miss a little.
    """
    design = str(sweep.get("design", "grid"))
    known = {name: one.title for name, one in DESIGNS.items()}
    st.selectbox(
        "Design", list(known), format_func=lambda name: known.get(name, str(name)), on_change=_design, args=(dial,),
        key=widgets.show("probe_design", design if design in known else next(iter(known))),
        help=" ".join(f"{one.title}: {one.sentence}" for one in DESIGNS.values()),
    )  # fmt: skip
    if design in DESIGNS:
        widgets.quiet(DESIGNS[design].sentence)
    st.select_slider(
        "Compute of the most expensive run", sorted({*STEPS, dial}),
        format_func=lambda at: f"{numbers.flop(most if most and at == dial else 10.0**at)} {FLOP}",
        key=widgets.hold("probe_dial", dial), on_change=_dial, args=(design,),
        help="Sizes, tokens and budgets follow from it: 20 tokens a parameter at the most expensive run (Hoffmann et al. 2022, arXiv "
        "2203.15556), widths a factor of about 1.4 apart. It follows what the fields and the JSON say.",
    )  # fmt: skip
    for field in form.fields_of(design):
        _field(field, sweep)
    with st.expander("More fields"):
        for field in form.MORE:
            _field(field, sweep)


def _field(field: form.Field, sweep: dict[str, Any]) -> None:
    key, held = f"probe_{field.name}", form.shown(sweep.get(field.name))
    default = form.default(field.name)
    if field.choices and held in ("", *field.choices):
        st.selectbox(
            field.label, list(field.choices), key=widgets.hold(key, held or default), on_change=_typed, args=(field, key),
            help=field.help or None,
        )  # fmt: skip
        return
    st.text_input(
        field.label, key=widgets.hold(key, held), placeholder=default or None,
        on_change=_typed, args=(field, key), help=field.help or None,
    )  # fmt: skip


def _design(dial: float) -> None:
    name = st.session_state["probe_design"]
    if name:
        probe_settings.change(
            f"design: {DESIGNS[name].title}", dial=dial, sweep=derive.changed(probe_state.values(), name, 10.0**dial)
        )


def _dial(design: str) -> None:
    dial = float(st.session_state["probe_dial"])
    probe_settings.change(
        f"{numbers.flop(10.0**dial)} {FLOP} for the most expensive run",
        dial=dial,
        sweep=derive.changed(probe_state.values(), design, 10.0**dial),
    )


def _typed(field: form.Field, key: str) -> None:
    sweep = probe_state.values()
    probe_settings.change(
        f"{field.label.lower()} of the sweep",
        sweep=form.with_field(sweep, field.name, str(st.session_state[key] or "")),
    )


def as_json(sweep: dict[str, Any], name: str, asked: ProbeSettings) -> None:
    """The sweep as JSON, to be changed or pasted, and the command that launches it."""
    text = form.written(sweep)
    st.text_area(
        "The sweep as JSON", key=widgets.hold("probe_json", text), height=210, on_change=_json,
        help="Any field of a run; a list where the sweep varies. What is changed here stands in the fields, and the other way round.",
    )  # fmt: skip
    command(name, asked)
    st.download_button(
        "Download sweep.json",
        (text + "\n").encode(),
        "sweep.json",
        "application/json",
        on_click="ignore",
        key="probe_json_file",
    )


def command(name: str, asked: ProbeSettings) -> None:
    """The command that does the same in a terminal."""
    cores = f" --cores {asked.cores}" if asked.cores > 1 else ""
    devices = f" --devices {shlex.quote(asked.devices)}" if asked.devices else ""
    out = name if probe_settings.is_name(name) else "probes"
    st.code(f"isoflop probe sweep.json --out {out}{cores}{devices}", language=None)


def _json() -> None:
    def keep() -> None:
        probe_settings.change("the sweep's JSON", sweep=form.parsed(str(st.session_state["probe_json"])))

    launching.attempt(keep)


# --- what it looks like and costs ------------------------------------------------------------------------------------


def the_plane(specs: Sequence[Spec], known: set[str], kept: pd.DataFrame | None) -> None:
    """The runs of the sweep as rings among the current set's."""
    rings = pd.DataFrame(
        {
            "run": labelled(list(specs)),
            "params": [float(one.counts.nonembed) for one in specs],
            "tokens": [float(planned(one).tokens) for one in specs],
            "known": [one.key in known for one in specs],
        }
    )
    there = (
        kept if kept is not None else pd.DataFrame({"run": [], "params": [], "tokens": [], "loss": []}, dtype="float64")
    )
    st.plotly_chart(
        plane.proposed(rings, there), key="probe_plane", config=PLOT, alt=f"{len(specs)} runs to be trained, as rings"
    )


def priced(specs: Sequence[Spec], asked: ProbeSettings) -> tuple[Price, str]:
    """What the sweep costs on the slots that are free, and those in words."""
    slots = probe_state.free_slots(asked)
    return probe_state.priced(specs, slots), words.on([slot.name for slot in slots])


def kept_limits(found: Price, asked: ProbeSettings) -> tuple[Limit, ...]:
    """The limits on this launch."""
    return limits(found, probe_state.root(), asked.most_runs, asked.most_hours, asked.keep_free)


def launcher(sweep: dict[str, Any], found: Price, on: str, asked: ProbeSettings, fresh: int, before: int) -> None:
    """The launch with its confirmation, or why there is none and the command instead."""
    why = launching.why_not()
    torch = probe_state.torch() or cluster.brings_python(asked)
    broken = next((limit for limit in kept_limits(found, asked) if limit.why), None)
    root = probe_state.root()
    name = asked.name or launching.free_name(root, str(sweep.get("design", "grid")), cluster.names())
    if why or not torch:
        widgets.trouble(why or words.NO_TORCH, "" if why else "Install it in Isoflop's folder, then reload this page:")
        if not why:
            st.code(words.INSTALL, language=None)
        widgets.quiet("The same sweep in a terminal, with the JSON below as sweep.json:")
        command(name, asked)
        return
    if broken or not fresh or not on or on == words.NO_DEVICE:
        widgets.trouble(
            broken.why
            if broken
            else "Every run of this sweep has been launched before."
            if not fresh
            else "No device is free.",
            words.REMEDIES[broken.of if broken else "again" if not fresh else "devices"],
        )
        return
    with st.popover(f"Launch {numbers.whole(fresh)} run{'s' if fresh != 1 else ''}", type="primary"):
        widgets.quiet(words.confirmed(found, on))
        if before:
            others = agreeing(before, "other run was launched before and is", "other runs were launched before and are")
            widgets.quiet(f"{others} not trained again.")
        st.text_input(
            "Name", key=widgets.hold("probe_name", name), on_change=_text, args=("probe_name", "name", "name of the sweep"),
            max_chars=60, placeholder=name,  # a popover that is opened late shows no value that was written before
        )  # fmt: skip
        odd = launching.no_name(root, name)
        st.html(f'<p class="iso-caution" role="alert">{escape(odd)}</p>') if odd else widgets.quiet(
            probe_settings.NAMES
        )
        st.button("Launch", type="primary", key="probe_launch", on_click=_launch, args=(sweep,), disabled=bool(odd))


def _launch(sweep: dict[str, Any]) -> None:
    name = str(st.session_state.get("probe_name", "")).strip()
    name = name or probe_settings.settings().name  # empty, it is what the field proposes
    called = launching.attempt(lambda: launching.launch(sweep, name))
    if called is not None:
        if probe_settings.settings().name:
            probe_settings.change("name of the sweep", name="")  # the next sweep is called otherwise
        show(called)
        state.say(f"{called} is launched.")


# --- devices, limits, and the command at the end ---------------------------------------------------------------------


def devices(asked: ProbeSettings, running: dict[str, str]) -> None:
    """The slots there are, what holds each, and how many there are to be on the CPU; `running` is the run on each slot."""
    cells = []
    for slot, why in probe_state.slots(asked):
        held = running.get(slot.name)
        text = f"trains {held}" if held else why or "free"
        cells.append(
            html_table.row((escape(slot.title), escape(text)), slot.name.replace("cpu", "CPU").replace("gpu", "GPU"))
        )
    st.html(html_table.table(('<th scope="row">Device</th>', "What it is", "Held by"), cells, "iso-small"))
    here = probe_state.cores()
    if asked.cores > here:
        widgets.quiet(f"This machine has {here} cores; more runs at once than that slow each other down.")
    left, right = st.columns(2, gap="medium")
    with left:
        st.number_input(
            "Runs at once on the CPU", 1.0, 1024.0, key=widgets.hold("probe_cores", float(asked.cores)), on_change=_number,
            args=("probe_cores", "cores", "runs at once on the CPU"), **widgets.WHOLE,
            help=f"Each takes one core; this machine has {here}. A queue at work keeps the number it began with.",
        )  # fmt: skip
    with right:
        st.text_input(
            "Only these devices", key=widgets.hold("probe_devices", asked.devices), on_change=_text, placeholder="all GPUs, else the CPU",
            args=("probe_devices", "devices", "devices of sweeps"), help="Divided by commas: cpu, 0, 1.",
        )  # fmt: skip


def the_limits(found: Price | None, asked: ProbeSettings) -> None:
    """Each limit with its value, and what is done when a sweep ends."""
    if found is not None:
        rows = [
            html_table.row((one.taken, one.most), one.of.capitalize(), bool(one.why))
            for one in kept_limits(found, asked)
        ]
        st.html(html_table.table(('<th scope="row">Limit on</th>', "This sweep", "At most"), rows, "iso-small"))
    one, two, three = st.columns(3, gap="medium")
    with one:
        st.number_input(
            "Runs of a sweep", 1.0, 10_000.0, key=widgets.hold("probe_most_runs", float(asked.most_runs)), on_change=_number,
            args=("probe_most_runs", "most_runs", "limit on runs"), **widgets.WHOLE,
        )  # fmt: skip
    with two:
        st.number_input(
            "Hours", 0.01, 1e5, key=widgets.hold("probe_most_hours", float(asked.most_hours)), on_change=_number,
            args=("probe_most_hours", "most_hours", "limit on hours"), step=1.0, format="%g",
        )  # fmt: skip
    with three:
        st.number_input(
            "Disk to stay free, GB", 0.0, 1e6, key=widgets.hold("probe_keep_free", float(asked.keep_free)), on_change=_number,
            args=("probe_keep_free", "keep_free", "disk to stay free"), step=1.0, format="%g",
        )  # fmt: skip
    st.text_area(
        "Folders of corpora", key=widgets.hold("probe_folders", "\n".join(asked.folders)), on_change=_folders, height=80,
        placeholder="/data/text", disabled=bool(launching.why_not()),
        help="One a line, by its whole path. Corpora that are paths are read in this workspace's folder and in these alone.",
    )  # fmt: skip


def refused(why: DataError, sweep: dict[str, Any], asked: ProbeSettings) -> None:
    """Why a sweep cannot be laid out and what to change, with a button where it is that the folder of a corpus is not allowed."""
    allowed, remedy = probe_state.allowed(asked), form.remedy(str(why), str(sweep.get("design", "grid")))
    folder = ""
    if corpora.refused(sweep, allowed) and not launching.why_not():  # nobody else is told what lies on this machine
        missing = corpora.missing(sweep)
        if folder := corpora.outside(sweep, allowed):
            remedy = f"Allow its folder, or {remedy[:1].lower()}{remedy[1:]}"
        elif missing:
            remedy = f"There is no {missing} on this machine. {remedy}"
    widgets.trouble(str(why), remedy)
    if folder:
        st.button(
            widgets.literal(f"Allow {folder}"), key="probe_allow", on_click=_allow, args=(folder,), type="primary"
        )


@launching.here_only
def _allow(folder: str) -> None:
    probe_settings.change("folders of corpora", folders=(*probe_settings.settings().folders, folder)[-20:])


def _number(key: str, name: str, said: str) -> None:
    probe_settings.change(f"{said}: {st.session_state[key]:g}", **{name: st.session_state[key]})


def _text(key: str, name: str, said: str) -> None:
    probe_settings.change(said, **{name: str(st.session_state[key] or "").strip()})


def _folders() -> None:
    listed = tuple(line.strip() for line in str(st.session_state["probe_folders"] or "").splitlines() if line.strip())

    @launching.here_only
    def keep() -> None:
        if odd := next((one for one in listed if not one.startswith(("/", "~")) or len(one) > 1000), ""):
            raise DataError(f"A folder is named by its whole path, from / or ~ on; {odd[:60]} came.")
        probe_settings.change("folders of corpora", folders=listed[:20])

    launching.attempt(keep)
