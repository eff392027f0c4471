"""Which chains there are: one entry for each, and any other one that speaks Ethereum's JSON-RPC by its chain id (`evm-1101`)."""

from __future__ import annotations

import re

from core.errors import Invalid
from core.fields import did_you_mean
from wallets.chains.base import Chain
from wallets.chains.bitcoin import LOCAL, MAIN, TEST, Bitcoin
from wallets.chains.evm import Evm
from wallets.chains.solana import Solana

OTHER = re.compile(r"evm-([1-9][0-9]{0,17})")
LOCAL_CHAIN_ID = 31_337
LOCAL_GENESIS = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
"""Of every Bitcoin regtest."""
LOCAL_SOLANA_GENESIS = "4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY"
"""A hash of ours: each local cluster of Solana makes one."""
LOCAL_STABLE = {"evm": "0x5FbDB2315678afecb367f032d93F642f64180aa3", "solana": "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU"}
"""The sandbox's USDT, on each of its chains."""

ENTRIES: tuple[Chain, ...] = (
    Bitcoin(
        "bitcoin",
        "Bitcoin",
        MAIN,
        "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
        ("https://blockstream.info/api", "https://mempool.space/api"),
    ),
    Bitcoin(
        "bitcoin-testnet",
        "Bitcoin testnet",
        TEST,
        "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
        ("https://blockstream.info/testnet/api", "https://mempool.space/testnet/api"),
    ),
    Bitcoin("bitcoin-sandbox", "Bitcoin in the sandbox", LOCAL, LOCAL_GENESIS),
    Evm(
        "ethereum",
        "Ethereum",
        "ETH",
        1,
        ("https://ethereum-rpc.publicnode.com", "https://eth.llamarpc.com", "https://cloudflare-eth.com"),
        {
            "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48": "USDC",
            "0xdAC17F958D2ee523a2206206994597C13D831ec7": "USDT",
            "0x6B175474E89094C44Da98b954EedeAC495271d0F": "DAI",
            "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2": "WETH",
            "0x2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599": "WBTC",
            "0x514910771AF9Ca656af840dff83E8264EcF986CA": "LINK",
            "0x1f9840a85d5aF5bf1D1762F925BDADdC4201F984": "UNI",
        },
    ),
    Evm(
        "base",
        "Base",
        "ETH",
        8453,
        ("https://mainnet.base.org", "https://base-rpc.publicnode.com"),
        {"0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913": "USDC"},
    ),
    Evm(
        "arbitrum",
        "Arbitrum One",
        "ETH",
        42_161,
        ("https://arb1.arbitrum.io/rpc", "https://arbitrum-one-rpc.publicnode.com"),
        {"0xaf88d065e77c8cC2239327C5EDb3A432268e5831": "USDC", "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9": "USDT"},
    ),
    Evm(
        "optimism",
        "OP Mainnet",
        "ETH",
        10,
        ("https://mainnet.optimism.io", "https://optimism-rpc.publicnode.com"),
        {"0x0b2C639c533813f4Aa9D7837CAf62653d097Ff85": "USDC"},
    ),
    Evm(
        "polygon",
        "Polygon",
        "POL",
        137,
        ("https://polygon-rpc.com", "https://polygon-bor-rpc.publicnode.com"),
        {"0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359": "USDC", "0xc2132D05D31c914a87C6611C10748AEb04B58e8F": "USDT"},
    ),
    Evm("bnb", "BNB Smart Chain", "BNB", 56, ("https://bsc-dataseed.bnbchain.org", "https://bsc-rpc.publicnode.com")),
    Evm(
        "avalanche",
        "Avalanche C-Chain",
        "AVAX",
        43_114,
        ("https://api.avax.network/ext/bc/C/rpc",),
        {"0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E": "USDC"},
    ),
    Evm("ethereum-sandbox", "Ethereum in the sandbox", "ETH", LOCAL_CHAIN_ID, tokens={LOCAL_STABLE["evm"]: "USDT"}),
    Solana(
        "solana",
        "Solana",
        "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d",
        ("https://api.mainnet-beta.solana.com", "https://solana-rpc.publicnode.com"),
        {"EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v": "USDC", "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB": "USDT"},
    ),
    Solana("solana-sandbox", "Solana in the sandbox", LOCAL_SOLANA_GENESIS, tokens={LOCAL_STABLE["solana"]: "USDT"}),
)
CHAINS = {one.key: one for one in ENTRIES}
BY_ID = {one.chain_id: one for one in ENTRIES if isinstance(one, Evm)}


def chain_get(key: str) -> Chain:
    """`Invalid` at `chain`. `evm-1` is `ethereum`."""
    if found := CHAINS.get(key):
        return found
    if other := OTHER.fullmatch(key):
        number = int(other[1])
        return BY_ID.get(number) or Evm(key, f"EVM chain {number}", "", number)
    raise Invalid.at("chain", f"must be one of {', '.join(CHAINS)}, or evm- and a chain id.{did_you_mean(key[:24], CHAINS)}")


def guess_chain(text: str) -> Chain | None:
    """Whose address it is, where it is of one kind of chain. Where several share a kind, the best known."""
    for chain in ENTRIES:
        try:
            chain.check_address(text)
        except Invalid:
            continue
        return chain
    return None
