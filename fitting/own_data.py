"""The package `data` that is imported must be Isoflop's own, and not another of that common name."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

OWN = Path(__file__).resolve().parents[1] / "data"


def refuse_another() -> None:
    """ImportError, with what to do, where Python finds another `data` than the one beside this package."""
    found = sys.modules.get("data") or find_spec("data")
    places = [getattr(found, "__file__", None), getattr(found, "origin", None), *getattr(found, "__path__", ())]
    place = next((p for p in places if p), "it is not installed")
    if not Path(place).resolve().is_relative_to(OWN):
        raise ImportError(
            f"Isoflop's package data is hidden by another of that name: {place}. Keep Isoflop in an environment of its own, or "
            "rename that file or folder.",
            name="data",
        )
