"""Bitcoin behind an Esplora server: transactions that wait or are in blocks, found by the hash of what their outputs are locked
with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from market.sandbox.chains.rpc import ChainNode, hash_of

GENESIS = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
FIRST_MOMENT, BLOCK_SECONDS = 1_764_000_000, 600
PAGE = 25
Output = tuple[str, int]
"""The script in hex, and satoshi."""


@dataclass
class BitcoinTransaction:
    txid: str
    spent: list[Output]
    made: list[Output]
    fee: int
    block: int | None = None


@dataclass
class EsploraNode(ChainNode):
    path = "/chains/bitcoin"
    blocks: list[str] = field(default_factory=lambda: [GENESIS])
    transactions: list[BitcoinTransaction] = field(default_factory=list)
    forks: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def give(self, script: str, satoshi: int) -> str:
        """Somebody else pays; it waits for a block."""
        return self.pay([("51", satoshi + 1_000)], [(script, satoshi)])

    def pay(self, spent: Sequence[Output], made: Sequence[Output]) -> str:
        fee = sum(value for _, value in spent) - sum(value for _, value in made)
        txid = hash_of("bitcoin", len(self.transactions), self.forks)
        self.transactions.append(BitcoinTransaction(txid, list(spent), list(made), fee))
        return txid

    def mine(self, count: int = 1) -> None:
        """What waits goes into the first of the new blocks."""
        for one in self.transactions:
            one.block = len(self.blocks) if one.block is None else one.block
        for _ in range(count):
            self.blocks.append(hash_of("bitcoin block", len(self.blocks), self.forks))

    def reorganise(self, depth: int) -> None:
        """Takes back the newest blocks; their transactions are gone, and as many other blocks and one more are there."""
        del self.blocks[-depth:]
        self.transactions = [one for one in self.transactions if one.block is None or one.block < len(self.blocks)]
        self.forks += 1
        self.mine(depth + 1)

    # ------------------------------------------------------------ HTTP

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get(self.path + "/{asked:.+}", self.serve)

    async def serve(self, request: web.Request) -> web.Response:
        self.asked += 1
        asked = request.match_info["asked"]
        if self.status:
            return web.Response(status=self.status, text="no")
        answer = self.spoilt(asked.split("/")[0], self.answer(asked.split("/")))
        if answer is None:
            return web.Response(status=404, text="Not found")
        return web.Response(text=answer) if isinstance(answer, str) else web.json_response(answer)

    def answer(self, parts: Sequence[str]) -> Any:
        match parts:
            case ["blocks", "tip", "height"]:
                return str(len(self.blocks) - 1)
            case ["blocks", "tip", "hash"]:
                return self.blocks[-1]
            case ["block-height", number] if number.isdigit() and int(number) < len(self.blocks):
                return self.blocks[int(number)]
            case ["scripthash", name]:
                return {"scripthash": name} | {f"{kind}_stats": self.stats(name, kind == "chain") for kind in ("chain", "mempool")}
            case ["scripthash", name, "txs"]:
                rows = self.rows_of(name)
                return [self.body(one) for one in rows if one.block is None] + self.page(rows, "")
            case ["scripthash", name, "txs", "chain", *last]:
                return self.page(self.rows_of(name), last[0] if last else "")
        return None

    def rows_of(self, name: str) -> list[BitcoinTransaction]:
        """Newest first."""
        found = [one for one in self.transactions if any(hash_script(script) == name for script, _ in (*one.spent, *one.made))]
        found.reverse()
        return sorted(found, key=lambda one: -(one.block if one.block is not None else 10**9))

    def page(self, rows: Sequence[BitcoinTransaction], last: str) -> list[dict[str, Any]]:
        confirmed = [one for one in rows if one.block is not None]
        start = next((place + 1 for place, one in enumerate(confirmed) if one.txid == last), 0)
        return [self.body(one) for one in confirmed[start : start + PAGE]]

    def stats(self, name: str, confirmed: bool) -> dict[str, int]:
        rows = [one for one in self.rows_of(name) if (one.block is not None) == confirmed]
        made = [value for one in rows for script, value in one.made if hash_script(script) == name]
        spent = [value for one in rows for script, value in one.spent if hash_script(script) == name]
        counts = {"funded_txo_count": len(made), "spent_txo_count": len(spent), "tx_count": len(rows)}
        return counts | {"funded_txo_sum": sum(made), "spent_txo_sum": sum(spent)}

    def body(self, one: BitcoinTransaction) -> dict[str, Any]:
        place: dict[str, Any] = {"confirmed": False}
        if one.block is not None:
            moment = FIRST_MOMENT + one.block * BLOCK_SECONDS
            place = {"confirmed": True, "block_height": one.block, "block_hash": self.blocks[one.block], "block_time": moment}
        return {
            "txid": one.txid,
            "version": 2,
            "locktime": 0,
            "fee": one.fee,
            "vin": [{"txid": hash_of(one.txid, at), "vout": 0, "prevout": output_body(out)} for at, out in enumerate(one.spent)],
            "vout": [output_body(out) for out in one.made],
            "status": place,
        }


def output_body(output: Output) -> dict[str, Any]:
    return {"scriptpubkey": output[0], "value": output[1]}


def hash_script(script: str) -> str:
    return hashlib.sha256(bytes.fromhex(script)).digest()[::-1].hex()
