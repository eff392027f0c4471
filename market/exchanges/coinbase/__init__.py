"""Coinbase Advanced Trade over coinbase-advanced-py. Laid out as `binance`; `bars` makes candles of trades."""
