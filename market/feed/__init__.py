"""The feed: one socket for all symbols of a venue, kept alive, its holes filled, handed on as typed events.

wanted    what is needed now; may change while the feed runs
timing    every length of time in one place
status    what the feed says of itself: `FeedStatus` and `Incident`
backlog   between the socket and a slow handler: newest tick per symbol, every closed candle
gates     closed candles in order, without doubles, what was missed asked of the venue
silence   whether a symbol that says nothing is quiet or mute
ending    of tasks, for certain
report    how the feed tells of itself
intake    what the venue says, sorted into the backlog
polling   prices by REST while there is no socket
loop      `Feed`
"""

from market.feed.loop import Feed
from market.feed.status import FeedStatus, Incident, State
from market.feed.subscription import Subscription
from market.feed.timing import Timing

__all__ = ["Feed", "FeedStatus", "Incident", "State", "Subscription", "Timing"]
