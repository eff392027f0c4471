"""Binance's face: spot REST, market streams, and the WebSocket API with the user stream.

notation       symbols, numbers, states and errors as Binance writes them
params         the parameters of a call, and the order ticket they describe
symbols        the symbols that the parameters name
forms          Binance's JSON for orders, fills, accounts, candles and trades
limits         request weight and order counts
signing        who asks: API key, signature and time
market_calls   calls for market data
account_calls  calls for an account's money and its past orders and trades
wallet_calls   calls for coins and fees beyond spot orders
movement_calls    calls that list deposits, withdrawals and all other movements
absent_products   what is told of products that are not played
order_calls    calls that place, show and cancel an order
calls          the table of all calls, and what runs them
rest           REST: turns requests into calls
channels       market streams by name: when each has something to send, and what
streams        who listens to which market stream
reports        events of the user stream
wsapi          the WebSocket API: the same calls over a socket, and the user stream
face           all of it, on a server
"""
