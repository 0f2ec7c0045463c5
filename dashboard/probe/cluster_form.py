"""Where a sweep is trained, and what its runs are given on a cluster: the fields of `data.probe.jobs.settings`, on the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard import widgets
from dashboard.probe import cluster, launching
from dashboard.probe import settings as probe_settings
from dashboard.probe.settings import ProbeSettings
from data.errors import DataError
from data.probe.jobs.settings import OWN, Settings

HERE, SLURM = "This machine", "Slurm"
FIRST = ("partition", "account", "time", "gpus", "memory", "setup")
CONTAINER = ("image", "volume")  # which Slurm does without
#: What the page calls fields that it does not call by their names.
CALLED = {
    "time": "Time limit of a run",
    "gpus": "GPUs of a run",
    "cpus": "CPU cores of a run",
    "memory": "Memory of a run",
    "gpu_type": "Kind of GPU",
    "qos": "Quality of service",
    "throttle": "Runs at once",
    "warn": "Warning before the limit, seconds",
    "requeues": "Times a run is put back",
    "setup": "Lines before the run",
    "sbatch": "More options of sbatch",
    "python": "Interpreter",
}
EXAMPLES = {
    "time": "1:30:00",
    "gpus": "none",
    "throttle": "no limit",
    "memory": "4G",
    "setup": "module load cuda",
    "sbatch": "--mail-type=END",
}
LONGEST = 10_000  # signs of a field
OWN_ONES = "the cluster's own"


def offered() -> bool:
    """Whether there is a choice of places: Slurm is here, and this session may launch."""
    return cluster.here() and not launching.why_not()


def where(asked: ProbeSettings) -> bool:
    """The menu of places and the fields of the one chosen, where there is a choice; False where what they say cannot be used."""
    if not offered():
        return True
    st.segmented_control(
        "Train on", (HERE, SLURM), key=widgets.hold("probe_where", SLURM if cluster.chosen(asked) else HERE), required=True,
        on_change=_where, help="Slurm trains each run as a task of an array, which sbatch submits from this machine.",
    )  # fmt: skip
    if not cluster.chosen(asked):
        return True
    fields(asked)
    widgets.quiet(
        "The workspace's folder and Isoflop's have to be at the same path on every node. Waiting for other people's jobs is not in "
        "the time above."
    )
    try:
        cluster.given(asked)
    except DataError as error:
        widgets.trouble(str(error), "Change the field, or leave it empty for the cluster's own.")
        return False
    return True


def fields(asked: ProbeSettings, skip: Sequence[str] = CONTAINER) -> None:
    """Every field but those to skip, the usual ones first; what is run as code is a person's at this machine to change."""
    names = [name for name in Settings.__dataclass_fields__ if name not in skip]
    values = asked.cluster or {}
    for place, name in zip(_grid(len(FIRST)), FIRST, strict=False):
        with place:
            _field(name, values)
    with st.expander("More of what a run is given"):
        rest = [name for name in names if name not in FIRST]
        for place, name in zip(_grid(len(rest)), rest, strict=False):
            with place:
                _field(name, values)


def _grid(count: int) -> list[Any]:
    return [column for _ in range(-(-count // 3)) for column in st.columns(3, gap="medium")]


def _field(name: str, values: dict[str, Any]) -> None:
    default = Settings.__dataclass_fields__[name].default
    key, label = f"probe_cluster_{name}", CALLED.get(name, name.replace("_", " ").capitalize())
    look: dict[str, Any] = {
        "key": widgets.hold(key, shown(values.get(name))),
        "placeholder": EXAMPLES.get(name) or (str(default) if default else OWN_ONES),
        "on_change": _keep,
        "args": (name, key),
        "disabled": name in OWN and bool(launching.why_not()),
    }
    if isinstance(default, tuple):
        st.text_area(f"{label}, one a line", height=68, **look)
    else:
        st.text_input(label, **look)


def shown(value: Any) -> str:
    """A value as its field shows it; '' for none."""
    if isinstance(value, list | tuple):
        return "\n".join(map(str, value))
    return "" if value is None else str(value)


def typed(name: str, text: str) -> Any:
    """What a field's text means; None for an empty one. What is no number stays as it is, for the settings to refuse."""
    default, text = Settings.__dataclass_fields__[name].default, text.strip()
    if not text:
        return None
    if isinstance(default, tuple):
        return [line.strip() for line in text.splitlines() if line.strip()]
    if isinstance(default, int):
        try:
            return int(text)
        except ValueError:
            return text
    return text


def _where() -> None:
    slurm = st.session_state["probe_where"] == SLURM
    probe_settings.change(f"train on {'Slurm' if slurm else 'this machine'}", where="slurm" if slurm else "")


def _keep(name: str, key: str) -> None:
    text = str(st.session_state[key] or "")
    value = typed(name, text)

    def keep() -> None:
        if len(text) > LONGEST:
            raise DataError(f"A field of the cluster has at most {LONGEST:,} signs; {len(text):,} came.")
        if name in OWN and (why := launching.why_not()):
            raise DataError(why)
        held = {k: v for k, v in (probe_settings.settings().cluster or {}).items() if k != name}
        probe_settings.change(
            f"{CALLED.get(name, name)} on the cluster".lower(),
            cluster=(held if value is None else {**held, name: value}) or None,
        )

    launching.attempt(keep)
