"""What a text to take away is of: its table, digest and settings, put before or into it as its format allows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fitting.export.csv_text import comments
from fitting.export.text import finite


def with_about(text: str, form: str, about: Mapping[str, Any]) -> str:
    """The text, of the form "tex", "py", "json" or "csv", saying what it is `about` before anything else.

    Names are a stranger's: JSON keeps each on its line, so that none ends the comment it stands in.
    """
    if form == "json":
        body = {**finite(dict(about)), **json.loads(text)}
        return json.dumps(body, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if form == "csv":
        return "".join(f"{line}\n" for line in comments(about)) + text
    sign = {"tex": "%", "py": "#"}[form]
    return "".join(f"{sign} {k}: {json.dumps(finite(v))}\n" for k, v in about.items()) + text
