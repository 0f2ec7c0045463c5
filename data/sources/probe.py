"""Sweeps that were trained here, one folder each: their finished runs, and those in other states beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from data.errors import DataError
from data.plural import plural
from data.probe.corpus import corpora
from data.probe.found import Probe, probes, run_folders, sweeps, version
from data.probe.language import Language
from data.probe.runs import read_probes, standing
from data.reading import Reading
from data.schema import NothingKept
from data.sources import Place, RunSource, key_of
from data.table import Table

BATCH_LADDER = "probe-batch-ladder"  # the bundled ladder of batches, on the synthetic language with its own exponent


@dataclass(frozen=True)
class Sweep(RunSource):
    """A sweep's folder: `name` is its path; `elsewhere` whether the workspace shows it from where others had it made."""

    floor: float | None = None
    elsewhere: bool = False

    KIND: ClassVar[str] = "probe"
    mine: ClassVar[bool] = True

    @property
    def folder(self) -> Path:
        """Where its runs are."""
        return Path(self.name)

    @property
    def removable(self) -> bool:
        """Whether it is shown from elsewhere: one that was trained here is deleted where it is managed."""
        return self.elsewhere

    @property
    def true_floor(self) -> float | None:
        """The entropy of the text, where all runs were trained on one whose entropy is known."""
        return self.floor

    @property
    def batch_sweep(self) -> str:
        """The bundled ladder of batches, where that is of the same language."""
        return BATCH_LADDER if self.floor is not None and self.floor == Language().entropy else ""

    @property
    def version(self) -> str:
        """What changes when a run does."""
        return version(run_folders(self.folder))

    def read(self, answers: Mapping[str, Any], table: Table | None = None) -> Reading:
        """Its runs; of the answers `count` and `states` have a meaning here."""
        try:
            runs = read_probes([self.folder], self.title, count=answers.get("count"), keep=answers.get("states", ()))
            return Reading(runs)
        except NothingKept as error:
            return Reading(error.runs, error)
        except DataError as error:
            return Reading(None, error)

    def code(self, answers: Mapping[str, Any]) -> tuple[str, str]:
        """`read_runs` of the folder."""
        said = "".join(f", {name}={answers[name]!r}" for name in ("count", "states") if answers.get(name))
        return "from data import read_runs", f"runs = read_runs({self.name!r}{said})"


def found(place: Place) -> tuple[Sweep, ...]:
    """The sweeps that lie elsewhere, then those under the roots that the place knows, the newest first in each."""
    here = (_sweep(folder) for root in place.probes for folder in sweeps(root))
    return (*(_sweep(folder, elsewhere=True) for folder in place.elsewhere), *here)


def probe_key(folder: Path) -> str:
    """The key of the sweep in this folder."""
    return key_of(Sweep.KIND, str(folder.absolute()))


def _sweep(folder: Path, *, elsewhere: bool = False) -> Sweep:
    held = probes(run_folders(folder))
    where = f"in {folder.absolute()}" if elsewhere else "trained here"
    sentence = f"{plural(len(held), 'run')} {where}: {standing(held)}."
    return Sweep(str(folder.absolute()), folder.name, sentence, folder.name, _floor(held), elsewhere)


def _floor(held: list[Probe]) -> float | None:
    """The entropy that the corpora of these runs share; None where it is not known of one, or differs."""
    try:
        texts = {one.what.pools or one.what.corpus: one.what for one in held if one.what}
        known = {text.entropy for what in texts.values() for text in corpora(what)}
    except DataError:
        return None
    return known.pop() if len(known) == 1 else None
