"""Whatever a venue says, nothing leaves the port but its own errors, no good row or event is lost, and an order can be cancelled
after it: each field of each answer and frame that the sandbox gives, changed in each way. All of them with -m mutation, otherwise a
sample."""

from __future__ import annotations

import random

import pytest

from tests.market.exchanges.mutation.mutations import KINDS, Cell
from tests.market.exchanges.mutation.recording import METHODS, record_calls, record_frames
from tests.market.exchanges.mutation.replaying import list_cells, run_cells
from tests.market.exchanges.venues import Desk, Venue

SEED = 20_261_128
SAMPLE = 250
LEAST = 2_500
"""Mutated answers of one venue in a whole run."""


@pytest.mark.mutation
@pytest.mark.parametrize("venue", ["binance", "coinbase"])
async def test_no_answer_hides_another_or_gets_past_the_port(desk: Desk, venue: Venue, pytestconfig: pytest.Config) -> None:
    recording = await record_calls(desk, venue)
    await record_frames(desk, recording)
    cells = list_cells(recording)
    assert len(cells) >= LEAST
    check_table(venue, cells)
    if "mutation" not in str(pytestconfig.option.markexpr):
        cells = random.Random(SEED).sample(cells, SAMPLE)
    replay = await run_cells(recording, desk.redis, cells)
    print(table(replay.tried), "Streams that ended before their time:", table(replay.ended), sep="\n")
    assert not replay.faults, "\n".join([f"{len(replay.faults)} of {len(cells)}:", *replay.faults[:50]])
    assert replay.tried.total() == len(cells)


def check_table(venue: Venue, cells: list[Cell]) -> None:
    """No method without each kind of mutation."""
    for method in (*METHODS, "market_stream", "user_stream"):
        kinds = {cell.kind for cell in cells if cell.method == method}
        assert kinds >= KINDS.keys() - {"bad row"}, (venue, method)


def table(tried: dict[tuple[str, str], int]) -> str:
    """Method by kind: how many fields were changed."""
    names = sorted({name for name, _ in tried})
    rows = [[name, *(str(tried.get((name, kind), 0)) for kind in KINDS)] for name in names]
    return "\n".join("".join([f"{row[0]:26}", *(f"{one:>10}" for one in row[1:])]) for row in [["", *KINDS], *rows])
