"""Cells that hold two numbers, as their header says: `Params (total / non-emb)` over 20M / 10M, `tokens (unique)` over 400M (100M).

Each becomes two columns. So does a batch written as a product, 200 × 2048: sequences and their length.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from data.cells.values import number
from data.headers.names import loss_name, named
from data.table import Table, unique

_SHARE = 0.8  # of the cells written under a header that must be pairs
_MOST_ROWS = 20_000  # people write such cells by hand
_SIDES = re.compile(r"(?P<what>[^()]*?)\s*\(\s*(?P<one>[^()/|]{1,40}?)\s*[/|]\s*(?P<two>[^()/|]{1,40}?)\s*\)\s*")
_BEHIND = re.compile(r"(?P<what>[^()]+?)\s*\(\s*(?P<two>[^()]{2,40}?)\s*\)\s*")
_TWO = re.compile(r"\s*([^/|()]{1,30}?)\s*[/|]\s*([^/|()]{1,30}?)\s*")
_ONE_BEHIND = re.compile(r"\s*([^()]{1,30}?)\s*\(\s*([^()]{1,30}?)\s*\)\s*")
_PRODUCT = re.compile(r"\s*([0-9][0-9,]{0,12})\s*[x×*·]\s*([0-9][0-9,]{0,12} ?k?)\s*", re.IGNORECASE)
#: The two counts of a mixture: `Total / Active (B)`, `Params total/active`, `#Active | Total params`.
_WHOLE = r"total|all|full|overall|sparse"
_PART = r"active|activated|act"
_MIXTURE = re.compile(
    rf"#?\s*(?:(?:params?|parameters?|(?:model )?size|weights|n)\W*?)?\b(?:(?P<first>{_WHOLE})|(?P<second>{_PART}))\W*?"
    rf"(?:params?|parameters?|size)?\s*[/|&(,]\s*#?\s*(?:{_WHOLE}|{_PART})\b\W*?"
    r"(?:params?|parameters?|size|weights)?\s*[)\]]?\s*(?P<unit>[(\[][^()\[\]]{1,20}[)\]])?\s*",
    re.IGNORECASE,
)
#: 140M / 62M active, 140M total (62M active).
_ACTIVE = re.compile(
    r"\s*([^/|(),]{1,24}?)\s*(?:total)?\s*[/|(,]\s*([^/|(),]{1,24}?)\s*(?:active|activated|act\.?)(?:\s*params)?\s*\)?\s*",
    re.IGNORECASE,
)
_BATCH = re.compile(r"\bbatch\b|\bbsz?\b", re.IGNORECASE)
_SEQS, _LEN = (
    r"(?:num |n |#)?(?:seq(?:uence)?s?|samples|examples|bsz?|batch)",
    r"(?:seq(?:uence)? ?)?(?:len(?:gth)?|tokens|toks|ctx|context)",
)
#: Batch (seqs x len), batch (len × seqs): which factor is which.
_ORDERED = re.compile(
    rf"[(\[]\s*(?:(?P<first>{_LEN})\s*[x×*·]\s*{_SEQS}|{_SEQS}\s*[x×*·]\s*{_LEN})\s*[)\]]", re.IGNORECASE
)
_LENGTH = 128  # tokens of the shortest sequence that models are trained on, and what lengths are multiples of

Split = tuple[tuple[str, str], list[tuple[str, str]]]  # the names of the two columns, and the two cells of each row


def paired(table: Table) -> Table:
    """The table with each column of pairs as two, and a note for each."""
    if not 0 < len(table.frame) <= _MOST_ROWS:
        return table
    table = _with_words_in_cells(table)
    found = {h: s for h in table.headers if (s := _split(table, h)) is not None}
    if not found:
        return table
    names: list[str] = []
    columns: list[pd.Series] = []
    notes = list(table.notes)
    for header in table.headers:
        if header not in found:
            names.append(header)
            columns.append(table.column(header))
            continue
        (one, two), cells = found[header]
        names += [one, two]
        columns += [pd.Series([c[side] for c in cells], dtype=object, index=table.frame.index) for side in (0, 1)]
        notes.append(f"{header!r} holds two numbers in a cell, which were read as {one!r} and {two!r}.")
    frame = pd.DataFrame(dict(zip(unique(names), columns, strict=True)), index=table.frame.index)
    return replace(table, frame=frame, notes=tuple(notes))


def _with_words_in_cells(table: Table) -> Table:
    """The table with `tokens (epochs)` called tokens where its cells say the second word too: 2.5B (0.3 epochs)."""
    names = {}
    for header in table.headers:
        behind = _BEHIND.fullmatch(header) if len(header) < 80 else None
        if behind is None or not _means(behind["what"]) or behind["what"] in table.headers:
            continue
        cells = [c for c in table.cells(header) if isinstance(c, str) and c.strip()]
        word = re.compile(
            rf"[^()]*\([~≈<]?\s*[0-9.,]+\s*{re.escape(behind['two'].rstrip('s'))}s?\s*\)\s*", re.IGNORECASE
        )
        if cells and sum(len(c) < 80 and bool(word.fullmatch(c)) for c in cells) >= _SHARE * len(cells):
            names[header] = behind["what"].strip()
    if not names or len(set(names.values())) < len(names):
        return table
    return replace(table, frame=table.frame.rename(columns=names))


def _split(table: Table, header: str) -> Split | None:
    mixture = _of_a_mixture(header)
    sides, behind = _SIDES.fullmatch(header), _BEHIND.fullmatch(header)
    batch = bool(_BATCH.search(header.replace("_", " ")))
    says = not mixture and _means(header) in ("params", "params_total") and _any_active(table, header)
    if not (mixture or sides or behind or batch or says):
        return None
    cells = [str(c) if isinstance(c, str) else "" for c in table.cells(header)]
    if says:
        return _with_active((f"total {header}", f"active {header}"), cells, table.decimal)
    if mixture:
        return _both(mixture, cells, _TWO, table.decimal) or _both(mixture, cells, _ONE_BEHIND, table.decimal)
    if sides:
        names = f"{sides['what']} ({sides['one']})", f"{sides['what']} ({sides['two']})"
        return _both(names, cells, _TWO, table.decimal) if _differ(*names) else None
    others = {_means(h) for h in table.headers if h != header} - {""}
    if behind and (other := _name_behind(behind["what"], behind["two"], others)):
        return _both((behind["what"], other), cells, _ONE_BEHIND, table.decimal)
    if batch:
        return _product(table, header, cells)
    return None


def _any_active(table: Table, header: str) -> bool:
    """Whether a cell says a total and an active count, and no column has the latter."""
    if any(_means(h) == "params_active" for h in table.headers):
        return False
    return any(isinstance(c, str) and len(c) < 80 and bool(_ACTIVE.fullmatch(c)) for c in table.cells(header))


def _with_active(names: tuple[str, str], cells: Sequence[str], decimal: str) -> Split | None:
    """The total and active count of each cell, one number counting as both; None where a cell holds something else."""
    if [_means(n) for n in names] != ["params_total", "params_active"]:
        return None
    out = []
    for cell in cells:
        match = _ACTIVE.fullmatch(cell) if len(cell) < 80 else None
        one, two = (match[1], match[2]) if match else (cell, cell)
        if cell.strip() and any(math.isnan(number(part, decimal)) for part in (one, two)):
            return None
        out.append((one, two))
    return names, out


def _of_a_mixture(header: str) -> tuple[str, str] | None:
    """The names of the two columns below a header that says a mixture's total and active count, in its order."""
    found = _MIXTURE.fullmatch(header) if len(header) < 80 else None
    if found is None or not (
        re.search(rf"\b(?:{_WHOLE})\b", header, re.I) and re.search(rf"\b(?:{_PART})\b", header, re.I)
    ):
        return None
    unit = f" {found['unit']}" if found["unit"] else ""
    names = f"total params{unit}", f"active params{unit}"
    return names if found["first"] else names[::-1]


def _both(names: tuple[str, str], cells: Sequence[str], form: re.Pattern[str], decimal: str) -> Split | None:
    """The two numbers of each cell, a cell that is no pair under the first name; None where few are pairs."""
    out = []
    pairs = 0
    for cell in cells:
        match = form.fullmatch(cell) if len(cell) < 80 else None
        if match and not any(math.isnan(number(part, decimal)) for part in match.groups()):
            out.append((match[1], match[2]))
            pairs += 1
        else:
            out.append((cell, ""))
    written = sum(bool(c.strip()) for c in cells)
    return (names, out) if pairs and pairs >= _SHARE * written else None


def _means(header: str) -> str:
    found = named(header)
    return found[0][0] if found and found[0][1] >= 0.7 else "loss" if loss_name(header) else ""


def _differ(one: str, two: str) -> bool:
    """Whether two headers name two columns, both known."""
    if loss_name(one) and loss_name(two):
        return loss_name(one) != loss_name(two)
    return bool(_means(one) and _means(two)) and _means(one) != _means(two)


def _name_behind(what: str, two: str, others: set[str]) -> str:
    """The name of what stands in brackets behind a number of `what`; '' where the header says nothing of the kind.

    `others` are what other columns hold.
    """
    if not _means(what):
        return ""
    for name in (two, f"{two} {what}"):
        if loss_name(what) is not None and loss_name(two) is None and _means(name) in ("", "loss"):
            continue  # val loss (std), val loss (3 seeds)
        if _means(name) in others - {"loss"}:
            continue  # a column of its own says it: val loss (step) beside steps
        if _differ(what, name):
            return name
    return ""


def _product(table: Table, header: str, cells: Sequence[str]) -> Split | None:
    """A batch as sequences and their length, which is the factor that lengths are; None where neither or a length is known."""
    split = _both((header, header), cells, _PRODUCT, ".")
    others = [h for h in table.headers if h != header and _means(h) == "seq_len"]
    if split is None or others:
        return None
    if any(bool(a) != bool(b) for a, b in split[1]):
        return None
    sides = [[pair[i] for pair in split[1] if pair[i]] for i in (0, 1)]
    lengths = [all(_length(part) % _LENGTH == 0 for part in side) for side in sides]
    ordered = _ORDERED.search(header)
    if ordered:
        at = 0 if ordered["first"] else 1
        if min(map(_length, sides[at])) < _LENGTH // 2:
            return None
    elif not any(lengths):
        return None
    elif not lengths[1] and any(part.lower().endswith("k") for part in sides[1]):
        return None  # 256x10k: of that length, or ten thousand of them
    else:
        at = 1 if lengths[1] else 0
    name = re.sub(r"\s*[([].*", "", header).strip()
    out = [(pair[1 - at], f"{_length(pair[at]):g}" if pair[at] else "") for pair in split[1]]
    return (f"{name} (sequences)", "seq_len"), out


def _length(part: str) -> float:
    """The tokens of a sequence: 2k are 2,048, as is every power of two times a thousand; of others a thousand is one."""
    digits = part.lower().removesuffix("k").strip()
    power = part.lower().endswith("k") and digits.isdigit() and int(digits).bit_count() == 1
    return int(digits) * 1024.0 if power else number(part)
