"""Errors that a header states as half of a confidence interval or as several deviations, brought down to one."""

from __future__ import annotations

import re
from statistics import NormalDist

_LEVEL = re.compile(
    r"(?<![0-9.])(?:(?P<before>[5-9][0-9](?:\.[0-9]{1,2})?) ?(?:%|percent|pct|per cent)? ?(?:ci|conf(?:idence|\.)?)\b"
    r"|(?:±|\+/-) ?(?P<alone>[5-9][0-9](?:\.[0-9]{1,2})?) ?(?:%|percent|pct)"
    r"|\b(?:ci|conf(?:idence)?(?: interval)?)[ _@(]*(?P<behind>[5-9][0-9](?:\.[0-9]{1,2})?)(?![0-9]))",
    re.IGNORECASE,
)
_INTERVAL = re.compile(r"\bci\b|\bconfidence interval\b", re.IGNORECASE)
_SEVERAL = re.compile(
    r"(?:±|\+/-|\+-)\s*(?P<many>[23])\s*[x×·*]?\s*(?:σ|(?:sigma|se|sem|sd|std|stdev|stderr)\b)", re.IGNORECASE
)
_USUAL = 95.0  # per cent, where a header says an interval and no level


def half_width(header: str) -> tuple[float, str]:
    """By how much an error stated under a header is divided to be one standard deviation, and why; 1 and '' where it is one.

    Half of a 95 % interval of a normal distribution is 1.96 deviations, of a 90 % one 1.645.
    """
    text = header.replace("_", " ")
    if several := _SEVERAL.search(text):
        return float(several["many"]), f"{several['many']} deviations, divided by {several['many']}"
    level = _LEVEL.search(text)
    if level is None and not _INTERVAL.search(text):
        return 1.0, ""
    percent = _USUAL if level is None else float(level["before"] or level["alone"] or level["behind"])
    factor = NormalDist().inv_cdf(0.5 + percent / 200.0)
    unsaid = ", taken as 95 %" if level is None else ""
    return factor, f"half of a {percent:g} % interval{unsaid}, divided by {factor:.4g}"
