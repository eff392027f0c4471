"""Binance spot over python-binance. `frames` reads, `orders` writes, and `client` and `streams` wrap the library and close its
traps."""
