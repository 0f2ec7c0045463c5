"""Tables with a row for each loss of a run: its training loss and its held-out ones, or its losses on several data sets."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from data.cells.yes_no import written
from data.errors import DataError, Question
from data.headers.headings import HEADING, names_a_setting, of_the_same_runs, says_unit, unused
from data.headers.names import loss_name, named
from data.headers.parts import header as take_apart
from data.plural import listed
from data.rows.blank_settings import left_out, of_one_split
from data.rows.groups import different, numbered, sizes
from data.rows.groups import kinds as kinds_of
from data.rows.measured_again import measured_again
from data.schema import COUNTS
from data.splits.files import FILE
from data.splits.flags import worded
from data.splits.texts import TEXTS, is_text, some_only_evaluated_on
from data.splits.words import both as both_splits
from data.splits.words import in_order, kind, kind_or_name, without_words
from data.states.exclusions import marks
from data.states.recognise import says_the_end
from data.table import Table, without_rows

ALL = "all"  # the answer that every row is a run of its own
SURE = 0.6  # of a name that means a column, as in `data.recognise`
HEAD = 200  # rows that tell whether a column is one of few words
MOST = 20  # different words in a column that says where losses were measured
PAIRED = 0.5  # the share of runs under several words from which the rows are losses of one run

#: Headers of a column that says on what a loss was measured, and those that name the training data as often.
_MEASURED_ON = re.compile(
    r"(?:data ?)?(?:eval(?:uation)?|val(?:id(?:ation)?)?|test|held ?out|measured|loss|metric)s? ?"
    r"(?:(?:data ?)?set|split|data|dataset|corpus|domain|on|source|subset|name|type|task|bed|domain)s?|split|(?:data ?)?splits?"
    r"|(?:eval(?:uation)?|benchmark)s?|(?:loss |was |is )?(?:evaluated|tested|validated|measured|scored) (?:on|with|by)"
)
_EITHER = re.compile(r"(?:data ?)?set|dataset|data|corpus|domain|source|subset|partition|part")
#: Text columns by which rows of one name are other runs, or that are read elsewhere.
_OTHERWISE = re.compile(
    r"\b(?:opt(?:im(?:i[sz]er)?)?|init(?:iali[sz]ation)?|activation|precision|dtype|variants?|methods?|config|recipe|attn|attention|norm"
    r"|tokeni[sz]er|ablation|version|hardware|gpu|device|node|host|user|author|date|created|notes?|comments?|remarks?|tags?|reason|phase"
    r"|stage|kind|type|source|origin|category|label|units?|metrics?|measure|position(?:al)?|embedding|mixture|loss|used|group|trial"
    r"|replica(?:te)?|fold|setting|setup|parameteri[sz]ation|mup|scaling|decay|warm ?up|anneal(?:ing)?|url|path|file|commit|id|outcome"
    r"|ended?|section)\b"
)
_COUNTER = re.compile(r"\b(?:step|iter|iteration|update|itr|epoch)$|\b(?:seen|so far|processed|consumed)\b")
#: Columns along which a run moves, and those that may differ between two measurements of one run.
_ALONG = frozenset(("steps", "tokens", "samples", "flops", "epochs"))
_OF_A_ROW = frozenset(("wall_seconds", "state", "loss", "loss_error"))


@dataclass(frozen=True)
class Split:
    """The column `header` says on what each row's loss was measured, and rows of `keep` are those that count.

    `along` says that rows are checkpoints: what a row of another split says of a step then stands beside the loss there.
    `then` is the split of the rows that are left: the held-out losses of a run on several data sets.
    """

    header: str
    keep: str
    along: bool = False
    then: Split | None = None


@dataclass(frozen=True)
class Found:
    """What the splits of a table are: the `split` that counts, None where every row does; a `question` and a `note`."""

    split: Split | None = None
    question: Question | None = None
    note: str = ""


def splits(table: Table, settled: Collection[str] = (), answer: str | None = None) -> Found:
    """Which rows of a table count, where a column says on what their losses were measured.

    `settled` are headers that a person has said to be something else, `answer` the split that a person chose ("all": every
    row is a run). Raises `DataError` for an answer that is no split of the table.
    """
    if answer == ALL:
        return Found()
    table = worded(table)
    found = _candidate(table, settled)
    first = _judged(table, found, None)
    asked = first.question is None or first.question.needed
    if first.split is not None and not first.split.along and not asked:
        left = counted(table, first.split)
        inner = _candidate(left, settled)
        if inner is not None and inner[3] and (answer is None or kind_or_name(answer) in set(inner[1])):
            rest = _judged(left, inner, answer)
            return Found(replace(first.split, then=rest.split), rest.question, first.note)
    return first if answer is None else _judged(table, found, answer)


def _judged(table: Table, found: Candidate | None, answer: str | None) -> Found:
    """What counts by the one column that says on what losses were measured, where one was `found`."""
    if answer is not None:
        chosen = _chosen(table, found, answer)
        return Found(chosen, note=f"The rows of {chosen.keep!r} in {chosen.header!r} count, as you said.")
    if found is None:
        return Found()
    header, kinds, along, paired = found
    where = "heading or sheet" if table.format == "Excel" else "heading"
    above = header == HEADING or header in table.brought_down
    called = f"The {where} above each row" if above else repr(header)
    if above and header.strip() == FILE:
        where, called = FILE, "The file of each row"
    shown = [_shown(table, header, kinds, k) for k in in_order(kinds)]
    if not paired:
        if not both_splits(kinds):
            return Found()
        text = (
            f"{called} says {listed(shown)}, each of other runs: if losses were measured there, they do not compare. "
            "Which rows count?"
        )
        return Found(None, Question("split", text, (ALL, *shown), ALL, False))
    held = [s for s, k in zip(shown, in_order(kinds), strict=True) if not k.startswith("train")]
    if _may_be_trained_on(table, header, kinds):
        text = f"{called} says {listed(shown)} under one and the same size and tokens: were runs trained on them, or measured there?"
        text += f" Choose {ALL!r} if each row is a run."
        if some_only_evaluated_on(k for k in kinds.unique() if k):
            return Found(Split(header, held[0], along), Question("split", text, (*shown, ALL), held[0]))
        return Found(None, Question("split", text, (ALL, *shown), ALL, False))
    if len(held) == 1:
        rest = [s for s in shown if s not in held]
        others = ", ".join(rest)
        text = f"{called} gives each run's loss on {listed(shown)}: those on {held[0]} count. Is that right?"
        said = "are no checkpoints" if along else "are set aside"
        note = (
            f"{called} says where each loss was measured: the rows of {held[0]!r} count, those of {others!r} {said}."
            + _unsaid(table.text(header), said)
        )
        return Found(
            Split(header, held[0], along), Question("split", text, (held[0], *rest, ALL), held[0], False), note
        )  # fmt: skip
    if above:
        several = re.sub(r"(heading|sheet|file)\b", r"\1s", where)
        under = "in" if where == FILE else "under"
        text = f"The same runs stand {under} several {several}, {listed(shown)}: the loss {under} which of them counts?"
    else:
        text = f"{header!r} says {listed(shown)} for one and the same run: the loss on which of them counts?"
    return Found(Split(header, held[0], along), Question("split", text, (*shown, ALL), held[0]))


def _unsaid(cells: pd.Series, said: str) -> str:
    """A sentence on rows whose cell says nothing, '' where there are none."""
    silent = [c for c in cells if not kind_or_name(c)]
    if not silent:
        return ""
    first = repr(next((c for c in silent if c), ""))
    return f" So {said} {len(silent):,} that {'says' if len(silent) == 1 else 'say'} nothing of it ({first})."


def counted(table: Table, split: Split | None) -> Table:
    """The table with the rows of other splits set aside; along a run's history they stay, without their loss."""
    if split is None or split.header not in table.headers:
        return table
    table = worded(table)
    if split.then is not None:
        return counted(counted(table, replace(split, then=None)), split.then)
    cells = table.text(split.header)
    kinds = cells.map(kind_or_name)
    keep = (kinds == kind_or_name(split.keep)).to_numpy()
    table = _filled(table, split.header, keep)
    if split.along:
        held = {h: table.frame[h].astype(object).where(keep, None) for h in table.headers if loss_name(h) is not None}
        return replace(table, frame=table.frame.assign(**held))
    reasons = [_reason(cell, split.keep) for cell in cells[~keep]]
    return without_rows(table, ~keep, np.array(reasons, dtype=object))


def _reason(cell: str, keep: str) -> str:
    if not kind_or_name(cell):
        return "nothing says where its loss was measured" + (f" ({cell[:40]!r})" if cell else "")
    what = "training loss" if kind(cell).startswith("train") else "loss"
    return f"{what} on {cell[:40]!r}, where the one on {keep[:40]!r} counts"


def _filled(table: Table, header: str, keep: np.ndarray) -> Table:
    """What is blank in the rows that count, from the other rows of the same run at the same step where all of them agree.

    Where no name tells runs apart, rows alike in all that is written are of one run, and only marks are filled: what says how
    a run ended or whether it is used.
    """
    means = _means(table)
    along = [h for h in table.headers if means[h] in _ALONG and h != header]
    counter = [h for h in along if _COUNTER.search(take_apart(h).words)][:1]
    names = _run_names(table)
    by = [*names, *counter]
    if not by:
        own = [h for h in table.headers if means[h] and means[h] not in _OF_A_ROW and h != header]
        by = [h for h in own if (table.text(h) != "").all()]
    if not by:
        return table
    kinds = table.text(header).map(kind_or_name)
    place = _codes(table, by, names, kinds)
    new = {}
    for h in table.headers:
        mark = means[h] == "state" or says_the_end(h) or marks(h)
        if h == header or h in by or not (mark or ((counter or names) and means[h] and means[h] not in _OF_A_ROW)):
            continue
        blank = np.array([not c for c in written(table.frame[h])]) if mark else left_out(table, h, kinds)
        if blank[keep].any() and not blank.all():
            said = table.frame[h].astype(object).where(~blank, None).groupby(place)
            agreed = said.transform("first").where(said.transform("nunique") == 1, None)
            new[h] = table.frame[h].astype(object).where(~(blank & keep), agreed)
    return replace(table, frame=table.frame.assign(**new)) if new else table


Candidate = tuple[
    str, pd.Series, bool, bool
]  # header, the kind of each row, whether rows are a history, whether paired


def _candidate(table: Table, settled: Collection[str]) -> Candidate | None:
    """The column that says on what losses were measured; None where there is none."""
    if len(table.frame) < 2 or not any(loss_name(h) is not None for h in table.headers):
        return None
    best: Candidate | None = None
    for header in table.headers:
        if header in settled or not _has_words(table, header):
            continue
        plain = take_apart(header).words
        above = header == HEADING or header in table.brought_down
        if above:
            said = [str(c) for c in table.frame[header].unique() if c]
            above = header.strip() == FILE or of_the_same_runs(said) or any(map(says_unit, said))
            if not above or any(map(names_a_setting, said)):
                continue
        on, either = above or bool(_MEASURED_ON.fullmatch(plain)), bool(_EITHER.fullmatch(plain))
        if not (
            on
            or either
            or TEXTS.fullmatch(plain)
            or any(kind(str(c)) for c in table.frame[header].iloc[:HEAD].unique())
        ):
            continue
        if not above and any(c in ("run", "family", "state") and sure >= 0.7 for c, sure in named(header)):
            continue
        kinds = table.text(header).map(kind_or_name)
        if above:  # rows that do not count anyway are no other losses of a run
            kinds = kinds.where(~table.text(header).map(lambda c: bool(unused(c))), "")
        several = [k for k in kinds.unique() if k]
        if not 2 <= len(several) <= MOST:
            continue
        words = sum(bool(kind(c)) for c in several)
        likely = on or (either and (words or _run_names(table, 0.8))) or _mostly_splits(kinds)
        texts = not likely and bool(TEXTS.fullmatch(plain)) and all(map(is_text, several))
        if words < len(several) and not (likely or texts):
            continue
        along, paired = _paired(table, header, kinds)
        if texts and (along or not paired or not _under_all(table, header, kinds)):
            continue  # curves, or runs of their own
        if paired or ((on or either) and words == len(several) and best is None):
            found = (header, kinds, along, paired)
            if best is None or (paired and not best[3]) or (paired and both_splits(kinds) and not both_splits(best[1])):
                best = found
    return best or _unnamed(table, settled) or _several_ways(table, settled)


def _unnamed(table: Table, settled: Collection[str]) -> Candidate | None:
    """The text column, under a name that says nothing of it, by which alone rows of one named run differ; None where none is."""
    names = _run_names(table, 0.8)
    if not names:
        return None
    means = _means(table)
    text = [
        h for h in table.headers if h not in names and not means[h] and loss_name(h) is None and _has_words(table, h)
    ]
    for header in text:
        words = take_apart(header).words
        if header in settled or not words or _OTHERWISE.search(words) or marks(header) or says_the_end(header):
            continue
        kinds = table.text(header).map(kind_or_name)
        if not 2 <= len({k for k in kinds if k}) <= MOST:
            continue
        same = [
            h
            for h in table.headers
            if h != header and ((means[h] and means[h] not in _OF_A_ROW) or h in text or h in names)
        ]
        of_runs = (table.text(names[0]) != "").to_numpy()
        several = kinds_of(numbered(_codes(table, same)[of_runs]), kinds.to_numpy()[of_runs])
        if len(several) and np.mean(several > 1) >= PAIRED:
            return header, kinds, _paired(table, header, kinds)[0], True
    return None


def _several_ways(table: Table, settled: Collection[str]) -> Candidate | None:
    """The column that says how each of several losses of one named run was measured; None where none does."""
    header = measured_again(table, settled, _run_names(table, 0.8), _means(table), _OF_A_ROW)
    if not header:
        return None
    kinds = table.text(header).map(kind_or_name)
    return header, kinds, _paired(table, header, kinds)[0], True


def _under_all(table: Table, header: str, kinds: pd.Series) -> bool:
    """Whether rows alike in all that was read stand once under every one of the texts."""
    means = _means(table)
    same = [h for h in table.headers if h != header and means[h] and means[h] not in _OF_A_ROW]
    if not any(means[h] in (*COUNTS, "family") for h in same):
        return False
    rows = pd.DataFrame({"r": _codes(table, same), "k": kinds.to_numpy()})
    each = rows.groupby("r")["k"].agg(["size", "nunique"])
    return len(each) > 1 and bool((each == kinds.nunique()).to_numpy().all())


def _may_be_trained_on(table: Table, header: str, kinds: pd.Series) -> bool:
    """Whether texts beside unnamed runs may be those of their training."""
    found = [k for k in kinds.unique() if k]
    return bool(TEXTS.fullmatch(take_apart(header).words)) and not _run_names(table, 0.8) and all(map(is_text, found))


def _mostly_splits(kinds: pd.Series) -> bool:
    """Whether most rows say training or held out, both among them, under a header that does not say what it holds."""
    known = kinds.map(lambda k: bool(kind(k)))
    return both_splits(kinds[known]) and float(known[kinds != ""].mean()) > 0.5


def _paired(table: Table, header: str, kinds: pd.Series) -> tuple[bool, bool]:
    """Whether rows are histories, and whether runs stand under several splits with all else alike."""
    means = _means(table)
    counters = [h for h in table.headers if means[h] in _ALONG and _COUNTER.search(take_apart(h).words)]
    own = [h for h in table.headers if h != header and means[h] and means[h] not in (*_ALONG, *_OF_A_ROW)]
    progress = [h for h in table.headers if means[h] in _ALONG and h != header]
    names = _run_names(table)
    own = [h for h in own if h in names or not of_one_split(table, h, kinds)]
    run = _codes(table, own, names, kinds)
    known = (kinds != "").to_numpy()
    said = kinds.to_numpy()[known]
    pairs = numbered(run[known], said)
    first = np.unique(pairs, return_index=True)[1]  # of each pair
    repeated = [np.mean(sizes(pairs)[said[first] == k] > 1) > 0.5 for k in dict.fromkeys(said)]
    logged = bool(progress) and bool(names or counters)
    along = logged and all(repeated)
    key = run if logged and any(repeated) else _codes(table, [*own, *progress], names, kinds)
    if not (own or progress):
        return along, False
    runs = numbered(key[known])
    held = np.array([not k.startswith("train") for k in said], dtype=bool)
    both = kinds_of(runs, said)[np.unique(runs[held])]
    return along, bool(len(both)) and bool(np.mean(both > 1) >= PAIRED)


def _run_names(table: Table, least: float = SURE) -> list[str]:
    """The columns that name runs, as surely as `least` says."""
    return [h for h in table.headers if any(c == "run" and sure >= least for c, sure in named(h))]


def _codes(table: Table, columns: list[str], names: Collection[str] = (), kinds: pd.Series | None = None) -> np.ndarray:
    """The rows (n,) numbered by what stands in these columns; names count without the word of their split: r1-train is r1."""
    if not columns:
        return np.zeros(len(table.frame), dtype=int)
    cells = []
    for h in columns:
        text = table.text(h)
        if h in names and kinds is not None and different(text) > 0.9 * len(text):
            text = text.map(without_words)
        cells.append(text.to_numpy())
    return numbered(*cells)


def _means(table: Table) -> dict[str, str]:
    return {h: next((c for c, s in named(h) if s >= SURE), "") if loss_name(h) is None else "" for h in table.headers}


def _has_words(table: Table, header: str) -> bool:
    """Whether the first cells of a column are few different words."""
    column = table.frame[header]
    if pd.api.types.is_numeric_dtype(column.dtype):
        return False
    head = {c for c in column.to_numpy()[:HEAD] if isinstance(c, str)}
    return 0 < len(head) <= MOST and table.numbers(header).share < 0.5


def _shown(table: Table, header: str, kinds: pd.Series, wanted: str) -> str:
    """A kind as the table first writes it."""
    return str(table.text(header)[(kinds == wanted).to_numpy()].iloc[0])[:60]


def _chosen(table: Table, found: Candidate | None, answer: str) -> Split:
    if found is None or kind_or_name(answer) not in set(found[1]):
        has = f"'{found[0]}' has {listed([_shown(table, found[0], found[1], k) for k in in_order(found[1])])}" if found else (
            "no column says on what its losses were measured"
        )  # fmt: skip
        raise DataError(f"{table.name} has no split {answer!r}: {has}.")
    return Split(found[0], _shown(table, found[0], found[1], kind_or_name(answer)), found[2])
