"""Numbers with their nouns: one run is no 'runs'."""

import pandas as pd
import pytest

from fitting import FitError, fit
from fitting.plural import plural
from fitting.same_runs import as_runs


def test_one_is_singular_and_any_other_is_not():
    assert [plural(n, "run") for n in (0, 1, 2, 1234)] == ["0 runs", "1 run", "2 runs", "1,234 runs"]
    with pytest.raises(FitError, match=r"the 1 usable run of .* has 1 of parameters"):
        fit(as_runs(pd.DataFrame({"run": ["a"], "params": [1e8], "tokens": [1e9], "loss": [3.0]})))
