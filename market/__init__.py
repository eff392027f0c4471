"""Market data: instruments and candles, exchanges behind one port, the feed, and a sandbox exchange to test against."""
