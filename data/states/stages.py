"""Rows of a model that was trained further on other data or by other means, beside those of its pretraining."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from data.headers.parts import header as take_apart
from data.states.recognise import folded
from data.table import Table

_MOST = 12  # different words in a column that says in which stage a row's model was
_HEAD = 500  # first cells that tell whether a column is one of few words
_STAGES = re.compile(
    r"(?:(?:training|train|run|model|learning) )?(?:stages?|phases?|regimes?|modes?|types?|kinds?|procedure|task|objective|setting|split"
    r"|step|training|part|what|category|tag|label|group|notes?)|column [0-9]+|"
)
_BEFORE = re.compile(r"(?:initial |base |further |continued )?(?:pre ?train(?:ing|ed)?|vorgelernt|vortraining|pt)\b.*")
_AFTER = re.compile(
    r"(?:(?:supervised|full|instruction|task|lora|light) )?(?:fine ?tun(?:e|ed|ing)|finetune?|ft|sft|rlhf|rlvr|dpo|ppo|grpo|orpo"
    r"|instruct(?:ion)?(?: tun(?:e|ed|ing))?|post ?train(?:ing|ed)?|alignment|reward model(?:ing)?)\b.*"
)


def tuned(table: Table) -> np.ndarray:
    """For each row (n,) the stage behind pretraining that it stands for, else ''; '' for all where no row says pretraining."""
    out = np.full(len(table.frame), "", dtype=object)
    for header in table.headers:
        if not _STAGES.fullmatch(take_apart(header).path.lower()) or not _few_words(table.frame[header]):
            continue
        cells = table.text(header)
        words = {c: folded(c) for c in cells.unique() if c}
        before = [c for c, w in words.items() if _BEFORE.fullmatch(w)]
        after = [c for c, w in words.items() if _AFTER.fullmatch(w)]
        if before and after and len(words) <= _MOST:
            said = cells.where(cells.isin(after), "").to_numpy(dtype=object)
            out = np.where(out == "", said, out)
    return out


def _few_words(column: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return False
    return len({str(c) for c in column[:_HEAD]}) <= _MOST
