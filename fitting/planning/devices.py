"""The accelerators a plan can be made for: how fast each multiplies, how fast it reads its memory, and how much it has.

Figures are those that makers print: the dense bf16 peak, not the doubled one for sparse matrices, and decimal bytes. No
training reaches a peak; what share it does reach is measured (`fitting.planning.step_time`) or assumed. There are no prices: those
are whoever pays them to say. Marks: [V] read in the maker's own documents, [V2] in secondary tables that agree.
"""

from __future__ import annotations

from dataclasses import dataclass

from fitting.arguments import in_short, is_one_of
from fitting.errors import FitError
from fitting.planning.hardware import Hardware


@dataclass(frozen=True)
class Device:
    """One accelerator: `peak` in dense bf16 FLOP/s, `bandwidth` of its memory in bytes/s, `memory` in bytes, and the source."""

    name: str
    peak: float
    bandwidth: float
    memory: float
    source: str

    def hardware(self, devices: float = 1.0, utilisation: float = 0.4, price: float | None = None) -> Hardware:
        """So many of these, at a share of the peak and a price for a device-hour."""
        return Hardware(devices, self.peak, utilisation, price)


DEVICES: tuple[Device, ...] = (
    Device("H100", 989e12, 3.35e12, 80e9, "NVIDIA H100 SXM data sheet [V2]"),
    Device("H200", 989e12, 4.8e12, 141e9, "NVIDIA H200 SXM data sheet [V2]"),
    # Announced with 192 GB and 8 TB/s; boards in MLPerf's system descriptions have 180 GB, and a driver's bus width and
    # clock give 7.67 TB/s (pytorch/ao, pull request 4002). What fits is judged by what is there.
    Device("B200", 2250e12, 7.67e12, 180e9, "NVIDIA HGX B200; memory as in MLPerf's system descriptions [V2]"),
    Device("A100", 312e12, 2.039e12, 80e9, "NVIDIA A100 80 GB SXM data sheet [V2]"),
    # Some tables call 1307 the sparse figure and others 2615 the dense one; dense is the half.
    Device("MI300X", 1307e12, 5.3e12, 192e9, "AMD Instinct MI300X data sheet [V2]"),
    Device("L40S", 362e12, 0.864e12, 48e9, "NVIDIA L40S data sheet [V2]"),
    Device("RTX 4090", 165.2e12, 1.008e12, 24e9, "NVIDIA Ada white paper, bf16 with fp32 accumulation [V2]"),
    Device("TPU v5e", 197e12, 0.819e12, 16e9, "Google Cloud TPU documentation, v5e [V]"),
    Device("TPU v5p", 459e12, 2.765e12, 95e9, "Google Cloud TPU documentation, v5p [V]"),
    Device("TPU v6e", 918e12, 1.638e12, 32e9, "Google Cloud TPU documentation, v6e [V]"),
)


def device(name: str) -> Device:
    """The device of this name. Raises FitError with the names there are."""
    known = {d.name: d for d in DEVICES}
    if not is_one_of(name, known):
        raise FitError(f"No device is called {in_short(name)}; there are {', '.join(known)}.")
    return known[name]
