"""How much energy a device has taken, where it counts it: NVIDIA's own counter, asked through its library."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache

import torch

from data.probe.trainer.device import Device

_LIBRARY = "libnvidia-ml.so.1"


@dataclass
class Meter:
    """Joules of the whole device from one reading to the next, whoever used it; None where it does not say."""

    last: float | None = None

    @classmethod
    def begin(cls, device: Device) -> Meter:
        """From now on."""
        return cls(joules(device))

    def lap(self, device: Device) -> float | None:
        """Joules since the last reading."""
        now, before = joules(device), self.last
        self.last = now
        return None if now is None or before is None or now < before else now - before


def joules(device: Device) -> float | None:
    """Joules since the driver was loaded; None for a CPU, for a part of a GPU, and for GPUs that do not count."""
    if device.torch.type != "cuda" or (library := _library()) is None:
        return None
    try:
        name = f"GPU-{torch.cuda.get_device_properties(device.torch).uuid}"
    except (AttributeError, RuntimeError):
        return None
    handle, taken = ctypes.c_void_p(), ctypes.c_ulonglong()
    if library.nvmlDeviceGetHandleByUUID(name.encode(), ctypes.byref(handle)):
        return None
    if library.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(taken)):
        return None
    return taken.value / 1e3  # it counts in millijoules


@cache
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        return None
    return None if library.nvmlInit_v2() else library
