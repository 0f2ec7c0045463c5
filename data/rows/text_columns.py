"""Columns of text that tell runs apart where a counter stands beside them: optimizer, variant, recipe, a column without a name.

The last step of four optimizers rises from row to row as the steps of one run do. What stays as it is along a curve and
differs here is of different runs; a remark, a time or a phase of one run is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from data.filenames.steps import bare_places, models, places
from data.headers.parts import header as take_apart
from data.mapping import Mapping
from data.rows.groups import numbered, sizes
from data.rows.progress import LEAST, evenly
from data.table import Table

MOST_COLUMNS = 60
MOST_ROWS = 100_000
FEW_ROWS = 40  # rows of a table that somebody wrote, where a remark in most of them may as well be a run's name
AGAIN = (
    0.4  # of the rows at one place those that may still stand there under one text, as a resumed run logs them again
)
WORDS = 0.2  # of the cells of a column of words those that may hold a digit
_IN_PAIRS = 6  # columns that are tried two by two
_LONG = 6  # words of a cell beyond which it is a text and no name
_OF_RUNS = ("family", "group")  # canonical columns of text that may tell runs apart; `data.rows.kinds` knows the others

#: What people vary from run to run.
_SETTING = re.compile(
    r"\b(?:optimi[sz]er|optim|variant|variation|method|approach|algorithm|algo|arm|condition|recipe|set ?up|ablation|config(?:uration)?"
    r"|arch(?:itecture)?|model|tokeni[sz]er|treatment|experiment|exp|run|name|attention|attn|activation|act|norm|normali[sz]ation|init"
    r"|initiali[sz]ation|positional|pos(?:ition)? ?emb\w*|embedding|precision|dtype|mixture|data ?mix|mixer|layer type|mlp|moe"
    r"|quanti[sz]ation|parametri[sz]ation|hyperparams?|settings?|competitor|author|submission)\b"
)
#: What changes along one run: its phases, its times, what it wrote.
_ALONG = re.compile(
    r"\b(?:phase|stage|event|mode|split|subset|status|state|time|when|date|datetime|timestamp|day|hour|eta|elapsed|left|remaining|clock|samples?"
    r"|text|output|generat\w*|prompt|completion|example|message|msg|log|level|logger|line|checkpoint|ckpt|path|file|filename|url|link|dir"
    r"|host|node|machine|gpus?|device|rank|memory|mem|speed|throughput|best|improved|saved?|trend|change|delta|vs|verdict|hash|commit|regime|progress|milestone|epoch"
    r"|step|iter\w*|tokens?|reason|annotation)\b"
)
#: Quantities along a run: a column of words under such a header counts nothing, and its words are names.
_QUANTITY = re.compile(
    r"\b(?:tokens?|iter\w*|steps?|epoch|samples?|gpus?|memory|mem|speed|throughput|loss|flops?|params?|batch)\b"
)
_REMARK = re.compile(r"\b(?:notes?|comments?|remarks?|description|desc|observations?|info|details|what|explanation)\b")
#: Headers that are nothing but a word for times or remarks. What stands there at places of a log names no runs.
_TIMES = re.compile(r"时间|日期|时刻")
_NOTES = re.compile(r"(?:notes?|comments?|remarks?|备注|说明|注释)")
#: Headers of words beside a log that are seldom names of runs.
_TAGS = re.compile(r"(?:tags?|labels?|source|标签)")
_TIME = re.compile(
    r"[0-9]{1,2}:[0-9]{2}|[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* [0-9]",
    re.IGNORECASE,
)

#: A number with the mark of what it counts, or without one: 0.6x, 79%, 1.8, 12 h; and what stands for none.
_MARKED = re.compile(
    r"(?:[~≈≤≥<>±+-]? ?[$€£]?[0-9]+(?:[.,][0-9]+)* ?(?:[x×%‰$€£]|h(?:(?:ou)?rs?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?|ms|d(?:ays?)?"
    r"|[kmbgt]b?|(?:tok(?:en)?s?|steps?|it)(?:/s(?:ec)?)?|ep(?:och)?s?)?|[-–—]+|n/?a)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Told:
    """The headers of text that tell runs apart, and one that may (`doubtful`): '' where none does.

    `hardly` says that it does so hardly ever, so that this is announced and not asked first.
    """

    keys: tuple[str, ...]
    doubtful: str = ""
    hardly: bool = False


def told_apart(
    table: Table, mapping: Mapping, measured: np.ndarray, place: pd.Series, runs: pd.Series, named: bool
) -> Told:
    """What columns of text say of rows that were taken as checkpoints of `runs` (n,) at `place` (n,).

    `measured` (n,) are the rows that count. Where runs have names (`named`) only columns of settings tell them apart further.
    """
    taken = {g.header for c, g in mapping.guesses.items() if c not in _OF_RUNS} | {mapping.header("run")}
    keys, doubtful, unlikely = [], "", ""
    if len(table.frame) > MOST_ROWS:
        return Told(())
    for header in [h for h in table.headers[:MOST_COLUMNS] if h not in taken and h not in table.from_name]:
        if pd.api.types.is_numeric_dtype(table.frame[header].dtype) or table.numbers(header).share >= 0.5:
            continue
        cells = table.text(header)[measured]
        if models(cells) or places(cells) or bare_places(cells) or not set(runs).isdisjoint(cells):
            continue  # each names a checkpoint, or the runs are named after it already
        verdict = _verdict(header, cells, place[measured], runs[measured])
        if verdict == "apart" and (not named or _SETTING.search(_words(header))):
            keys.append(header)
        elif verdict == "open" and not named and len(cells) <= FEW_ROWS:
            doubtful = doubtful or header
        elif verdict == "hardly" and not named and len(cells) <= FEW_ROWS:
            unlikely = unlikely or header
    return Told(tuple(keys), "" if keys else doubtful or unlikely, not doubtful)


def parting(
    table: Table, mapping: Mapping, measured: np.ndarray, place: pd.Series, runs: pd.Series
) -> tuple[tuple[str, ...], bool]:
    """The headers of text under which rows that stand at one `place` (n,) of one of `runs` (n,) are of different runs.

    Two trainings logged side by side pass the same places. Also whether the first of them names a setting; () where none does.
    """
    at = numbered(runs, place)[measured]
    before = len(at) - len(np.unique(at))
    if not before or len(table.frame) > MOST_ROWS:
        return (), False
    taken = {g.header for c, g in mapping.guesses.items() if c not in _OF_RUNS}
    found: dict[bool, list[str]] = {True: [], False: []}
    for header in [h for h in table.headers[:MOST_COLUMNS] if h not in taken and h not in table.from_name]:
        if pd.api.types.is_numeric_dtype(table.frame[header].dtype) or table.numbers(header).share >= 0.5:
            continue
        cells, words = table.text(header)[measured], _words(header)
        setting = bool(_SETTING.search(words))
        if _REMARK.search(words) or (_is_along(words, cells) and not setting):
            continue
        if (cells == "").any() or not 1 < cells.nunique() <= len(cells) / 2 or cells.str.contains(_TIME).any():
            continue
        if cells.groupby(runs[measured]).nunique().max() > 1:  # else the runs are told apart by it already
            found[setting].append(header)

    def left(headers: tuple[str, ...]) -> int:
        return len(at) - len(sizes(numbered(at, joined(table, headers)[measured])))

    every = (*found[True], *found[False])
    tried = (
        [(h,) for h in every] + list(combinations(every[:_IN_PAIRS], 2)) + [tuple(found[True])] * (len(found[True]) > 2)
    )
    for most in (0.0, AGAIN):
        for headers in tried:
            if left(headers) > most * before:
                continue
            for header in found[True]:  # what stands twice at a place under these may differ in another setting
                more = (*headers, header)
                headers = more if header not in headers and left(more) < left(headers) else headers
            return headers, all(h in found[True] for h in headers)
    return (), False


def _verdict(header: str, cells: pd.Series, place: pd.Series, runs: pd.Series) -> str:
    """Whether cells (n,) under a header tell runs "apart", may ("open"), do "hardly" ever, or belong to one run ("")."""
    words = _words(header)
    written = cells[cells != ""]
    setting = bool(_SETTING.search(words)) and not _REMARK.search(words)
    if not len(written) or written.groupby(runs[written.index]).nunique().max() < 2:
        return ""
    if _TIMES.fullmatch(header.strip()) or (_is_along(words, written) and not setting):
        return ""
    regular = bool(place.groupby(runs).apply(evenly).all())  # as a log has its places
    if _NOTES.fullmatch(words or header.strip()) and (regular or len(written) < len(cells)):
        return ""
    if (written.map(lambda c: len(c.split())) > _LONG).mean() > 0.5 or written.str.contains(_TIME).any():
        return ""
    if not setting and written.str.replace(r"[0-9]+(?:[.,][0-9]+)*", "#", regex=True).nunique() == 1:
        return ""  # numbers with a unit, places along a run
    if not setting and written.map(lambda c: bool(_MARKED.fullmatch(c))).all():
        return ""  # the same, where a cell lacks the unit or has another
    filled = len(written) / len(cells)
    if _REMARK.search(words) or filled < 0.9:
        most = filled >= 0.5 and not written.duplicated().any()
        return "open" if most or (setting and filled >= 0.5) else ""
    of_run = runs[written.index]
    if not written.groupby(of_run).apply(lambda c: c.duplicated().any()).any():
        if setting or not regular:
            return "apart"
        return "hardly" if _TAGS.fullmatch(words or header.strip()) and len(written) >= LEAST else "open"
    ends = place[written.index].groupby([of_run, written]).agg(["min", "max"]).sort_values("min")
    over = any((e["min"].to_numpy()[1:] < e["max"].to_numpy()[:-1]).any() for _, e in ends.groupby(level=0))
    return "apart" if over and setting else "open"  # one behind another they may be phases of a run


def _is_along(words: str, cells: pd.Series) -> bool:
    """Whether a header in `words` over cells (n,) says what changes along one run; a quantity does not over words."""
    quantities = float(cells.str.contains(r"[0-9]").mean()) > WORDS
    return bool(_ALONG.search(words if quantities else _QUANTITY.sub("", words)))


def _words(header: str) -> str:
    return "" if re.fullmatch(r"column [0-9]+", header) else take_apart(header).path.lower()


def joined(table: Table, headers: tuple[str, ...]) -> pd.Series:
    """The texts (n,) of several columns as one."""
    first, *rest = (table.text(h) for h in headers)
    for cells in rest:
        first = first + ", " + cells
    return first
