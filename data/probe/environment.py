"""What a job finds in its environment: what this process has, without what is called like a secret."""

from __future__ import annotations

import os
import re

_SECRET = re.compile(r"token|secret|passw|api_?key|credential|private|auth|cookie|session", re.IGNORECASE)


def without_secrets() -> dict[str, str]:
    """The variables of this process that are handed on to a job."""
    return {name: value for name, value in os.environ.items() if not _SECRET.search(name)}
