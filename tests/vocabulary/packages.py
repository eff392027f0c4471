"""What the venues' official packages, and ccxt, carry of the venues' lists, read from their sources. Nothing of them is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from market.exchanges.vocabulary import VOCABULARY

Found = tuple[str, str, str]
"""Venue, list and word."""
BINANCE_PREFIXES = {
    "SYMBOL_TYPE_": "permission",
    "ORDER_STATUS_": "order status",
    "ORDER_TYPE_": "order type",
    "TIME_IN_FORCE_": "time in force",
    "ORDER_RESP_TYPE_": "response type",
    "KLINE_INTERVAL_": "candle interval",
    "SIDE_": "side",
    "WEBSOCKET_DEPTH_": "market stream",
}
"""Constants of python-binance. Those of futures (FUTURE_) and of loans (MARGIN_BUY and its like) are of other products."""
SDK_SUFFIXES = {
    "PermissionsEnum": "permission",
    "SymbolStatusEnum": "symbol status",
    "UpdateSpeedEnum": "depth speed",
    "DepthLevelsEnum": "market stream",
    "IntervalEnum": "candle interval",
    "WindowSizeEnum": "ticker window",
    "TickerTypeEnum": "ticker type",
    "Ticker24hrTypeEnum": "ticker type",
    "TickerTradingDayTypeEnum": "ticker type",
    "CancelRestrictionsEnum": "cancel restriction",
    "RateLimitExceededModeEnum": "cancel-replace limit",
    "CancelReplaceModeEnum": "cancel-replace mode",
    "TimeInForceEnum": "time in force",
    "RespTypeEnum": "response type",
    "SelfTradePreventionModeEnum": "self-trade prevention",
    "PegPriceTypeEnum": "pegged price",
    "PegOffsetTypeEnum": "pegged offset",
    "SideEnum": "side",
    "TypeEnum": "order type",
}
"""Ends of the names of binance-sdk-spot's enumerations, the first that fits."""
NOT_SPOT = {"S": "of loans", "F": "of loans", "CANCELLED": "another spelling"}
"""What ccxt lists among the statuses of orders for Binance's other products."""


def read_tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def list_constants(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Names and texts of plain assignments."""
    for node in body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, str(node.value.value)


def list_classes(module: ast.Module) -> Iterator[ast.ClassDef]:
    return (node for node in module.body if isinstance(node, ast.ClassDef))


def read_python_binance(packages: Path) -> Iterator[Found]:
    folder = packages / "binance"
    client = next(node for node in list_classes(read_tree(folder / "base_client.py")) if node.name == "BaseClient")
    for name, word in (*list_constants(read_tree(folder / "enums.py").body), *list_constants(client.body)):
        if re.fullmatch(r"(MAIN|C2C|UMFUTURE|CMFUTURE|MARGIN|MINING|FUNDING)_[A-Z0-9]+", word) and "_TO_" in name:
            yield "binance", "transfer", word
        for prefix, wanted in BINANCE_PREFIXES.items():
            if name.startswith(prefix):
                yield "binance", wanted, f"depth{word}" if wanted == "market stream" else word


def read_coinbase(packages: Path) -> Iterator[Found]:
    """Channels, and the names of the forms in which orders are asked for. It has no other lists."""
    folder = packages / "coinbase"
    channels = re.search(r"# Channels\n(.*?)\n\n", (folder / "constants.py").read_text(encoding="utf-8"), re.DOTALL)
    assert channels, "coinbase-advanced-py names its channels elsewhere"
    yield from (("coinbase", "channel", word) for _, word in list_constants(ast.parse(channels[1]).body))
    forms = next(
        node for node in list_classes(read_tree(folder / "rest" / "types" / "orders_types.py")) if node.name == "OrderConfiguration"
    )
    for node in ast.walk(forms):
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Constant):
            yield "coinbase", "order configuration", str(node.left.value)


def read_binance_sdk(packages: Path) -> Iterator[Found]:
    for path in sorted((packages / "binance_sdk_spot").glob("*/models/enums.py")):
        for node in list_classes(read_tree(path)):
            wanted = next((name for suffix, name in SDK_SUFFIXES.items() if node.name.endswith(suffix)), node.name)
            for _, word in list_constants(node.body):
                yield "binance", wanted, f"depth{word}" if node.name.endswith("DepthLevelsEnum") else word
    for path in sorted((packages / "binance_sdk_spot" / "rest_api" / "models").glob("*_filter.py")):
        name = path.stem.upper()
        yield "binance", "filter", name if name == "PRICE_FILTER" else name.removesuffix("_FILTER")


def read_ccxt(packages: Path) -> Iterator[Found]:
    binance, coinbase = ((packages / "ccxt" / f"{name}.py").read_text(encoding="utf-8") for name in ("binance", "coinbase"))
    spot = binance[binance.index("'exceptions'") : binance.index("'linear'", binance.index("'exceptions'"))]
    yield from (("binance", "error code", code) for code in re.findall(r"^\s+'(-[12]\d{3})':", spot, re.MULTILINE))
    statuses = list_parsed(binance, "parse_order_status")
    yield from (("binance", "order status", word) for word in statuses if word not in NOT_SPOT)
    for wanted, method in {
        "order status": "parse_order_status",
        "order type": "parse_order_type",
        "time in force": "parse_time_in_force",
        "transaction": "parse_ledger_entry_type",
        "transaction status": "parse_transaction_status",
    }.items():
        yield from (("coinbase", wanted, word) for word in list_parsed(coinbase, method))
    errors = coinbase[coinbase.index("'exceptions'") : coinbase.index("'timeframes'", coinbase.index("'exceptions'"))]
    for word in re.findall(r"^\s+'([A-Z]+(?:_[A-Z]+)+)': [A-Z]", errors, re.MULTILINE):
        yield "coinbase", find_error_list(word), word


def list_parsed(source: str, method: str) -> list[str]:
    """The keys of the mapping in a method of ccxt."""
    found = re.search(rf"def {method}\(.*?\n    def ", source, re.DOTALL)
    assert found, f"ccxt has no {method}"
    return re.findall(r"^\s+'(\w+)': ", found[0], re.MULTILINE)


def find_error_list(word: str) -> str:
    if word in ("PERMISSION_DENIED", "INVALID_ARGUMENT"):
        return "HTTP error"
    return "preview failure reason" if "PREVIEW" in word else "new order failure reason"


READERS: dict[str, Callable[[Path], Iterator[Found]]] = {
    "python-binance": read_python_binance,
    "coinbase-advanced-py": read_coinbase,
    "binance-sdk-spot": read_binance_sdk,
    "ccxt": read_ccxt,
}


def find_missing(found: list[Found]) -> list[str]:
    """The words that the table lacks, each with its list."""
    known = {(venue, each.name, word) for venue, lists in VOCABULARY.items() for each in lists for word in each.words}
    return sorted({f"{venue} {name}: {word}" for venue, name, word in found if (venue, name, word) not in known})
