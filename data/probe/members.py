"""Which runs a sweep has, as one file in its folder: a run is made once, and lies in the folder of the sweep that asked for it first.

A sweep has the runs whose folders lie in its own, and those that the file lists, which may lie beside it under the same root. A sweep
from before there was such a file has the former alone.
"""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from data.errors import DataError
from data.probe.plain_file import OddError, parsed, read_bytes
from data.whole_file import write_whole

FILE, LOCK = "sweep_runs.json", "submit.lock"
MOST_BYTES, MOST_KEYS = 1_000_000, 30_000
_KEY = re.compile(r"[0-9a-f]{16}")


def listed(sweep: Path) -> tuple[str, ...]:
    """The keys of the runs that a sweep's file lists, in order of submission; none where there is no file. Raises DataError."""
    path = sweep / FILE
    if not path.is_file():
        return ()
    try:
        found = parsed(read_bytes(path, MOST_BYTES))
        keys = found.get("runs") if isinstance(found, dict) else None
        if not isinstance(keys, list) or len(keys) > MOST_KEYS:
            raise OddError(f"it should hold 'runs', a list of at most {MOST_KEYS:,} runs' keys")
        odd = [key for key in keys if not (isinstance(key, str) and _KEY.fullmatch(key))]
        if odd:  # a key becomes the name of a folder
            raise OddError(f"a run's key has 16 digits to the base 16, and {odd[0]!r:.40} came")
    except (OSError, OddError) as error:
        raise DataError(
            f"{path} cannot be read: {error}. Remove it and submit the sweep again; its runs are not made again."
        ) from None
    return tuple(dict.fromkeys(keys))


def check(sweep: Path) -> None:
    """Raise DataError where runs cannot be added to a sweep: its file cannot be read, or its folder is a link to another place."""
    if sweep.is_symlink():
        raise DataError(
            f"{sweep} is a link, and a sweep's folder is none. Put the folder itself there, or remove the link."
        )
    listed(sweep)


def join(sweep: Path, keys: Iterable[str]) -> None:
    """List runs as a sweep's, beside those that it lists already. Raises DataError as `check`."""
    check(sweep)
    held = listed(sweep)
    all_of_it = tuple(dict.fromkeys((*held, *keys)))
    if all_of_it != held:
        sweep.mkdir(parents=True, exist_ok=True)
        write_whole(sweep / FILE, (json.dumps({"runs": all_of_it}, indent=0) + "\n").encode())


@contextmanager
def submitting(root: Path) -> Iterator[None]:
    """One process at a time adds runs under a root: two that came at once would each make a folder for a run that they share."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / LOCK).open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
