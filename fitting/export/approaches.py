"""A comparison of the approaches as JSON: the table, the sentence, every budget's vertex, and the runs in none of them."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

from fitting.band import Band
from fitting.export.text import finite, provenance
from fitting.isoflop.comparison import Approach, Comparison
from fitting.isoflop.profile import Profile
from fitting.result import Fit

SHOWN = ("flops", "runs", "sizes", "params", "tokens", "tokens_apart", "loss", "used", "flag")


def comparison_to_json(fit: Fit, found: Comparison) -> str:
    """A comparison as JSON text, with the provenance of the fit that is Approach 3. Keys are the attributes' names."""
    bias, behind = found.bias, found.found
    body = {
        **provenance(fit),
        "law": fit.law_key,
        "flops": found.flops,
        "level": found.level,
        "sentence": found.sentence,
        "rows": [_row(r) for r in found.rows],
        "bias": None if bias is None else {f.name: getattr(bias, f.name) for f in fields(bias)},
        "profiles": [_profile(p) for p in found.shown],
        "left_out": [asdict(r) for r in found.left_out],
        "profiles_settings": None if found.settings is None else asdict(found.settings),
        "envelope_settings": None if found.curve is None else asdict(found.curve.settings),
        "notes": [*(found.curve.notes if found.curve else ()), *(behind.notes if behind else ())],
    }
    return json.dumps(finite(body), indent=2, ensure_ascii=False, allow_nan=False)


def _row(row: Approach) -> dict[str, Any]:
    values = {f.name: getattr(row, f.name) for f in fields(row)}
    return {k: asdict(v) if isinstance(v, Band) else v for k, v in values.items()}


def _profile(p: Profile) -> dict[str, Any]:
    return {name: getattr(p, name) for name in SHOWN}
