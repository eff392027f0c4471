"""Work done once: within `remembering()`, an indicator asked for again over the same columns is not computed again.

A sweep evaluates hundreds of combinations over one set of candles, and most of them share their averages.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")


class Memory:
    """Results by function and arguments; the least recently used go when they hold more than `most` bytes."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0
        self.entries: OrderedDict[Hashable, tuple[tuple[Any, ...], Any]] = OrderedDict()

    def recall(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        key = (function, *map(argument_key, arguments))
        if key not in self.entries:
            self.keep(key, arguments, function(*arguments))
        self.entries.move_to_end(key)
        return self.entries[key][1]

    def keep(self, key: Hashable, arguments: tuple[Any, ...], result: Any) -> None:
        for array in list_arrays(result):
            array.flags.writeable = False  # one strategy must not change what the next one reads
        # The arguments are kept alive with the result: an address is an identity only as long as its array lives.
        self.entries[key] = (arguments, result)
        self.held += count_bytes(result)
        while self.held > self.most and len(self.entries) > 1:
            self.held -= count_bytes(self.entries.popitem(last=False)[1][1])


_memory: ContextVar[Memory | None] = ContextVar("memory", default=None)


@contextmanager
def remembering(most: int = 256 * 2**20, *, memory: Memory | None = None) -> Iterator[Memory]:
    """Within it, the results of `@remember_results` functions are kept, up to `most` bytes. The candles must not change in it.

    With a `memory` from an earlier time, what was computed then is not computed again.
    """
    memory = memory or Memory(most)
    token = _memory.set(memory)
    try:
        yield memory
    finally:
        _memory.reset(token)


def remember_results(function: Callable[P, R]) -> Callable[P, R]:
    """A pure function of arrays and numbers, given by position, whose results `remembering()` keeps."""

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        memory = _memory.get()
        return function(*args, **kwargs) if memory is None or kwargs else cast(R, memory.recall(function, args))

    return wrapper


def argument_key(argument: Any) -> Hashable:
    if isinstance(argument, np.ndarray):
        return (argument.__array_interface__["data"][0], argument.shape, argument.strides, argument.dtype.str)
    return cast(Hashable, argument)


def list_arrays(result: Any) -> Iterator[np.ndarray[Any, Any]]:
    if isinstance(result, np.ndarray):
        yield result
    elif isinstance(result, tuple):
        for part in result:
            yield from list_arrays(part)


def count_bytes(result: Any) -> int:
    return sum(array.nbytes for array in list_arrays(result))
