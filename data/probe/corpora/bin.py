"""Token files as nanoGPT, modded-nanogpt and llm.c write them: 16-bit tokens, least byte first, with or without a header.

Nothing in a file without a header says how many bits its tokens have. Where every second number is 0, or nearly, they have 32 or 64,
and the file is refused: read as 16 bits, every second token would be one that nobody wrote, and easy to predict.

The header is 256 numbers of 32 bits: 20240520, the version 1, how many tokens follow. Of a folder, files called val (or valid, test,
eval, dev) are held out; where none is, the last twentieth of each file. A meta.json beside them may say `vocab_size`; no pickle is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from data.errors import DataError
from data.probe.corpora import _cache
from data.probe.corpora._documents import HELD_OUT, whole_path
from data.probe.corpora._stored import ABOUT, Stored, mapped
from data.probe.corpora._stream import Stream
from data.probe.spec import MOST_VOCAB, Spec

title = "token files as nanoGPT and llm.c write them"
example = "bin:FILE_OR_FOLDER"

MAGIC, VERSION, HEADER = 20240520, 1, 256 * 4
GPT2 = 50257  # the vocabulary of files of that header and version
_HELD = re.compile(r"(?:^|[^a-z])(?:val|valid|validation|test|eval|dev)(?:[^a-z]|$)", re.IGNORECASE)
_CHUNK = 2**24  # tokens that are looked through at once
# Of a token of 32 bits the upper half is below 4, as a vocabulary has 262,144 tokens at most: looked at in so many numbers of a file's
# begin, in files of some length, and that share of them has to be so.
_UPPER, _LOOKED, _FEWEST, _MOSTLY = 4, 2**20, 16, 0.95


@dataclass(frozen=True)
class Shard:
    """A file of tokens: where they begin in it, in bytes, and how many there are."""

    path: Path
    offset: int
    count: int

    @property
    def tokens(self) -> np.ndarray:
        """Its tokens (count,), read as they are needed."""
        return mapped(self.path, "<u2", self.count, self.offset)


def settled(rest: str) -> str:
    """The whole path."""
    return whole_path(rest, "bin")


def make(asked: Mapping[int, str], spec: Spec) -> dict[int, Stored]:
    """The tokens of the files. Raises DataError for files that are none, and where nothing says how many different ones there are."""
    return {lane: _tokens(Path(settled(rest)), spec.vocab) for lane, rest in asked.items()}


def _tokens(path: Path, vocab: int) -> Stored:
    shards = [_shard(one) for one in _files(path)]
    needed, digest = _looked_through(shards)
    vocab = vocab or _said(path) or (GPT2 if all(one.offset for one in shards) else 0)
    if not vocab:
        raise DataError(
            f"{path} does not say its vocabulary; give vocab (its largest token is {needed - 1:,}, so {needed:,} at least)."
        )
    held = [one for one in shards if _HELD.search(one.path.stem)]
    if held and len(held) < len(shards):
        train, held_out = [[one.tokens for one in shards if (one in held) == apart] for apart in (False, True)]
    else:
        cuts = [one.count - one.count // HELD_OUT for one in shards]
        train = [one.tokens[:cut] for one, cut in zip(shards, cuts, strict=True)]
        held_out = [one.tokens[cut:] for one, cut in zip(shards, cuts, strict=True)]
    return Stored(
        f"bin:{path}", Stream(tuple(train)), Stream(tuple(held_out)), vocab, needed, "tokens of files", digest
    )


def _files(path: Path) -> list[Path]:
    try:
        found = sorted(path.glob("*.bin")) if path.is_dir() else [path]
        for one in found:
            if path.is_dir() and one.is_symlink() and not one.resolve().is_relative_to(path.resolve()):
                raise DataError(
                    f"{one} is a link that leads out of {path}; put the file itself there, or name it alone."
                )
            if not one.is_file():
                raise DataError(
                    f"{one} is {'no ordinary file' if one.exists() else 'missing'}; a corpus is a .bin file or a folder of them."
                )
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None
    if not found:
        raise DataError(f"{path} has no .bin files in it.")
    return found


def _shard(path: Path) -> Shard:
    """What a file says of itself. Raises DataError where it is no file of tokens."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            begun = file.read(HEADER)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None
    if begun[:4] in (b"PK\x03\x04", b"\x80\x02}q", b"GGUF"):
        raise DataError(f"{path} holds weights or an archive, not tokens; a token file is numbers of 16 bits.")
    if len(begun) == HEADER and int(np.frombuffer(begun, "<i4", 1)[0]) == MAGIC:
        version, count = np.frombuffer(begun, "<i4", 3)[1:].tolist()
        if version != VERSION:
            raise DataError(
                f"{path} has version {version} of its header; version {VERSION} is read, whose tokens have 16 bits."
            )
        if size != HEADER + 2 * count:
            raise DataError(
                f"{path} says it has {count:,} tokens and has {max(0, size - HEADER) / 2:,g}; copy it again."
            )
        return Shard(path, HEADER, count)
    if size % 2 or not size:
        raise DataError(f"{path} has {size:,} bytes; a token file has two for each token.")
    _narrow(path, size // 2)
    return Shard(path, 0, size // 2)


def _narrow(path: Path, count: int) -> None:
    """Raise DataError for tokens of more than 16 bits: then one of two numbers in turn is the upper half of a token, and so 0 or small."""
    some = mapped(path, "<u2", min(count, _LOOKED), 0)
    if len(some) < _FEWEST:
        return
    for upper, lower in ((some[1::2], some[0::2]), (some[0::2], some[1::2])):
        small, others = upper < _UPPER, lower < _UPPER
        if (small.mean() > _MOSTLY and others.mean() < _MOSTLY) or (not upper.any() and lower.any()):
            halves = (
                some[: len(some) // 4 * 4].reshape(-1, 2, 2).any(axis=2)
            )  # of 64 bits, whether either of its 32 are not 0
            bits = 64 if halves.mean(axis=0).min() < 1.0 - _MOSTLY else 32
            raise DataError(
                f"{path} has tokens of {bits} bits, as every second number of 16 bits in it is 0 or nearly; 16 bits are read. "
                "Write it anew as numpy's uint16, which holds a vocabulary of up to 65,536."
            )


def _looked_through(shards: list[Shard]) -> tuple[int, str]:
    """One more than the largest token, and what tells these tokens from any others; kept until a file changes."""
    stats = [(str(one.path), one.offset, (s := one.path.stat()).st_size, s.st_mtime_ns) for one in shards]

    def look(folder: Path) -> None:
        top, digest = 0, blake2b(digest_size=8)
        for one in shards:
            digest.update(str(one.count).encode())
            for first in range(0, one.count, _CHUNK):
                some = one.tokens[first : first + _CHUNK]
                top = max(top, int(some.max()))
                digest.update(some.tobytes())
        (folder / ABOUT).write_text(json.dumps([top + 1, f"bin-{digest.hexdigest()}"]), encoding="utf-8")

    key = blake2b(json.dumps(stats).encode(), digest_size=8).hexdigest()
    needed, digest = json.loads((_cache.kept(f"seen-{key}", look) / ABOUT).read_text(encoding="utf-8"))
    return needed, digest


def _said(path: Path) -> int:
    meta = (path if path.is_dir() else path.parent) / "meta.json"
    if not meta.is_file():
        return 0
    try:
        said = json.loads(meta.read_text(encoding="utf-8"))["vocab_size"]
    except (OSError, ValueError, KeyError, TypeError):
        said = None
    if isinstance(said, bool) or not isinstance(said, int) or not 0 < said <= MOST_VOCAB:
        raise DataError(f"{meta} should say vocab_size, a whole number up to {MOST_VOCAB:,}.")
    return said
