"""Names of checkpoints: of a place along a run (step1000), or of a model and a place (pythia-20M-step1000)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import pandas as pd

from data.cells.markup import LONGEST

_WORD = r"(?:global|train|optimi[sz]er)?[-_ ]?(?:step|iter|iteration|ckpt|checkpoint|epoch)s?"
_AMOUNT = r"[0-9][0-9.]* ?[kKmMbBgGtT]?"
_TOKENS = rf"(?:[-_ ]?tokens?[-_= ]?{_AMOUNT}|[-_ ]{_AMOUNT}[-_ ]?tok(?:en)?s?)?"
_STAGE = r"(?:stage[-_]?[0-9]+[-_])?(?:ingredient[-_]?[0-9]+[-_])?"
_LED = rf"{_STAGE}{_WORD}[-_= ]?{_AMOUNT}|ep[0-9]+[-_]ba[0-9]+"
_BEHIND = rf"{_AMOUNT}[-_ ]?(?:steps?|iters?|iterations?)"
_MORE = rf"(?:[-_ ,]+(?:{_LED}|{_BEHIND}))*"
_METRICS = r"(?:[-_ ][A-Za-z_/]{1,40}=[0-9.]+)*"  # epoch=3-step=1000-val_loss=3.21
_KINDS = r"(?:ckpt|pth?|bin|safetensors|json)"
_ENDING = (
    rf"(?:[-_.](?:{_KINDS}|rank[0-9]+))*(?:/(?:[A-Za-z0-9_-]{{1,40}}\.{_KINDS})?)?"  # checkpoint-1000/model.safetensors
)
_REST = rf"{_MORE}{_TOKENS}{_METRICS}{_ENDING}[)\]]?"
_STEPPED = re.compile(rf"(.+?)(?:[-_/ .@:(\[]*(?:{_LED})|[-_/ .@:(\[]+{_BEHIND}){_REST}", re.IGNORECASE)
_ALONE = re.compile(rf"(?:{_LED}|{_BEHIND}){_REST}", re.IGNORECASE)
_BARE = re.compile(rf"(?:{_WORD}|tokens?)?[-_]?[0-9.]+ ?[kKmMbBgGtT]?", re.IGNORECASE)
_PLACE = re.compile(rf"{_STAGE}{_WORD}[-_= ]?{_AMOUNT}{_TOKENS}", re.IGNORECASE)
_END = ("main", "master", "final", "last", "latest")
_ENDS = re.compile(rf"(?:(.+?)[-_/ .@:(\[]+)?(?:{'|'.join(_END)}){_ENDING}[)\]]?", re.IGNORECASE)
_BEFORE = re.compile(
    r"(step|iter|iteration|ba|ckpt|checkpoint|epoch)s?[-_= ]?([0-9]+(?:\.[0-9]+)?)(?![0-9]) ?([kKmM])?(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"(?<![0-9.])([0-9]+(?:\.[0-9]+)?) ?([kKmM])?[-_ ]?(?:step|iter|iteration)s?(?![A-Za-z0-9])", re.IGNORECASE
)
#: What stands before a step and names no model: checkpoint_step_1000, pytorch_model-1000, epoch_3_step_1000.
_WORDS = re.compile(
    rf"(?:[-_/ .@:(]*(?:checkpoints?|ckpts?|model|weights?|state(?:[-_ ]dict)?|pytorch|hf|snapshots?|saves?|saved|global|train|eval"
    rf"|{_WORD}[-_= ]?{_AMOUNT}))+",
    re.IGNORECASE,
)
_NUMBERED = re.compile(rf"[0-9]{{1,15}}{_ENDING}", re.IGNORECASE)
_OF_A_CHECKPOINT = re.compile(
    r"check ?points?|ckpts?|global[-_ ]?step|(?<![a-z])step[-_= ]?[0-9]|(?<![a-z])epoch|(?<![a-z])ep[0-9]+[-_]ba[0-9]|iter_0[0-9]{4,}",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[0-9]{1,15}")
_FACTOR = {"": 1.0, "k": 1e3, "m": 1e6}


def model_of(name: str) -> str | None:
    """The model before the step of a checkpoint's name, '' for a name of nothing but its step; None for any other name."""
    if len(name) > LONGEST:
        return None
    if _ALONE.fullmatch(name):
        return ""
    found = _STEPPED.fullmatch(name)
    if found is None:
        return None
    return "" if _WORDS.fullmatch(found[1]) else found[1]


def of_a_checkpoint(name: str) -> bool:
    """Whether a name says that it is a checkpoint's, as trainers write it (step1000, ckpt-5k), or an end or a number alone.

    1000steps and iter1000 may name runs by their lengths.
    """
    return bool(_OF_A_CHECKPOINT.search(name[:LONGEST]) or _NUMBER.fullmatch(name) or name.lower() in _END)


def end_of(name: str) -> str | None:
    """The model before `final`, `last` and the like, '' where nothing stands before; None for any other name."""
    found = _ENDS.fullmatch(name) if len(name) <= LONGEST else None
    return None if found is None else found[1] or ""


def models(names: Iterable[str], numbered: bool = False) -> dict[str, str]:
    """The model of each name that ends in a step, '' where the name is nothing else; empty where not every name ends so, or a
    model has but one. `numbered` says that a number alone is a step."""
    names = list(names)
    kinds = [name for name in dict.fromkeys(names) if name]
    if numbered and all(_NUMBERED.fullmatch(name) for name in kinds):
        return dict.fromkeys(kinds, "") if len(kinds) > 1 else {}
    found = {name: model for name in kinds if (model := model_of(name)) is not None}
    known = set(found.values())
    found |= {name: end for name in kinds if name not in found and (end := end_of(name)) in known and end is not None}
    bare = known == {""}
    if len(found) < len(kinds) or not kinds or (len(kinds) < len(names) and not bare):
        return {}
    return {} if len(known) > len(kinds) / 2 else found


def place_of(name: str) -> tuple[str, float] | None:
    """What a checkpoint's name counts ("steps" or "epochs") and up to where, a number alone steps; None where it does not say."""
    if _NUMBERED.fullmatch(name):
        return "steps", float(re.split(r"[^0-9]", name, maxsplit=1)[0])
    out: dict[str, float] = {}
    for found in _BEFORE.finditer(name[:LONGEST]):
        word = found[1].lower()
        column = "epochs" if word == "epoch" else "checkpoints" if word in ("ckpt", "checkpoint") else "steps"
        out[column] = float(found[2]) * _FACTOR[(found[3] or "").lower()]
    if not out and (behind := _AFTER.search(name[:LONGEST])):
        out["steps"] = float(behind[1]) * _FACTOR[(behind[2] or "").lower()]
    for column in ("steps", "checkpoints", "epochs"):
        if column in out:
            return ("steps" if column == "checkpoints" else column), out[column]
    return None


def in_order(names: pd.Series, own: pd.Series, along: pd.Series) -> bool:
    """Whether the steps in the names of each run's rows, whose runs `own` names, rise as the column does."""
    at = {i: place for i in own.index if (place := place_of(names[i])) is not None}
    placed = pd.DataFrame(
        {"run": own, "kind": {i: p[0] for i, p in at.items()}, "at": {i: p[1] for i, p in at.items()}, "along": along}
    ).dropna()
    placed = placed.sort_values("at", kind="stable")
    return bool((placed.groupby(["run", "kind"])["along"].diff().dropna() >= 0).all())


def bare_places(names: pd.Series) -> bool:
    """Whether every name may be a place along a run: a number alone may."""
    return all(_BARE.fullmatch(name) or _PLACE.fullmatch(name) for name in names.unique())


def places(names: pd.Series) -> bool:
    """Whether every name is plainly a place along a run, `main` aside."""
    kinds = [name for name in names.unique() if name]
    named = [name for name in kinds if _PLACE.fullmatch(name)]
    return bool(named) and all(name in named or name.lower() in _END for name in kinds)


LOOKED_AT = 200  # cells of a column
_COUNTED = re.compile(r"[\W_]*[0-9][0-9,.' ]*[kKmM]?\s*steps[\W_]*")


def counts_steps(cells: Sequence[str]) -> bool:
    """Whether every one of the first cells in which something stands is an amount of steps: 5,000 steps, 20k steps."""
    written = [c for c in cells[:LOOKED_AT] if c]
    return bool(written) and all(len(c) <= LONGEST and _COUNTED.fullmatch(c) for c in written)
