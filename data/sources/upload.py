"""A file of the user's own, kept by its contents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from data.errors import DataError
from data.readers import read_table
from data.reading import Reading, read_upload
from data.sources import Place, RunSource, key_of
from data.table import Table


def _gone() -> bytes:
    raise FileNotFoundError("This file is no longer there; upload it again.")


@dataclass(frozen=True)
class Upload(RunSource):
    """An uploaded file: `name` is the sha256 of its contents, `file` what it was called, `content` gives its bytes."""

    content: Callable[[], bytes] = field(default=_gone, compare=False, repr=False)

    KIND: ClassVar[str] = "upload"
    mine: ClassVar[bool] = True
    copied: ClassVar[bool] = True

    def table(self) -> Table:
        """The file as a table; raises the reader's sentence for one that cannot be read."""
        return read_table(self.content(), self.file)

    def read(self, answers: Mapping[str, Any], table: Table | None = None) -> Reading:
        """The table's runs under these answers; a file that is no table is trouble in the reading."""
        try:
            return read_upload(self.table() if table is None else table, answers)
        except DataError as error:
            return Reading(None, error)

    def code(self, answers: Mapping[str, Any]) -> tuple[str, str]:
        """`read_runs` of a file of that title, with the same answers."""
        said = "".join(f", {name}={value!r}" for name, value in answers.items())
        return "from data import read_runs", f"runs = read_runs({self.title!r}{said})"


def found(place: Place) -> tuple[Upload, ...]:
    """The files that the workspace holds."""
    return tuple(
        Upload(
            held.sha256,
            held.title,
            f"Your file, {held.size / 1e6:,.1f} MB." if held.size >= 1e5 else "Your file.",
            held.name,
            held.content,
        )
        for held in place.files
    )


def upload_key(sha256: str) -> str:
    """The key of the upload with these contents."""
    return key_of(Upload.KIND, sha256)
