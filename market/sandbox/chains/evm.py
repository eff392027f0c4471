"""A chain of Ethereum's kind: blocks with the coin's transfers and those of tokens, and the balances after each block."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from market.sandbox.chains.rpc import Method, RpcFault, RpcNode, hash_of

CHAIN_ID = 31_337
GAS, GAS_PRICE = 21_000, 10**9
FIRST_MOMENT, BLOCK_SECONDS = 1_764_000_000, 12
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
BALANCE_OF, SYMBOL, NAME, DECIMALS = "0x70a08231", "0x95d89b41", "0x06fdde03", "0x313ce567"
REVERTED = 3
NOBODY = "0x" + "0" * 40


@dataclass
class Contract:
    """A token. `answers`: by selector, raw data in place of the right answer; None refuses the call."""

    symbol: str = ""
    name: str = ""
    decimals: int = 18
    answers: dict[str, str | None] = field(default_factory=dict)


@dataclass
class EvmBlock:
    number: int
    mark: str
    parent: str
    transactions: list[dict[str, Any]] = field(default_factory=list)
    logs: list[dict[str, Any]] = field(default_factory=list)
    coins: dict[str, int] = field(default_factory=dict)
    nonces: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, dict[str, int]] = field(default_factory=dict)


class EvmNode(RpcNode):
    path = "/chains/ethereum"

    def __init__(self) -> None:
        super().__init__()
        self.chain_id = CHAIN_ID
        self.contracts: dict[str, Contract] = {}
        self.forks = 0
        self.blocks = [EvmBlock(0, f"0x{hash_of('evm', 0)}", f"0x{'0' * 64}")]

    @property
    def tip(self) -> EvmBlock:
        return self.blocks[-1]

    def mine(self, count: int = 1) -> EvmBlock:
        """New blocks; transfers go into the newest one."""
        for _ in range(count):
            last = self.tip
            mark = f"0x{hash_of('evm', last.number + 1, self.forks)}"
            state = {name: copy.deepcopy(getattr(last, name)) for name in ("coins", "nonces", "tokens")}
            self.blocks.append(EvmBlock(last.number + 1, mark, last.mark, **state))
        return self.tip

    def reorganise(self, depth: int) -> None:
        """Takes back the newest blocks, and mines as many others, which are empty, and one more."""
        del self.blocks[-depth:]
        self.forks += 1
        self.mine(depth + 1)

    def give(self, to: str, wei: int) -> str:
        """Somebody else sends the coin."""
        return self.send(NOBODY, to, wei)

    def send(self, sender: str, to: str, wei: int, *, failed: bool = False) -> str:
        block, sender, to = self.tip, sender.lower(), to.lower()
        txid = f"0x{hash_of('evm tx', block.mark, len(block.transactions))}"
        nonce = block.nonces.get(sender, 0)
        block.nonces[sender] = nonce + 1
        if sender != NOBODY:
            block.coins[sender] = block.coins.get(sender, 0) - (0 if failed else wei) - GAS * GAS_PRICE
        if not failed:
            block.coins[to] = block.coins.get(to, 0) + wei
        block.transactions.append(
            {"hash": txid, "from": sender, "to": to, "value": hex(wei), "nonce": hex(nonce), "status": hex(int(not failed))}
        )
        return txid

    def move(self, contract: str, sender: str, to: str, units: int) -> str:
        """A token changes hands; the sender's fee in the coin is somebody else's."""
        block = self.tip
        held = block.tokens.setdefault(contract.lower(), {})
        for one, sign in ((sender, -1), (to, 1)):
            held[one.lower()] = held.get(one.lower(), 0) + sign * units
        txid = f"0x{hash_of('evm log', block.mark, len(block.logs))}"
        topics = [TRANSFER, *(f"0x{one[2:].lower().rjust(64, '0')}" for one in (sender, to))]
        place = {
            "blockNumber": hex(block.number),
            "blockHash": block.mark,
            "transactionHash": txid,
            "logIndex": hex(len(block.logs)),
        }
        block.logs.append({"address": contract.lower(), "topics": topics, "data": f"0x{units:064x}", "removed": False, **place})
        return txid

    def methods(self) -> Mapping[str, Method]:
        return {
            "eth_chainId": lambda: hex(self.chain_id),
            "eth_blockNumber": lambda: hex(self.tip.number),
            "eth_getBlockByNumber": self.get_block,
            "eth_getBalance": lambda address, at: hex(max(0, self.block_at(at).coins.get(address.lower(), 0))),
            "eth_getTransactionCount": lambda address, at: hex(self.block_at(at).nonces.get(address.lower(), 0)),
            "eth_call": self.call,
            "eth_getLogs": self.get_logs,
            "eth_getTransactionReceipt": self.get_receipt,
        }

    def block_at(self, tag: str) -> EvmBlock:
        number = self.tip.number if tag in ("latest", "finalized", "safe") else int(tag, 16)
        if not 0 <= number < len(self.blocks):
            raise RpcFault(-32_000, "header not found")
        return self.blocks[number]

    def get_block(self, tag: str, whole: bool) -> dict[str, Any] | None:
        try:
            block = self.block_at(tag)
        except RpcFault:
            return None
        place = {"blockHash": block.mark, "blockNumber": hex(block.number)}
        rows = [
            ({key: value for key, value in one.items() if key != "status"} | place | {"transactionIndex": hex(index)})
            for index, one in enumerate(block.transactions)
        ]
        return {
            "number": hex(block.number),
            "hash": block.mark,
            "parentHash": block.parent,
            "timestamp": hex(FIRST_MOMENT + block.number * BLOCK_SECONDS),
            "transactions": rows if whole else [one["hash"] for one in rows],
        }

    def call(self, asked: Mapping[str, str], tag: str) -> str:
        contract, data = self.contracts.get(asked["to"].lower()), asked["data"]
        if contract is None:
            return "0x"
        if data[:10] in contract.answers:
            raw = contract.answers[data[:10]]
            if raw is None:
                raise RpcFault(REVERTED, "execution reverted")
            return raw
        if data[:10] == BALANCE_OF:
            held = self.block_at(tag).tokens.get(asked["to"].lower(), {})
            return f"0x{held.get('0x' + data[-40:].lower(), 0):064x}"
        known = {SYMBOL: abi_text(contract.symbol), NAME: abi_text(contract.name), DECIMALS: f"0x{contract.decimals:064x}"}
        if data[:10] not in known:
            raise RpcFault(REVERTED, "execution reverted")
        return known[data[:10]]

    def get_logs(self, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        first, last = int(asked["fromBlock"], 16), int(asked["toBlock"], 16)
        wanted: Sequence[str | None] = asked.get("topics", [])
        found = [log for block in self.blocks[first : last + 1] for log in block.logs]
        return [
            log
            for log in found
            if len(log["topics"]) >= len(wanted) and all(one in (None, log["topics"][at]) for at, one in enumerate(wanted))
        ]

    def get_receipt(self, txid: str) -> dict[str, Any] | None:
        for block in self.blocks:
            for one in block.transactions:
                if one["hash"] == txid:
                    fee = {"gasUsed": hex(GAS), "effectiveGasPrice": hex(GAS_PRICE), "status": one["status"]}
                    return {"transactionHash": txid, "blockNumber": hex(block.number), "blockHash": block.mark, **fee}
        return None


def abi_text(text: str) -> str:
    """A string as contracts answer it."""
    data = text.encode()
    body = data.ljust((len(data) + 31) // 32 * 32, b"\0")
    return f"0x{32:064x}{len(data):064x}{body.hex()}"
