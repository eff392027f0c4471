"""Ethereum and the chains that speak its JSON-RPC, each known by its chain id.

By hand on our HTTP client: web3 8 does not fit beside the exchanges' libraries, and of web3 7 we would use two functions. It is the
oracle of a campaign.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from Crypto.Hash import keccak

from wallets.chains.answers import (
    MOST_DECIMALS,
    plain_name,
    take_hex,
    take_hex_number,
    take_list,
    take_moment,
    take_object,
    take_text,
)
from wallets.chains.base import (
    NATIVE,
    Block,
    Chain,
    SeenHolding,
    SeenTransaction,
    SeenTransfer,
    SeenWallet,
    WatchedAddress,
    refuse_address,
)
from wallets.chains.errors import ChainError, TipMoved
from wallets.chains.node import Call, CallRefused, Node

MOST_TOKENS = 500
"""Asked for in one reading; who sends tokens to an address for nothing sends many."""
LOOK_BACK, MOST_BLOCKS, SPAN = 5_000, 20_000, 2_000
"""Blocks that are looked through for transfers of tokens: at the first reading, at most in one, and in one question."""
MOST_CHANGED = 24
"""Blocks of which all transactions are read, in one reading."""


def keccak_256(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def checksum_address(address: str) -> str:
    """As EIP-55 writes it: the case of each letter is a bit of the hash."""
    small = address[2:].lower()
    digits = keccak_256(small.encode()).hex()
    return "0x" + "".join(one.upper() if int(digit, 16) > 7 else one for one, digit in zip(small, digits, strict=False))


def check_evm_address(text: str) -> WatchedAddress:
    """An address in one case has no checksum; in two cases it has to be right."""
    if len(text) != 42 or text[:2] not in ("0x", "0X") or not set(text[2:]) <= set(string.hexdigits):
        raise refuse_address("must be an address of this chain: 0x and 40 digits from 0 to f.")
    found = checksum_address(text)
    if text[2:] not in (text[2:].lower(), text[2:].upper()) and found[2:] != text[2:]:
        raise refuse_address("has a wrong checksum: a letter is wrong, or one is small that is large. Copy it again.")
    if not int(found, 16):
        raise refuse_address("is the address of nobody, where what is sent is lost.")
    return WatchedAddress(found)


TRANSFER = f"0x{keccak_256(b'Transfer(address,address,uint256)').hex()}"


class Evm(Chain):
    """`tokens`: contracts that are known to be what they say, each with its asset."""

    def __init__(
        self, key: str, title: str, coin: str, chain_id: int, endpoints: Sequence[str] = (), tokens: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(key, title, coin, 18, endpoints)
        self.chain_id, self.tokens = chain_id, {checksum_address(one): asset for one, asset in (tokens or {}).items()}

    @property
    def known_tokens(self) -> dict[str, str]:
        return self.tokens

    def check_address(self, text: str, script: str = "") -> WatchedAddress:
        return check_evm_address(text)

    def check_node(self, node: Node) -> None:
        found = take_hex_number(node.call("eth_chainId"), "its chain id")
        if found != self.chain_id:
            raise ChainError(f"{node.host} speaks for the chain {found}, and not for {self.chain_id}, which is {self.title}.")

    def holds_block(self, node: Node, block: Block) -> bool:
        return find_block(node, block.number) == block

    def read_wallet(self, node: Node, watched: WatchedAddress, since: Block | None, contracts: Sequence[str]) -> SeenWallet:
        tip = read_tip(node)
        transactions, remarks = read_transactions(node, watched.address, since, tip)
        moved = [one.contract for each in transactions for one in each.transfers if one.contract != NATIVE]
        asked = list(dict.fromkeys([*self.tokens, *contracts, *moved]))
        if len(asked) > MOST_TOKENS:
            remarks.append(f"Of {len(asked):,} tokens the first {MOST_TOKENS:,} were asked for.")
        holdings, silent = read_holdings(node, watched.address, asked[:MOST_TOKENS], tip, known=self.tokens)
        silent -= set(self.tokens)  # there is no such contract here: that would have been refused
        if silent:
            remarks.append(f"{len(silent)} tokens did not say what the address has of them.")
        if find_block(node, tip.number) != tip:
            raise TipMoved(f"Block {tip.number:,} was replaced while it was read.")
        coin = SeenHolding(NATIVE, read_balance(node, watched.address, tip.number), self.decimals, self.coin, self.title)
        return SeenWallet(tip, [coin, *holdings], transactions, remarks, frozenset(silent))


def read_tip(node: Node) -> Block:
    return block_of(take_object(node.call("eth_getBlockByNumber", "latest", False), "its newest block"))


def find_block(node: Node, number: int) -> Block | None:
    found = node.call("eth_getBlockByNumber", hex(number), False)
    return None if found is None else block_of(take_object(found, "a block"))


def block_of(answer: Mapping[str, Any]) -> Block:
    return Block(take_hex_number(answer.get("number"), "a block's number"), take_text(answer.get("hash"), "a block's hash"))


def read_balance(node: Node, address: str, number: int) -> int:
    return take_hex_number(node.call("eth_getBalance", address, hex(number)), "a balance")


# ---------------------------------------------------------------- tokens


def call_of(contract: str, signature: str, argument: str, number: int) -> Call:
    data = keccak_256(signature.encode())[:4].hex() + argument
    return "eth_call", [{"to": contract, "data": f"0x{data}"}, hex(number)]


def word_of(address: str) -> str:
    """As an argument, and as a topic of a log."""
    return address[2:].lower().rjust(64, "0")


def read_holdings(
    node: Node, address: str, contracts: Sequence[str], tip: Block, *, known: Collection[str]
) -> tuple[list[SeenHolding], set[str]]:
    """What the address has of these, and those that do not say it. A `known` one that is refused may be held all the same."""
    answers = node.call_all([call_of(one, "balanceOf(address)", word_of(address), tip.number) for one in contracts])
    for one, answer in zip(contracts, answers, strict=True):
        if one in known and isinstance(answer, CallRefused):
            raise answer
    units = {one: number_of(answer) for one, answer in zip(contracts, answers, strict=True)}
    held = [one for one in contracts if units[one]]
    questions = ("decimals()", "symbol()", "name()")
    told = node.call_all([call_of(one, question, "", tip.number) for one in held for question in questions])
    holdings = []
    for place, contract in enumerate(held):
        decimals, symbol, name = told[place * 3 : place * 3 + 3]
        found = number_of(decimals)
        usable = found if found is not None and found <= MOST_DECIMALS else None
        holdings.append(SeenHolding(contract, units[contract] or 0, usable, text_of(symbol), text_of(name)))
    return holdings, {one for one in contracts if units[one] is None}


def number_of(answer: Any) -> int | None:
    """None where the contract does not say it: it refused the call, or there is no contract, or it answers something else."""
    if isinstance(answer, CallRefused):
        return None
    data = take_hex(answer, "a token's answer")
    return int.from_bytes(data[:32], "big") if len(data) >= 32 else None


def text_of(answer: Any) -> str:
    """A string, or the 32 bytes of early tokens; read as the other, a string is its own offset."""
    if isinstance(answer, CallRefused):
        return ""
    data = take_hex(answer, "a token's answer")
    if len(data) == 32:
        return plain_name(data.rstrip(b"\0").decode("utf-8", "replace"))
    if len(data) < 64 or int.from_bytes(data[:32], "big") != 32:
        return ""
    length = int.from_bytes(data[32:64], "big")
    return plain_name(data[64 : 64 + length].decode("utf-8", "replace")) if length <= len(data) - 64 else ""


# ---------------------------------------------------------------- transactions


def read_transactions(node: Node, address: str, since: Block | None, tip: Block) -> tuple[list[SeenTransaction], list[str]]:
    """Transfers of tokens by their logs, and of the coin by looking for the blocks in which the balance changed: a node has no list
    by address. What a contract sent inside of another's transaction is not found; then the difference says so."""
    remarks = [] if since else ["What was sent and received of the coin before the first reading is not listed."]
    first = max(0, since.number + 1 if since else tip.number - LOOK_BACK, tip.number - MOST_BLOCKS)
    if since and first > since.number + 1:
        remarks.append(f"Transactions of the blocks {since.number + 1:,} to {first - 1:,} were not looked for: too many passed.")
    try:
        moved = read_token_transfers(node, address, first, tip.number)
    except CallRefused as refused:
        moved = {}
        remarks.append(f"Transfers of tokens are not listed. {refused}")
    sent = read_coin_transfers(node, address, since, tip, remarks) if since else {}
    blocks = read_times(node, {block for block, _ in [*moved.values(), *sent.values()]})
    found = [merge_transaction(txid, moved.get(txid), sent.get(txid), blocks) for txid in {**moved, **sent}]
    return sorted(found, key=lambda one: one.block.number), remarks


def read_token_transfers(node: Node, address: str, first: int, last: int) -> dict[str, tuple[Block, Counter[str]]]:
    """By transaction: what the address had more or less of each token."""
    found: dict[str, tuple[Block, Counter[str]]] = {}
    mine = f"0x{word_of(address)}"
    for start in range(first, last + 1, SPAN):
        span = {"fromBlock": hex(start), "toBlock": hex(min(start + SPAN - 1, last))}
        for topics, sign in (([TRANSFER, None, mine], 1), ([TRANSFER, mine], -1)):
            for log in take_list(node.call("eth_getLogs", span | {"topics": topics}), "its logs"):
                add_log(found, take_object(log, "a log"), sign)
    return found


def add_log(found: dict[str, tuple[Block, Counter[str]]], log: Mapping[str, Any], sign: int) -> None:
    if log.get("removed") or len(take_list(log.get("topics"), "a log's topics")) != 3:
        return  # taken back, or of a thing that is one of its kind
    data = take_hex(log.get("data"), "a log's data")
    if len(data) != 32:
        return
    block = Block(take_hex_number(log.get("blockNumber"), "a log's block"), take_text(log.get("blockHash"), "a log's block"))
    contract = check_evm_address(take_text(log.get("address"), "a log's contract")).address
    moved = found.setdefault(take_text(log.get("transactionHash"), "a log's transaction"), (block, Counter()))[1]
    moved[contract] += sign * int.from_bytes(data, "big")


def read_coin_transfers(
    node: Node, address: str, since: Block, tip: Block, remarks: list[str]
) -> dict[str, tuple[Block, tuple[int, int, bool]]]:
    """By transaction: what the address had more or less of the coin, its fee, and whether it failed."""
    try:
        numbers = changed_blocks(node, address, since.number, tip.number)
    except CallRefused as refused:
        remarks.append(f"Transactions of {tip.number - since.number:,} blocks are not listed. {refused}")
        return {}
    if len(numbers) > MOST_CHANGED:
        remarks.append(f"The balance changed in more than {MOST_CHANGED} blocks; transactions of the rest are not listed.")
    found = {}
    for answer in node.call_all([("eth_getBlockByNumber", [hex(number), True]) for number in numbers[:MOST_CHANGED]]):
        body = take_object(answer, "a block")
        for raw in take_list(body.get("transactions"), "a block's transactions"):
            if address.lower() in (str(raw.get("from")).lower(), str(raw.get("to")).lower()):
                txid = take_text(raw.get("hash"), "a transaction's hash")
                found[txid] = (block_of(body), coin_change(node, address, raw))
    return found


def changed_blocks(node: Node, address: str, low: int, high: int) -> list[int]:
    """Blocks after `low` up to `high` in which the balance or the number of sent transactions changed, by halving. What came and
    went away again between two looks, with nothing sent, is not found."""
    states = {low: state_at(node, address, low), high: state_at(node, address, high)}
    found: list[int] = []
    spans = [(low, high)]
    while spans and len(found) <= MOST_CHANGED:
        start, end = spans.pop()
        if states[start] == states[end]:
            continue
        if end - start == 1:
            found.append(end)
            continue
        middle = (start + end) // 2
        states[middle] = state_at(node, address, middle)
        spans += [(start, middle), (middle, end)]
    return sorted(found)


def state_at(node: Node, address: str, number: int) -> tuple[int, ...]:
    answers = node.call_all([(name, [address, hex(number)]) for name in ("eth_getBalance", "eth_getTransactionCount")])
    for answer in answers:
        if isinstance(answer, CallRefused):
            raise answer
    return tuple(take_hex_number(answer, "a balance") for answer in answers)


def coin_change(node: Node, address: str, raw: Mapping[str, Any]) -> tuple[int, int, bool]:
    receipt = take_object(node.call("eth_getTransactionReceipt", raw.get("hash")), "a receipt")
    failed = receipt.get("status") == "0x0"
    value = 0 if failed else take_hex_number(raw.get("value"), "a transaction's value")
    mine = address.lower()
    fee = fee_of(receipt) if str(raw.get("from")).lower() == mine else 0
    received = value if str(raw.get("to")).lower() == mine else 0
    return received - (value + fee if str(raw.get("from")).lower() == mine else 0), fee, failed


def fee_of(receipt: Mapping[str, Any]) -> int:
    """Chains above Ethereum say apart what they pay to it."""
    used, price = (take_hex_number(receipt.get(name), "a fee") for name in ("gasUsed", "effectiveGasPrice"))
    return used * price + (take_hex_number(receipt["l1Fee"], "a fee") if receipt.get("l1Fee") else 0)


def read_times(node: Node, blocks: Collection[Block]) -> dict[int, datetime | None]:
    numbers = sorted({block.number for block in blocks})
    answers = node.call_all([("eth_getBlockByNumber", [hex(number), False]) for number in numbers])
    return {
        number: take_moment(take_hex_number(take_object(answer, "a block").get("timestamp"), "a block's time"))
        for number, answer in zip(numbers, answers, strict=True)
    }


def merge_transaction(
    txid: str,
    moved: tuple[Block, Counter[str]] | None,
    sent: tuple[Block, tuple[int, int, bool]] | None,
    times: Mapping[int, datetime | None],
) -> SeenTransaction:
    """What is known of it by its logs, and by its block."""
    block = (moved or sent or (Block(0), None))[0]
    change, fee, failed = sent[1] if sent else (0, 0, False)
    transfers = [SeenTransfer(contract, units) for contract, units in (moved[1] if moved else {}).items() if units]
    coin = [SeenTransfer(NATIVE, change)] if change else []
    return SeenTransaction(txid, block, times.get(block.number), (*coin, *transfers), fee, failed)
