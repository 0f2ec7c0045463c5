"""A fit read back from JSON, believed in nothing: every key there, every value of its kind, or a sentence."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from data.plain import PlainError, read
from fitting.arguments import of_kind
from fitting.errors import FitError
from fitting.export.agreement import agree
from fitting.export.checksum import KEY, as_saved
from fitting.export.saved import Saved
from fitting.export.text import FORMAT, VERSION, law_at_ranges
from fitting.law import Law
from fitting.laws import LawKey, all_laws, asked_for_none
from fitting.result import Fit


def load_fit(source: str | Path, law: Law | LawKey | None = None) -> Fit:
    """The fit saved by `Fit.to_json`, from a path or from the JSON text itself. Raises FitError, in one sentence, if it is not one.

    A fit of a law that was made in memory is read with that `law`; any other is found by its key. A `law` given, or its key, must
    be the one that the fit is of.
    """
    of_kind("law", law, Law | str | None)
    text = str(source)
    if not text.lstrip().startswith("{"):
        text = _file(text)
    try:
        body = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as e:
        raise FitError(f"A fit saved as JSON was expected; this is not JSON ({_short(str(e))}).") from None
    return fit_from_json(body, law)


def fit_from_json(body: Any, law: Law | LawKey | None = None) -> Fit:
    """The fit a JSON object holds. Raises FitError, in one sentence, when it is not a fit this version can read.

    One with a checksum must be as it was saved; in one of an older version, without, what it says twice must agree.
    """
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise FitError(f'A fit exported as JSON has "format": "{FORMAT}"; this has none. Export the fit again.')
    version = body.get("version")
    if isinstance(version, bool) or version not in (1, VERSION):
        raise FitError(
            f"This fit was written by version {_short(repr(version))} of the format; this program reads versions 1 to {VERSION}."
        )
    as_saved(body)
    law = _law(body.get("law"), law)
    try:
        saved = read(Saved, body)
    except (PlainError, OverflowError) as e:
        raise FitError(_damaged(_short(str(e)))) from None
    try:
        return _fit(law, saved if version == VERSION else _turned(saved))
    except (PlainError, OverflowError) as e:
        # A file that is as it was saved agrees with itself: what disagrees is the law.
        why = _short(str(e))
        raise FitError(_another(law, why) if KEY in body else _damaged(why)) from None


def _damaged(why: str) -> str:
    return f"This fit's JSON is damaged: {why}. Export the fit again."


def _another(law: Law, why: str) -> str:
    return (
        f"The law {law.key!r:.60} was defined otherwise when this fit was saved: {why}. Give the law that was fitted, "
        "load_fit(path, law=...), or fit the runs again with this one."
    )


def _law(key: Any, given: Law | LawKey | None) -> Law:
    """The law that a fit is of, by its key, which must be that of a law given; FitError otherwise."""
    known = all_laws() | ({given.key: given} if isinstance(given, Law) else {})
    asked = given.key if isinstance(given, Law) else given
    if asked is not None and asked != key:
        raise FitError(
            f"This fit is of the law {_short(repr(key))}; law is {_short(repr(asked))}. Leave out law, or give the one that was fitted."
        )
    law = known.get(key) if isinstance(key, str) else None
    if law is None:
        raise FitError(
            asked_for_none(
                f"This fit is of the law {_short(repr(key))}, which is not here; known are {', '.join(known)}. For a law that was "
                "made in memory give it too: load_fit(path, law=...)."
            )
        )
    return law


def _turned(saved: Saved) -> Saved:
    """What version 1 wrote, with the signs of this one."""
    return replace(saved, residuals=-saved.residuals, new_noise=-saved.new_noise)


def _fit(law: Law, saved: Saved) -> Fit:
    for what, held, wanted in (
        ("values", saved.params, law.names),
        ("intervals", saved.intervals, law.names),
        ("ranges", saved.ranges, (*law.inputs, law.output.column)),
    ):
        if missing := [k for k in wanted if k not in held]:
            raise PlainError(f"no {what} of {', '.join(missing)}")
    if saved.draws.size != len(saved.draws) * law.p:
        raise PlainError(f"a draw has not {law.p} parameters")
    found = Fit(
        law=law,
        values=np.array([saved.params[k] for k in law.names]),
        draws=saved.draws.reshape(-1, law.p),
        **{f.name: getattr(saved, f.name) for f in fields(Fit) if f.name not in ("law", "values", "draws")},
    )
    agree(found, saved)
    if saved.law_at_ranges is not None:
        _same_formula(found, saved.law_at_ranges)
    return found


def _same_formula(found: Fit, saved: tuple[float, ...]) -> None:
    """Nothing where the law gives at the ends of its inputs' ranges what it gave when it was saved; else PlainError."""
    for end, was, now in zip(("lowest", "highest"), saved, law_at_ranges(found), strict=True):
        if not (math.isclose(was, now, rel_tol=1e-6) or (math.isnan(was) and math.isnan(now))):
            raise PlainError(f"at the {end} of its inputs it gave {was:.6g} and gives {now:.6g}")


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
    raise ValueError(f"{name} is not JSON")


def _short(text: str) -> str:
    return line if len(line := " ".join(text.split())) <= 80 else line[:77] + "..."
