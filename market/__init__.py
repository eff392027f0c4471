"""Instruments and candles, the venues' adapters, streams that are kept alive, and a sandbox exchange."""
