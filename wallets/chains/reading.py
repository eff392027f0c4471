"""One reading of one address: the nodes in turn, until one answers well and whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wallets.chains.base import Block, Chain, SeenWallet, WatchedAddress
from wallets.chains.errors import ChainError, TipMoved
from wallets.chains.node import Node

TRIES = 3
"""With each node, where the chain goes on while it is read."""


@dataclass(frozen=True, slots=True)
class ChainAnswer:
    """`since`: the block of an earlier reading that this one goes on from; None where there is none, or none that is still part of
    the chain."""

    seen: SeenWallet
    since: Block | None
    host: str


def read_from_nodes(
    chain: Chain, urls: Sequence[str], watched: WatchedAddress, marks: Sequence[Block], contracts: Sequence[str]
) -> ChainAnswer:
    """`marks`: the blocks of earlier readings, newest first. `ChainError` tells what was wrong with each node."""
    faults = [] if urls else [f"No node of {chain.title} is set. Add one in the admin, or in CHAIN_ENDPOINTS."]
    for url in urls:
        try:
            with Node(url) as node:
                return read_from_node(chain, node, watched, marks, contracts)
        except ChainError as fault:
            faults.append(str(fault))
    raise ChainError(" ".join(faults))


def read_from_node(
    chain: Chain, node: Node, watched: WatchedAddress, marks: Sequence[Block], contracts: Sequence[str]
) -> ChainAnswer:
    chain.check_node(node)
    moved: TipMoved | None = None
    for _ in range(TRIES):
        since = next((mark for mark in marks if chain.holds_block(node, mark)), None)
        try:
            seen = chain.read_wallet(node, watched, since, contracts)
        except TipMoved as error:
            moved = error
            continue
        if marks and seen.block.number < marks[0].number:
            raise ChainError(f"{node.host} is behind: it knows {seen.block.number:,}, and {marks[0].number:,} was read before.")
        return ChainAnswer(seen, since, node.host)
    raise ChainError(f"{node.host}: {moved}")
