"""Bitcoin by address or extended public key, with balances from an Esplora server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from Crypto.Hash import RIPEMD160

from wallets.chains.answers import take_list, take_moment, take_number, take_object, take_text
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
from wallets.chains.base58 import base58check_decode, base58check_encode
from wallets.chains.bech32 import segwit_decode, segwit_encode
from wallets.chains.errors import ChainError, TipMoved
from wallets.chains.extended_keys import address_key, extended_key_read, taproot_key
from wallets.chains.node import CallRefused, Node

LEGACY, NESTED, WITNESS, TAPROOT = "p2pkh", "p2sh-p2wpkh", "p2wpkh", "p2tr"
SCRIPTS = (LEGACY, NESTED, WITNESS, TAPROOT)
GAP = 20
"""Addresses in a row that nobody used, after which none is looked for any more (BIP-44)."""
BRANCHES = (0, 1)
MOST_SUPPLY = 21_000_000 * 10**8
MOST_PAGES = 8
"""Pages of 25 transactions that are read of one address in one reading."""
FIRST_PAGES = 1


@dataclass(frozen=True, slots=True)
class Network:
    """What its addresses begin with. `extended`: by the version of an extended public key, the scripts that it is used for; the
    plain version serves three kinds of wallets."""

    prefix: str
    key_hash: int
    script_hash: int
    extended: dict[bytes, tuple[str, ...]]


PLAIN = (LEGACY, WITNESS, TAPROOT)
MAIN = Network(
    "bc",
    0x00,
    0x05,
    {
        bytes.fromhex("0488b21e"): PLAIN,
        bytes.fromhex("049d7cb2"): (NESTED,),
        bytes.fromhex("04b24746"): (WITNESS,),
    },
)
TESTS = {
    bytes.fromhex("043587cf"): PLAIN,
    bytes.fromhex("044a5262"): (NESTED,),
    bytes.fromhex("045f1cf6"): (WITNESS,),
}
TEST, LOCAL = Network("tb", 0x6F, 0xC4, TESTS), Network("bcrt", 0x6F, 0xC4, TESTS)


def check_bitcoin_address(network: Network, text: str, script: str = "") -> WatchedAddress:
    """An address in any of its forms, or an extended public key."""
    if text[1:4] == "pub":
        return check_extended_key(network, text, script)
    if script:
        raise refuse_address("is one address, which says itself what it is; a kind of script is for an extended public key.")
    address = text.lower() if text[: len(network.prefix) + 1].lower() == f"{network.prefix}1" else text
    try:
        script_of(network, text)
    except ValueError as error:
        raise refuse_address(f"is no address of this chain. {error}") from None
    return WatchedAddress(address)


def check_extended_key(network: Network, text: str, script: str) -> WatchedAddress:
    try:
        key = extended_key_read(text)
    except ValueError as error:
        raise refuse_address(f"is no extended public key. {error}") from None
    if key.version not in network.extended:
        raise refuse_address("is an extended key of another network, or of several signers, which is not read.")
    if script and script not in SCRIPTS:
        raise refuse_address(f"can be looked for as {', '.join(SCRIPTS)}.")
    return WatchedAddress(text, (script,) if script else network.extended[key.version])


def script_of(network: Network, address: str) -> bytes:
    """What an output to the address is locked with. `ValueError` says what is wrong."""
    if address.lower().startswith(f"{network.prefix}1"):
        version, program = segwit_decode(network.prefix, address)
        return bytes([version + 0x50 if version else 0, len(program)]) + program
    data = base58check_decode(address)
    if len(data) != 21:
        raise ValueError("It has the wrong length.")
    if data[0] == network.key_hash:
        return b"\x76\xa9\x14" + data[1:] + b"\x88\xac"
    if data[0] == network.script_hash:
        return b"\xa9\x14" + data[1:] + b"\x87"
    raise ValueError("It is of another network.")


def address_of(network: Network, script: str, key: bytes) -> str:
    """The address of a public key in one of the four forms."""
    if script == LEGACY:
        return base58check_encode(bytes([network.key_hash]) + hash_160(key))
    if script == NESTED:
        return base58check_encode(bytes([network.script_hash]) + hash_160(b"\x00\x14" + hash_160(key)))
    return (
        segwit_encode(network.prefix, 1, taproot_key(key)) if script == TAPROOT else segwit_encode(network.prefix, 0, hash_160(key))
    )


def hash_160(data: bytes) -> bytes:
    # Not by hashlib: OpenSSL 3 may lack it.
    return RIPEMD160.new(sha256(data).digest()).digest()


class Bitcoin(Chain):
    """`genesis`: the hash of its first block, which says which network a node is of."""

    def __init__(self, key: str, title: str, network: Network, genesis: str, endpoints: Sequence[str] = ()) -> None:
        super().__init__(key, title, "BTC", 8, endpoints)
        self.network, self.genesis = network, genesis

    def check_address(self, text: str, script: str = "") -> WatchedAddress:
        return check_bitcoin_address(self.network, text, script)

    def check_node(self, node: Node) -> None:
        if node.get_text("block-height/0") != self.genesis:
            raise ChainError(f"{node.host} speaks for another chain than {self.title}: its first block is another one.")

    def holds_block(self, node: Node, block: Block) -> bool:
        try:
            return node.get_text(f"block-height/{block.number}") == block.mark
        except CallRefused:
            return False  # the chain is shorter now

    def read_wallet(self, node: Node, watched: WatchedAddress, since: Block | None, contracts: Sequence[str]) -> SeenWallet:
        tip = read_tip(node)
        used = {script: stats for script, stats in scan_scripts(node, self.network, watched) if stats.uses}
        transactions, whole = read_transactions(node, used, since, tip)
        if read_tip(node) != tip:
            raise TipMoved("A new block came while the addresses were read.")
        confirmed, pending = sum(one.confirmed for one in used.values()), sum(one.pending for one in used.values())
        holding = SeenHolding(NATIVE, confirmed, self.decimals, self.coin, self.title, pending)
        remarks = [] if whole else ["There are older transactions than those that were read."]
        return SeenWallet(tip, [holding], transactions, remarks)


@dataclass(frozen=True, slots=True)
class ScriptStats:
    """Of one address, in satoshi. `uses`: transactions that it is in, also those that wait."""

    confirmed: int
    pending: int
    uses: int


def read_tip(node: Node) -> Block:
    number = take_number(node.get_text("blocks/tip/height"), "its height")
    mark = node.get_text("blocks/tip/hash")
    return Block(number, take_text(mark, "its newest block"))


def scan_scripts(node: Node, network: Network, watched: WatchedAddress) -> Iterator[tuple[bytes, ScriptStats]]:
    """What is known of the address, or of each address of the extended key up to where nobody has used one."""
    if not watched.scripts:
        script = script_of(network, watched.address)
        yield script, read_stats(node, script)
        return
    for kind in watched.scripts:
        for branch in BRANCHES:
            unused = index = 0
            while unused < GAP:
                script = script_of(network, address_of(network, kind, address_key(watched.address, branch, index)))
                stats = read_stats(node, script)
                yield script, stats
                unused, index = 0 if stats.uses else unused + 1, index + 1


def read_stats(node: Node, script: bytes) -> ScriptStats:
    answer = take_object(node.get(f"scripthash/{script_hash(script)}"), "an address")
    chain, waiting = (take_object(answer.get(name), "an address's sums") for name in ("chain_stats", "mempool_stats"))
    uses = sum(take_number(part.get("tx_count"), "a count of transactions") for part in (chain, waiting))
    return ScriptStats(satoshi_of(chain, least=0), satoshi_of(waiting, least=-MOST_SUPPLY), uses)


def satoshi_of(part: Mapping[str, Any], *, least: int) -> int:
    funded, spent = (take_number(part.get(f"{name}_txo_sum"), "an address's sums") for name in ("funded", "spent"))
    if not least <= funded - spent <= MOST_SUPPLY:
        raise ChainError("A node tells of an amount that there cannot be.")
    return funded - spent


def script_hash(script: bytes) -> str:
    """As Electrum and Esplora name a script."""
    return sha256(script).digest()[::-1].hex()


# ---------------------------------------------------------------- transactions


def read_transactions(
    node: Node, used: Mapping[bytes, ScriptStats], since: Block | None, tip: Block
) -> tuple[list[SeenTransaction], bool]:
    """Confirmed ones after `since`, oldest first, and whether that is all of them."""
    found, whole = {}, True
    mine = {script.hex() for script in used}
    for script in used:
        rows, all_read = read_history(node, script_hash(script), since)
        whole = whole and (all_read or since is None)
        for raw in rows:
            seen = transaction_of(raw, mine)
            if seen and (since is None or seen.block.number > since.number) and seen.block.number <= tip.number:
                found[seen.txid] = seen
    return sorted(found.values(), key=lambda one: one.block.number), whole


def read_history(node: Node, name: str, since: Block | None) -> tuple[list[Mapping[str, Any]], bool]:
    """An address's transactions, newest first, back to `since`; and whether it came so far."""
    found: list[Mapping[str, Any]] = []
    page = f"scripthash/{name}/txs"
    for _ in range(MOST_PAGES if since else FIRST_PAGES):
        rows = [take_object(one, "a transaction") for one in take_list(node.get(page), "its transactions")]
        found += rows
        confirmed = [row for row in rows if height_of(row) is not None]
        if not confirmed or (since and (height_of(confirmed[-1]) or 0) <= since.number):
            return found, True
        page = f"scripthash/{name}/txs/chain/{take_text(confirmed[-1].get('txid'), 'a transaction')}"
    return found, False


def height_of(raw: Mapping[str, Any]) -> int | None:
    """None while it waits for a block."""
    status = take_object(raw.get("status"), "a transaction's state")
    return take_number(status.get("block_height"), "a transaction's block") if status.get("confirmed") is True else None


def transaction_of(raw: Mapping[str, Any], mine: set[str]) -> SeenTransaction | None:
    """What these scripts had more or less after it; None while it waits for a block."""
    height = height_of(raw)
    if height is None:
        return None
    outputs = [take_object(one, "an output") for one in take_list(raw.get("vout"), "a transaction's outputs")]
    inputs = [take_object(one, "an input").get("prevout") for one in take_list(raw.get("vin"), "a transaction's inputs")]
    spent = sum_of([one for one in inputs if isinstance(one, Mapping)], mine)
    change = sum_of(outputs, mine) - spent
    status = raw["status"]
    block = Block(height, take_text(status.get("block_hash"), "a transaction's block"))
    fee = take_number(raw.get("fee"), "a fee", most=MOST_SUPPLY) if spent else 0
    transfers = (SeenTransfer(NATIVE, change),) if change else ()
    return SeenTransaction(
        take_text(raw.get("txid"), "a transaction"), block, take_moment(status.get("block_time")), transfers, fee
    )


def sum_of(outputs: Sequence[Mapping[str, Any]], mine: set[str]) -> int:
    return sum(take_number(one.get("value"), "an amount", most=MOST_SUPPLY) for one in outputs if one.get("scriptpubkey") in mine)
