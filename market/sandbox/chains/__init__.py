"""Small nodes of three kinds of chains, for wallets that are only watched: a chain of Ethereum's kind and one of Solana's over
JSON-RPC, and Bitcoin behind an Esplora server. Each keeps whole books: what an address has is what came in and went out in blocks
that can be asked for.
"""
