"""Jobs as text: what they are, that names cannot break out of them, and what settings are taken from whom."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import DataError
from data.probe.jobs import text
from data.probe.jobs.quoting import in_kubernetes, in_shell, in_yaml
from data.probe.jobs.settings import Settings, seconds, settings_in
from data.probe.jobs.settings import settings as settings_of
from data.probe.jobs.text import KINDS, job

GOLDEN = Path(__file__).parent / "golden"
GIVEN = {
    "partition": "gpu",
    "constraint": "a100|h100",
    "time": "1:00:00",
    "memory": "4G",
    "gpus": 2,
    "gpu_type": "a100",
    "throttle": 4,
}
OWN = {"python": "/opt/py thon/bin/python", "setup": ["module load cuda"], "sbatch": ["--mail-type=END"]}
ROOT = Path("/runs of o'hara")
FOLDERS = [ROOT / "sweep" / "plain", ROOT / "sweep" / '$(touch x) "q" `y`', ROOT / "sweep" / "a\nb é"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_is_as_it_was(kind, monkeypatch):
    monkeypatch.setattr(text, "HERE", Path("/opt/isoflop"))
    made = job(kind, FOLDERS, settings_of(GIVEN | OWN, own=True), root=ROOT)
    assert made == (GOLDEN / KINDS[kind][0]).read_text(encoding="utf-8")


def _as_yaml(made):
    """What a parser of YAML makes of a text; skips where this machine has none."""
    code = "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin.read())))"
    for python in (sys.executable, "/usr/bin/python3"):
        if Path(python).exists():
            done = subprocess.run(
                [python, "-c", code], input=made, capture_output=True, text=True, encoding="utf-8", check=False
            )
            if not done.returncode:
                return json.loads(done.stdout)
            assert "No module named 'yaml'" in done.stderr, done.stderr
    pytest.skip("no parser of YAML is installed")


def test_yaml_says_what_was_meant():
    for given_ in (Settings(), settings_of(GIVEN)):
        pod = _as_yaml(job("kubernetes", FOLDERS, given_, root=ROOT))["spec"]["template"]["spec"]["containers"][0]
        assert [one.replace("$$", "$") for one in pod["args"]] == [str(folder) for folder in FOLDERS]
        task = _as_yaml(job("skypilot", FOLDERS, given_, root=ROOT))
        assert task["file_mounts"] == {str(ROOT): {"name": "probes", "source": str(ROOT), "mode": "MOUNT"}}
        assert subprocess.run(["bash", "-n"], input=task["run"], text=True, check=False).returncode == 0


NAMES = st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=12)


@settings(max_examples=15)
@given(st.lists(NAMES, min_size=1, max_size=20))
def test_any_name_means_itself(names):
    said = subprocess.run(
        ["bash", "-c", "printf '%s\\0' " + " ".join(map(in_shell, names))], capture_output=True, check=True
    )
    assert said.stdout.decode().split("\0")[:-1] == names
    for name in names:
        for quoted, meant in ((in_yaml(name), name), (in_kubernetes(name), name.replace("$", "$$"))):
            assert quoted.isprintable()
            wide = re.sub(r"(?<!\\)((?:\\\\)*)\\U([0-9a-f]{8})", lambda m: m[1] + chr(int(m[2], 16)), quoted)
            assert json.loads(wide) == meant
        made = job("torchrun", [Path("/r") / name], Settings(), root=Path("/r"))
        assert subprocess.run(["bash", "-n"], input=made, text=True, encoding="utf-8", check=False).returncode == 0


def test_every_run_is_made_in_its_folder(tmp_path):
    """The scripts themselves, with a command that prints what it was given."""
    python = tmp_path / "py thon"
    python.write_text('#!/bin/bash\nprintf "<%s>" "${@: -2}"\n')
    python.chmod(0o755)
    folders = [tmp_path / f"{i} {name}" for i, name in enumerate(("a", "$(touch x)", "it's", 'q"', "n\nl"))]
    for folder in folders:
        folder.mkdir()
    own = settings_of({"python": str(python)}, own=True)
    expected = [f"<{folder}/spec.json><{folder}>" for folder in folders]
    script = job("torchrun", folders, own, root=tmp_path)
    assert subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout == "".join(
        expected
    )
    some = subprocess.run(["bash", "-c", script, "job", "3", "1"], capture_output=True, text=True, check=True)
    assert some.stdout == expected[3] + expected[1]
    script = job("slurm", folders, own, root=tmp_path)
    for i, folder in enumerate(folders):
        subprocess.run(["bash", "-c", script], env={"SLURM_ARRAY_TASK_ID": str(i), "PATH": "/usr/bin:/bin"}, check=True)
        assert (folder / "stdout.txt").read_text() == expected[i]
    pod = text._POD.replace("python -m", f"{in_shell(str(python))} -m")
    for i in range(len(folders)):
        told = ["bash", "-c", pod, "job", *map(str, folders)]
        done = subprocess.run(told, env={"JOB_COMPLETION_INDEX": str(i)}, capture_output=True, text=True, check=True)
        assert done.stdout == expected[i]


REFUSED = [
    ({"partition": "a; rm -rf /"}, "partition should be like gpu-long"),
    ({"account": "a\n#SBATCH --uid=0"}, "account should be like"),
    ({"constraint": '"$(x)"'}, "constraint should be like"),
    ({"time": "soon"}, "time should be like 1:30:00"),
    ({"time": "1:00", "warn": 60}, "warn should be less than the time"),
    ({"memory": "4 GB"}, "memory should be like 4G"),
    ({"cpus": 0}, "cpus"),
    ({"gpus": True}, "gpus should be a whole number"),
    ({"gpu_type": "a100"}, "gpu_type should come with"),
    ({"partitoin": "a"}, "it has no field 'partitoin': the nearest by spelling is 'partition'; it has partition, "),
    ({"setup": ["curl x | sh"]}, "setup is run as code and is taken from a file on this machine alone"),
    ({"python": "/bin/sh"}, "python is run as code"),
    ({"sbatch": ["--uid=0"]}, "sbatch is run as code"),
    ([], "should be an object"),
]


def test_settings_of_a_stranger_are_refused_in_a_sentence():
    for values, sentence in REFUSED:
        with pytest.raises(DataError, match=re.escape(sentence)):
            settings_of(values)


def test_settings_of_ones_own_come_from_a_file(tmp_path):
    for name, said in {
        "a.json": json.dumps(GIVEN | OWN),
        "a.toml": "\n".join(f"{k} = {json.dumps(v)}" for k, v in (GIVEN | OWN).items()),
    }.items():
        (tmp_path / name).write_text(said)
        assert settings_in(tmp_path / name) == settings_of(GIVEN | OWN, own=True)
    for said, sentence in {
        "{": "neither JSON",
        '{"setup": ["a\\nb"]}': "one line",
        '{"sbatch": ["--array=0-9"]}': "none of the options",
        '{"sbatch": ["x"]}': "like --mail-type=END",
    }.items():
        (tmp_path / "b.json").write_text(said)
        with pytest.raises(DataError, match=sentence):
            settings_in(tmp_path / "b.json")
    with pytest.raises(DataError, match="cannot be read"):
        settings_in(tmp_path / "none")


def test_times_are_read_as_slurm_reads_them():
    said = {"90": 5400, "1:30": 90, "1:00:00": 3600, "1-2": 93_600, "1-2:03": 93_780, "1-2:03:04": 93_784}
    assert {time: seconds(time) for time in said} == said


def test_what_cannot_be_written_down_is_refused():
    with pytest.raises(DataError, match="no runs"):
        job("slurm", [], Settings(), root=ROOT)
    for bad in ("a\0b", "a\udcff"):
        with pytest.raises(DataError, match=r"sign|UTF-8"):
            job("slurm", [Path("/r") / bad], Settings(), root=ROOT)
    with pytest.raises(DataError, match="gpu_type, such as A100"):
        job("skypilot", FOLDERS, Settings(gpus=1), root=ROOT)
