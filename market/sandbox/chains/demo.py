"""What the sandbox's chains hold for the wallets of the demonstration. It is the same after each start, so that readings go on."""

from __future__ import annotations

from market.sandbox.chains.evm import Contract, EvmNode
from market.sandbox.chains.rpc import hash_of
from market.sandbox.chains.server import Nodes
from market.sandbox.chains.solana import TOKEN_2022, Mint, SolanaNode

SOLANA = "3h1zGmCwsRJnVk5BuRNMLsPaQu1y2aqXqXDWYCgrp5UG"
ETHEREUM = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
BITCOIN = "vpub5YvMuJNjRSYon44z9QmCfdf8SqJRVNvz6m55Qy5iVjZQxDfUgtiQjnc7CC1fAbED2tAGCZRERUfvtn2DstZGU6HMns6dXXH2wujSc2wfi2x"
"""An account key whose phrase everybody knows: BIP-84's example, for a network for tests."""
RECEIVING = (
    "0014c0cebcd6c3d3ca8c75dc5ec62ebe55330ef910e2",
    "00149c90f934ea51fa0f6504177043e0908da6929983",
    "001447e8cfa1e26ffc460468348a9cb218d0346a3778",
)
CHANGE = "00143e34985dca6fddc9fb369940e4c7d8e2873f529c"
"""What some of its addresses lock outputs with."""
ELSEWHERE = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
USDT = {"ethereum": "0x5FbDB2315678afecb367f032d93F642f64180aa3", "solana": "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU"}
POINTS, LIAR = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512", "0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0"
NEW_MINT = "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263"
ETHER, SOL, BTC = 10**18, 10**9, 10**8


def demo_nodes() -> Nodes:
    nodes = Nodes()
    fill_ethereum(nodes.ethereum)
    fill_solana(nodes.solana)
    fill_bitcoin(nodes)
    return nodes


def fill_ethereum(node: EvmNode) -> None:
    """With a token that calls itself USDT and is none, and dust."""
    node.contracts |= {
        USDT["ethereum"].lower(): Contract("USDT", "Tether USD", 6),
        LIAR.lower(): Contract("USDT", "Tether (claim at take.example)", 6),
        POINTS.lower(): Contract("PTS", "Points", 18),
    }
    node.mine(120)
    node.give(ETHEREUM, 5 * ETHER)
    node.mine(300)
    node.move(USDT["ethereum"], ELSEWHERE, ETHEREUM, 4_800_250_000)
    node.mine(80)
    node.send(ETHEREUM, ELSEWHERE, 18 * ETHER // 10)
    node.mine(40)
    node.move(LIAR, ELSEWHERE, ETHEREUM, 1_000_000_000_000)
    node.move(POINTS, ELSEWHERE, ETHEREUM, 1)
    node.mine(6)


def fill_solana(node: SolanaNode) -> None:
    node.mints |= {USDT["solana"]: Mint("USDT", "Tether USD", 6), NEW_MINT: Mint("JOY", "Joy for all", 9, TOKEN_2022)}
    node.give(SOLANA, 60 * SOL)
    node.move(USDT["solana"], SOLANA, 1_250_750_000)
    node.send(SOLANA, "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM", 17_500_000_000)
    node.move(USDT["solana"], SOLANA, -400_000_000)
    node.move(NEW_MINT, SOLANA, 5 * 10**12)


def fill_bitcoin(nodes: Nodes) -> None:
    """With a payment that waits for a block."""
    node = nodes.bitcoin
    node.give(RECEIVING[0], 62_500_000)
    node.mine(3)
    node.pay([(RECEIVING[0], 62_500_000)], [(hash_of("a shop")[:44], 12_000_000), (CHANGE, 50_499_000)])
    node.give(RECEIVING[1], 21_000_000)
    node.mine(2)
    node.give(RECEIVING[2], 1_500_000)
