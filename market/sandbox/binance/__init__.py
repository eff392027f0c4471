"""Binance's face: spot REST, market streams, and the WebSocket API with the user stream."""
