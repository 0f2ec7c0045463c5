"""What people write beside a row to say that it is out: do not use, wrong lr - ignore, still running, extrapolated from fit."""

from __future__ import annotations

import re

import numpy as np

from data.cells.markup import LONGEST
from data.headers.parts import header as take_apart
from data.states import words as state_words
from data.states.predicted import PREDICTED
from data.states.recognise import folded, of_words
from data.table import Table

_REMARKS = re.compile(
    r"(?:(?:my|user|run|extra|other|free|further) ?)?(?:notes?|comments?|remarks?|caveats?|warnings?|annotations?|issues?|problems?|flags?)"
)
_CALLED = of_words(
    "nota, notas, remarque, remarques, commentaire, commentaires, comentario, comentarios, observações, observaciones, commento, commenti,"
    "bemerkung, bemerkungen, anmerkung, anmerkungen, kommentar, kommentare, hinweis, hinweise, notiz, notizen, opmerking, opmerkingen,"
    "uwagi, примечание, примечания, комментарий, комментарии, заметки, 备注, 備註, 備考, メモ, 비고, 메모"
)
_APART = re.compile(r"[,;!?()\[\]{}|]+|\.(?=\s|$)|\s[-–—]+\s|[–—]")
_OUT = of_words(state_words.DISCARDED) - of_words("drop, bad") | of_words(
    "disregard, omit, omitted, void, exclude this"
)
_ENDED = of_words(state_words.ENDS_OF_NAMES)
_UNFINISHED = of_words(state_words.UNFINISHED) & of_words(
    "in progress, unfinished, not finished, not completed, not complete, incomplete, ongoing, not done, läuft noch, en cours, en curso, "
    "in corso, 运行中, 進行中, 训练中, 実行中, 실행 중"
)
_ESTIMATES = PREDICTED - of_words("projection, interpolated, pred") | of_words(
    "estimate, estimated, guess, guessed, simulated, placeholder, not run, not trained, never run"
)
_WHICH = r"(?: (?:this|it|me|these|that|the))?(?: (?:run|row|point|value|number|loss|one|result|entry))?"
#: What a law is fitted with, which is what runs are read for here; a plot, a paper or a demo goes without a run that counts.
_FIT = (
    r"(?:(?:the|a|an|any|our|my|all|final|main|scaling|power|chinchilla|loss|law|linear) )*"
    r"(?:fit(?:s|ted|ting)?|laws?|regressions?|analys[ie]s)"
)
_FOR = rf"(?: (?:for|in|from|when|with) {_FIT}| because .*)?(?: please| yet|(?: for)? now)?"
#: What a loss that nobody measured follows from.
_FROM = (
    rf"(?:{_FIT}|(?:(?:the|a|an|our|my|all|other|two|three|previous|earlier|last|first|small(?:er)?|large(?:r)?|short(?:er)?|long(?:er)?|loss"
    r"|learning|training|scaling|partial|unfinished) )*(?:runs?|loss(?:es)?|curves?|points|trend|models|extrapolations?|chinchilla))"
    r"(?: (?:of|at|with|on|to|from|in|over|up|until|by) .*)?"
)
_FORETOLD = r"(?:estimated?|extrapolat(?:ed|ion)|predict(?:ed|ion)|project(?:ed|ion)|forecast(?:ed)?|interpolat(?:ed|ion)|guess(?:ed)?)"
_PLAINLY = re.compile(
    rf"(?:please )?(?:(?:do not|don t|dont|never|cannot|can t) (?:use|count|include|trust)|ignored?|disregard|discard(?:ed)?"
    rf"|excluded?|omit(?:ted)?|left out|set aside|not (?:to be )?used){_WHICH}{_FOR}"
    r"|(?:is |was )?(?:still|currently) (?:running|training|in progress|going)(?: (?:at|on|until|till|since|as of|now|today|[0-9]).*)?"
    r"|(?:not|never) (?:yet )?(?:finished|complete|completed|done)(?: yet)?"
    r"|(?:an? |rough |my |only |just )+(?:estimate|extrapolation|prediction|projection|forecast|interpolation|guess)"
    rf"|(?:an? |rough |my |only |just )*{_FORETOLD} (?:loss(?: (?:from|by|with|via|using) .*)?"
    rf"|(?:value |number )?(?:from|by|with|via|using) {_FROM})"
)


def remarked(table: Table) -> np.ndarray:
    """For each row (n,) the remark that says plainly that it is out, else ''; other remarks say nothing."""
    out = np.full(len(table.frame), "", dtype=object)
    for header in table.headers:
        called = _REMARKS.fullmatch(take_apart(header).path.lower()) or folded(header) in _CALLED
        if not called or table.numbers(header).share >= 0.5:
            continue
        cells = table.text(header)
        said = cells.map({c: c[:LONGEST] if says_out(c) else "" for c in cells.unique()})
        out = np.where(out == "", said.to_numpy(dtype=object), out)
    return out


def says_out(remark: str) -> bool:
    """Whether a part of a remark, between its commas and dashes, says nothing but that the row is out."""
    if not remark or len(remark) > LONGEST:
        return False
    if folded(remark) in _ENDED:
        return True  # alone: what crashed, and was resumed, may have come to its end
    for part in _APART.split(remark):
        words = folded(part)
        if words in _OUT | _UNFINISHED | _ESTIMATES or words == "running":
            return True
        if _PLAINLY.fullmatch(words):
            return True
    return False
