"""Where runs come from: files, bundled tables and probes, all as one runs table.

Names are imported when they are first asked for: a process that only trains a probe or serves a queue starts without pandas, which
takes as long to load as a probe of the smallest kind takes to train.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data.convert import to_runs
    from data.errors import DataError, MappingNeeded, Question, ReadError
    from data.library import Entry, bundled, load
    from data.mapping import Guess, Mapping
    from data.read import read_file, read_files, read_runs
    from data.readers import read_table
    from data.recognition import recognise
    from data.schema import COLUMNS, Column, NothingKept, Provenance, Runs
    from data.summary import describe, describe_error, read_summary
    from data.table import Table

_OF = {
    "convert": ("to_runs",),
    "errors": ("DataError", "MappingNeeded", "Question", "ReadError"),
    "library": ("Entry", "bundled", "load"),
    "mapping": ("Guess", "Mapping"),
    "read": ("read_file", "read_files", "read_runs"),
    "readers": ("read_table",),
    "recognition": ("recognise",),
    "schema": ("COLUMNS", "Column", "NothingKept", "Provenance", "Runs"),
    "summary": ("describe", "describe_error", "read_summary"),
    "table": ("Table",),
}
_MODULES = {name: module for module, names in _OF.items() for name in names}

__all__ = [
    "COLUMNS",
    "Column",
    "DataError",
    "Entry",
    "Guess",
    "Mapping",
    "MappingNeeded",
    "NothingKept",
    "Provenance",
    "Question",
    "ReadError",
    "Runs",
    "Table",
    "bundled",
    "describe",
    "describe_error",
    "load",
    "read_file",
    "read_files",
    "read_runs",
    "read_summary",
    "read_table",
    "recognise",
    "to_runs",
]


def __getattr__(name: str) -> Any:
    """One of `__all__`, imported from the module that has it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
