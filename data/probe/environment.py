"""What a job finds in its environment: what a trainer is known to need, and nothing else that this process was given.

What is called like a secret, or has a password in an address, stays out even so.
"""

from __future__ import annotations

import os
import re

#: What is handed on, by name or by how a name begins: the system's, Python's and its environments', those of linear algebra, of
#: devices and of several processes, of a cluster and its modules, and our own.
_KNOWN = re.compile(
    r"""PATH|HOME|USER|LOGNAME|SHELL|HOSTNAME|TERM|TZ|LANG|LANGUAGE|LC_.*|TMPDIR|TEMP|TMP|PWD|SCRATCH|WORK|PROJECT|XDG_.*|SYSTEMROOT
    |LD_LIBRARY_PATH|LD_PRELOAD|LIBRARY_PATH|CPATH|CC|CXX|BASH_ENV
    |PYTHON.*|VIRTUAL_ENV|CONDA_.*|MAMBA_.*
    |(OMP|GOMP|KMP|MKL|OPENBLAS|NUMEXPR|BLIS|VECLIB)_.*
    |(CUDA|CUDNN|CUBLAS|TORCH).*|(NVIDIA|NCCL|GLOO|UCX|FI|ROCR|ROCM|HIP|HSA|MIOPEN|XPU|ZE|ONEAPI|SYCL|PYTORCH|TRITON)_.*
    |RANK|WORLD_SIZE|(MASTER|LOCAL|GROUP|ROLE)_.*
    |(SLURM|SBATCH|SQUEUE|SACCT|SCANCEL)_.*
    |LOADEDMODULES|_LMFILES_|MODULE.*|LMOD_.*|__LMOD.*|__MODULES.*|BASH_FUNC_(module|ml)\b.*
    |(HTTP|HTTPS|ALL|NO)_PROXY|SSL_CERT_.*|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE
    |ISOFLOP_.*""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_SECRET = re.compile(
    r"token|secret|passw|passphrase|api_?key|access_?key|signing|credential|private|auth|cookie|session|jwt|_key$",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"://[^/\s]*@")  # of which a user, and maybe a password, is a part


def without_secrets() -> dict[str, str]:
    """The variables of this process that are handed on to a job."""
    return {name: value for name, value in os.environ.items() if is_handed_on(name, value)}


def is_handed_on(name: str, value: str) -> bool:
    """Whether a job is given a variable."""
    return bool(_KNOWN.fullmatch(name)) and not _SECRET.search(name) and not _ADDRESS.search(value)
