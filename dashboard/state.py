"""What is current: the workspace in the address, the data chosen in it, and the runs after mapping and exclusions.

With fit_analyses.py and the pages' state.py the only file with caches. Ids and plain values go in, results come out; they
are shared between sessions and must not be changed by whoever gets them. The session holds ids and counters alone:
everything a person decides is written to the workspace at once, so that a refresh or a restart finds it again.

To add a thing that is current (a fit, a plan): a cached function of plain values and the runs' identity, and a function
`current_...()` that reads its settings with `setting(name, otherwise)` and calls it. `change(what, {...})` is one step
of undo, and `what` is what the undo button says.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import streamlit as st

from dashboard.error_messages import message_of
from dashboard.fit import own_laws
from dashboard.fit.settings import FitSettings, read_settings
from dashboard.runs.answers import said_of_columns
from dashboard.workspace import store as workspace
from dashboard.workspace.put_aside import told
from dashboard.workspace.sources import comes_back, sources, take_out
from dashboard.workspace.store import History, Values, Workspace
from data.errors import DataError
from data.plain import each_usable, read_or
from data.reading import Reading, read_own
from data.schema import FITTED, HELD_OUT, NothingKept, Runs
from data.sources import RunSource, name_of
from data.table import Table

if TYPE_CHECKING:
    from fitting import Fit, FitError, Law

Left = tuple[tuple[str, ...], tuple[str, ...]]  # the runs that a fit leaves out: those excluded, those held out
ROLES = Annotated[dict[str, str], each_usable(str)]
LATELY = 5.0  # seconds within which a page reloads after a change that cut it short; assumed
MOST_CHANGED = 1_000  # workspaces whose last change is remembered

# --- the workspace, and what is set in it ----------------------------------------------------------------------------


def space() -> Workspace:
    """The workspace in the address (?w=...), else this session's; it is on disk from the first change on."""
    asked = st.query_params.get("w", "")
    held = st.session_state.get("workspace", "")
    if asked and asked != held:
        found = workspace.find(asked)
        if found is None:
            say("That workspace is not on this machine, so a new one is open.")
            del st.query_params["w"]
        else:
            held = st.session_state["workspace"] = found.id
    if not held:
        held = st.session_state["workspace"] = workspace.new().id
    current = workspace.at(held)
    if current.exists and st.query_params.get("w") != held:
        st.query_params["w"] = held
    return current


def enter(identity: str) -> None:
    """Go on in another workspace of this machine."""
    for held in ("drawn", "probe_view"):  # what was looked at in the one that is left
        st.session_state.pop(held, None)
    st.query_params.clear()
    st.session_state["workspace"] = st.query_params["w"] = identity


def setting(name: str, otherwise: Any = None, kind: Any = Any) -> Any:
    """A setting of the workspace, or `otherwise` where it was never set or is not of its `kind`."""
    return read_or(otherwise, kind, workspace.values(space()).get(name, otherwise))


def change(what: str, to: Values | Callable[[Values], Values]) -> None:
    """Write settings at once, as one step that undo calls `what`; None as a value takes a setting away.

    They are about the data that the page was drawn of: where other data are current by now, that is said and nothing done.
    """
    if is_drawn():
        _write(workspace.change, what, to)


def history() -> History:
    """What undo and redo would do, in words."""
    return workspace.history(space())


def undo() -> None:
    """Take back the last change."""
    _write(workspace.undo)


def redo() -> None:
    """Make the change that was last undone again."""
    _write(workspace.redo)


def _write(act: Callable[..., Any], *given: Any) -> None:
    """Change the workspace; a disk that refuses is said on the page, which goes on as it was."""
    try:
        act(here := space(), *given)
        if "drawn" in st.session_state:
            st.session_state["drawn"] = chosen()  # what it shows next, by its own doing
        changes = _changes()
        changes.pop(here.id, None)
        changes[here.id] = time.monotonic()  # the newest last
        while len(changes) > MOST_CHANGED:
            changes.pop(next(iter(changes)), None)
    except (OSError, workspace.WorkspaceError) as error:
        say(" ".join(message_of(error)))


def say(sentence: str) -> None:
    """Leave a sentence for the page to show once, at its next run."""
    later()(sentence)


def later() -> Callable[[str], None]:
    """`say` for this session, to be called when none of its pages is being drawn."""
    held: list[str] = st.session_state.setdefault("said", [])
    return held.append


def said() -> list[str]:
    """The sentences left since the page last asked."""
    held: list[str] = st.session_state.setdefault("said", [])
    left = held.copy()
    del held[: len(left)]
    workspace.values(here := space())  # read now, so that what cannot be is said on the same run
    return [*told(here.folder), *left]


# --- which data ------------------------------------------------------------------------------------------------------


def choices() -> tuple[RunSource, ...]:
    """Everything that can be chosen: the workspace's sweeps and uploads, newest first, then what is bundled."""
    return sources(space())


def chosen() -> RunSource:
    """The data that is current: the last one chosen, else the first bundled set."""
    listed = {choice.key: choice for choice in choices()}
    first = next(choice for choice in listed.values() if not choice.mine)
    return listed.get(str(setting("source", "")), first)


def choose(key: str) -> None:
    """Look at another set of runs."""
    title = next((choice.title for choice in choices() if choice.key == key), "data")
    _write(workspace.change, f"open {title}", {"source": key})


def upload(name: str, content: bytes) -> None:
    """Keep a file in the workspace at once and look at it."""

    def keep(here: Workspace) -> None:
        held = workspace.keep(here, name, content)
        to = {"source": held.source}
        workspace.change(here, f"open {held.title}", lambda now: to | workspace.put_back(now, held.sha256))

    _write(keep)


def forget(key: str) -> None:
    """Take an upload, or a folder that lies elsewhere, out of the workspace; undo brings it back."""
    for source in choices():
        if source.key == key and source.removable:
            _write(take_out, source)


def delete(key: str) -> None:
    """Delete an upload and all that was set of it, for good."""
    _write(workspace.remove, name_of(key))


def began() -> None:
    """Note which data a page is drawn of, and say where what it was drawn of is gone since, by another page of this workspace."""
    _gone_since()
    st.session_state["drawn"] = chosen()


def _gone_since() -> bool:
    """Whether the data that this session's page was drawn of are no longer there; then that is said."""
    drawn: RunSource | None = st.session_state.get("drawn")
    if drawn is None or drawn.key == chosen().key or drawn.key in {choice.key for choice in choices()}:
        return False
    way = " Undo brings it back." if comes_back(space(), drawn) else " Upload it again to go on with it." * drawn.copied
    say(f"{drawn.title} was removed in another window.{way}")
    return True


def is_drawn() -> bool:
    """Whether the page that a press came from was drawn of the data that are current; else that is said, and nothing is done.

    Two windows on one workspace share what is chosen: a press in one is not meant for what was opened in the other since.
    """
    drawn: RunSource | None = st.session_state.get("drawn")
    current = chosen()
    if drawn is None or drawn.key == current.key:
        return True
    if not _gone_since():
        say(f"{current.title} was opened in another window, so nothing was changed. This page shows it now, too.")
    st.session_state["drawn"] = current
    return False


# --- from data to runs -----------------------------------------------------------------------------------------------


def reading() -> Reading:
    """The data chosen, mapped and with exclusions applied; trouble of the data is in the answer, never raised."""
    return read_for(own_law()).marked(roles(), excluded())


def own_law() -> Law | None:
    """The law chosen, where it takes columns of its own and the file has them: the file is then read for it."""
    return own_laws.chosen(fit_settings().law, lambda: read_for().table)


def read_for(law: Law | None = None) -> Reading:
    """The data chosen as a law with columns of its own takes them, or, for None, as runs with losses; nothing is excluded."""
    source = chosen()
    answers = said_of_columns(setting(f"answers:{source.key}"))
    try:
        where = str(space().folder) if source.mine else "", source.key, source.file, source.version
        asked = repr(sorted(answers.items()))
        columns = () if law is None else (*law.inputs, law.output.column)
        return _read(where, asked, columns, source, answers)
    except Exception as error:  # nothing of it is kept: the next try may find more memory, or the disk again
        return Reading(None, error)


def current_runs() -> Runs:
    """The runs that fits use: mapped, not excluded, not held out. Raises the data's own error, a sentence for the page."""
    read = reading()
    if read.runs is None or not len(read.runs):
        left = "No run is left to fit: every row is set aside or held out. Include some on the Runs page."
        raise read.trouble or (DataError(left) if read.runs is None else NothingKept(left, read.runs))
    return read.runs


def whole_runs() -> Runs:
    """Those runs and the ones held out, for pictures, exports and what compares forecasts with them."""
    read = reading()
    return current_runs() if read.whole is None else read.whole


@st.cache_resource(max_entries=12, show_spinner="Reading the file")
def _read(where: tuple[str, ...], answered: str, own: tuple[str, ...], _source: RunSource, _answers: Values) -> Reading:
    """A set's runs under these answers; an error is an answer too, so that a bad file is read once."""
    try:
        table = _table(where, _source)
        return _source.read(_answers, table) if table is None or not own else read_own(table, own)
    except (MemoryError, OSError):
        raise
    except Exception as error:
        return Reading(None, error)


@st.cache_resource(max_entries=3, show_spinner=False)
def _table(where: tuple[str, ...], _source: RunSource) -> Table | None:
    return _source.table()


def answer(answers: Values) -> None:
    """Say what the columns of the upload are: any of `Answers`; an empty dict goes back to the guess."""
    here = chosen()
    change(f"columns of {here.title}", {f"answers:{here.key}": answers or None})


def answers() -> Values:
    """What was said about the columns of the data chosen."""
    return said_of_columns(setting(f"answers:{chosen().key}"))


# --- exclusions, and runs held out ------------------------------------------------------------------------------------


def excluded() -> list[str]:
    """The runs of the data chosen that the person set aside, in the order in which they were."""
    return list(setting(f"excluded:{chosen().key}", [], list[str]))


def excluded_here(runs: Runs) -> tuple[str, ...]:
    """Those of them that these runs hold, in order of name: a file may give the same reason for others."""
    mine = (runs.set_aside["reason"] == "excluded by you") & runs.set_aside["run"].isin(excluded())
    return tuple(sorted(runs.set_aside.loc[mine, "run"].astype(str)))


def exclude(runs: Iterable[str]) -> None:
    """Set runs aside."""
    _mark(list(runs), aside=True)


def include(runs: Iterable[str]) -> None:
    """Take runs that the person set aside back in."""
    _mark(list(runs), aside=False)


def _mark(runs: list[str], *, aside: bool) -> None:
    name = f"excluded:{chosen().key}"

    def edit(held: Values) -> Values:
        before = read_or([], list[str], held.get(name))
        gone = set(runs)
        after = [run for run in before if run not in gone] + (list(dict.fromkeys(runs)) if aside else [])
        return {name: after or None}

    subject = runs[0] if len(runs) == 1 else f"{len(runs)} runs"
    change(f"{'exclude' if aside else 'include'} {subject}", edit)


def roles() -> dict[str, str]:
    """The runs whose role the person chose, fitted or held out; the others have that of their table."""
    return dict(setting(f"roles:{chosen().key}", {}, ROLES))


def hold_out(runs: Iterable[str], held: bool = True) -> None:
    """Keep runs apart from fits, to compare forecasts with them, or fit them again."""
    given, name = list(runs), f"roles:{chosen().key}"
    to = dict.fromkeys(given, HELD_OUT if held else FITTED)
    subject = given[0] if len(given) == 1 else f"{len(given)} runs"
    said = f"hold out {subject}" if held else f"fit {subject} again"
    change(said, lambda now: {name: {**read_or({}, ROLES, now.get(name)), **to}})


# --- the fit, and what follows from it --------------------------------------------------------------------------------


def fit_settings() -> FitSettings:
    """How the data chosen is fitted: law, delta, intervals, grouping, resamples, seed; the defaults where nothing was set."""
    return read_settings(setting(f"fit:{chosen().key}"))


def set_fit(what: str, **changed: Any) -> None:
    """Change some of the fit's settings for the data chosen, as one step that undo calls `what`."""
    wanted = replace(fit_settings(), **changed)
    change(what, {f"fit:{chosen().key}": wanted.written() or None})


@st.cache_resource(max_entries=1, show_spinner=False)
def _changes() -> dict[str, float]:
    """When this server last changed each workspace, in seconds of its own clock."""
    return {}


def changed_lately(here: Workspace) -> bool:
    """Whether the workspace was changed from a page so shortly ago that an address in a browser may not say so yet."""
    return time.monotonic() - _changes().get(here.id, -math.inf) < LATELY


def current_fit(**other: Any) -> Fit | FitError:
    """The law fitted to the current runs, or why there is none: a FitError, whose text is a sentence for the page.

    `other` stands in for settings that are chosen. Trouble of the data is raised, as by `current_runs`.
    """
    runs, whole, wanted = current_runs(), whole_runs(), replace(fit_settings(), **other)
    how = wanted.arguments(runs.kept.columns)
    left = excluded_here(runs), tuple(whole.held_out["run"].astype(str))
    return _fit(runs.identity, len(runs.set_aside), left, tuple(how.items()), runs)


@st.cache_resource(max_entries=40, show_spinner="Fitting the law, with refits for its intervals")
def _fit(identity: str, aside: int, left: Left, how: tuple[tuple[str, Any], ...], _runs: Runs) -> Fit | FitError:
    """The fit, keyed by everything that enters it or that it says; a refusal is an answer too, so that it is found once."""
    from fitting import FitError, fit

    try:
        found = fit(_runs, **dict(how))
    except FitError as refusal:
        return refusal
    return replace(found, settings=replace(found.settings, excluded=left[0], held_out=left[1]))


def derived(make: Callable[..., Any], fit: Fit, runs: Runs, *about: Any) -> Any:
    """What `make(fit, runs, *about)` says, found once for the same fit and the same plain values; a FitError is an answer."""
    key = (f"{make.__module__}.{make.__qualname__}", fit.identity, about)
    return _derived(*key, lambda: make(fit, runs, *about))


@st.cache_resource(max_entries=64, show_spinner="Refitting with other choices")
def _derived(what: str, identity: str, about: tuple[Any, ...], _make: Callable[[], Any]) -> Any:
    from fitting import FitError

    try:
        return _make()
    except FitError as refusal:
        return refusal


def true_floor() -> float | None:
    """The lowest loss there is for the data chosen, nats per token, where it is known because we made the language."""
    return chosen().true_floor
