"""The picture of a sweep while it runs: the plane and each run's curve as small panels that keep their zoom when numbers come in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.budget_chart import joined

_FOLDER = Path(__file__).parent
_SHARED = ("dom.js", "format.js", "scales.js")  # of the budget chart


@cache
def _component() -> Any:
    return st.components.v2.component(
        "isoflop_live_chart",
        html='<div class="lc-host"></div>',
        css=(_FOLDER / "live.css").read_text(encoding="utf-8"),
        js=bundle(),
    )


@cache
def bundle() -> str:
    """The chart's modules as one ES module."""
    return joined(_SHARED) + "\n" + joined(("live.js",), _FOLDER)


def live_chart(data: Mapping[str, Any], *, key: str) -> None:
    """Draw panels, as `live.js` says what they are; the same key is the same picture, whose zoom stays."""
    _component()(data=dict(data), key=key)
