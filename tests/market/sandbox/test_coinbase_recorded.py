"""The sandbox's Coinbase answers and messages have the form of recorded ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from coinbase.rest import RESTClient
from coinbase.websocket import WebsocketResponse

from market.sandbox.server import RunningSandbox, running_sandbox
from tests.market.sandbox.coinbase import coinbase_face, open_socket, rest_client


@pytest.fixture
def running() -> Iterator[RunningSandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client(running: RunningSandbox) -> RESTClient:
    return rest_client(running)


RECORDED = {
    "http_accounts.json": lambda client: client.get_accounts(),
    "http_candles.json": lambda client: client.get_candles("BTC-USD", *span(client), "ONE_MINUTE"),
    "http_fills.json": lambda client: client.get_fills(),
    "http_order.json": lambda client: client.get_order(client.list_orders().orders[0].order_id),
    "http_orders_list.json": lambda client: client.list_orders(),
    "http_product.json": lambda client: client.get_product("BTC-USD"),
    "http_product_book.json": lambda client: client.get_product_book("BTC-USD"),
    "http_products.json": lambda client: client.get_products(),
    "http_ticker.json": lambda client: client.get_market_trades("BTC-USD", 10),
}
# Shown by Coinbase's website only.
UNSHOWN = {
    "new_at",
    "market_cap",
    "base_cbrn",
    "quote_cbrn",
    "product_cbrn",
    "icon_color",
    "icon_url",
    "display_name_overwrite",
    "is_alpha_testing",
    "about_description",
}


@pytest.mark.parametrize("name", RECORDED)
def test_answers_have_the_recorded_form(client: RESTClient, shared_data: Path, name: str) -> None:
    client.market_order_buy("one", "BTC-USD", quote_size="1000")
    recorded = json.loads((shared_data / "exchange/coinbase" / name).read_text())
    path = {"http_order.json": "order", "http_product_book.json": "pricebook"}.get(name)
    answer = json.loads(json.dumps(RECORDED[name](client).to_dict(), default=vars))
    if path:
        answer, recorded = answer[path], recorded[path]
    assert differences(recorded, answer) == []


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("ws_candles.json", "candles"),
        ("ws_l2_data_snapshot.json", "level2"),
        ("ws_market_trades.json", "market_trades"),
        ("ws_ticker.json", "ticker"),
        ("ws_user.json", "user"),
        ("ws_heartbeats.json", "heartbeats"),
        ("ws_l2_data_update.json", "level2"),
    ],
)
def test_messages_have_the_recorded_form(
    running: RunningSandbox, client: RESTClient, shared_data: Path, name: str, channel: str
) -> None:
    recorded = json.loads((shared_data / "exchange/coinbase" / name).read_text())
    running.trade("coinbase", "BTC-USD", "65000")
    client.limit_order_gtc_buy("one", "BTC-USD", "0.1", "60000")
    with open_socket(running) as heard:
        heard.client.subscribe([] if channel in ("user", "heartbeats") else ["BTC-USD"], [channel])
        heard.on("subscriptions")
        running.trade("coinbase", "BTC-USD", "65001")
        running.do(coinbase_face(running).channels.beat)
        kind = recorded["events"][0].get("type")
        message = heard.until(lambda item: item["channel"] == recorded["channel"] and item["events"][0].get("type") == kind)
    assert differences(recorded, message) == []
    assert WebsocketResponse(message).channel == recorded["channel"]


def span(client: RESTClient) -> tuple[str, str]:
    now = int(client.get_unix_time().epoch_seconds)
    return str(now - 600), str(now)


def differences(recorded: Any, ours: Any, where: str = "") -> list[str]:
    """What is missing or of another type. Of lists, the first items are compared, if there are any."""
    if isinstance(recorded, dict) and isinstance(ours, dict):
        missing = [f"{where}.{name} is missing" for name in recorded.keys() - ours.keys() - UNSHOWN - {"subscriptions"}]
        # Each kind of order has a configuration of its own.
        shared = (recorded.keys() & ours.keys()) - {"order_configuration"}
        return missing + [line for name in sorted(shared) for line in differences(recorded[name], ours[name], f"{where}.{name}")]
    if isinstance(recorded, list) and isinstance(ours, list):
        return differences(recorded[0], ours[0], f"{where}[0]") if recorded and ours else []
    same = type(recorded) is type(ours) or None in (recorded, ours)
    return [] if same else [f"{where} is {ours!r}, recorded {recorded!r}"]
