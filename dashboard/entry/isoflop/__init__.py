"""The `isoflop` command's way in: its own `data`, `fitting` and `dashboard`, whatever of these names comes first on the path."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

# Installed it stands beside the three, in a checkout below one of them.
HERE = next(str(p) for p in Path(__file__).resolve().parents if (p / "data" / "schema.py").is_file())
OWN = ("data", "fitting", "dashboard")


class OwnFirst:
    """Finds the three packages of this project, before a search of the path could find others of their names."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [HERE]) if name in OWN else None


def main() -> None:
    """Run the command line; see `dashboard.cli.main`."""
    sys.meta_path.insert(0, OwnFirst)
    from dashboard.cli import main as run

    run()
