"""Where runs come from: files, bundled tables and probes, all as one runs table."""

from data.convert import to_runs
from data.errors import DataError, MappingNeeded, Question, ReadError
from data.library import Entry, bundled, load
from data.mapping import Guess, Mapping
from data.read import read_file, read_files, read_runs
from data.readers import read_table
from data.recognise import recognise
from data.schema import COLUMNS, Column, NothingKept, Provenance, Runs
from data.summary import describe, describe_error, read_summary
from data.table import Table

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
