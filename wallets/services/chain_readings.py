"""Readings of chains: begun, kept whole or marked failed, and compared with the one before."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from access.people import Person
from core.errors import Conflict
from wallets.chains.base import NATIVE, Block, Chain, SeenHolding, SeenTransaction
from wallets.chains.errors import ChainError
from wallets.chains.reading import ChainAnswer, read_from_nodes
from wallets.chains.registry import chain_get
from wallets.holdings import chain_urls, holding_text, known_contracts, watched_address, whole_readings
from wallets.models import (
    ChainHolding,
    ChainReading,
    ChainToken,
    ChainTransaction,
    ChainTransfer,
    ChainWatch,
    Wallet,
)
from wallets.services.watches import watch_ask

logger = logging.getLogger(__name__)
State = ChainReading.State
INTERRUPTED = timedelta(minutes=10)
"""After which a reading that did not end never will."""
KEPT = timedelta(days=90)
LONGEST_ERROR = 400
Tokens = dict[str, ChainToken]


def watch_read(*, wallet: Wallet, user: Person = None) -> ChainReading:
    """Reads the chain now. What it says is kept whole; where nothing whole is to be had, the reading is marked failed, and what the
    last one said stays. `Conflict` while another one runs."""
    watch = watch_ask(wallet=wallet, user=user)
    reading = reading_begin(wallet)
    try:
        marks = whole_readings(wallet)
        chain = chain_get(watch.chain)
        answer = read_from_nodes(chain, chain_urls(chain.key), watched_address(watch), [*marks], known_contracts(wallet, chain.key))
        reading_keep(reading, watch, chain, answer, marks.get(answer.since) if answer.since else None)
    except (ChainError, Conflict) as error:
        reading_fail(reading, watch, str(error))
    except Exception:
        reading_fail(reading, watch, "The desk failed at this reading. Its log says why.")
        raise
    return reading


def reading_begin(wallet: Wallet) -> ChainReading:
    now = timezone.now()
    stale = wallet.chain_readings.filter(state=State.RUNNING, started_at__lt=now - INTERRUPTED)
    stale.update(state=State.FAILED, ended_at=now, error="It was interrupted.")
    kept = [pk for pk in (wallet.watch.whole_id, wallet.watch.last_id) if pk]
    wallet.chain_readings.filter(started_at__lt=now - KEPT).exclude(pk__in=kept).delete()
    try:
        with transaction.atomic():
            return ChainReading.objects.create(wallet=wallet)
    except IntegrityError:
        raise Conflict(f"{wallet.name} is being read just now. Look again in a moment.") from None


def reading_fail(reading: ChainReading, watch: ChainWatch, error: str) -> None:
    logger.warning("%s could not be read: %s", reading.wallet.name, error)
    reading_end(reading, State.FAILED, error=error[:LONGEST_ERROR])
    watch_point(watch, last=reading)


def reading_end(reading: ChainReading, state: str, **values: Any) -> None:
    given = values | {"state": state, "ended_at": timezone.now()}
    for name, value in given.items():
        setattr(reading, name, value)
    reading.save(update_fields=list(given))


def watch_point(watch: ChainWatch, **readings: ChainReading) -> None:
    for name, value in readings.items():
        setattr(watch, name, value)
    watch.save(update_fields=list(readings))


@transaction.atomic
def reading_keep(reading: ChainReading, watch: ChainWatch, chain: Chain, answer: ChainAnswer, before: ChainReading | None) -> None:
    """Takes in what was seen, all of it or nothing."""
    seen, wallet = answer.seen, reading.wallet
    tokens, remarks = tokens_ensure(chain, seen.holdings, seen.transactions)
    units = {tokens[one.contract]: one.units for one in seen.holdings}
    units |= held_silently(wallet, seen.silent)
    taken_back = transactions_keep(wallet, tokens, seen.transactions, answer.since)
    if watch.whole and before is None:
        remarks.append("No earlier reading is part of the chain any more: nothing was compared.")
    reading_end(
        reading,
        State.WHOLE,
        endpoint=answer.host,
        block=seen.block.number,
        block_hash=seen.block.mark,
        units={str(token.pk): str(amount) for token, amount in units.items()},
        differences=compare_readings(before, units, seen.transactions, tokens) if before else [],
        taken_back=taken_back,
        remarks=[*seen.remarks, *remarks],
    )
    pending = {tokens[one.contract]: one.pending for one in seen.holdings}
    holdings_replace(wallet, units, pending)
    watch_point(watch, whole=reading, last=reading)


def tokens_ensure(
    chain: Chain, holdings: Sequence[SeenHolding], transactions: Sequence[SeenTransaction]
) -> tuple[Tokens, list[str]]:
    """The rows of all tokens that were seen, new ones included. What a token says of itself is taken once: it may say otherwise
    tomorrow, and is then said to."""
    told = {one.contract: one for one in holdings}
    contracts = {*told, *(one.contract for each in transactions for one in each.transfers)}
    found: Tokens = {row.contract: row for row in ChainToken.objects.filter(chain=chain.key, contract__in=contracts)}
    remarks = []
    for contract in sorted(contracts):
        row, holding = found.get(contract), told.get(contract)
        if row is None:
            found[contract] = token_create(chain, contract, holding)
        elif holding and row.decimals is None and holding.decimals is not None:
            row.symbol, row.name, row.decimals = holding.symbol, holding.name, holding.decimals
            row.save(update_fields=["symbol", "name", "decimals"])
        elif holding and holding.decimals != row.decimals:
            remarks.append(f"{row} says other decimals than before; it counts with those that it said first.")
    return found, remarks


def token_create(chain: Chain, contract: str, holding: SeenHolding | None) -> ChainToken:
    asset = chain.coin if contract == NATIVE else chain.known_tokens.get(contract, "")
    said = {"symbol": holding.symbol, "name": holding.name, "decimals": holding.decimals} if holding else {}
    said |= {"symbol": asset or "coin", "name": chain.title, "decimals": chain.decimals} if contract == NATIVE else {}
    # Two wallets of one chain may be read at once.
    return ChainToken.objects.get_or_create(chain=chain.key, contract=contract, defaults=said | {"asset": asset})[0]


def held_silently(wallet: Wallet, silent: frozenset[str]) -> dict[ChainToken, int]:
    """Tokens that did not answer this time: what nobody trusts stays as it was, and without what a person trusts a reading is not
    whole."""
    held = {one.token: int(one.units) for one in wallet.chain_holdings.select_related("token") if one.token.contract in silent}
    for token in held:
        if token.asset:
            raise ChainError(f"{token.asset} did not say what the address has of it.")
    return held


def transactions_keep(wallet: Wallet, tokens: Tokens, seen: Sequence[SeenTransaction], since: Block | None) -> int:
    """Writes those that are new, and answers how many of a part of the chain that is gone were taken back."""
    again = {one.txid for one in seen}
    later = wallet.chain_transactions.filter(block__gt=since.number) if since else wallet.chain_transactions.filter(txid__in=again)
    taken_back = later.exclude(txid__in=again).count()
    later.delete()
    rows = ChainTransaction.objects.bulk_create(
        ChainTransaction(
            wallet=wallet,
            txid=one.txid,
            block=one.block.number,
            block_hash=one.block.mark,
            ts=one.at,
            fee=Decimal(one.fee),
            failed=one.failed,
        )
        for one in seen
    )
    ChainTransfer.objects.bulk_create(
        ChainTransfer(transaction=row, token=tokens[moved.contract], units=Decimal(moved.units))
        for row, one in zip(rows, seen, strict=True)
        for moved in one.transfers
    )
    return taken_back


def compare_readings(
    before: ChainReading, units: Mapping[ChainToken, int], seen: Sequence[SeenTransaction], tokens: Tokens
) -> list[dict[str, str]]:
    """By token: the change since the reading before, what the transactions in between make of it, and the rest, where there is
    one."""
    had = {int(pk): int(amount) for pk, amount in before.units.items()}
    explained: Counter[ChainToken] = Counter()
    for one in seen:
        for moved in one.transfers:
            explained[tokens[moved.contract]] += moved.units
    named = {token.pk: token for token in [*units, *explained]} | ChainToken.objects.in_bulk(list(had))
    found = []
    for pk, token in sorted(named.items()):
        change = units.get(token, 0) - had.get(pk, 0)
        if rest := change - explained[token]:
            sums = {"change": change, "seen": explained[token], "rest": rest}
            found.append({"token": str(token)} | {name: holding_text(Decimal(value), token) for name, value in sums.items()})
    return found


def holdings_replace(wallet: Wallet, units: Mapping[ChainToken, int], pending: Mapping[ChainToken, int]) -> None:
    wallet.chain_holdings.all().delete()
    ChainHolding.objects.bulk_create(
        ChainHolding(wallet=wallet, token=token, units=Decimal(amount), pending=Decimal(pending.get(token, 0)))
        for token, amount in units.items()
        if amount or pending.get(token) or token.contract == NATIVE
    )
