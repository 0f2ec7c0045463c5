"""A fit or a plan as JSON; a fit's JSON reads back into the same `Fit`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from fitting.law import all_laws
from fitting.planner import Plan
from fitting.result import Accounting, Band, Fit, FitError, Settings, Verdict

FORMAT, VERSION = "isoflop-fit", 1
# More than anyone asks for, and still only tens of megabytes when it comes from a stranger.
MOST_DRAWS, MOST_RUNS = 100_000, 5_000_000


def fit_to_json(fit: Fit, path: str | Path | None = None) -> str:
    """The fit as JSON text, also written to `path` if given. Keys are the attributes' names."""
    body = {
        "format": FORMAT,
        "version": VERSION,
        **provenance(fit),
        "law": fit.law_key,
        "title": fit.law.title,
        "cite": fit.law.cite,
        "params": fit.params,
        "intervals": {k: _band(fit.interval(k)) for k in fit.law.names},
        "objective": fit.objective,
        "status": fit.status.value,
        "verdicts": [asdict(v) for v in fit.verdicts],
        "ranges": {k: list(v) for k, v in fit.ranges.items()},
        "accounting": asdict(fit.accounting),
        "runs": list(fit.runs),
        "residuals": fit.residuals.tolist(),
        "draws": fit.draws.tolist(),
    }
    text = json.dumps(finite(body), indent=None, separators=(",", ":"), allow_nan=False)
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text


def provenance(fit: Fit) -> dict[str, Any]:
    """What every export carries: the table, its digest, the settings with the seed, and the runs left out."""
    return {
        "table": fit.table,
        "digest": fit.digest,
        "settings": {**asdict(fit.settings), "excluded": list(fit.settings.excluded)},
    }


def plan_to_json(fit: Fit, plan: Plan) -> str:
    """A plan as JSON text, with the provenance of the fit it rests on. Keys are the attributes' names."""
    body = {**provenance(fit), "law": fit.law_key, "params_of_law": fit.params, **plan_values(plan)}
    return json.dumps(finite(body), indent=2, allow_nan=False)


def plan_values(plan: Plan) -> dict[str, Any]:
    """A plan's attributes as plain values: bands as {value, low, high, level}."""
    out: dict[str, Any] = {}
    for f in fields(plan):
        v = getattr(plan, f.name)
        out[f.name] = _band(v) if isinstance(v, Band) else asdict(v) if f.name == "hardware" and v is not None else v
    if plan.hardware is not None:
        h, c = plan.hardware, plan.flops.value
        out["device_hours"], out["hours"], out["money"] = h.device_hours(c), h.hours(c), h.money(c)
    return out


def finite(x: Any) -> Any:
    """The same values in JSON's own types; a number JSON has no word for becomes "inf", "-inf" or null."""
    if isinstance(x, Mapping):
        return {str(k): finite(v) for k, v in x.items()}
    if isinstance(x, list | tuple):
        return [finite(v) for v in x]
    if isinstance(x, np.ndarray):
        return finite(x.tolist())
    if isinstance(x, float | np.floating):
        x = float(x)
        return x if math.isfinite(x) else None if math.isnan(x) else "inf" if x > 0 else "-inf"
    return int(x) if isinstance(x, np.integer) else x


def fit_from_json(body: Any) -> Fit:
    """The fit a JSON object holds. Raises FitError, in one sentence, when it is not a fit this version can read."""
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise FitError(f'A fit exported as JSON has "format": "{FORMAT}"; this has none. Export the fit again.')
    if body.get("version") != VERSION:
        raise FitError(
            f"This fit was written by version {body.get('version')!r} of the format; this program reads version {VERSION}."
        )
    law = all_laws().get(str(body.get("law")))
    if law is None:
        raise FitError(
            f"This fit is of the law {body.get('law')!r}, which is not here; known are {', '.join(all_laws())}."
        )
    try:
        values = np.array([_number(body["params"][k]) for k in law.names])
        draws = np.array([[_number(x) for x in row] for row in _list(body["draws"], MOST_DRAWS)]).reshape(-1, law.p)
        residuals = np.array([_number(x) for x in _list(body["residuals"], MOST_RUNS)])
        settings = dict(body["settings"])
        fit = Fit(
            law_key=law.key,
            values=values,
            draws=draws,
            objective=_number(body["objective"]),
            residuals=residuals,
            runs=tuple(str(r) for r in _list(body["runs"], MOST_RUNS)),
            settings=Settings(
                **{**settings, "delta": _number(settings["delta"]), "excluded": tuple(settings["excluded"])}
            ),
            verdicts=tuple(Verdict(**{k: str(x) for k, x in v.items()}) for v in body["verdicts"]),
            digest=str(body["digest"]),
            ranges={str(k): (_number(v[0]), _number(v[1])) for k, v in body["ranges"].items()},
            accounting=Accounting(**{k: _number(v) for k, v in body["accounting"].items()}),
            table=str(body["table"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as e:
        raise FitError(f"This fit's JSON is damaged: {type(e).__name__} at {e}. Export the fit again.") from None
    if len(fit.runs) != len(residuals) or not np.all(np.isfinite(values)):
        raise FitError(
            "This fit's JSON is damaged: runs and residuals differ in number, or a value is missing. Export the fit again."
        )
    return fit


def _list(x: Any, most: int) -> list[Any]:
    if not isinstance(x, list) or len(x) > most:
        raise ValueError(f"expected a list of at most {most}")
    return x


def _number(x: Any) -> float:
    if isinstance(x, bool) or not (x is None or isinstance(x, int | float) or x in ("inf", "-inf")):
        raise ValueError(f"expected a number, found {str(x)[:40]!r}")
    return float("nan") if x is None else float(x)


def _band(b: Band) -> dict[str, Any]:
    return {"value": b.value, "low": b.low, "high": b.high, "level": b.level}
