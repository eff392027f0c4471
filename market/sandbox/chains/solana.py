"""A chain of Solana's kind: lamports and token accounts of both token programs, and the transactions that made them so."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.token.associated import get_associated_token_address

from market.sandbox.chains.rpc import Method, RpcNode

GENESIS = "4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY"
TOKEN, TOKEN_2022 = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"
FEE = 5_000
FIRST_MOMENT, SLOT_SECONDS = 1_764_000_000, 0.4
SOMEBODY = "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM"


@dataclass
class Mint:
    symbol: str
    name: str
    decimals: int
    program: str = TOKEN


@dataclass
class TokenAccount:
    pubkey: str
    mint: str
    owner: str
    units: int = 0


class SolanaNode(RpcNode):
    path = "/chains/solana"

    def __init__(self) -> None:
        super().__init__()
        self.genesis, self.slot = GENESIS, 1_000
        self.mints: dict[str, Mint] = {}
        self.lamports: dict[str, int] = {}
        self.accounts: dict[str, TokenAccount] = {}
        self.transactions: list[dict[str, Any]] = []

    def give(self, owner: str, lamports: int) -> str:
        """Somebody else sends lamports."""
        return self.send(SOMEBODY, owner, lamports)

    def send(self, sender: str, owner: str, lamports: int, *, failed: bool = False) -> str:
        before = dict(self.lamports)
        self.lamports.setdefault(SOMEBODY, 10**18)
        self.lamports[sender] = self.lamports.get(sender, 0) - FEE - (0 if failed else lamports)
        self.lamports[owner] = self.lamports.get(owner, 0) + (0 if failed else lamports)
        return self.write([sender, owner], before | {SOMEBODY: before.get(SOMEBODY, 10**18)}, {}, failed=failed)

    def move(self, mint: str, owner: str, units: int) -> str:
        """Somebody else sends a token, or takes it where `units` are below zero. The transaction does not name the owner where its
        account was there before."""
        kept = self.mints[mint]
        name = str(get_associated_token_address(*map(Pubkey.from_string, (owner, mint, kept.program))))
        first = name not in self.accounts
        account = self.accounts.setdefault(name, TokenAccount(name, mint, owner))
        before = account.units
        account.units += units
        self.lamports.setdefault(SOMEBODY, 10**18)
        lamports = dict(self.lamports)
        self.lamports[SOMEBODY] -= FEE
        return self.write([SOMEBODY, name, *([owner] if first else [])], lamports, {} if first else {name: before})

    def write(self, keys: list[str], lamports: Mapping[str, int], units: Mapping[str, int], *, failed: bool = False) -> str:
        """Notes a transaction by what was before it."""
        self.slot += 1
        seed = f"{self.slot}:{len(self.transactions)}".encode()
        signature = str(Signature(hashlib.sha512(seed).digest()))
        after = {key: self.accounts[key].units for key in keys if key in self.accounts}
        self.transactions.append(
            {
                "signature": signature,
                "slot": self.slot,
                "keys": keys,
                "err": {"InstructionError": [0, {"Custom": 1}]} if failed else None,
                "pre": [lamports.get(key, 0) for key in keys],
                "post": [self.lamports.get(key, 0) for key in keys],
                "pre_tokens": list(self.token_rows(keys, units)),
                "post_tokens": list(self.token_rows(keys, after)),
            }
        )
        return signature

    def token_rows(self, keys: list[str], units: Mapping[str, int]) -> Iterator[dict[str, Any]]:
        for index, key in enumerate(keys):
            if key in units:
                account = self.accounts[key]
                amount = amount_body(units[key], self.mints[account.mint].decimals)
                yield {"accountIndex": index, "mint": account.mint, "owner": account.owner, "uiTokenAmount": amount}

    def methods(self) -> Mapping[str, Method]:
        return {
            "getGenesisHash": lambda: self.genesis,
            "getHealth": lambda: "ok",
            "getSlot": lambda *_: self.slot,
            "getBalance": lambda address, *_: self.at_slot(self.lamports.get(address, 0)),
            "getTokenAccountsByOwner": self.get_token_accounts,
            "getMultipleAccounts": lambda addresses, *_: self.at_slot([self.mint_account(one) for one in addresses]),
            "getSignaturesForAddress": self.get_signatures,
            "getTransaction": self.get_transaction,
        }

    def at_slot(self, value: Any) -> dict[str, Any]:
        return {"context": {"apiVersion": "2.2.0", "slot": self.slot}, "value": value}

    def get_token_accounts(self, owner: str, chosen: Mapping[str, str], *_: Any) -> dict[str, Any]:
        program = chosen["programId"]
        rows = [one for one in self.accounts.values() if one.owner == owner and self.mints[one.mint].program == program]
        return self.at_slot([self.account_body(one) for one in rows])

    def account_body(self, account: TokenAccount) -> dict[str, Any]:
        mint = self.mints[account.mint]
        amount = amount_body(account.units, mint.decimals)
        info = {"isNative": False, "mint": account.mint, "owner": account.owner, "state": "initialized", "tokenAmount": amount}
        space = 165 if mint.program == TOKEN else 170
        kind = "spl-token" if mint.program == TOKEN else "spl-token-2022"
        data = {"program": kind, "parsed": {"info": info, "type": "account"}, "space": space}
        body = {
            "data": data,
            "executable": False,
            "lamports": 2_039_280,
            "owner": mint.program,
            "rentEpoch": 2**64 - 1,
            "space": space,
        }
        return {"pubkey": account.pubkey, "account": body}

    def mint_account(self, address: str) -> dict[str, Any] | None:
        """Of a token of 2022 its name is in it; of others it is beside it, which this node does not have."""
        mint = self.mints.get(address)
        if mint is None:
            return None
        info: dict[str, Any] = {"decimals": mint.decimals, "supply": "1000000000", "isInitialized": True}
        if mint.program == TOKEN_2022:
            state = {"mint": address, "name": mint.name, "symbol": mint.symbol, "uri": "", "additionalMetadata": []}
            info["extensions"] = [{"extension": "tokenMetadata", "state": state}]
        return {"owner": mint.program, "lamports": 1, "data": {"program": "spl-token", "parsed": {"info": info, "type": "mint"}}}

    def get_signatures(self, address: str, options: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        rows = [one for one in reversed(self.transactions) if address in one["keys"]]
        body = {"memo": None, "confirmationStatus": "finalized"}
        return [
            {"signature": one["signature"], "slot": one["slot"], "err": one["err"], "blockTime": moment_of(one["slot"]), **body}
            for one in rows[: (options or {}).get("limit", 1_000)]
        ]

    def get_transaction(self, signature: str, *_: Any) -> dict[str, Any] | None:
        found = next((one for one in self.transactions if one["signature"] == signature), None)
        if found is None:
            return None
        keys = [
            {"pubkey": key, "signer": not index, "source": "transaction", "writable": True}
            for index, key in enumerate(found["keys"])
        ]
        balances = {"preBalances": found["pre"], "postBalances": found["post"]}
        tokens = {"preTokenBalances": found["pre_tokens"], "postTokenBalances": found["post_tokens"]}
        return {
            "slot": found["slot"],
            "blockTime": moment_of(found["slot"]),
            "version": 0,
            "meta": {"err": found["err"], "fee": FEE, **balances, **tokens},
            "transaction": {"signatures": [signature], "message": {"accountKeys": keys, "instructions": []}},
        }


def moment_of(slot: int) -> int:
    return int(FIRST_MOMENT + slot * SLOT_SECONDS)


def amount_body(units: int, decimals: int) -> dict[str, Any]:
    shown = units / 10**decimals
    return {"amount": str(units), "decimals": decimals, "uiAmount": shown, "uiAmountString": str(shown)}
