"""The exchange accounts of one venue in a stream worker: opened as bots need them, and let go when their key is.

Accounts come and go on the loop. What a bot or a page asks about one may be asked from any thread.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from core.errors import DomainError
from market.exchanges.base import Balance, ExchangeError, Refused
from market.feed import Incident
from trading.live.account import AccountWorker, prepare_account
from trading.live.balances import AccountBalances
from trading.live.clock import VenueClock
from trading.live.desired_state import DesiredState, fingerprint_key, make_endpoint
from trading.live.executor import Executor
from trading.live.facilities import Facilities
from trading.live.reconciler import OrderOwners, Reconciler
from trading.live.threads import ANY, LOOP, called_from
from trading.services.accounts import account_alert
from trading.services.lease import Lease
from wallets.models import Wallet

logger = logging.getLogger(__name__)

AGAIN_SECONDS, SHUT_SECONDS = 2.0, 60.0
"""Until an account that could not be used is tried again: by itself, and where a person must act."""


@called_from(LOOP)
class AccountPool:
    def __init__(
        self,
        key: str,
        facilities: Facilities,
        find_lease: Callable[[], Lease],
        owners: OrderOwners,
        report_incident: Callable[[Incident], None],
        doubt_listing: Callable[[], None],
    ) -> None:
        """`key`: the venue's. `find_lease`: the present one of the venue, asked for from any thread. `doubt_listing`: see
        `VenueListing`."""
        self.key, self.facilities, self.owners = key, facilities, owners
        self.find_venue_lease, self.report_incident, self.doubt_listing = find_lease, report_incident, doubt_listing
        self.in_thread = facilities.pools.in_thread
        self.accounts: dict[int, AccountWorker] = {}
        """By the account's primary key."""
        self.shut_until: dict[str, float] = {}
        """When a key that could not be used is tried again (monotonic): see `desired_state.fingerprint_key`."""
        self.drifts: Mapping[int, str] = {}
        """How the books of accounts and the venue differ, where that keeps their bots from buying; by the account's primary key."""
        self.refusals: dict[int, str] = {}
        """Why an account cannot be used, by its primary key."""

    async def follow(self, desired: DesiredState) -> None:
        """A key that has been refused, taken away or replaced is let go at once: nothing more is sent or asked with it. What rests
        at the venue stays there. One that the venue has ceased to take is tried again later."""
        self.drifts = desired.drifts
        for account_id, account in list(self.accounts.items()):
            if desired.keys.get(account_id) != fingerprint_key(account.wallet):
                await self.let_go(account_id, "its key was refused or taken away.")
            elif why := account.executor.unauthorised:
                self.shut_until[desired.keys[account_id]] = time.monotonic() + SHUT_SECONDS
                await self.in_thread(account_alert, account.wallet.account, await self.let_go(account_id, why))
        for wallet in desired.wallets:
            account_id = wallet.account_id or 0
            if account_id not in self.accounts and time.monotonic() >= self.shut_until.get(desired.keys[account_id], 0.0):
                await self.open(wallet, desired.keys[account_id])

    async def let_go(self, account_id: int, why: str) -> str:
        """Returns what its bots say from now on."""
        account = self.accounts.pop(account_id)
        self.refusals[account_id] = f"{account.wallet.name} cannot be used: {why}"
        logger.warning("%s", self.refusals[account_id])
        await account.stop()
        return self.refusals[account_id]

    async def open(self, wallet: Wallet, key: str) -> None:
        """An account that cannot be used is tried again later, and is no trouble to the others at this venue."""
        account_id = wallet.account_id or 0
        try:
            self.accounts[account_id] = await self.connect(wallet)
        except (ExchangeError, DomainError, OSError) as error:
            # Where a person must act, asking again soon is of no use, and venues ban who asks with a wrong key.
            wait = SHUT_SECONDS if isinstance(error, Refused | DomainError) else AGAIN_SECONDS
            self.shut_until[key] = time.monotonic() + wait
            if self.refusals.get(account_id) != (message := f"{wallet.name} cannot be used: {error}"):
                self.refusals[account_id] = message
                logger.warning("%s", message)
                if wait == SHUT_SECONDS:
                    await self.in_thread(account_alert, wallet.account, message)
        else:
            self.refusals.pop(account_id, None)
            self.accounts[account_id].start()

    async def connect(self, wallet: Wallet) -> AccountWorker:
        """Connects with the account's key. Raises what keeps it from being used."""
        endpoint = await self.in_thread(make_endpoint, wallet)
        exchange = self.facilities.connect(endpoint)
        try:
            await exchange.connect()
            balances = AccountBalances(self.facilities.open_cache(endpoint, exchange))
            note_fills, doubt = balances.add_fills, self.doubt_listing
            executor = Executor(exchange, self.key, self.find_venue_lease, self.in_thread, note_fills, wallet.pk, doubt)
            reconciler = Reconciler(wallet, exchange, executor, self.owners, self.in_thread)
            clock = VenueClock(exchange, self.key, wallet.name, self.in_thread)
            symbols = [symbol for runner in self.owners.list_of_wallet(wallet.pk) for symbol in runner.symbols]
            await prepare_account(wallet, exchange, balances, symbols, self.in_thread)
        except BaseException:
            await exchange.close()
            raise
        return AccountWorker(wallet, exchange, executor, balances, reconciler, clock, self.report_incident)

    def revive(self) -> None:
        for account in list(self.accounts.values()):
            account.revive()

    async def stop(self) -> None:
        for account in self.accounts.values():
            await account.stop()

    @called_from(*ANY)
    def find(self, account_id: int) -> AccountWorker | None:
        return self.accounts.get(account_id)

    @called_from(*ANY)
    def explain_not_ready(self, account_id: int) -> str:
        """Why its bots may not decide at present; empty: they may."""
        account = self.accounts.get(account_id)
        if account is not None and account.reconciler.ready:
            return ""
        trouble = account.reconciler.describe_trouble() if account else self.refusals.get(account_id)
        return trouble or "recovering: the account's orders are being compared with the venue's"

    @called_from(*ANY)
    def find_balances(self, account_id: int) -> Mapping[str, Balance] | None:
        """What the account has at the venue, by asset; None: that is not known."""
        account = self.accounts.get(account_id)
        return account.balances.find_all() if account else None

    @called_from(*ANY)
    def find_lease(self, account_id: int) -> Lease | None:
        """By which the account's orders can be sent at once; None: they cannot."""
        return self.find_venue_lease() if account_id in self.accounts else None

    @called_from(*ANY)
    def explain_drift(self, account_id: int) -> str:
        """Why its bots make no entries; empty: they do."""
        return self.drifts.get(account_id, "")

    @called_from(*ANY)
    def describe_fault(self) -> str:
        """What does not work with one of the accounts, for a person; empty: nothing."""
        return next((fault for account in list(self.accounts.values()) if (fault := account.describe_fault())), "")
