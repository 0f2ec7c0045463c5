"""A sweep as a job for another machine: the page shows what the command prints."""

from __future__ import annotations

import json
import shlex

import pytest
from click.testing import CliRunner

from dashboard.commands.probe import command
from tests.dashboard.probe.fake import FOUR
from tests.dashboard.probe.test_probe_page import keep


def test_the_page_shows_the_command_and_the_text_that_it_prints(page, space, tmp_path):
    out, given = (
        tmp_path / "runs of ours",
        {"partition": "main", "gpus": 1, "gpu_type": "a100", "setup": ["module load cuda"]},
    )
    keep(space, sweep=FOUR, cluster=given, elsewhere=str(out), name="first")
    at = page()
    (tmp_path / "first.json").write_text(at.text_area(key="probe_json").value)
    (tmp_path / "cluster.json").write_text(json.dumps(given))
    for kind in ("slurm", "kubernetes"):
        at.segmented_control(key="probe_kind").set_value(kind).run()
        assert not at.exception
        line, text = (one.value for one in at.code if "isoflop probe first.json" in one.value or str(out) in one.value)
        words = shlex.split(line.partition(" > ")[0])
        assert words[:2] == ["isoflop", "probe"]
        told = [str(tmp_path / word) if word.endswith(".json") else word for word in words[2:]]
        done = CliRunner().invoke(command, told)
        assert done.exit_code == 0, done.output
        assert done.stdout.strip() == text  # as Streamlit shows code
    assert {one.proto.label for one in at.get("download_button")} >= {
        "Download first.json",
        "Download cluster.json",
        "Download job.yaml",
    }


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"cluster": {"time": "soon"}}, "time should be like 1:30:00"),
        ({"cluster": {"gpu_type": "a100"}}, "gpu_type should come with"),
        ({"elsewhere": "~nobody-of-this-name/x"}, "is no path"),
    ],
)
def test_what_cannot_be_printed_is_said(page, space, values, sentence):
    keep(space, sweep=FOUR, **values)
    at = page()
    assert not at.exception
    assert sentence in " ".join(one.proto.body for one in at.get("html"))
