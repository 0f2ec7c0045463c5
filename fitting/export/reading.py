"""A fit read back from JSON, believed in nothing: every key there, every value of its kind, or a sentence."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import numpy as np

from fitting.accounting import Accounting
from fitting.errors import FitError
from fitting.export.agreement import agree
from fitting.export.checksum import as_saved
from fitting.export.text import FORMAT, VERSION
from fitting.export.values import (
    DamagedError,
    bounded,
    count_in,
    finite,
    list_in,
    mapping_in,
    number_in,
    positive,
    range_in,
    ratio,
    text_in,
)
from fitting.law import Law
from fitting.laws import all_laws
from fitting.result import Fit
from fitting.settings import Settings
from fitting.solver.weighting import WEIGHTS
from fitting.status import Verdict
from fitting.uncertainty.calibrated import DECISIONS, Calibrated, Calibration
from fitting.uncertainty.interval_method import USED
from fitting.uncertainty.mixture import Mixture
from fitting.uncertainty.model_discrepancy import Doubt

# More than anyone asks for, and still only tens of megabytes when it comes from a stranger; leftovers cost their cube.
MOST_DRAWS, MOST_RUNS, MOST_DOUBT = 100_000, 5_000_000, 1000
# The methods whose draws bring a new run's noise along.
DRAWING = ("residuals", "components", "posterior")
STATES = ("ok", "note", "fail")


def load_fit(source: str | Path, law: Law | None = None) -> Fit:
    """The fit saved by `Fit.to_json`, from a path or from the JSON text itself. Raises FitError, in one sentence, if it is not one.

    A fit of a law that was made in memory is read with that `law`; any other is found by its key.
    """
    text = str(source)
    if not text.lstrip().startswith("{"):
        text = _file(text)
    try:
        body = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as e:
        raise FitError(f"A fit saved as JSON was expected; this is not JSON ({_short(str(e))}).") from None
    return fit_from_json(body, law)


def fit_from_json(body: Any, law: Law | None = None) -> Fit:
    """The fit a JSON object holds. Raises FitError, in one sentence, when it is not a fit this version can read.

    One with a checksum must be as it was saved; in one of an older version, without, what it says twice must agree.
    """
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise FitError(f'A fit exported as JSON has "format": "{FORMAT}"; this has none. Export the fit again.')
    version = body.get("version")
    if version is True or version != VERSION:
        raise FitError(
            f"This fit was written by version {_short(repr(version))} of the format; this program reads version {VERSION}."
        )
    as_saved(body)
    known = all_laws() | ({law.key: law} if law is not None else {})
    law = known.get(str(body.get("law")))
    if law is None:
        raise FitError(
            f"This fit is of the law {_short(repr(body.get('law')))}, which is not here; known are {', '.join(known)}."
        )
    try:
        return _fit(law, body)
    except KeyError as e:
        raise FitError(f"This fit's JSON is damaged: no {_short(str(e))}. Export the fit again.") from None
    except (DamagedError, TypeError, AttributeError, IndexError, OverflowError) as e:
        raise FitError(f"This fit's JSON is damaged: {_short(str(e))}. Export the fit again.") from None


def _fit(law: Law, body: dict[str, Any]) -> Fit:
    runs = tuple(text_in(r) for r in list_in(body["runs"], MOST_RUNS))
    residuals = np.array([finite(x) for x in list_in(body["residuals"], MOST_RUNS)])
    if len(runs) != len(residuals) or not runs:
        raise DamagedError(f"{len(runs)} runs have {len(residuals)} residuals")
    values = [finite(body["params"][k]) for k in law.names]
    if any(v < 0 or (v == 0 and p.log) for v, p in zip(values, law.params, strict=True)):
        raise DamagedError("a parameter is not positive")
    rows = [list_in(row, law.p) for row in list_in(body["draws"], MOST_DRAWS)]
    if any(len(row) != law.p for row in rows):
        raise DamagedError(f"a draw has not {law.p} parameters")
    settings = _settings(body["settings"])
    ranges = {str(k): range_in(v) for k, v in mapping_in(body["ranges"]).items()}
    new_noise = [finite(x) for x in list_in(body.get("new_noise", []), MOST_DRAWS)]
    if len(new_noise) != (len(rows) if settings.intervals in DRAWING else 0):
        raise DamagedError(f"{len(rows)} draws have {len(new_noise)} of a new run's noise")
    missing = [k for k in (*law.inputs, law.output.column) if k not in ranges]
    if missing:
        raise DamagedError(f"no range of {', '.join(missing)}")
    found = Fit(
        law=law,
        values=np.array(values),
        draws=np.array([[number_in(x) for x in row] for row in rows]).reshape(-1, law.p),
        objective=finite(body["objective"]),
        residuals=residuals,
        runs=runs,
        settings=settings,
        verdicts=tuple(_verdict(v) for v in list_in(body["verdicts"], 1000)),
        digest=text_in(body["digest"]),
        ranges=ranges,
        accounting=_accounting(body["accounting"]),
        table=text_in(body["table"]),
        new_noise=np.array(new_noise),
        doubt=_doubt(law, body.get("doubt")),
        calibration=_calibration(law, values, body.get("calibration")),
    )
    agree(found, body)
    return found


def _accounting(x: Any) -> Accounting:
    """How the table counts FLOPs; in a fit saved before the ratio to 6ND levelled off, a power of size."""
    older = {f.name: f.default for f in fields(Accounting)[4:]} if isinstance(x, dict) and len(x) == 4 else {}
    read: dict[str, Callable[[Any], Any]] = {f.name: bounded for f in fields(Accounting)}
    read |= dict.fromkeys(("least", "second", "idle", "lowest"), ratio)
    read["draws"] = lambda y: tuple(_form(row) for row in list_in(list(y), MOST_DRAWS))
    found: Accounting = _build(Accounting, older | mapping_in(x), read)
    if found.sign not in (-1.0, 1.0) or min(found.least, found.lowest, found.spread, found.second, found.idle) < 0:
        raise DamagedError("its FLOPs are counted below nothing")
    if found.sign < 0 and found.lowest <= 0:
        raise DamagedError("its FLOPs may fall to nothing")
    return found


def _form(x: Any) -> tuple[float, float, float, float, float]:
    found = list_in(x, 5) if isinstance(x, list) and len(x) == 5 else [None] * 5
    least, weight, second, idle = (ratio(found[k]) for k in (0, 1, 3, 4))
    return least, weight, bounded(found[2]), second, idle


def _doubt(law: Law, x: Any) -> Doubt | None:
    """What widens forecasts; none in a fit saved before there was any."""
    if x is None:
        return None
    found = {"scale": None, "mixture": None, **mapping_in(x)}
    if set(found) != {f.name for f in fields(Doubt)} or tuple(list_in(found["inputs"], len(law.inputs))) != law.inputs:
        raise DamagedError(f"its model discrepancy has {', '.join(sorted(map(str, found)))}")
    left = [finite(v) for v in list_in(found["left"], MOST_DOUBT)]
    places = [[finite(v) for v in list_in(row, len(law.inputs))] for row in list_in(found["places"], MOST_DOUBT)]
    if len(places) != len(left) or any(len(row) != len(law.inputs) for row in places):
        raise DamagedError(f"{len(left)} residuals of neighbours lie in {len(places)} places")
    ratio, noise, share = (bounded(found[k]) for k in ("ratio", "noise", "share"))
    if min(ratio, noise, share) < 0:
        raise DamagedError("its model discrepancy is negative")
    scale = None if found["scale"] is None else np.array([positive(v) for v in list_in(found["scale"], MOST_DOUBT)])
    if scale is not None and (len(scale) != len(left) or not np.all(np.isfinite(scale))):
        raise DamagedError(f"{len(left)} residuals of neighbours have {len(scale)} scales")
    at = np.array(places).reshape(len(left), len(law.inputs))
    return Doubt(law.inputs, at, np.array(left), ratio, noise, share, scale, _mixture(law, found["mixture"]))


def _mixture(law: Law, x: Any) -> Mixture | None:
    """How the runs mix size and data; none for a law of one input, or in a fit saved before it was looked at."""
    if x is None:
        return None
    found: Mixture = _build(Mixture, x, {f.name: bounded for f in fields(Mixture)})
    if law.exponents is None or not 0.0 <= found.weight <= 1.0 or found.low > found.high:
        raise DamagedError("its runs mix size and data as none can")
    return found


def _calibration(law: Law, values: list[float], x: Any) -> Calibration | None:
    """What calibrating found; none in a fit that was not, or was saved before there was any."""
    if x is None:
        return None
    found: Calibration = _build(
        Calibration,
        x,
        {
            "outer": count_in,
            "inner": count_in,
            "seed": count_in,
            "flops": number_in,
            "quantities": lambda y: tuple(_calibrated(q) for q in list_in(y, law.p + len(DECISIONS))),
        },
    )
    for q in found.quantities:
        of = {"parameter": law.names, "decision": tuple(DECISIONS)}.get(q.kind, ())
        if q.name not in of or (q.kind == "parameter" and q.value != values[law.names.index(q.name)]):
            raise DamagedError(f"calibrated is {q.kind} {q.name} at {q.value:.6g}")
    if not found.outer:
        raise DamagedError("calibrated by no tables")
    return found


def _calibrated(x: Any) -> Calibrated:
    return cast(
        Calibrated,
        _build(
            Calibrated,
            x,
            {
                "name": text_in,
                "kind": text_in,
                "value": finite,
                "plain": _ends(finite),
                "low": _end,
                "high": _end,
                "shares": _ends(_share),
                "held": _share,
            },
        ),
    )


def _ends(read: Callable[[Any], float]) -> Callable[[Any], tuple[float, float]]:
    def both(x: Any) -> tuple[float, float]:
        low, high = (read(v) for v in (list_in(x, 2) if isinstance(x, list) and len(x) == 2 else (None, None)))
        return low, high

    return both


def _end(x: Any) -> float:
    number = number_in(x)
    if math.isnan(number):
        raise DamagedError("an interval's end is missing")
    return number


def _share(x: Any) -> float:
    number = finite(x)
    if not 0 <= number <= 1:
        raise DamagedError(f"a share is {number:.3g}")
    return number


def _settings(x: Any) -> Settings:
    """The settings; those of a fit saved before there was a choice of intervals are what was then the only one."""
    found = dict(mapping_in(x))
    if not any(k in found for k in ("delta_rule", "intervals", "intervals_reason")):
        method = "runs" if found["grouping"] == "run" else "groups"
        found |= {"delta_rule": "given", "intervals": method, "intervals_reason": ""}
    found.setdefault("prior", "none")
    found.setdefault("weights", "none")
    found.setdefault("held_out", [])
    settings: Settings = _build(Settings, found, _SETTING)
    if (
        settings.intervals not in USED
        or settings.prior not in ("none", "published")
        or settings.weights not in ("none", *WEIGHTS)
        or settings.delta_rule not in ("given", "auto")
    ):
        raise DamagedError(f"intervals {settings.intervals!r}, delta {settings.delta_rule!r}")
    return settings


def _build(kind: Any, x: Any, read: dict[str, Callable[[Any], Any]]) -> Any:
    """A dataclass from exactly its own keys: one that is missing would be a number made up."""
    found = mapping_in(x)
    if set(found) != set(read):
        raise DamagedError(f"{kind.__name__.lower()} has {', '.join(sorted(found))}")
    return kind(**{k: f(found[k]) for k, f in read.items()})


def _verdict(x: Any) -> Verdict:
    verdict: Verdict = _build(Verdict, x, {f.name: text_in for f in fields(Verdict)})
    if verdict.state not in STATES:
        raise DamagedError(f"a verdict is {verdict.state!r}")
    return verdict


_SETTING: dict[str, Callable[[Any], Any]] = {
    "delta": positive,
    "resamples": count_in,
    "grouping": text_in,
    "delta_rule": text_in,
    "intervals": text_in,
    "intervals_reason": text_in,
    "prior": text_in,
    "weights": text_in,
    "seed": count_in,
    "objective": text_in,
    "starts": count_in,
    "count": text_in,
    "flops_convention": text_in,
    "law_reason": text_in,
    "excluded": lambda x: tuple(text_in(r) for r in list_in(x, MOST_RUNS)),
    "held_out": lambda x: tuple(text_in(r) for r in list_in(x, MOST_RUNS)),
}


def _file(name: str) -> str:
    try:
        path = Path(name)
        if not path.is_file():
            raise FitError(f"A fit saved as JSON was expected; there is no file {_short(name)!r}.")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise FitError(f"A fit saved as JSON was expected; {_short(name)!r} is not text.") from None
    except FitError:
        raise
    except (OSError, ValueError):
        raise FitError(f"A fit saved as JSON was expected; {_short(name)!r} cannot be read.") from None


def _no_constant(name: str) -> float:
    raise DamagedError(f"{name} is not JSON")


def _short(text: str) -> str:
    return line if len(line := " ".join(text.split())) <= 80 else line[:77] + "..."
