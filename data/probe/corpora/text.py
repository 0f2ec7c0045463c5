"""Text as bytes: a folder of text files, or one of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from data.probe.corpora._documents import END, Documents, documents, whole_path
from data.probe.corpora._stored import Stored, kept_tokens
from data.probe.spec import Spec

title = "a folder of text, as bytes"
example = "text:FOLDER"


def settled(rest: str) -> str:
    """The whole path."""
    return whole_path(rest, "text")


def make(asked: Mapping[int, str], spec: Spec) -> dict[int, Stored]:
    """The bytes of the folders' files."""
    paths = {lane: settled(rest) for lane, rest in asked.items()}
    return {lane: as_bytes(f"text:{path}", documents(Path(path))) for lane, path in paths.items()}


def as_bytes(name: str, found: Documents) -> Stored:
    """Documents as bytes, with a zero after each."""

    def joined() -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
        train, held = (np.frombuffer(END.join([*texts, b""]), np.uint8) for texts in (found.train, found.held))
        return train, held, {"needed": 1 + max(int(one.max(initial=0)) for one in (train, held))}

    digest = f"bytes-{found.digest}"
    train, held, about = kept_tokens(digest, joined)
    return Stored(name, train, held, 256, about["needed"], "bytes", digest)
