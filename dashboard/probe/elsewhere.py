"""The sweep as a job for another machine: the text that `isoflop probe --print` prints, its command line and the files that it reads."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import widgets
from dashboard.probe import cluster, cluster_form, form
from dashboard.probe import settings as probe_settings
from dashboard.probe.settings import ProbeSettings, is_name
from data.errors import DataError
from data.probe.jobs.text import KINDS, job_of_sweep
from data.probe.spec import Spec

TITLES = {"slurm": "Slurm", "torchrun": "torchrun", "kubernetes": "Kubernetes", "skypilot": "SkyPilot"}
CLUSTER = "cluster.json"  # what a run is given, beside the sweep


def panel(sweep: dict[str, Any], specs: Sequence[Spec] | DataError, asked: ProbeSettings) -> None:
    """Which kind of job, the folder of its runs, what a run is given, and the job."""
    left, right = st.columns(2, gap="medium")
    with left:
        kind = st.segmented_control(
            "Kind of job", list(KINDS), default=next(iter(KINDS)), format_func=lambda name: TITLES.get(name, str(name)),
            key="probe_kind", required=True, bind="query-params",
        )  # fmt: skip
    with right:
        st.text_input(
            "Folder of the runs there", key=widgets.hold("probe_elsewhere", asked.elsewhere), on_change=_keep, max_chars=1000,
            placeholder=str(_out("")), help="The job says every folder by its whole path.",
        )  # fmt: skip
    if not (cluster_form.offered() and cluster.chosen(asked)):  # else they stand above, in the launch
        cluster_form.fields(asked, skip=())
    kind = kind if kind in KINDS else next(iter(KINDS))
    name = asked.name if is_name(asked.name) else "sweep"
    try:
        out = _out(asked.elsewhere)
        given = cluster.given(asked)
        if isinstance(specs, DataError):
            raise specs
        text, _ = job_of_sweep(kind, specs, given, out=out, name=name)
    except DataError as error:
        widgets.trouble(str(error), "Change the field beside it.")
        return
    widgets.quiet(
        "The command writes each run's spec.json into its folder and prints the job, with the paths of its own machine:"
    )
    st.code(command(kind, name, out, asked), language=None, wrap_lines=True)
    st.code(text, language="yaml" if KINDS[kind][0].endswith(".yaml") else "bash", height=360)
    with st.container(horizontal=True, gap="small"):
        _file(f"{name}.json", form.written(sweep) + "\n", "probe_print_sweep")
        if asked.cluster:
            _file(CLUSTER, json.dumps(asked.cluster, indent=1) + "\n", "probe_print_cluster")
        _file(script(kind), text, "probe_print_job")


def command(kind: str, name: str, out: Path, asked: ProbeSettings) -> str:
    """The command line that prints the same."""
    given = f" --slurm {CLUSTER}" if asked.cluster else ""
    return f"isoflop probe {name}.json --out {shlex.quote(str(out))}{given} --print {kind} > {script(kind)}"


def script(kind: str) -> str:
    """What the file of a job is called."""
    return f"job{Path(KINDS[kind][0]).suffix}"


def _out(text: str) -> Path:
    try:
        return Path(text or "~/probes").expanduser().resolve()
    except (RuntimeError, OSError, ValueError):
        raise DataError(f"The folder of the runs is no path: {text[:60]!r} came.") from None


def _file(name: str, text: str, key: str) -> None:
    kind = "application/json" if name.endswith(".json") else "text/plain"
    st.download_button(f"Download {name}", text.encode(), name, kind, on_click="ignore", key=key)


def _keep() -> None:
    probe_settings.change("folder of runs elsewhere", elsewhere=str(st.session_state["probe_elsewhere"] or "").strip())
