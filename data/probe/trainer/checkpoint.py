"""Where a run goes on from: arrays by name in one file without pickles, written beside and renamed."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from data.errors import DataError
from data.whole_file import write_whole

_ABOUT = "about"
# What numpy and zipfile raise for a file that is torn, overwritten or something else.
_TORN = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    BadZipFile,
    struct.error,
    zlib.error,
)


def save(path: Path, tensors: dict[str, Tensor], about: dict[str, Any]) -> None:
    """Write tensors and plain values."""
    held = io.BytesIO()
    arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
    np.savez(held, **{_ABOUT: np.frombuffer(json.dumps(about).encode(), np.uint8)}, **arrays)  # type: ignore[arg-type]
    write_whole(path, held.getvalue())


def load(path: Path, device: torch.device) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the plain values. Raises DataError for a file that is none."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
        about = json.loads(arrays.pop(_ABOUT).tobytes())
    except _TORN as error:
        raise DataError(f"{path} is no checkpoint: {error}. Remove it to begin the run anew.") from None
    return {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}, about
