"""A sweep that the Probe page has a real Slurm make: launched, watched, cancelled and resumed; here, where that Slurm is up already."""

from __future__ import annotations

import json
from html import unescape

import pytest

from dashboard.probe import cluster
from dashboard.workspace.sources import clusters
from data.probe.queue.ended import command_of
from data.probe.slurm.submit import SlurmQueue
from tests.dashboard.probe.conftest import page, served, space  # noqa: F401
from tests.dashboard.probe.test_probe_page import keep, said
from tests.data.probe.slurm.test_slurm import over, queue, until  # noqa: F401

pytestmark = pytest.mark.usefixtures("slurm")


def test_a_sweep_is_launched_watched_cancelled_and_resumed(page, space, queue):  # noqa: F811
    given = queue(throttle=1).settings
    keep(
        space, where="slurm", on_end="true", sweep={"width": 16, "tokens": 2e4, "name": "stops"},
        cluster={"python": given.python, "memory": given.memory, "throttle": 1, "partition": "main"},
    )  # fmt: skip
    at = page()
    at.text_input(key="probe_name").input("first")
    at.button(key="probe_launch").click().run()
    assert not at.exception
    q = SlurmQueue(clusters(space), look_every=0.1)
    assert json.loads(command_of(q.root).read_text()) == ["true"]
    until(q, lambda found: found["stops"].folder.status.step == 4)
    cluster.look()
    at = page(sweep="first")
    table = at.dataframe[0].value
    assert list(table["State"]) == ["Running"]
    assert table["Progress"][0] == 44
    assert table["Device"][0].startswith("job ")
    at.button(key="probe_cancel").click().run()
    until(q, over)
    cluster.look()
    at = page(sweep="first")
    assert list(at.dataframe[0].value["What it says"]) == ["Cancelled at step 4 of 9."]
    at.button(key="probe_resume").click().run()
    assert until(q, over)["stops"].state == "done"
    cluster.look()
    at = page(sweep="first")
    assert "1 of 1 run" in unescape(said(at))
    assert "probe_clean" in {one.key for one in at.button}
