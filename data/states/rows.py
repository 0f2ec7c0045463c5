"""What a table says of single rows: not measured but predicted, unfinished by their progress, or so called in their names."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd

from data.cells.markup import LONGEST
from data.cells.parts_done import of_a_plan, parts_done
from data.cells.yes_no import clear
from data.headers.headings import HEADING, unused
from data.headers.parts import header as take_apart
from data.mapping import Mapping
from data.rows.groups import blank
from data.schema import COLUMNS, COUNTS
from data.states import words as state_words
from data.states.predicted import PREDICTED
from data.states.predicted import in_a_name as predicted_in
from data.states.recognise import BROKEN, UNFINISHED, of_words, plain
from data.states.remarks import remarked
from data.states.stages import tuned
from data.table import Table

MOST = 12  # different words in a column that says what kind each row is
DONE = 98.0  # per cent from which a run is at its end
_PERHAPS = of_words(state_words.PERHAPS_PREDICTED)
_MEASURED = of_words(state_words.MEASURED)
#: States that a name may end in behind a hyphen; in brackets all but those that say something else of a model.
_IN_A_SLUG = of_words(state_words.ENDS_OF_NAMES) | (PREDICTED - {"prediction", "predictions", "pred"})
_TARGETS = of_words("target, target model, target run, target size, our target, planned, planned run, goal")
_LARGER = 2.0  # how many times the largest run that was measured a target is
_OF_A_TARGET = re.compile(r"draft|teacher|student|assistant|proxy|source|policy|online", re.IGNORECASE)
_IN_BRACKETS = (BROKEN | UNFINISHED | PREDICTED | _PERHAPS) - of_words(state_words.OF_A_MODEL)

_KIND = re.compile(
    r"(?:row |data |point |value |loss |run |result |measurement |entry )?"
    r"(?:source|type|kind|origin|provenance|category|nature|status|state|label|note|comment|remark|measured|how)s?"
    r"|(?:data ?)?points?|rows?|measured (?:or|/) (?:predicted|extrapolated)|(?:actual|real) (?:or|/) predicted"
    r"|metrics?|results?|quantity|quantities|values?|set|what|case|item|data|column [0-9]+|"
)
_PROGRESS = re.compile(
    r"(?:run |training |train )?(?:progress|completion|completeness|(?:completed?|done|finished) (?:percent|pct|fraction))"
    r"(?: percent| pct)?"
    r"|(?:percent|pct|fraction)(?: of)? (?:run |training )?(?:progress|completed?|done|finished|trained|run|plan)"
)
_DONE = re.compile(r"completed?|done|finished")  # of a share only where the cells say per cent
_FINAL = re.compile(r"(?:is )?(?:the )?(?:final|last)(?: (?:row|run|checkpoint|ckpt|step|eval|evaluation|point))?")
_PER_CENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?) ?(%?)")

_BRACKETED = re.compile(r"[(\[{<]\s*([^()\[\]{}<>]{2,60}?)\s*[)\]}>][\s*†‡]*$")
_BEHIND_A_DASH = re.compile(r"(?:\s+[-–—:|/;]+|[:;,])\s+([^-–—:|/;,()]{2,60})$")
_SLUG = re.compile(r"(?:.*[-_. ])([A-Za-z]{3,20})")
_NEGATED = re.compile(r"(?:not|no|non|never|un)[-_. ]+[A-Za-z]+$", re.IGNORECASE)
_OF_A_LAW = re.compile(
    r"(?:.*\s)?(?:fits?|fitted|predictions?|predicted|extrapolation|extrapolated|forecast|projection)", re.IGNORECASE
)


_COMMENTS = ("#", "//", "%", "<!--")
#: A name with a mark before it, which comments nothing out: # best.
_PRAISED = re.compile(
    r"#+\s*(?:the )?(?:best|ours?|final|default|baseline|main|chosen|selected|winner|new|current)\b.*", re.IGNORECASE
)
_NUMBERED = re.compile(r"#\s*[0-9]+")
#: A whole cell that is struck out, marks of other kinds around it aside.
_STRUCK = re.compile(
    r"^[\s*_`$]*(?:~~[^~]+~~|<(s|del|strike)\b[^<>]*>.*</\1>|\\(?:sout|st|xout|cancel|hcancel)\s*\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})[\s*_`$]*$",
    re.IGNORECASE | re.DOTALL,
)


def row_states(table: Table, mapping: Mapping, names: pd.Series, along: bool) -> np.ndarray:
    """For each row (n,) what the table says that keeps it from being a finished run's measurement, else ''.

    `names` (n,) are those of the runs; `along` says that rows are checkpoints, so that a run is as far as its furthest row.
    """
    out = not_measured(table, mapping)
    shown = _by_marks(table, mapping)
    for said in (
        shown,
        *_by_headings(table),
        *_by_names(table, mapping),
        _by_progress(table, names if along else None),
        remarked(table),
        tuned(table),
    ):
        out = np.where(out == "", said, out)
    return out


def not_measured(table: Table, mapping: Mapping) -> np.ndarray:
    """For each row (n,) the word by which a column says that its loss was predicted or fitted, else ''.

    Any column in which both words for measured and words for predicted stand says so, whatever its name.
    """
    taken = {g.header for c, g in mapping.guesses.items() if COLUMNS[c].kind == "number"}
    out = np.full(len(table.frame), "", dtype=object)
    for header in table.headers:
        named = bool(_KIND.fullmatch(take_apart(header).path))
        if header in taken or header == HEADING or not (named or _few(table, header)):
            continue
        cells = table.text(header)
        kinds = {c: plain(c) for c in cells.unique() if c}
        if not 0 < len(kinds) <= MOST:
            continue
        beside = bool(_MEASURED & set(kinds.values()))
        if not named and not (beside and PREDICTED & set(kinds.values())):
            continue
        bad = PREDICTED | _PERHAPS if beside else PREDICTED
        said = cells.map(lambda c, kinds=kinds, bad=bad: c if kinds.get(c, "") in bad else "").to_numpy(dtype=object)
        out = np.where(out == "", said, out)
    return out


def _few(table: Table, header: str) -> bool:
    """Whether the first cells of a column are few different texts, as words for kinds of rows are."""
    cells = table.frame[header]
    if pd.api.types.is_numeric_dtype(cells.dtype) or table.numbers(header).share >= 0.5:
        return False
    return len(set(map(str, cells.to_numpy()[:500]))) <= MOST


def in_a_name(name: str) -> str:
    """The state that a run's name ends in: `b (diverged)`, `b - failed`, `b-crashed`, `b ❌`, `Chinchilla fit`; '' for others."""
    if len(name) > LONGEST:
        return ""
    text = unicodedata.normalize("NFC", name).replace("\ufe0f", "").strip()
    for mark in (text[-1:], text[:1]):
        if mark in state_words.MARKS and plain(mark) in BROKEN | UNFINISHED:
            return mark
    if foretold := predicted_in(text):
        return foretold
    found = _BRACKETED.search(text) or _BEHIND_A_DASH.search(text)
    if found:
        return found[1] if plain(found[1]) in _IN_BRACKETS else ""
    law = _OF_A_LAW.fullmatch(text)
    if law:
        return text.split()[-1]
    slug = _SLUG.fullmatch(text)
    return slug[1] if slug and plain(slug[1]) in _IN_A_SLUG and not _NEGATED.search(text) else ""


def _by_marks(table: Table, mapping: Mapping) -> np.ndarray:
    """For each row (n,) "hidden", "commented out" or "struck out" where the file shows it so, else ''."""
    out = np.array([table.marked.get(int(line), "") for line in table.lines], dtype=object)
    if not len(out) or not len(table.headers):
        return out
    first = table.text(table.headers[0])
    begins = np.array([c.startswith(_COMMENTS) for c in first], dtype=bool)
    #: #7 among names is a number, among numbers one commented out.
    numbered = begins.any() and table.numbers(table.headers[0]).share < 0.5
    comment = begins.copy()
    comment[begins] = [not _PRAISED.fullmatch(c) and not (numbered and _NUMBERED.fullmatch(c)) for c in first[begins]]
    if comment.any() and 2 * int(comment.sum()) < int((~blank(first)).sum()):
        out = np.where((out == "") & comment, "commented out", out)
    struck = _struck(table, mapping.header("loss") or "")
    return np.where((out == "") & struck, "struck out", out)


def _struck(table: Table, loss: str) -> np.ndarray:
    """Which rows (n,) have their loss, or half of what is written in them, struck out."""
    n = len(table.frame)
    written, lined, own = np.zeros(n, dtype=int), np.zeros(n, dtype=int), np.zeros(n, dtype=bool)
    for header in table.headers:
        found = table.numbers(header)
        if not (found.written or found.notes or found.bad.any()):  # plain numbers, and nothing around them
            written = written + ~found.blank
            continue
        cells = table.frame[header].to_numpy()
        here = np.fromiter((isinstance(c, str) and bool(_STRUCK.search(c[:LONGEST])) for c in cells), bool, n)
        written = written + ~blank(table.text(header))
        lined = lined + here
        own |= here & (header == loss)
    return np.asarray(own | ((lined > 0) & (2 * lined >= written)))


def _by_headings(table: Table) -> list[np.ndarray]:
    """For each row (n,) the word by which the heading above it says that it does not count, else ''."""
    headers = [h for h in table.headers if h == HEADING or h in table.brought_down]
    return [table.text(h).map(lambda c: unused(c)).to_numpy(dtype=object) for h in headers]


def _by_names(table: Table, mapping: Mapping) -> list[np.ndarray]:
    headers = [h for c in ("run", "family") if (h := mapping.header(c)) is not None and h in table.headers]
    found = []
    sizes = _sizes(table, mapping)
    for header in headers:
        cells = table.text(header)
        said = {c: in_a_name(c) for c in cells.unique()}
        said |= {c: plain(c) for c in _alone(cells, sizes)}
        found.append(np.array([said[c] for c in cells], dtype=object))
    return found


def _alone(cells: pd.Series, sizes: np.ndarray) -> list[str]:
    """The one name among others (n,) that says target and nothing else, of what is by far the largest run by its `sizes` (n,).

    None beside the draft or teacher that a model may be the target of.
    """
    plainly = [c for c in cells.unique() if plain(c) in _TARGETS]
    at = np.flatnonzero((cells == plainly[0]).to_numpy()) if len(plainly) == 1 else np.array([], dtype=int)
    if len(at) != 1 or len(cells) < 3 or any(_OF_A_TARGET.search(c) for c in cells.unique()):
        return []
    others = np.delete(sizes, at[0])
    return plainly if np.isfinite(sizes[at[0]]) and not (others * _LARGER > sizes[at[0]]).any() else []


def _sizes(table: Table, mapping: Mapping) -> np.ndarray:
    """How large each run (n,) is: its parameters times its tokens, or what of them is known; NaN where neither is."""
    parts = [next((c for c in COUNTS if c in mapping.guesses), ""), "tokens"]
    known = [mapping.guesses[c].values(table) for c in parts if c in mapping.guesses]
    return np.prod(known, axis=0) if known else np.full(len(table.frame), np.nan)


def _by_progress(table: Table, names: pd.Series | None) -> np.ndarray:
    """For each row (n,) how far its run came, where a column says that it is not at its end, else ''."""
    runs = np.arange(len(table.frame)) if names is None else names.to_numpy()
    out = np.full(len(table.frame), "", dtype=object)
    for header in table.headers:
        words = take_apart(header).path
        if _FINAL.fullmatch(words):
            said = clear(table.text(header))
            at_end = pd.Series([float("nan") if a is None else float(a) for a in said or ()])
            if said:
                furthest = at_end.groupby(runs).transform("max").to_numpy()
                out = np.where((out == "") & (furthest == 0.0), "not final", out)
        elif _PROGRESS.fullmatch(words) or (_DONE.fullmatch(words) and table.text(header).str.endswith("%").any()):
            share = _shares(_without_plans(table, header))
            if share is not None:
                furthest = pd.Series(share).groupby(runs).transform("max").to_numpy()
                said_so = [f"unfinished ({f:.3g} %)" if f < DONE else "" for f in furthest]
                out = np.where(out == "", np.array(said_so, dtype=object), out)
        if of_a_plan(header):
            out = np.where(out == "", _short_of_plan(table, header, runs), out)
    return out


def _short_of_plan(table: Table, header: str, runs: np.ndarray) -> np.ndarray:
    """For each row (n,) how much of its plan its run did by cells such as 12k/40k, where that is not all of it; else ''.

    A run (n,) whose next measurement would lie beyond its plan is at its end.
    """
    out = np.full(len(table.frame), "", dtype=object)
    found = table.numbers(header)
    if not (found.written or found.notes or found.bad.any()):  # plain numbers
        return out
    done, planned = parts_done(table.text(header), header, table.decimal)
    if not np.isfinite(planned).any():
        return out
    by_run = pd.DataFrame({"done": done, "planned": planned}).groupby(runs)
    furthest, plan = by_run["done"].transform("max").to_numpy(), by_run["planned"].transform("max").to_numpy()
    between = (
        by_run["done"].transform(lambda d: np.diff(np.unique(d.dropna()), prepend=0.0).max(initial=0.0)).to_numpy()
    )
    several = (by_run["done"].transform("nunique") > 1).to_numpy()
    with np.errstate(all="ignore"):
        share = 100.0 * furthest / plan
    for i in np.flatnonzero((share < DONE) & ~(several & (furthest + between > plan))):
        out[i] = f"unfinished ({share[i]:.3g} %)"
    return out


def _without_plans(table: Table, header: str) -> pd.Series:
    """The cells (n,) of a column of progress, '' where one says what was done of a plan and no share."""
    cells = table.text(header)
    return cells.where(np.isnan(parts_done(cells, header, table.decimal)[0]), "")


def _shares(cells: pd.Series) -> np.ndarray | None:
    """The per cent (n,) in a column of them, NaN where nothing is written; None where some cell is none, or all are 0 or 1."""
    read = [_PER_CENT.fullmatch(c) for c in cells]
    if not any(read) or any(c and r is None for c, r in zip(cells, read, strict=True)):
        return None
    values = np.array([float(r[1]) if r else np.nan for r in read])
    if np.nanmax(values) > 100 or np.isin(values[np.isfinite(values)], (0.0, 1.0)).all():
        return None
    of_one = np.nanmax(values) <= 1.0 and not any(r and r[2] for r in read)
    return values * 100.0 if of_one else values
