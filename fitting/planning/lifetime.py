"""What a model costs over its life: the size that reaches a loss with the least compute, its training and its use taken together.

Sardana et al. 2023 (Beyond Chinchilla-Optimal, arXiv 2401.00448): the least of 6 N D + 2 N S over sizes N, where D are the tokens
that bring a model of that size to the loss and S those that it will read and write in use. Each token served makes a smaller
model, trained for longer, the better one. That is far from where laws are usually fitted: the notes say how far.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from data.alike import Alike
from fitting.arguments import one_number, takes
from fitting.band import LEVEL, Band
from fitting.errors import FitError
from fitting.planning.isoloss import Isoloss
from fitting.planning.notes import place_notes
from fitting.planning.planner import Plan, plan
from fitting.result import Fit
from fitting.shown import shown

Array = np.ndarray


@shown()
@dataclass(frozen=True, eq=False)
class Lifetime(Alike):
    """The best size for `served` tokens of use at one `loss`, each a band: FLOPs to train and to serve, and both as `flops`.

    `saved` is the share of the compute that the size best to train alone, `trained`, would take over the same life. `notes` are
    sentences to know first.
    """

    loss: float
    served: float
    params: Band
    tokens: Band
    train_flops: Band
    serve_flops: Band
    flops: Band
    saved: Band
    trained: Plan
    notes: tuple[str, ...]

    @property
    def tokens_per_param(self) -> float:
        """Training tokens for each parameter."""
        return float(self.tokens.value / self.params.value)


@takes(fit=Fit)
def lifetime(fit: Fit, *, loss: float, served: float, level: float = LEVEL) -> Lifetime:
    """The size that reaches `loss` with the least compute when it will read and write `served` tokens in use.

    FLOPs are counted as the fitted table counts them; a token served costs a third of a token trained (2 N for 6 N). Raises
    FitError for a law that is not of size and tokens alone, or a loss that no budget reaches.
    """
    if set(fit.law.inputs) != {"params", "tokens"}:
        raise FitError(f"{fit.law.title} is no law of size and tokens alone, so it chooses no size. Fit one that is.")
    loss, served = one_number("loss", loss), one_number("served", served, "a number from 0 on, of tokens", 0.0)
    trained = plan(fit, loss=loss, level=level)
    best = _least(fit, fit.values[None, :], trained.split.best, loss, served)
    drawn = _least(fit, fit.draws, trained.split.drawn, loss, served) if len(fit.draws) else best[:, :0]
    params, tokens, train, serve, both, saved = (
        fit.band_of(b[:, None], d[:, None], level) for b, d in zip(best, drawn, strict=True)
    )
    notes = [*fit.warnings]
    most = fit.ranges.get("tokens", (np.nan, np.nan))[1]
    if tokens.value > most:
        notes.append(
            f"Training takes {tokens.value / most:.2g} times the most tokens of any run fitted: the law is extrapolated that far."
        )
    notes += place_notes(fit, train.value, params.value, tokens.value)
    return Lifetime(loss, served, params, tokens, train, serve, both, saved, trained, tuple(notes))


def _least(fit: Fit, values: Array, trained: Mapping[str, Array], loss: float, served: float) -> Array:
    """Size, tokens, FLOPs to train, to serve and together, and the share saved (6, R), for sets of parameters (R, p).

    `trained` are the sizes and tokens (R, 1) that are best to train alone.
    """
    named = {k: values[:, i, None] for i, k in enumerate(fit.law.names)}
    count = fit.accounting.drawn(len(values)) if values is fit.draws else fit.accounting
    along = Isoloss(fit.law, named, count, loss, served)
    with np.errstate(all="ignore"):
        log_n, tokens = along.least(trained["params"], trained["tokens"])
        train, serve = along.flops(np.exp(log_n), tokens)
        alone = sum(along.flops(trained["params"], trained["tokens"]))
        out = np.stack([np.exp(log_n), tokens, train, serve, train + serve, 1.0 - (train + serve) / alone])
    return out[:, :, 0]
