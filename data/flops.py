"""How many parameters a transformer has and how much compute its training takes, in every convention in use."""

from __future__ import annotations

from typing import Any


def six_nd(params: Any, tokens: Any) -> Any:
    """Training compute in FLOP as 6 N D: two per parameter and token forward, four backward (numbers or arrays)."""
    return 6.0 * params * tokens
