"""Binance spot over python-binance. `frames` reads, `orders` writes, `client` and `streams` are the library with its traps shut."""
