"""Wald's sequential test of a share (1945, Annals of Mathematical Statistics 16): as sure as a fixed count of tables, of half as many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

AGAINST = 60.0  # how much likelier the false share must be to stop in its favour


def as_often(
    tables: Iterable[Sequence[bool] | bool], honest: float = 0.95, false: float = 0.75, surely: float = 10.0
) -> None:
    """Fails where something is true of fewer tables than the share `honest`; one table after the other, until each share is told.

    Each of `tables` says of which of k things it is true, always the same. The honest share stops in its favour where it is `surely`
    times as likely as the other. By 10, of 40 tables at most, a thing true of 95 % fails once in 70 times, of 75 % nine times in ten;
    by 25 these are once in 60 and 95 of 100. The end of `tables` decides what is open then by which of the two is the likelier.
    """
    yes, no = np.log(false / honest), np.log((1.0 - false) / (1.0 - honest))
    odds, told, asked = 0.0, 0.0, 0
    open_ = True
    for table in tables:
        true, asked = np.asarray(table, bool), asked + 1
        odds = np.where(open_, odds + np.where(true, yes, no), odds)  # a share that is told stays told
        told = told + true
        open_ = (odds > -np.log(surely)) & (odds < np.log(AGAINST))
        if not np.any(open_) or np.any(odds >= np.log(AGAINST)):
            break
    assert asked, "no tables"
    assert np.all(odds < 0.0), f"true of {told} of {asked} tables, where {100 * honest:g} % are expected"
