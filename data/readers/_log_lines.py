"""Logs that a training script printed as lines of text: `step 100: train loss 3.1, val loss 3.2`. They are refused, not misread."""

from __future__ import annotations

import re

from data.errors import ReadError
from data.readers._layout import known_in

_LOOK = 400  # lines that are looked at
_LONGEST = 1_000  # characters of a line that are looked at
_NUMBER = r"[-+]?(?:[0-9]|\.[0-9]|nan\b)"
#: A loss beside its number in running text: lm loss: 6.5E+00, val loss 10.8, loss train: 6.82, val_loss=4.11.
_LOSS = re.compile(
    rf"(?:loss|nll|ppl|perplexity)(?:[ _](?:value|train|val|valid|eval))?(?:\s*[:=]\s*|\s+){_NUMBER}", re.IGNORECASE
)
#: Anything else beside its number: step 100, iteration 100/, tokens=2e8.
_KEYED = re.compile(rf"[A-Za-z_)]\s*[:=]\s*{_NUMBER}")
_COUNTED = re.compile(r"\b(?:step|iter|iteration|epoch)\s+[0-9]", re.IGNORECASE)
_SHARE = 0.3  # of the lines; banners, settings and warnings stand between them
_SHOWN = 60


def refuse_log(text: str, name: str) -> None:
    """Nothing, where the text may be a table; ReadError where its lines are those of a log."""
    lines = [line.strip() for line in text[: _LOOK * _LONGEST].splitlines()[:_LOOK] if line.strip()]
    logged = [(i, line) for i, line in enumerate(lines, start=1) if _is_logged(line[:_LONGEST])]
    if len(logged) < 2 or len(logged) < _SHARE * len(lines):
        return
    if any(known_in(re.split(r"[,;\t|]", line[:_LONGEST])) > 1 and not _is_logged(line[:_LONGEST]) for line in lines):
        return  # a table, whose cells say more than numbers
    shown = "".join(c if c.isprintable() else " " for c in logged[0][1])
    shown = shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"
    raise ReadError(
        f"{name} is a log of lines, not a table: {shown!r} holds names and numbers in running text. Expected one row per run, "
        "or per logged step, under column names: write its steps, tokens and losses to a CSV or JSONL file."
    )


def _is_logged(line: str) -> bool:
    return bool(_LOSS.search(line)) and (len(_KEYED.findall(line)) >= 2 or bool(_COUNTED.search(line)))
