"""The port: what can be asked of a chain about an address that somebody watches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.errors import Invalid
from wallets.chains.node import Node

NATIVE = ""
"""In place of a token's contract: the chain's own coin."""


@dataclass(frozen=True, slots=True)
class WatchedAddress:
    """What is watched: an address, or an extended public key with the scripts that its addresses are looked for as."""

    address: str
    scripts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """`number`: of a block, on Solana of a slot. `mark`: its hash, where the chain has one for it."""

    number: int
    mark: str = ""


@dataclass(frozen=True, slots=True)
class SeenHolding:
    """What the address has of one token, in the token's smallest unit. `pending`: what is on its way, more or less, and not in
    `units`. `decimals` is None where the token does not say them: then nobody knows how much it is."""

    contract: str
    units: int
    decimals: int | None
    symbol: str = ""
    name: str = ""
    pending: int = 0


@dataclass(frozen=True, slots=True)
class SeenTransfer:
    """What the address had more or less of a token after a transaction; the chain's own fee is in it."""

    contract: str
    units: int


@dataclass(frozen=True, slots=True)
class SeenTransaction:
    """`fee`: what the address paid for it, in the smallest unit of the chain's coin. `at`: the block's time, where it is told."""

    txid: str
    block: Block
    at: datetime | None
    transfers: tuple[SeenTransfer, ...]
    fee: int = 0
    failed: bool = False


@dataclass(frozen=True, slots=True)
class SeenWallet:
    """One reading: all of it at one block. `transactions` are those after the block of the last reading, or the newest ones at the
    first. `silent`: tokens that were asked for and did not say. `remarks`: what the node could not tell."""

    block: Block
    holdings: Sequence[SeenHolding]
    transactions: Sequence[SeenTransaction]
    remarks: Sequence[str] = ()
    silent: frozenset[str] = frozenset()


class Chain(ABC):
    """One network of one kind of chain. `coin`: its own coin's asset, empty where nobody knows it. `endpoints`: public nodes that
    are asked where nobody set others."""

    def __init__(self, key: str, title: str, coin: str, decimals: int, endpoints: Sequence[str] = ()) -> None:
        self.key, self.title, self.coin, self.decimals, self.endpoints = key, title, coin, decimals, tuple(endpoints)

    @property
    def known_tokens(self) -> dict[str, str]:
        """Contracts that are what they say, each with its asset."""
        return {}

    @abstractmethod
    def check_address(self, text: str, script: str = "") -> WatchedAddress:
        """As the chain writes it; `script` narrows an extended key. `Invalid` at `address`, which never repeats the text."""

    @abstractmethod
    def check_node(self, node: Node) -> None:
        """`ChainError` unless the node speaks for this network."""

    @abstractmethod
    def holds_block(self, node: Node, block: Block) -> bool:
        """Whether the block is still part of the chain: after a reorganisation it may not be."""

    @abstractmethod
    def read_wallet(self, node: Node, watched: WatchedAddress, since: Block | None, contracts: Sequence[str]) -> SeenWallet:
        """Holdings at the newest block, of the coin and of all tokens that the node lists or `contracts` name, and transactions
        since the block. `ChainError`."""


def refuse_address(reason: str) -> Invalid:
    return Invalid.at("address", reason)
