"""The running desk: what drives bots, from a candle or tick to the services that write it down."""
