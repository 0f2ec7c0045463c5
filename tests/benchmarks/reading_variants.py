"""How many tables in varied writing are read right, asked about, set aside, or wrong in silence.

    python -m tests.benchmarks.reading_variants --count 5000 --seed 0

Prints the share of each outcome, for all variants and for each value of each dimension, and the first of the bad ones.
`--only "WRONG IN SILENCE" --show 20` shows more of one kind, `--keep FOLDER` writes those files; a variant's name says its
seed and index. Any question may be asked here: "asked" means that its right answer led to the right table.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections import Counter, defaultdict
from pathlib import Path

from tests.data.judge import KINDS, Verdict, judge
from tests.data.variants import Variant, variant

SHOWN = [kind for kind in KINDS if kind != "asked needlessly"]


def judged(one: Variant, folder: Path) -> Verdict:
    """The verdict on one variant, written to the folder and read; a warning counts as an error."""
    path = folder / one.name
    path.write_bytes(one.content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return judge(path, one.answer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=3, help="examples of each bad kind")
    parser.add_argument("--only", help="show examples of this kind only")
    parser.add_argument("--keep", type=Path, help="a folder for the files that are shown")
    asked = parser.parse_args()
    total: Counter[str] = Counter()
    by: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    examples: dict[str, list[tuple[Variant, Verdict]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for index in range(asked.count):
            one = variant(asked.seed, index)
            verdict = judged(one, Path(folder))
            total[verdict.kind] += 1
            for dimension, value in one.drawn.items():
                by[dimension, value][verdict.kind] += 1
            if len(examples[verdict.kind]) < asked.show:
                examples[verdict.kind].append((one, verdict))
            (Path(folder) / one.name).unlink()
    print(f"{'per cent of':42s} {'tables':>6s}  " + "  ".join(f"{kind:>10.10s}" for kind in SHOWN))
    _line("all", total)
    for (dimension, value), counts in sorted(by.items()):
        _line(f"{dimension}: {value}", counts)
    for kind, some in examples.items():
        if (kind == asked.only) if asked.only else kind not in ("right", "asked"):
            for one, verdict in some:
                print(f"\n{kind}: {one.name} {one.drawn}\n  asked {verdict.asked}; {verdict.why.strip()}")
                if asked.keep:
                    asked.keep.mkdir(parents=True, exist_ok=True)
                    (asked.keep / one.name).write_bytes(one.content)


def _line(name: str, counts: Counter[str]) -> None:
    shares = "  ".join(f"{100 * counts[kind] / counts.total():10.1f}" for kind in SHOWN)
    print(f"{name:42s} {counts.total():6d}  {shares}")


if __name__ == "__main__":
    main()
