"""Coinbase Advanced Trade's face of the sandbox.

notation        numbers, times and ids as Coinbase writes them
tokens          keys, and the JWTs that clients sign with them
configurations  `order_configuration` to `OrderRequest` and back
orders          orders, fills and accounts as Coinbase shows them
products        instruments, prices, books, trades and candles, likewise
calls           one REST request, read: who asks, for what; `Problem` for an answer other than 200
limits          requests per second
market          endpoints of the market, public and with a key
trading         endpoints of an account
rest            the table of paths; turns requests into calls, and what goes wrong into answers
frames          WebSocket messages, built once for all who hear them
depth           the level2 channel's view of a book
channels        from the exchange's events to the messages of each channel
connections     one WebSocket connection: subscriptions, sequence numbers
face            all of it, on a server
"""
