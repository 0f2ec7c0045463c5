"""What the tokens of a run cost, by kind of corpus: seconds before it begins, and nanoseconds a token in steps of 8 x 128."""

from __future__ import annotations

import os
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from data.probe.feed import Feed
from data.probe.spec import spec

STEPS, BATCH, LENGTH = 500, 8, 128
FASTEST = 170e3  # tokens a second of the smallest probe on one thread


def cases(folder: Path) -> dict[str, dict[str, Any]]:
    """Fields of a spec by what they stand for."""
    rng = np.random.default_rng(0)
    for name, count in (("train_0", 10**7), ("train_1", 10**7), ("val_0", 10**5)):
        rng.integers(0, 50257, count).astype("<u2").tofile(folder / f"{name}.bin")
    some = f"{sysconfig.get_path('stdlib')}/asyncio"
    return {
        "synthetic": {},
        "synthetic, 1e6 unique": {"unique_tokens": 1e6},
        "python": {"corpus": "python"},
        "python, 1e6 unique": {"corpus": "python", "unique_tokens": 1e6},
        "text": {"corpus": f"text:{some}"},
        "bpe": {"corpus": f"bpe:{some}"},
        "bin, 2e7 tokens": {"corpus": f"bin:{folder}", "vocab": 50257},
        "3 synthetic pools": {"pools": [{"corpus": f"synthetic:1.{k}", "share": 0.1 * k} for k in (2, 3, 5)]},
        "2 pools of text": {"pools": [{"corpus": "python", "share": 0.7}, {"corpus": f"text:{some}", "share": 0.3}]},
    }


def main() -> None:
    """Print a line for each kind."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["ISOFLOP_HOME"] = home
        for name, fields in cases(Path(home)).items():
            started = []
            for _ in range(2):
                begun = time.process_time()
                feed = Feed.of(spec(fields))
                feed.known  # noqa: B018
                started.append(time.process_time() - begun)
            each = []
            for k in range(3):
                begun = time.process_time()
                for step in range(k * STEPS, (k + 1) * STEPS):
                    feed.train(step * BATCH, BATCH)
                each.append((time.process_time() - begun) / (STEPS * BATCH * LENGTH))
            print(
                f"{name:22} first {started[0]:.2f} s, again {started[1]:.2f} s; {min(each) * 1e9:5.1f} ns a token, "
                f"{min(each) * FASTEST:.2%} of a step at {FASTEST:,.0f} tokens/s"
            )


if __name__ == "__main__":
    main()
