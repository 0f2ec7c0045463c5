"""A real Slurm of one node with two pretend GPUs, where its packages are and root may start it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "slurm-one.sh"


def _none(reason: str) -> None:
    """Skips with the reason, or fails where ISOFLOP_REQUIRE_SLURM=1 says that Slurm must be there."""
    if os.environ.get("ISOFLOP_REQUIRE_SLURM") == "1":
        pytest.fail(f"ISOFLOP_REQUIRE_SLURM=1, and {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Path]:
    """The configuration of a Slurm that is up: what SLURM_CONF has to name."""
    if os.geteuid() != 0:
        _none("only root may start a Slurm of one's own")
    if missing := [name for name in ("slurmctld", "slurmd", "munged", "sbatch") if not shutil.which(name)]:
        _none(f"{missing[0]} is not installed: apt-get install slurm-wlm munge")
    folder = tempfile.mkdtemp(prefix="slurm-")  # a short path: sockets lie in it
    env = {**os.environ, "SLURM_ONE": folder, "FAKE_GPUS": "2"}
    try:
        up = subprocess.run([SCRIPT, "up"], env=env, capture_output=True, text=True, timeout=90, check=False)
        if up.returncode:
            _none(f"Slurm did not come up: {up.stderr[-2000:]}")
        yield Path(folder) / "slurm.conf"
    finally:
        subprocess.run([SCRIPT, "down"], env=env, capture_output=True, timeout=90, check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def slurm(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Slurm for one test, whose jobs end with it."""
    for name in [name for name in os.environ if name.startswith(("SLURM_", "SBATCH_", "SQUEUE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SLURM_CONF", str(cluster))
    yield
    subprocess.run(["scancel", "--quiet", f"--user={os.getuid()}"], timeout=30, check=False)
