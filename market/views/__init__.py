"""Pages of market data: stored candles and imports, and prices as they come."""
