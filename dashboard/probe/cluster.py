"""Sweeps on Slurm: whether there is one here, what its runs are given, what that costs, and how its sweeps stand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.probe import on_slurm, watching
from dashboard.probe import state as probe_state
from dashboard.probe.price import Price, price
from dashboard.probe.settings import ProbeSettings, is_name
from dashboard.probe.watching import Sweep
from dashboard.server import local
from dashboard.workspace.files import private_folder
from dashboard.workspace.sources import clusters
from data.errors import DataError
from data.plain import plain
from data.probe.found import is_run, names_of_sweeps, probes, run_folders
from data.probe.found import keys as listed_keys
from data.probe.found import sweeps as folders
from data.probe.jobs.settings import Settings, settings, settings_in
from data.probe.queue.job import Job
from data.probe.slurm.record import recorded
from data.probe.slurm.submit import SlurmQueue
from data.probe.submitter import Standing
from data.whole_file import write_whole

if TYPE_CHECKING:
    from data.probe.spec import Spec

GIVEN = "settings.json"  # in a sweep's folder: what its runs are given, also when they are resumed after another launch
EVERY = 5.0  # seconds from one look of the page to the next: Slurm is asked by everybody
LOOK = 4.0  # seconds for which what it said holds


def here() -> bool:
    """Whether jobs can be submitted from this machine."""
    return shutil.which("sbatch") is not None


def chosen(asked: ProbeSettings) -> bool:
    """Whether the next sweep goes to Slurm."""
    return asked.where == "slurm" and here()


def given(asked: ProbeSettings) -> Settings:
    """What runs are given, by the code that reads a file for `isoflop probe --slurm`. Raises DataError.

    What is run as code among it was typed in a session on this machine: no other may change it.
    """
    return settings(asked.cluster or {}, own=True)


def given_or_none(asked: ProbeSettings) -> Settings:
    """The same, and the cluster's own for settings that cannot be read."""
    try:
        return given(asked)
    except DataError:
        return Settings()


def brings_python(asked: ProbeSettings) -> bool:
    """Whether runs are made by an interpreter of the cluster's, which may have torch where this one has none."""
    return chosen(asked) and bool(given_or_none(asked).python)


def priced(specs: Sequence[Spec], asked: ProbeSettings) -> tuple[Price, str]:
    """What a sweep costs where it goes, without the time in Slurm's own queue, and where that is, in words."""
    what = given_or_none(asked)
    slots = on_slurm.at_once(what, len(specs))
    done = [one for one in probes(run_folders(root())) if one.what is not None and one.status.state == "done"]
    own = {one.what.key: one for one in done[: probe_state.MOST_OWN] if one.what is not None}
    return price(specs, slots, on_slurm.target(what, probe_state.an_hour()), own), on_slurm.words(slots)


# --- sweeps that were submitted --------------------------------------------------------------------------------------


def root() -> Path:
    """The folder of this workspace's sweeps on Slurm, which may not exist yet."""
    return clusters(state.space())


def holds(name: str) -> bool:
    """Whether a sweep is Slurm's."""
    return is_name(name) and (root() / name).is_dir()


def folder(name: str) -> Path:
    """The folder of a sweep, wherever it is trained."""
    return (root() if holds(name) else probe_state.root()) / name


def names() -> list[str]:
    """What Slurm's sweeps are called, the newest first."""
    return [one.name for one in folders(root())]


def keys(sweep: str = "") -> list[str]:
    """The runs of a sweep on Slurm, or of all of them."""
    return [one.name for one in run_folders(root() / sweep if sweep else root())]


def queue(sweep: str) -> SlurmQueue:
    """The queue, with what this sweep's runs are given."""
    path = root() / sweep / GIVEN
    return SlurmQueue(root(), settings_in(path) if path.exists() else None)


def submit(sweep: str, specs: Sequence[Spec], what: Settings) -> None:
    """Have Slurm make a new sweep. Raises DataError where it refuses; what it did not take leaves nothing behind."""
    place = private_folder(root() / sweep)
    write_whole(place / GIVEN, json.dumps(plain(what), indent=1).encode(), private=True)
    try:
        SlurmQueue(root(), what).submit(sweep, specs)
    except DataError:
        for run in [one for one in place.iterdir() if is_run(one) and recorded(one) is None]:
            shutil.rmtree(run, ignore_errors=True)
        if not any(map(is_run, place.iterdir())):
            shutil.rmtree(place, ignore_errors=True)
        raise
    finally:
        look()


def sharing(sweep: str) -> list[str]:
    """Other sweeps on Slurm that list a run which lies in this one's folder."""
    mine = {one.name for one in (root() / sweep).iterdir() if is_run(one)}
    return [name for name in names_of_sweeps(root()) if name != sweep and mine & set(listed_keys(root() / name))]


def look() -> None:
    """Ask Slurm anew the next time."""
    _standings.clear()


@st.cache_data(ttl=LOOK, max_entries=32, show_spinner=False)
def _standings(at: Path, tends: bool) -> list[Standing]:
    """How Slurm's runs stand; who `tends` writes down how they ended, while Slurm still knows it."""
    whole = SlurmQueue(at)
    if tends:
        whole.tend()
    return whole.states()


def sweeps() -> list[Sweep]:
    """Every sweep on Slurm as it stands, the newest first."""
    at = root()
    if not at.is_dir():
        return []
    listed = _standings(at, not local.why_not_local())
    newest = {name: -float(k) for k, name in enumerate(names())}
    jobs = [
        Job(one.key, one.folder.path.name, one.sweep, place, 0, one.state, one.place, "", 1, one.sentence,
            newest.get(one.sweep, 0.0), 0.0, 0.0)
        for place, one in enumerate(listed)
    ]  # fmt: skip
    states = {one.key: one.state for one in listed}
    return [_of_slurm(one, states) for one in watching.sweeps(at, jobs, {}, 1)]


def _of_slurm(sweep: Sweep, states: dict[str, str]) -> Sweep:
    """The sweep with as many runs at once as were allowed, and states as Slurm has them, whatever this machine sees of processes."""
    try:
        most = queue(sweep.name).settings.throttle
    except DataError:
        most = 0
    runs = tuple(replace(run, state=watching.stands(states[run.key], run.probe)) for run in sweep.runs)
    return replace(sweep, runs=runs, slots=most or len(runs), cluster=True)
