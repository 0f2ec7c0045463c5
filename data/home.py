"""Where what is a person's own is kept: workspaces, and the commands that they chose."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The folder that everything of Isoflop's is under: ISOFLOP_HOME, else the user's data folder."""
    if named := os.environ.get("ISOFLOP_HOME"):
        return Path(named).expanduser().absolute()
    import platformdirs

    return platformdirs.user_data_path("isoflop", appauthor=False)
