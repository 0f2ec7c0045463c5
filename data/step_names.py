"""Names of checkpoints: of a place along a run (step1000), or of a model and a place (pythia-20M-step1000)."""

from __future__ import annotations

import re

import pandas as pd

from data.markup import LONGEST

_WORD = r"(?:global)?[-_ ]?(?:step|iter|iteration|ckpt|checkpoint|epoch)s?"
_AMOUNT = r"[0-9][0-9.]* ?[kKmMbBgGtT]?"
_TOKENS = rf"(?:[-_ ]?tokens?[-_= ]?{_AMOUNT}|[-_ ]{_AMOUNT}[-_ ]?tok(?:en)?s?)?"
_STAGE = r"(?:stage[-_]?[0-9]+[-_])?(?:ingredient[-_]?[0-9]+[-_])?"
_STEPPED = re.compile(
    rf"(.+?)(?:[-_/ .@:(\[]*{_STAGE}{_WORD}[-_= ]?{_AMOUNT}|[-_/ .@:(\[]+{_AMOUNT}[-_ ]?(?:steps?|iters?|iterations?)){_TOKENS}[)\]]?",
    re.IGNORECASE,
)
_BARE = re.compile(rf"(?:{_WORD}|tokens?)?[-_]?[0-9.]+ ?[kKmMbBgGtT]?", re.IGNORECASE)
_PLACE = re.compile(rf"{_STAGE}{_WORD}[-_= ]?{_AMOUNT}{_TOKENS}", re.IGNORECASE)
_END = ("main", "master", "final", "last")


def models(names: pd.Series) -> dict[str, str]:
    """The model of each name that ends in a step; empty where not every name does, or a model has but one."""
    kinds = names.unique()
    found = {name: m[1] for name in kinds if len(name) <= LONGEST and (m := _STEPPED.fullmatch(name))}
    if len(found) < len(kinds) or len(kinds) < len(names) or len(set(found.values())) > len(kinds) / 2:
        return {}
    return found


def bare_places(names: pd.Series) -> bool:
    """Whether every name may be a place along a run: a number alone may."""
    return all(_BARE.fullmatch(name) or _PLACE.fullmatch(name) for name in names.unique())


def places(names: pd.Series) -> bool:
    """Whether every name is plainly a place along a run, `main` aside."""
    kinds = [name for name in names.unique() if name]
    named = [name for name in kinds if _PLACE.fullmatch(name)]
    return bool(named) and all(name in named or name.lower() in _END for name in kinds)
