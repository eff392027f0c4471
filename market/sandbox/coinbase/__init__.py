"""Coinbase Advanced Trade's face of the sandbox.

notation           numbers, times and ids as Coinbase writes them
tokens             keys, and the JWTs that clients sign with them
configurations     `order_configuration` to `OrderTicket` and back
orders             orders, fills and accounts as Coinbase shows them
products           instruments, prices, books, trades and candles, likewise
calls              one REST request: who asks, and for what; `CoinbaseError` for an answer other than 200
limits             requests per second
market_endpoints   endpoints of the market, public and with a key
account_endpoints  endpoints of an account
transactions       movements and fills as the app's API lists them
app_endpoints      endpoints of the app's API
portfolios         endpoints of its one portfolio
rest               the table of paths; turns requests into calls, and what goes wrong into answers
frames             WebSocket messages, built once for all of their listeners
depth              the level2 channel's view of a book
contents           what the messages of the market channels say
channels           who listens to what, and when the exchange's events go out
connections        one WebSocket connection: subscriptions, sequence numbers
face               all of it, on a server
"""
