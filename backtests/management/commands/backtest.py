"""Run a backtest here and now."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from backtests import execution, selectors, services
from backtests.models import Status
from core.commands import DeskCommand
from core.errors import DomainError, Invalid
from engine.types import INTERVALS, Protections
from trading.setup.config import SIZINGS, SLIPPAGES

SHOWN = (
    "final_equity",
    "total_return",
    "cagr",
    "sharpe",
    "sortino",
    "calmar",
    "max_drawdown",
    "trades",
    "win_rate",
    "profit_factor",
    "exposure",
    "fees_paid",
    "slippage_paid",
    "buy_and_hold_return",
    "candles",
    "candles_per_second",
    "fingerprint",
)
PERCENT = {"total_return", "cagr", "max_drawdown", "win_rate", "exposure", "buy_and_hold_return"}
SECTIONS: dict[str, tuple[str, str]] = {
    "maker_fee_bps": ("fees", "maker_bps"),
    "taker_fee_bps": ("fees", "taker_bps"),
    "slippage": ("slippage", "kind"),
    "slippage_value": ("slippage", "value"),
    "slippage_max_share": ("slippage", "max_share"),
    "slippage_impact": ("slippage", "impact"),
    "sizing": ("sizing", "kind"),
    "sizing_value": ("sizing", "value"),
    "sizing_lookback": ("sizing", "lookback"),
    "sizing_cap": ("sizing", "cap"),
    "sizing_min_trades": ("sizing", "min_trades"),
    "stop_loss": ("exits", "stop_loss"),
    "take_profit": ("exits", "take_profit"),
    "trailing_stop": ("exits", "trailing_stop"),
    "max_candles": ("exits", "max_candles"),
    "max_open_positions": ("limits", "max_open_positions"),
    "symbol_cap": ("limits", "symbol_cap"),
    **{name: ("protections", name) for name in Protections.__dataclass_fields__},
}
"""Options that belong to a section of the configuration."""
PLAIN = ("strategy", "venue", "interval", "start", "end", "cash", "fee_bps", "slippage_bps", "order_ttl", "seed", "name")


class Command(DeskCommand):
    help = "Run a backtest here and now, store it, and print its results. Needs no worker."

    def add_options(self, parser: CommandParser) -> None:
        """An option for each setting of the configuration but protections and limits, which `--config` takes."""
        parser.add_argument("--config", metavar="FILE", help="A configuration as for POST /api/v1/backtests; options go over it.")
        parser.add_argument("--strategy", help="A strategy's name: sma_cross.")
        parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="A parameter; as often as needed.")
        parser.add_argument("--venue", help="Where the candles are from; may be left out where only one venue has the symbols.")
        parser.add_argument("--symbol", action="append", default=[], help="BTC-USD; several share the cash.")
        parser.add_argument("--interval", help=", ".join(INTERVALS))
        parser.add_argument("--start", help="The first open time, a date or a time (UTC).")
        parser.add_argument("--end", help="Open times before this.")
        parser.add_argument("--cash", help="10000 where left out.")
        parser.add_argument("--fee-bps", help="Both fees in basis points; 10 where left out.")
        parser.add_argument("--slippage-bps", help="Slippage in basis points; 0 where left out.")
        parser.add_argument("--slippage", metavar="KIND", help=", ".join(SLIPPAGES))
        parser.add_argument("--sizing", metavar="KIND", help=", ".join(SIZINGS))
        for name in SECTIONS.keys() - {"slippage", "sizing"}:
            parser.add_argument(f"--{name.replace('_', '-')}", help=".".join(SECTIONS[name]))
        parser.add_argument("--order-ttl", help="Candles after which a resting entry order is cancelled.")
        parser.add_argument("--seed")
        parser.add_argument("--name", help="A label for the run.")

    def report(self, **options: Any) -> Mapping[str, Any]:
        run = services.run_create(config=config_of(options))
        execution.warm_up()  # or the time that compiled kernels take to load would pass for the engine's
        run = services.run_execute(run_id=run.run_id, worker=f"command@{socket.gethostname()}")
        if run.status != Status.COMPLETED:
            raise DomainError(f"Run {run.run_id} {run.status}: {run.error}", code=run.error_code or run.status)
        return {"run_id": run.run_id, "status": run.status, "results": selectors.run_results(run)}

    def show(self, report: Mapping[str, Any]) -> None:
        results = report["results"]
        self.stdout.write(self.style.SUCCESS(f"Run {report['run_id']} {report['status']}"))
        for name in SHOWN:
            self.stdout.write(f"  {name.replace('_', ' '):<22}{show_figure(name, results[name]):>20}")
        for notice in results["honesty"]["warnings"]:
            self.stdout.write(self.style.WARNING(f"  {notice['level']}: {notice['message']}"))


def config_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration that the options spell; the service checks it."""
    config = from_file(options["config"]) if options["config"] else {}
    config |= {name: options[name] for name in PLAIN if options[name] is not None}
    if options["symbol"]:
        config.pop("symbol", None)
        config["symbols"] = options["symbol"]
    if options["set"]:
        config["params"] = {**config.get("params", {}), **dict(read_setting(text) for text in options["set"])}
    for name, (section, key) in SECTIONS.items():
        if options[name] is not None:
            config[section] = {**config.get(section, {}), key: options[name]}
    return config


def from_file(path: str) -> dict[str, Any]:
    try:
        with open(path) as file:
            found = json.load(file)
    except (OSError, ValueError) as error:
        raise Invalid.at("config", f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(found, dict):
        raise Invalid.at("config", f"{path} must hold an object of names and values.")
    return found


def read_setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Invalid.at("params", f"--set takes name=value; got {text!r}.")
    return name.strip(), value.strip()


def show_figure(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if name in PERCENT:
        return f"{value:+.2%}"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
