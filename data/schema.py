"""The runs table: its columns with their units, which rows count, and why the others were set aside."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from data.alike import Alike
from data.cells.cleaned import clean
from data.errors import DataError, Question, ReadError
from data.masks import given_names, is_mask, masked, not_called
from data.plural import agreeing


@dataclass(frozen=True)
class Column:
    """A column of the runs table: what it is called, what it holds and in which unit."""

    name: str
    kind: str  # "number" | "text"
    unit: str
    meaning: str


def _columns(*rows: tuple[str, str, str, str]) -> dict[str, Column]:
    return {row[0]: Column(*row) for row in rows}


COLUMNS: dict[str, Column] = _columns(
    ("run", "text", "", "the run's name, unique in the table"),
    ("group", "text", "", "what the run belongs to: a sweep, an experiment"),
    ("family", "text", "", "model family or architecture"),
    ("params", "number", "parameters", "parameter count that fits use (one of the counts below, or a plain one)"),
    ("params_total", "number", "parameters", "all parameters, embeddings included"),
    ("params_nonembed", "number", "parameters", "parameters without embeddings"),
    ("params_active", "number", "parameters", "parameters that take part in one token's forward pass"),
    ("params_logged", "number", "parameters", "the file's plain count, when fits use another"),
    ("tokens", "number", "tokens", "tokens seen in training, repeats included"),
    ("tokens_per_param", "number", "tokens per parameter", "tokens seen over the parameter count"),
    ("unique_tokens", "number", "tokens", "different tokens in the training data"),
    ("unique_samples", "number", "sequences", "different sequences in the training data"),
    ("data_fraction", "number", "", "the part of a data set that a run was trained on"),
    ("epochs", "number", "", "passes over the training data"),
    ("flops", "number", "FLOP", "training compute"),
    ("flops_per_token", "number", "FLOP per token", "training compute of one token"),
    ("flops_convention", "text", "", "how the training compute was counted"),
    ("loss", "number", "nats per token", "cross-entropy at the end of the run"),
    ("loss_error", "number", "nats per token", "standard error or deviation stated with the loss"),
    ("batch", "number", "tokens per step", "tokens in one optimiser step"),
    ("batch_sequences", "number", "sequences per step", "sequences in one optimiser step"),
    ("batch_device", "number", "sequences", "sequences in one forward pass of one device"),
    ("grad_accum", "number", "", "forward passes whose gradients are added up in one optimiser step"),
    ("seq_len", "number", "tokens", "sequence length"),
    ("lr", "number", "", "peak learning rate, or the rate at this step"),
    ("steps", "number", "steps", "optimiser steps taken"),
    ("samples", "number", "sequences", "sequences seen in training, repeats included"),
    ("total_steps", "number", "steps", "optimiser steps the schedule was planned for"),
    ("warmup_steps", "number", "steps", "optimiser steps of learning-rate warm-up"),
    ("weight_decay", "number", "", "weight decay"),
    ("seed", "text", "", "random seed"),
    ("schedule", "text", "", "learning-rate schedule"),
    ("dataset", "text", "", "training data"),
    ("layers", "number", "", "transformer blocks"),
    ("width", "number", "", "model width (d_model)"),
    ("heads", "number", "", "attention heads"),
    ("head_dim", "number", "", "width of one attention head"),
    ("ffn", "number", "", "width of the feed-forward layer"),
    ("vocab", "number", "", "vocabulary size"),
    ("experts", "number", "", "experts per mixture layer"),
    ("top_k", "number", "", "experts active per token"),
    ("devices", "number", "", "accelerators"),
    ("data_parallel", "number", "", "devices or groups of devices that each see another part of a batch"),
    ("tensor_parallel", "number", "", "devices that share each layer's matrices"),
    ("pipeline_parallel", "number", "", "devices that share the layers"),
    ("context_parallel", "number", "", "devices that share each sequence"),
    ("wall_seconds", "number", "s", "wall-clock time"),
    ("state", "text", "", "how the run ended, as its tracker says"),
    ("role", "text", "", "fitted, or held out of fits, so that a forecast can be compared with it"),
)

#: The values of `role`.
FITTED, HELD_OUT = "fitted", "held out"

#: The reason of a row that a person leaves out.
EXCLUDED = "excluded by you"

#: The counts that `params` can stand for, in the order in which they are taken when nobody chooses.
COUNTS = ("params", "params_total", "params_nonembed", "params_active")

#: Without these a row is no run, where the table has the column at all.
NEEDED = ("loss", "params", "tokens", "flops")


@dataclass(frozen=True)
class Provenance:
    """How one column was got: `header` is the file's own name for it ('' when derived), `how` a sentence fragment."""

    column: str
    header: str
    how: str
    confidence: float = 1.0


@dataclass(frozen=True, eq=False, repr=False)
class Runs(Alike):
    """Training runs: the rows to fit, the rows set aside with their reasons, and where each column came from.

    `kept` has a RangeIndex, float64 numbers, unique text in `run`, always `loss`, and columns of the file that are not
    in `COLUMNS` under their own names (`extras`). `set_aside` has the same columns and `reason`. `history` holds every
    checkpoint of the kept runs, ordered, when the file has many rows per run. `questions` are those that a guess has
    answered, so that a person can disagree. `named` are columns beside `COLUMNS` that a law of its own takes.
    `kept` has a column `role` where some runs are held out; `fitted` is what fits use, without the `apart` runs held out.
    `labels` names the run of each label in the index of the frame that was read, where a row is a run; None elsewhere.
    """

    kept: pd.DataFrame
    set_aside: pd.DataFrame
    name: str
    sources: tuple[Provenance, ...] = ()
    notes: tuple[str, ...] = ()
    history: pd.DataFrame | None = None
    questions: tuple[Question, ...] = ()
    named: tuple[str, ...] = ()
    apart: int = 0
    labels: Mapping[Hashable, str] | None = None

    def __len__(self) -> int:
        return len(self.kept)

    def __repr__(self) -> str:
        held = f" ({len(self.held_out)} held out)" if len(self.held_out) else ""
        counts = f"{len(self.kept)} kept{held}, {len(self.set_aside)} set aside"
        return f"<Runs {self.name!r}: {counts}; {', '.join(self.columns)}>"

    @property
    def columns(self) -> tuple[str, ...]:
        """The canonical columns of `kept`, in the order of `COLUMNS`, and those that a law named."""
        return (*(c for c in COLUMNS if c in self.kept), *(c for c in self.named if c not in COLUMNS))

    @property
    def extras(self) -> tuple[str, ...]:
        """The columns of `kept` that the file brought under names of its own."""
        return tuple(c for c in self.kept if c not in COLUMNS and c not in self.named)

    def called(self, name: str) -> str | None:
        """The column of `kept` of this name, or what was read from the column that the file calls so; None where there is none."""
        if isinstance(name, str) and name in self.kept.columns:
            return name
        return next(
            (
                s.column
                for s in self.sources
                if isinstance(name, str) and s.header == name and s.column in self.kept.columns
            ),
            None,
        )

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows were set aside for each reason, commonest first; copies are counted together."""
        if not len(self.set_aside):
            return {}
        text = self.set_aside["reason"].astype(str)
        text = text.str.replace(r"^identical copy of .*", "identical copy of another row", regex=True)
        return {str(k): int(v) for k, v in text.value_counts().items()}

    @cached_property
    def digest(self) -> str:
        """The sha256 of the kept canonical values, row order included, the same on every platform.

        It names the data wherever they are quoted. The file's own columns take no part: what depends on them goes by `identity`.
        Numbers enter with 40 bits of mantissa, so that the last bit of a logarithm does not change the digest.
        """
        h = hashlib.sha256()
        for name in self.columns:
            h.update(f"{name}\0{len(self.kept)}\0".encode())
            if name in self.named or COLUMNS[name].kind == "number":
                values = self.kept[name].to_numpy(dtype="float64")
                finite = np.isfinite(values)
                mantissa, exponent = np.frexp(np.where(finite, values, 0.0))
                whole = np.round(mantissa * 2.0**40).astype("<i8")
                # A mantissa that rounds up to 1 is the same number as one half of the next binade.
                up = np.abs(whole) == 2**40
                h.update(np.where(up, whole // 2, whole).astype("<i8").tobytes())
                h.update((exponent + up).astype("<i4").tobytes() + finite.astype("u1").tobytes())
            else:
                h.update("\0".join(map(str, self.kept[name])).encode("utf-8", "surrogatepass"))
        return h.hexdigest()

    @cached_property
    def identity(self) -> str:
        """What tells these runs from any others here: `digest`, the file's own columns, what it and its columns are called."""
        h = hashlib.sha256(repr((self.digest, self.name, self.sources, self.extras)).encode("utf-8", "surrogatepass"))
        h.update(pd.util.hash_pandas_object(self.kept[list(self.extras)], index=False).to_numpy().tobytes())
        return h.hexdigest()

    @cached_property
    def curves_digest(self) -> str:
        """The sha256 of `digest` and of every checkpoint in `history`: two tables may end alike and differ on the way."""
        h = hashlib.sha256(self.digest.encode())
        if self.history is not None:
            h.update("\0".join(map(str, self.history)).encode("utf-8", "surrogatepass"))
            h.update(pd.util.hash_pandas_object(self.history, index=False).to_numpy().tobytes())
        return h.hexdigest()

    def exclude(self, runs: Iterable[str] | Iterable[bool], reason: str = EXCLUDED) -> Runs:
        """These runs with the named ones moved to `set_aside`; ValueError naming those that are not there.

        A mask of True and False over the rows of `kept` names those where it is True; a Series is aligned by its index
        (`data.masks`).
        """
        gone = self._named(runs)
        aside = self.kept[gone].assign(reason=reason)
        return replace(self._without(gone), set_aside=stack([self.set_aside, aside]))

    @property
    def held_out(self) -> pd.DataFrame:
        """The rows of `kept` that no fit uses, so that its forecasts can be compared with them."""
        return self.kept[self._held_out()].reset_index(drop=True)

    @cached_property
    def fitted(self) -> Runs:
        """These runs without those held out, and so without `role`: what fits use."""
        if "role" not in self.kept:
            return self
        out = self._held_out()
        return replace(self._without(out)._with_role(None), apart=int(out.sum()))

    @property
    def want(self) -> str:
        """What may be done where these runs are too few since others are held out: a sentence behind a space, '' for none."""
        said = f"{agreeing(self.apart, 'run is', 'runs are')} held out of fits and may be fitted instead"
        return f" {said}." if self.apart else ""

    def hold_out(self, runs: Iterable[str] | Iterable[bool], held: bool = True) -> Runs:
        """These runs with the named ones held out, or fitted again; ValueError naming those that are not there.

        A mask of True and False over the rows of `kept` names those where it is True; a Series is aligned by its index
        (`data.masks`).
        """
        out = np.where(self._named(runs), held, self._held_out())
        return self._with_role(pd.Series(np.where(out, HELD_OUT, FITTED), dtype="str") if out.any() else None)

    def _with_role(self, role: pd.Series | None) -> Runs:
        """These runs and their checkpoints with a role for each row of `kept`, or without."""
        if role is None:
            kept, history = (
                f if f is None else f.drop(columns="role", errors="ignore") for f in (self.kept, self.history)
            )
            return replace(self, kept=kept, history=history)
        history = self.history
        if history is not None:
            named = dict(zip(self.kept["run"], role, strict=True))
            history = history.assign(role=history["run"].map(named).astype("str"))
        return replace(self, kept=self.kept.assign(role=role), history=history)

    def _held_out(self) -> np.ndarray:
        """Which rows of `kept` are held out, (n,)."""
        if "role" not in self.kept:
            return np.zeros(len(self.kept), dtype=bool)
        return (self.kept["role"] == HELD_OUT).to_numpy(dtype=bool)

    def _named(self, runs: Iterable[str] | Iterable[bool]) -> np.ndarray:
        """Which rows of `kept` have one of these names, or are True in a mask over them, (n,)."""
        given = given_names(runs)
        if is_mask(given):
            given = list(masked(runs, list(self.kept["run"]), self.labels, own=self.kept.index))
        known = set(self.kept["run"])
        names = {r if r in known else clean(r) for r in map(str, given)}
        unknown = sorted(names - known)
        if unknown:
            raise DataError(not_called(unknown, list(self.kept["run"])))
        return self.kept["run"].isin(names).to_numpy(dtype=bool)

    def _without(self, gone: np.ndarray) -> Runs:
        """These runs without the rows `gone` (n,) of `kept` and without their checkpoints."""
        history = self.history
        if history is not None:
            history = history[~history["run"].isin(self.kept.loc[gone, "run"])].reset_index(drop=True)
        return replace(self, kept=self.kept[~gone].reset_index(drop=True), history=history)


def stack(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """The frames one above the other with a fresh index; frames without rows only lend their columns."""
    frames = list(frames)
    full = [f for f in frames if len(f)]
    if not full:
        return frames[0].reset_index(drop=True)
    return pd.concat(full, ignore_index=True) if len(full) > 1 else full[0].reset_index(drop=True)


class NothingKept(ReadError):  # noqa: N818  (it says what happened)
    """A table of which no row can be used. `runs` holds every row in its `set_aside`, each with its reason."""

    def __init__(self, message: str, runs: Runs) -> None:
        super().__init__(message)
        self.runs = runs

    def __reduce__(self) -> tuple[type[NothingKept], tuple[str, Runs]]:
        # A worker process that cannot hand its error back leaves the whole pool waiting.
        return type(self), (str(self), self.runs)
