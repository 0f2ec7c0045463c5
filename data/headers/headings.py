"""Headings above rows: what they say of a run that does not count, and whether they name a setting of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from data.headers.names import loss_name
from data.headers.parts import header as take_apart
from data.headers.parts import loss_unit
from data.headers.titles import not_measured
from data.losses.held_out import CORPUS, SPLIT

HEADING = "heading"  # the column of headings under which the same runs stand again, or by which rows do not count

_UNUSED = re.compile(
    r"\b(?:(do not use|don'?t use|not used|not converged|out of memory)"
    r"|(predicted|predictions?|extrapolat(?:ed|ions?)|forecast(?:s|ed)?|projected|projections?|hypothetical)"
    r"|(deprecated|obsolete|superseded|outdated|discarded|invalid|retracted|buggy|broken)"
    r"|(diverged|failed|failures?|crashed|aborted|killed|oom|incomplete|unfinished|not finished|still running|in progress))\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"\b(?:no|not|without|non|never|excluding|except|vs\.?|versus|and|or|from|against|measured|actual)\b[^.;:()]{0,30}$",
    re.IGNORECASE,
)
_SETTING = re.compile(
    r"\b(?:lr|learning rate|seeds?|batch(?: size)?|weight decay|wd|steps?|epochs?|tokens?|params?|parameters|layers?|warm ?up|sweep"
    r"|stage|phase|schedule|context|budget|sequence length|dropout|[0-9.]+ ?[kmbt])\b|[=]|[0-9]e[+-]?[0-9]",
    re.IGNORECASE,
)

_TRAINED_ON = re.compile(r"\b(?:pre ?)?train(?:ed|ing) (?:on|with|data|set|corpus|mix\w*)\b", re.IGNORECASE)
_MODELS = re.compile(r"\b(?:falcon|nemotron|star ?coder)\b", re.IGNORECASE)  # models as well as texts
_MEASURED = re.compile(
    r"\b(?:loss(?:es)?|perplexity|ppl|cross ?entropy|evaluat(?:ed|ion)|eval|measured|tested|validated) (?:on|over|in|with)\b",
    re.IGNORECASE,
)
#: A split whose loss stands there, and a split measured on a text.
_OF_SPLIT = re.compile(
    SPLIT.pattern + r" (?:(?:data )?(?:sub)?sets?|splits?|loss(?:es)?|perplexity|ppl|cross entropy|bpb|nll|on)\b",
    re.IGNORECASE,
)
#: What may stand beside the name of a text or a split that is all that a heading says.
_BESIDE = re.compile(
    r"\b(?:(?:nats|bits) per (?:byte|token|char(?:acter)?|word)|nats|bits|bpb|bpc|perplexit(?:y|ies)|ppl|loss(?:es)?|cross entropy"
    r"|results?|numbers?|table|tab|subsets?|domains?|splits?|and|the|on|in|of|out|code|math|web|books?|news|papers|languages?|text"
    r"|level|word|char(?:acter)?|byte|token|[a-z]|v?[0-9.]+)\b"
)
_BESIDE_SPLIT = re.compile(
    _BESIDE.pattern
    + r"|\b(?:(?:data)?sets?|data|corpus|curves?|metrics?|performance|scores?|train(?:ing)?|distribution)\b"
)
_LANGUAGE = re.compile(
    r"\b(?:arabic|bengali|bulgarian|catalan|chinese|mandarin|croatian|czech|danish|dutch|english|estonian|finnish|french|german|greek"
    r"|hebrew|hindi|hungarian|indonesian|italian|japanese|korean|latvian|lithuanian|norwegian|persian|farsi|polish|portuguese|romanian"
    r"|russian|serbian|slovak|slovenian|spanish|swahili|swedish|tamil|telugu|thai|turkish|ukrainian|urdu|vietnamese|multilingual"
    r"|monolingual)\b"
)
_NUMBERED = re.compile(
    r".* \(table [0-9]{1,3}\)"
    r"|(?:table|tabelle|tabla|tableau|tbl|tab|figure|fig|listing)\.?\s*(?:[0-9]{1,3}(?:\.[0-9]{1,2})?|[IVX]{1,4})[a-z]?\s*[.:)]?",
    re.IGNORECASE,
)
_PER = re.compile(r"(?:\bper|/)[ -]?[a-z]+", re.IGNORECASE)  # nats per token


def unused(heading: str) -> str:
    """The word by which a heading says that the rows below it do not count as finished, measured runs; '' where none does."""
    found = _UNUSED.search(heading[:200])
    if found is None:
        return not_measured([heading])[0]
    if _NEGATED.search(heading[: found.start()]):
        return ""
    if found[2] and re.search(
        r"\b(?:and|vs\.?|versus|/|&)\b\s*(?:actual|measured|observed)", heading[found.end() :], re.IGNORECASE
    ):
        return ""
    return found[0].lower()


def names_a_setting(heading: str) -> bool:
    """Whether a heading names a setting of the runs below it, so that the same names there are other runs."""
    return bool(_SETTING.search(_PER.sub(" ", heading[:200])))


def says_where_measured(heading: str) -> bool:
    """Whether a heading names a text, a language, a split or a loss and nothing else: C4, German, validation, evaluation on code.

    Where more stands there it names what was trained: C4 runs, test of Muon, training from scratch.
    """
    path = take_apart(heading).path.lower()[:200]
    if _TRAINED_ON.search(path):
        return False  # other data make other runs
    if loss_name(heading) is not None or _MEASURED.search(path) or _OF_SPLIT.search(path):
        return True
    split = SPLIT.search(path)
    texts = SPLIT.sub(" ", _LANGUAGE.sub(" ", CORPUS.sub(" ", _MODELS.sub(lambda m: m[0].upper(), path))))
    found = texts != path and re.sub(r"\W+", " ", texts).split() != path.split()
    return found and not re.sub(r"\W+", " ", (_BESIDE_SPLIT if split else _BESIDE).sub(" ", texts)).strip()


def says_unit(heading: str) -> bool:
    """Whether a heading names a unit of the losses below it."""
    return bool(loss_unit(take_apart(heading).path, heading))


def no_name(heading: str) -> bool:
    """Whether a heading is but the number of its table: Table 2, Fig. 3, or as `numbered` gives it where nothing else tells apart."""
    return bool(_NUMBERED.fullmatch(heading))


def numbered(heading: str, position: int) -> str:
    """The heading of the table at that position (from 1), where those of several tables are alike or missing."""
    return f"{heading} (table {position})" if heading else f"table {position}"


def of_the_same_runs(headings: Iterable[str]) -> bool:
    """Whether rows of the same names under these headings may be losses of the same models: they say where those were measured.

    Also where nothing but their number tells the tables apart. Baseline and Ours, two versions or two dates are other runs.
    """
    return any(says_where_measured(h) or no_name(h) for h in headings if h)
