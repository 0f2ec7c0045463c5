"""From the bytes of a file to a table: each file of this folder reads one family of formats.

A reader is a module here whose name does not start with an underscore. It is found, not registered, and offers

    title: str                          what it reads, for a sentence
    suffixes: tuple[str, ...]           file endings that are worth opening in a folder
    claims(content, name) -> float      how sure it is that the bytes are its own: 0 not at all, 1 by a signature
    read(content, name) -> Table        the table; raises ReadError, with one sentence, and nothing else on purpose
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace
from functools import cache
from pathlib import PurePath
from typing import Protocol, cast

from data.columns.active_shares import with_active_counted
from data.columns.embeddings import with_embeddings_added
from data.errors import ReadError
from data.filenames.columns import with_facts, with_name_facts
from data.given import takes
from data.readers._limits import MAX_FILE, size
from data.readers._samples_seen import samples_seen
from data.readers._shapes import oriented, shaped
from data.readers._signatures import called
from data.readers._summaries import SUMMARY
from data.table import Table

__all__ = ["Reader", "clean_name", "oriented", "read_table", "readers", "suffixes", "too_large"]


class Reader(Protocol):
    """What a module of this folder offers."""

    title: str
    suffixes: tuple[str, ...]

    def claims(self, content: bytes, name: str) -> float:
        """How sure the reader is that the bytes are its own, 0 to 1."""
        ...

    def read(self, content: bytes, name: str) -> Table:
        """The table in the bytes; ReadError when there is none."""
        ...


@cache
def readers() -> tuple[Reader, ...]:
    """Every reader of this folder, in the order of their names."""
    names = sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
    return tuple(cast(Reader, importlib.import_module(f"{__name__}.{name}")) for name in names)


@cache
def suffixes() -> frozenset[str]:
    """The file endings that some reader knows, lower case, with their dot."""
    return frozenset(s for r in readers() for s in r.suffixes)


@takes(content=bytes, filename=str)
def read_table(content: bytes, filename: str = "table") -> Table:
    """The table in the bytes of a file, recognised by what they are and not by the file's name alone.

    `filename` may be a path: what the names of file and folders say of the run is added as columns of its own.
    Raises `ReadError` with one sentence, whatever the bytes are.
    """
    name = clean_name(filename)
    if len(content) > MAX_FILE:
        raise ReadError(too_large(name, len(content)))
    if not content.strip(b"\x00\t\n\r\f\v "):
        raise ReadError(f"{name} is empty; expected a table with one row per training run.")
    claims = [(r.claims(content, name), -i, r) for i, r in enumerate(readers())]
    sure, _, reader = max(claims, key=lambda c: c[:2])
    if sure <= 0:
        raise ReadError(
            f"{name} is {called(content)}; expected a table of runs as CSV, TSV, Excel (.xlsx), Parquet, JSON or JSONL."
        )
    try:
        table = shaped(reader.read(content, name))
    except ReadError:
        raise
    except RecursionError:
        raise ReadError(f"{name} is nested too deeply to be a table of runs.") from None
    except MemoryError:
        raise ReadError(f"{name} needs more memory than there is; export fewer columns or rows.") from None
    except Exception as e:  # hostile bytes find every corner of the libraries underneath
        raise ReadError(f"{name} is damaged or is not {reader.title} after all ({type(e).__name__}).") from None
    if not len(table.frame):
        raise ReadError(f"{name} has column names but no rows; expected one row per training run.")
    if all(table.misfits.get(int(line)) == SUMMARY for line in table.lines):
        raise ReadError(
            f"{name} holds statistics of runs (such as their mean and std) and no run; expected one row per training run."
        )
    parts = path_parts(filename)
    if table.before is not None:
        table = replace(table, before=_with_names(table.before, parts))
    return _with_names(table, parts)


def _with_names(table: Table, parts: tuple[str, ...]) -> Table:
    """The table with what the names of its runs, files and folders say."""
    return samples_seen(with_active_counted(with_facts(with_name_facts(with_embeddings_added(table)), parts)))


def path_parts(filename: str) -> tuple[str, ...]:
    """The names of the folders and of the file, without its ending, fit to be shown; the last four at most."""
    parts = [clean_name(p) for p in str(filename).replace("\\", "/").split("/") if p not in ("", ".", "..")][-4:]
    return (*parts[:-1], PurePath(parts[-1]).stem or parts[-1]) if parts else ("table",)


def too_large(name: str, n: int) -> str:
    """The sentence about a file beyond the size that is read."""
    return f"{name} has {size(n)}; files of at most {size(MAX_FILE)} are read, so export fewer columns or rows."


def clean_name(filename: str) -> str:
    """The file's own name, without folders, control characters or excess length."""
    last = str(filename).replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return "".join(c for c in last if c.isprintable())[:80].strip() or "table"
