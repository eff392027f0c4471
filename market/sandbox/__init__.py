"""The sandbox exchange: a local server that speaks Binance spot and Coinbase Advanced Trade, with a matching engine of its own.

How it is laid out (no Django, no engine; money is `Decimal`, times are int milliseconds since 1970 UTC):

    instruments  what is traded: `Instrument` (symbol is ours, `BTC-USDT`) with its filters, and each venue's default list
    orders       `OrderRequest` in, `Order` and `Fill` out, `Refused(code, message)` for what is not taken
    accounts     `Account`: one API key's balances, free and held
    book         `Book`: best prices, a seeded depth around them, and the resting orders in price-time order
    history      `History`: trades and candles of one symbol, made of its own trades
    events       what listeners hear: `Trade`, `BookChange`, `OrderUpdate`, `BalanceUpdate`, `Listing`
    exchange     `Exchange`: one venue; synchronous and deterministic, with an injected clock
    tape         what drives the prices: seeded walk, candles, or recorded trades
    faults       what goes wrong, by script
    binance/     Binance's face: REST, streams, WebSocket API
    coinbase/    Coinbase's face
    state        the accounts in a file, across restarts
    server       `Sandbox`: both faces on one port, the control endpoint, `running_sandbox()` for tests

A face does three things: it turns a request into a call of `Exchange`, a `Refused` into the venue's error, and events into frames.
It keeps no state of the market. All calls happen on the server's one event loop; events arrive synchronously, inside the call
that causes them, so a face builds its frames at once and never keeps an `Order` (which goes on changing) for later.
"""
