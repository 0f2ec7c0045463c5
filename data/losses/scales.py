"""Factors in the header of a loss: per cent, x10, 100 x loss, 1e-3, loss / 10; and which way round they are meant."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from data.errors import Question
from data.headers.logs import LOGS, Logged, logged, raised
from data.headers.parts import header as take_apart
from data.losses.units import UNITS, in_nats
from data.mapping import Guess
from data.table import Table
from data.units.factors import plain_powers, power_of_ten
from data.units.given import positive

_RAISED = r"(?:1e[+-]?[0-9]{1,2}|10\^\(?[+-]?[0-9]{1,2}\)?|e[+-][0-9]{1,2})"
_TEN = rf"(?:{_RAISED}|10{{1,4}})"
_FORMS = (
    re.compile(
        rf"[(\[]\s*(?:in\s+)?(?:units of\s+)?(?:(?:times|[x×*·])\s*({_TEN})|({_RAISED}))\s*(?:nats?|bits?|units?)?\s*[)\]]\s*$"
    ),
    re.compile(rf"(?:[\s_]|[a-z)\]])\s*(?:times|[x×*·])\s*({_TEN})\s*$"),
    re.compile(rf"/\s*({_TEN})\s*$"),
    re.compile(rf"^\s*({_TEN})\s*(?:times|[x×*·])\s*[a-z]"),
)
_PERCENT = re.compile(r"(?:[(\[]\s*(?:in\s+)?(?:%|per ?cent|pct)\s*[)\]]|(?:[ _])(?:%|per ?cent|pct))\s*$")
_MILLI = re.compile(
    r"[(\[]\s*(?:in\s+)?(?:m|milli|thousandths?|m(?:illi)?[ -]?(?:nats?|bits?).*)\s*[)\]]\s*$|\bmilli[ -]?(?:nats?|bits?)\b"
)

#: Between which values a loss lies, in nats over what it is counted: decides only which way round a stated factor is meant.
_USUAL = {
    "token": (0.5, 12.0),
    "byte": (0.1, 6.0),
    "character": (0.1, 6.0),
    "word": (0.5, 20.0),
    "dimension": (0.01, 10.0),
}


_LIKELIHOOD = re.compile(
    r"\b(?:log ?likelihoods?|log ?liks?|log ?prob(?:s|ability|abilities)?|logprobs?|logps?|ll|llh)\b"
)
_NO_LIKELIHOOD = re.compile(
    r"\b(?:neg|negative|minus|nll|ratio|diff|difference|delta|std|stderr|err|error|prior|log ?(?:2|10))\b"
)
_BESIDE_ANOTHER = re.compile(
    r"\b(?:normali[sz]ed|norm|relative|rel|delta|diff|difference|gain|improvement|reduction|change)\b"
)
TOO_LOW = 0.05  # nats: no model of text comes near it
_THOUSAND = 1_000.0
_GOOD_PART = 0.25  # of the values of a loss that are negative: fewer are slips


def _power(text: str) -> float | None:
    """1000 as 1e3, and a power as it is."""
    return float(text) if re.fullmatch(r"10+", text) else power_of_ten(text)


def factor_in(header: str) -> tuple[float, str] | None:
    """The factor that a loss's header names and the text that names it; None where it names none."""
    text = plain_powers(header.strip()).lower()[:200]
    if found := _PERCENT.search(text):
        return 1e-2, found[0].strip(" ([)]_")
    if found := _MILLI.search(text):
        return 1e-3, found[0].strip(" ([)]")
    for form in _FORMS:
        found = form.search(text)
        power = found and _power(next(g for g in found.groups() if g))
        if found and power and power != 1.0:
            return power, found[0].strip(" ([)]abcdefghijklmnopqrstuvwyz").removeprefix("times ")
    return None


def is_likelihood(header: str) -> bool:
    """Whether a header names the logarithm of a likelihood, which is minus the loss of each token."""
    words = take_apart(header).path
    return bool(_LIKELIHOOD.search(words)) and not _NO_LIKELIHOOD.search(words)


def likelihoods(table: Table, used: set[str]) -> list[str]:
    """The columns of log-likelihoods: all of their values negative, and such as minus a loss is."""
    out = []
    for h in [h for h in table.headers if h not in used and is_likelihood(h)]:
        values = table.numbers(h, "loss").values
        values = values[np.isfinite(values)]
        if len(values) and (values < 0).all() and usual(-values, take_apart(h).unit or "nats"):
            out.append(h)
    return out


def scaled_loss(
    table: Table, guess: Guess, unit: str, plain: bool, given: float | str | None
) -> tuple[Guess, Question | None]:
    """The loss with the factor or logarithm that its header names, and a question where header or values leave it open.

    `plain` says that nobody named a unit of the loss, `given` is a person's answer.
    """
    if given in LOGS:
        return replace(guess, how=f"{guess.how}; {given} of it, as you said", base=LOGS[str(given)]), None
    if given is not None:
        factor = -1.0 if str(given) in ("-1", "-1.0") else positive(given, "loss")
        return guess if factor == 1.0 else replace(
            guess, how=f"{guess.how}; times {factor:g} as you said", scale=factor
        ), None
    found = guess.numbers(table)
    values = found.values[np.isfinite(found.values)]
    if not len(values):
        return guess, None
    middle = float(np.median(values))
    if (values < 0).all() and usual(-values, unit):
        if is_likelihood(guess.header):
            return replace(guess, how=f"{guess.how}; a log-likelihood, so minus it is the loss", scale=-1.0), None
        if len(np.unique(values)) < 2 or _BESIDE_ANOTHER.search(take_apart(guess.header).path):
            return guess, None  # one number for what was not measured; a loss less another one
        text = (
            f"Is {guess.header!r} minus the loss? All its values are negative (around {middle:.4g}): give -1 if it is."
        )
        return guess, _question(text, (-1.0, 1.0), "-1")
    taken = _logarithm(guess.header)
    if taken is not None:
        bases = [b for b in ((taken.base,) if taken.base else (np.e, 10.0)) if usual(raised(values, b), unit)]
        if len(bases) == 1 and (taken.base or taken.bracketed):
            name = next(n for n, b in LOGS.items() if b == bases[0])
            return replace(guess, how=f"{guess.how}; {name} of it, so raised to a power", base=bases[0]), None
        text = f"Is {guess.header!r} a logarithm of the loss, and which? Its values (around {middle:g}) leave it open."
        return guess, Question("units.loss", text, ("ln", "log10", "log2", "1"))
    below = int((values < 0).sum())
    if below > 1 and _GOOD_PART * len(values) <= below < len(values):
        text = (
            f"Is {guess.header!r} the loss of a language model? {below:,} of its {len(values):,} values are negative, "
            "which no cross-entropy is: give 1 to take it as it stands, without those rows, or -1 if it is minus the loss."
        )
        return guess, _question(text, (1.0, -1.0))
    named = factor_in(guess.header)
    own = found.own is not None and bool(found.own[np.isfinite(found.values)].all())
    if named is not None and not own:
        factor, said = named
        ways = [f for f in (factor, 1.0 / factor) if usual(replace(guess, scale=f).values(table), unit)]
        if len(ways) == 1:
            return replace(guess, how=f"{guess.how}; times {ways[0]:g} ({said})", scale=ways[0]), None
        text = f"By which factor is {guess.header!r} the loss? It says {said}, and its values are around {middle:.4g}."
        return guess, _question(text, (factor, 1.0 / factor, 1.0))
    other = None if found.other is None else found.other[np.isfinite(found.values)]
    if plain and other is not None and np.isfinite(other).all() and middle > _THOUSAND and usual(other, unit):
        text = (
            f"Is the comma or point in {guess.header!r} a decimal sign? Its values are around {middle:g} if it parts "
            f"thousands; times 0.001 the first is {other[0]:g}."
        )
        return guess, _question(text, (1e-3, 1.0), "0.001")
    if plain and UNITS[unit].per == "token" and 0 < middle < TOO_LOW:
        text = (
            f"In which unit is {guess.header!r}? Its values (around {middle:.4g}) are too low for a language model's loss in nats "
            "per token; another kind of loss is taken as it stands."
        )
        return guess, _question(text, (1.0, 10.0, 100.0, 1e3))
    return guess, None


def _question(text: str, factors: tuple[float, ...], guess: str = "") -> Question:
    return Question("units.loss", text, tuple(f"{f:g}" for f in dict.fromkeys(factors)), guess)


def _logarithm(header: str) -> Logged | None:
    """The logarithm that a header takes of a loss; None for log loss, which is a name of the cross-entropy, and of a perplexity."""
    taken = logged(header)
    if taken is None or "perplexity" in take_apart(header).unit or re.search(r"ppl|perplex", header, re.IGNORECASE):
        return None
    return None if not taken.base and not taken.bracketed and taken.header.lower() == "loss" else taken


def usual(values: np.ndarray, unit: str) -> bool:
    """Whether the median of the losses (n,) in this unit is one that a language model has."""
    known = UNITS[unit]
    low, high = _USUAL[known.per]
    with np.errstate(all="ignore"):
        nats = in_nats(values[np.isfinite(values)], unit, 1.0)
    return bool(len(nats)) and bool(low <= float(np.median(nats)) <= high)
