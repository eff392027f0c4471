"""What of a run's settings cannot do without the candles' volume."""

from __future__ import annotations

from collections.abc import Iterable

from core.errors import Invalid
from trading.setup.config import RunConfig


def refuse_unknown_volume(config: RunConfig, unknown: Iterable[str]) -> None:
    """`Invalid` at `slippage.kind` where fills take a share of a volume that nobody knows; `unknown` are those symbols."""
    symbols = ", ".join(unknown)
    if symbols and config.slippage.kind == "volume_share":
        raise Invalid.at(
            "slippage.kind", f"needs the volume, which is unknown for {symbols}. Choose another, or import candles that have it."
        )
