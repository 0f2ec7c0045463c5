"""What a header says of how its numbers stand in a cell: loss (mean ± std), ppl (mean ± 95% CI), loss (Δ vs prev), steps (done/planned)."""

from __future__ import annotations

import re
from functools import lru_cache

_SPREAD = (
    r"(?:std(?: ?(?:dev|err(?:or)?))?\.?|stdev|stddev|stderr|s\.?d\.?|s\.?e\.?m?\.?|err(?:or)?"
    r"|(?:[0-9]{2} ?% ?)?ci(?: ?95 ?%?)?|confidence interval)"
)
_MEAN = r"(?:mean|avg\.?|average)"
_OVER = r"(?:,? ?(?:over|of|across|from)? ?[0-9]{0,3} ?(?:random )?(?:seeds|runs|trials))?"
#: A mean and its spread, in brackets or behind a colon or a comma: (mean ± 95% CI), : mean (std) over 3 seeds.
_WITH_SPREAD = re.compile(
    rf"\s*(?:[:,;–—-]\s*|[(\[]\s*|\s){_MEAN}\s*(?:±|\+/-|\\pm|\(|\[|/|,)\s*(?:±|\+/-)?\s*{_SPREAD}\s*[)\]]?{_OVER}\s*[)\]]?\s*$",
    re.IGNORECASE,
)
#: A difference behind the number: (Δ vs prev), [delta to baseline], (vs prev), (Δ%).
_WITH_CHANGE = re.compile(
    r"(?<=[a-z\])])\s*[(\[]\s*(?:(?:\\Delta|delta|diff(?:erence)?|change)\b[^()\[\]]{0,40}|[Δ∆][^()\[\]]{0,40}"
    r"|vs\.? [^()\[\]]{1,40})[)\]]\s*$",
    re.IGNORECASE,
)


_MAY_SAY = re.compile(r"[(\[]|mean|avg|average", re.IGNORECASE)  # most headers say neither


@lru_cache(maxsize=20_000)
def without_statement(header: str) -> str:
    """The header without what it says of a spread or a change that stands behind each number; as it is where it says none."""
    if len(header) > 200 or not _MAY_SAY.search(header):
        return header
    return _WITH_CHANGE.sub("", _WITH_SPREAD.sub("", header)) or header


def says_change(header: str) -> bool:
    """Whether the header says that a change stands behind each number: where none does, the numbers are the changes."""
    return len(header) <= 200 and bool(_MAY_SAY.search(header)) and bool(_WITH_CHANGE.search(header))


_DONE = r"(?:done|current|curr?|now|completed?|finished|seen|actual|so far|trained)"
_PLAN = r"(?:planned|plan|total|max(?:imum)?|target|goal|budget|all)"
_OF = r"(?: ?[/|] ?|[ _](?:out[ _])?of[ _])"
_OF_A_PLAN = re.compile(
    rf"[ _]*[(\[]?\s*(?:{_DONE}{_OF}{_PLAN}|(?P<first>{_PLAN}{_OF}{_DONE}))\s*[)\]]?\s*$", re.IGNORECASE
)
_OF_TOTAL = re.compile(rf"(?<=[A-Za-z)\]]){_OF}{_PLAN}\s*$", re.IGNORECASE)


@lru_cache(maxsize=20_000)
def without_plan(header: str) -> str:
    """The header without the words that its cells say what was done and what was planned: steps of steps (done/planned), step / total."""
    if len(header) > 200:
        return header
    return _OF_TOTAL.sub("", _OF_A_PLAN.sub("", header)).strip() or header


def plan_first(header: str) -> bool:
    """Whether the header says that cells give what was planned before what was done: steps (planned/done)."""
    found = _OF_A_PLAN.search(header) if len(header) <= 200 else None
    return found is not None and found["first"] is not None
