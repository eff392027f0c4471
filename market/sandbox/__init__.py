"""The sandbox exchange: a local server that speaks Binance spot and Coinbase Advanced Trade, with a matching engine of its own.

It stands alone: no Django, no engine, nothing of ours. Money is `Decimal`, times are int milliseconds since 1970 UTC. README.md
beside this file has its parts, how to run it, and how to set faults.

A face (`binance/`, `coinbase/`) turns a request into a call of `SandboxExchange`, a `RequestRefused` into the venue's error, and
events into frames. It keeps no state of the market. All calls happen on the server's one event loop. Events arrive inside the call
that causes them, so a face builds its frames at once and never keeps a `SandboxOrder`, which goes on changing, for later.
"""
