"""A text written to a file that a caller names, or a sentence that says why it is not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fitting.arguments import in_short
from fitting.errors import FitError


def written(text: str, path: Any) -> None:
    """Writes `text` to `path` as UTF-8. FitError for what is no path, and where nothing can be written there."""
    if not isinstance(path, str | os.PathLike) or path == "":
        raise FitError(f"path is that of the file to write; it was {in_short(path)}. Leave it out for the text alone.")
    try:
        Path(path).write_text(text, encoding="utf-8")
    except (OSError, ValueError) as e:
        reason = getattr(e, "strerror", None) or "the path is not valid"
        raise FitError(
            f"{in_short(str(path))} cannot be written ({reason}). Give the path of a file in a folder that there is."
        ) from None
