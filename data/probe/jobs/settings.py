"""What a person says of their cluster: what a run is given there, in a small file of JSON or TOML."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from data.errors import DataError
from data.plain import After, PlainError, With, at_most, read
from data.spelling import nearest

#: What is run as code on the cluster: it is taken from a file of the person's own, and from nowhere else.
OWN = ("python", "setup", "sbatch")
MOST_BYTES = 1_000_000  # of a file of settings
_TIME = re.compile(r"(?:(\d{1,4})-(\d{1,2})(?::(\d{1,2})(?::(\d{1,2}))?)?)|(?:(\d{1,6})(?::(\d{1,2}))?(?::(\d{1,2}))?)")


def _like(pattern: str, example: str) -> After:
    known = re.compile(pattern)

    def check(x: str) -> str:
        if x and not known.fullmatch(x):
            raise ValueError(f"should be like {example}")
        return x

    return After(check)


def _line(x: str) -> str:
    if not x.isprintable() or len(x) > 2000:
        raise ValueError("should be one line of at most 2,000 signs")
    return x


def _option(x: str) -> str:
    if not re.fullmatch(r"--[a-z][a-z-]+(=.+)?", _line(x)):
        raise ValueError("should be an option of sbatch, like --mail-type=END")
    if x.partition("=")[0] in (
        "--array",
        "--output",
        "--error",
        "--requeue",
        "--no-requeue",
        "--signal",
        "--job-name",
        "--wrap",
    ):
        raise ValueError("should be none of the options that say which runs are made, and how they go on")
    return x


_Name = Annotated[str, With(strict=True), _like(r"[A-Za-z0-9_.,:+@-]{1,200}", "gpu-long")]
_Line = Annotated[str, With(strict=True), After(_line)]


@dataclass(frozen=True)
class Settings:
    """What a run is given. A field that is empty or 0 is left to the cluster; `throttle` is how many runs there are at once.

    `warn` is how many seconds before its time is up a run is told to write a checkpoint; it is put back in the queue then, at most
    `requeues` times. `setup` are lines of the batch script before the run, `sbatch` options beside these, `python` the interpreter.
    """

    partition: _Name = ""
    account: _Name = ""
    qos: _Name = ""
    constraint: Annotated[str, With(strict=True), _like(r"[A-Za-z0-9_.,:+@&|*()\[\]-]{1,200}", "a100|h100")] = ""
    time: Annotated[str, With(strict=True), _like(_TIME.pattern, "1:30:00 or 2-00:00:00")] = ""
    memory: Annotated[str, With(strict=True), _like(r"[1-9][0-9]{0,8}[KMGT]?", "4G")] = ""
    cpus: Annotated[int, With(strict=True, ge=1, le=4096)] = 1
    gpus: Annotated[int, With(strict=True, ge=0, le=1024)] = 0
    gpu_type: _Name = ""
    throttle: Annotated[int, With(strict=True, ge=0, le=100_000)] = 0
    warn: Annotated[int, With(strict=True, ge=0, le=65_535)] = 120
    requeues: Annotated[int, With(strict=True, ge=0, le=10_000)] = 100
    image: Annotated[str, With(strict=True), _like(r"[A-Za-z0-9_.:/@-]{1,400}", "registry/isoflop:1")] = "isoflop"
    volume: Annotated[str, With(strict=True), _like(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", "probes")] = "probes"
    python: _Line = ""
    setup: Annotated[tuple[_Line, ...], at_most(100)] = ()
    sbatch: Annotated[tuple[Annotated[_Line, After(_option)], ...], at_most(100)] = ()

    def __post_init__(self) -> None:
        if self.time and seconds(self.time) <= self.warn:
            raise ValueError(f"warn should be less than the time of a run; {self.warn} and {self.time} came")
        if self.gpu_type and not self.gpus:
            raise ValueError("gpu_type should come with how many gpus a run is given")


def seconds(time: str) -> int:
    """The seconds that a time limit of Slurm's says: minutes, m:s, h:m:s, d-h, d-h:m or d-h:m:s."""
    said = _TIME.fullmatch(time)
    assert said is not None
    days, hours, minutes, rest, *short = (int(x) if x else 0 for x in said.groups())
    if said[1] is not None:
        return ((days * 24 + hours) * 60 + minutes) * 60 + rest
    a, b, c = short
    return (a * 60 + b) * 60 + c if said[7] is not None else a * 60 + b


def settings(values: Any, *, own: bool = False, called: str = "The settings of the cluster") -> Settings:
    """The settings that plain values say, which are `called` so where they are refused.

    Raises DataError, too, for lines that are run as code unless the file is the person's `own`.
    """
    try:
        if isinstance(values, dict):
            if unknown := sorted(str(name) for name in set(values) - set(Settings.__dataclass_fields__)):
                known = Settings.__dataclass_fields__
                near = nearest(unknown[0], known, ": ", "")
                raise PlainError(f"it has no field {unknown[0]!r:.60}{near}; it has {', '.join(known)}")
            if not own and (code := [name for name in OWN if values.get(name)]):
                raise PlainError(f"{code[0]} is run as code and is taken from a file on this machine alone")
        return read(Settings, values)
    except PlainError as fault:
        raise DataError(f"{called} cannot be read: {fault}.") from None


def settings_in(path: Path) -> Settings:
    """The settings in a file of the person's own, TOML by its ending, else JSON. Raises DataError."""
    try:
        with path.open("rb") as file:
            said = file.read(MOST_BYTES + 1)
        if len(said) > MOST_BYTES:
            raise DataError(f"{path} is no file of settings: it has over {MOST_BYTES:,} bytes.")
        text = said.decode("utf-8")
        values = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} is neither JSON nor, by its ending, TOML: {error}.") from None
    return settings(values, own=True, called=f"{path} of the cluster's settings")
