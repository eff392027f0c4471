"""Coinbase Advanced Trade over coinbase-advanced-py. The files are those of `binance`; besides, `bars` makes candles of trades."""
