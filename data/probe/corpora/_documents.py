"""A folder of text as documents, none of them twice, and which of them are held out."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path

from data.errors import DataError

HELD_OUT = 20  # one part in so many of the text is held out
PIECES = 64  # a document too long to be held out whole is cut into pieces, this many to the whole text
SHORTEST = 256  # bytes of such a piece
MOST_BYTES, MOST_FILES = 2**30, 10**6
_SPLIT = b"held out, seed 0"  # settles which documents are held out: the same for every run, whatever its seed
END = b"\0"  # between two documents; no text has it


@dataclass(frozen=True, eq=False)
class Documents:
    """The documents to train on and those held out, each in an order that their bytes settle; `digest` tells them from any others."""

    train: list[bytes]
    held: list[bytes]
    digest: str


def documents(root: Path, ending: str = "", apart: str = "") -> Documents:
    """The documents of a folder, or of one file. With an `ending`, files of it alone; names that match `apart` are passed over.

    Raises DataError where nothing is there, for links that lead out of the folder, and for files that are no text.
    """
    paths = sorted(islice(_files(root, ending, apart), MOST_FILES + 1))
    if len(paths) > MOST_FILES:
        raise DataError(f"{root} has over {MOST_FILES:,} files; put several into one.")
    size = sum(map(_size, paths))
    if size > MOST_BYTES:
        raise DataError(
            f"{root} has {size / 2**30:.1f} GiB of text; at most {MOST_BYTES >> 30} are read, so make token files of it (bin:PATH)."
        )
    found: dict[bytes, bytes] = {}
    for path in paths:
        one = _text(path)
        if one.strip():
            found.setdefault(_mark(one), one)
    if not found:
        raise DataError(f"{root} has no text in it; a corpus is a folder of text files, or one of them.")
    return split(list(found.values()))


def split(texts: list[bytes]) -> Documents:
    """Held out are the documents with the lowest marks, a twentieth of the bytes and one at least; a mark is made of the bytes alone."""
    size = sum(map(len, texts))
    pieces: dict[bytes, bytes] = {}
    for one in texts:
        for piece in _cut(one, max(SHORTEST, size // PIECES)) if len(one) > size / HELD_OUT else [one]:
            pieces.setdefault(_mark(piece), piece)
    ordered = [pieces[mark] for mark in sorted(pieces)]
    held, taken = 0, 0
    while taken < size / HELD_OUT and held < len(ordered) - 1:
        taken, held = taken + len(ordered[held]), held + 1
    digest = blake2b(b"".join([b"%d" % HELD_OUT, *sorted(pieces)]), digest_size=8).hexdigest()
    return Documents(ordered[held:], ordered[:held], digest)


def whole_path(rest: str, what: str) -> str:
    """A path as it is from any folder. Raises DataError where none came."""
    if not rest or "\0" in rest:
        raise DataError(f"{what}: needs a path after the colon; {rest!r:.40} came.")
    try:
        return str(Path(rest).expanduser().absolute())
    except RuntimeError as error:
        raise DataError(f"{what}:{rest} names no folder: {error}") from None


def _mark(text: bytes) -> bytes:
    return blake2b(text, digest_size=16, key=_SPLIT).digest()


def _cut(text: bytes, size: int) -> list[bytes]:
    """Pieces of so many bytes or more, cut where a line ends if one does soon; together they are the text."""
    out, at = [], 0
    while len(text) - at > size * 3 // 2 + 4:
        end = text.find(b"\n", at + size, at + 2 * size) + 1 or at + size
        while end < at + size + 4 and 0x80 <= text[end] < 0xC0:  # inside a character of UTF-8
            end += 1
        out.append(text[at:end])
        at = end
    return [*out, text[at:]]


def _files(root: Path, ending: str, apart: str) -> Iterator[Path]:
    try:
        kind = root.stat().st_mode
    except (OSError, ValueError) as error:
        raise DataError(f"{root} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if stat.S_ISREG(kind):
        yield root
        return
    if not stat.S_ISDIR(kind):
        raise DataError(f"{root} is neither a file nor a folder; a corpus is a folder of text files, or one of them.")
    inside = root.resolve()
    passed = re.compile(rf"\..*|__pycache__|{apart}")
    for above, folders, names in os.walk(root, onerror=_unreadable):
        folders[:] = [one for one in folders if not passed.fullmatch(one)]
        for name in folders:
            _stays(Path(above) / name, inside, ending)
        for name in names:
            path = Path(above) / name
            if passed.fullmatch(name) or not name.endswith(ending):
                continue
            if not path.is_symlink() and not path.is_file():
                raise DataError(f"{path} is no ordinary file; take it out of the folder.")
            if _stays(path, inside, ending):
                yield path


def _stays(path: Path, inside: Path, ending: str) -> bool:
    """Whether it is no link. One that stays in the folder leads to what is read anyway; others are an error where all is to be read."""
    if path.is_symlink() and not ending and not Path(os.path.realpath(path)).is_relative_to(inside):
        raise DataError(f"{path} is a link that leads out of {inside}; put the text itself there.")
    return not path.is_symlink()


def _unreadable(error: OSError) -> None:
    raise DataError(f"{error.filename} cannot be read: {error.strerror}.")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None


def _text(path: Path) -> bytes:
    try:
        found = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None
    if END in found:
        raise DataError(f"{path} is a binary file (it has a zero byte); take it out of the folder of text.")
    return found
