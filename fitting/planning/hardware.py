"""Money, devices and hours as FLOPs, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fitting.arguments import a_share, one_number


@dataclass(frozen=True)
class Hardware:
    """What a person trains on: devices, their dense bf16 peak in FLOP/s, the share of it reached, price a device-hour.

    The peak is the dense figure: vendors also print one for sparse matrices, twice as high, that no training reaches.
    """

    devices: float = 1.0
    peak: float = 989e12  # H100 SXM, dense bf16, NVIDIA's data sheet: 989 TFLOP/s
    utilisation: float = 0.4
    price: float | None = None

    def __post_init__(self) -> None:
        found = {
            **{name: one_number(name, getattr(self, name)) for name in ("devices", "peak")},
            "utilisation": a_share("utilisation", self.utilisation, 0.4),
        }
        if self.price is not None:
            found["price"] = one_number("price", self.price, "a positive amount for one device-hour")
        for name, number in found.items():
            if not isinstance(getattr(self, name), int | float):
                object.__setattr__(self, name, number)

    @property
    def flops_per_device_hour(self) -> float:
        """Training FLOPs one device does in an hour."""
        return self.peak * self.utilisation * 3600.0

    def device_hours(self, flops: Any) -> Any:
        """Device-hours that a budget in FLOPs takes."""
        return flops / self.flops_per_device_hour

    def hours(self, flops: Any) -> Any:
        """Hours on the wall that a budget in FLOPs takes on all devices."""
        return self.device_hours(flops) / self.devices

    def money(self, flops: Any) -> Any:
        """What a budget in FLOPs costs, in the currency of `price`; None without a price."""
        return None if self.price is None else self.device_hours(flops) * self.price
