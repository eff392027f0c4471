"""Solana, with the keys of `solders` and our own HTTP."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address

from wallets.chains.answers import MOST_DECIMALS, plain_name, take_list, take_moment, take_number, take_object, take_text
from wallets.chains.base import (
    NATIVE,
    Block,
    Chain,
    SeenHolding,
    SeenTransaction,
    SeenTransfer,
    SeenWallet,
    WatchedAddress,
    refuse_address,
)
from wallets.chains.errors import ChainError, TipMoved
from wallets.chains.node import CallRefused, Node

TOKEN = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
METADATA = Pubkey.from_string("metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s")
FINAL = {"commitment": "finalized"}
MOST_LAMPORTS = 2**64 - 1
MOST_HOLDINGS = 500
"""Token accounts that are read; who sends tokens to an address for nothing makes many."""
MOST_ACCOUNTS = 20
"""Token accounts whose transactions are looked for beside the wallet's own, in one reading."""
FIRST_TRANSACTIONS, MOST_TRANSACTIONS = 25, 100
"""Read at the first reading, and at most in one."""
SYSTEM = Pubkey.from_string("1" * 32)
PROGRAMS = {
    SYSTEM: "the system program",
    TOKEN: "the token program",
    TOKEN_2022: "the token program of 2022",
    Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"): "the associated token program",
}


class Solana(Chain):
    """`genesis`: the hash that says which network a node is of. Only what is finalized counts; nothing takes that back."""

    def __init__(
        self, key: str, title: str, genesis: str, endpoints: Sequence[str] = (), tokens: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(key, title, "SOL", 9, endpoints)
        self.genesis, self.tokens = genesis, dict(tokens or {})

    @property
    def known_tokens(self) -> dict[str, str]:
        return self.tokens

    def check_address(self, text: str, script: str = "") -> WatchedAddress:
        return check_solana_address(text)

    def check_node(self, node: Node) -> None:
        if node.call("getGenesisHash") != self.genesis:
            raise ChainError(f"{node.host} speaks for another chain than {self.title}: its first block is another one.")

    def holds_block(self, node: Node, block: Block) -> bool:
        return True

    def read_wallet(self, node: Node, watched: WatchedAddress, since: Block | None, contracts: Sequence[str]) -> SeenWallet:
        slot, lamports, accounts = read_accounts(node, watched.address)
        tip, remarks = Block(slot), []
        if len(accounts) > MOST_HOLDINGS:
            remarks.append(f"Of {len(accounts):,} token accounts the first {MOST_HOLDINGS:,} were read.")
        holdings = read_holdings(node, accounts[:MOST_HOLDINGS], set(contracts))
        owned = [name for name, _, units, _ in accounts if units][:MOST_ACCOUNTS]
        transactions, whole = read_transactions(node, watched.address, owned, since, tip)
        if not whole:
            remarks.append(f"There are more new transactions than the {MOST_TRANSACTIONS} that were read.")
        coin = SeenHolding(NATIVE, lamports, self.decimals, self.coin, self.title)
        return SeenWallet(tip, [coin, *holdings], transactions, remarks)


def check_solana_address(text: str) -> WatchedAddress:
    """A token account, and what else no key belongs to, is refused: its tokens are those of its owner."""
    try:
        found = Pubkey.from_string(text)
    except ValueError:
        raise refuse_address("must be an address of Solana: 32 bytes in base58, of 32 to 44 letters and digits.") from None
    if found in PROGRAMS:
        raise refuse_address(f"is {PROGRAMS[found]}, which is nobody's wallet.")
    if not found.is_on_curve():
        raise refuse_address("is an account that a program owns, such as one of a token. Give the address of the wallet itself.")
    return WatchedAddress(str(found))


def token_account(owner: str, mint: str, *, program: Pubkey = TOKEN) -> str:
    """Where the owner's wallet keeps a token, unless it was made to keep it elsewhere."""
    return str(get_associated_token_address(Pubkey.from_string(owner), Pubkey.from_string(mint), program))


# ---------------------------------------------------------------- holdings

TokenAccount = tuple[str, str, int, int]
"""Its address, the token's, what is in it, and the token's decimals."""


def read_accounts(node: Node, address: str) -> tuple[int, int, list[TokenAccount]]:
    """Slot, lamports and token accounts of both token programs, which have to be asked for one by one, all of one slot."""
    options = {"encoding": "jsonParsed"} | FINAL
    asked = [("getTokenAccountsByOwner", [address, {"programId": str(program)}, options]) for program in (TOKEN, TOKEN_2022)]
    answers = []
    for answer in node.call_all([("getBalance", [address, FINAL]), *asked]):
        if isinstance(answer, CallRefused):
            raise answer
        answers.append(take_object(answer, "a balance"))
    slots = {take_number(take_object(one.get("context"), "a slot").get("slot"), "a slot") for one in answers}
    if len(slots) != 1:
        raise TipMoved("The chain went on while the accounts were read.")
    lamports = take_number(answers[0].get("value"), "a balance", most=MOST_LAMPORTS)
    accounts = [account_of(one, address) for answer in answers[1:] for one in take_list(answer.get("value"), "its token accounts")]
    return slots.pop(), lamports, accounts


def account_of(answer: Any, owner: str) -> TokenAccount:
    """Amounts by the text that is exact; the node's `uiAmount` is a float."""
    body = take_object(answer, "a token account")
    data = take_object(take_object(body.get("account"), "a token account").get("data"), "a token account as it was asked for")
    info = take_object(take_object(data.get("parsed"), "a token account").get("info"), "a token account")
    if info.get("owner") != owner:
        raise ChainError("A node answers with somebody else's token account.")
    amount = take_object(info.get("tokenAmount"), "a token's amount")
    return (
        take_text(body.get("pubkey"), "a token account's address"),
        key_text(info.get("mint")),
        take_number(amount.get("amount"), "a token's amount", most=MOST_LAMPORTS),
        take_number(amount.get("decimals"), "a token's decimals", most=MOST_DECIMALS),
    )


def key_text(value: Any) -> str:
    try:
        return str(Pubkey.from_string(take_text(value, "an address")))
    except ValueError:
        raise ChainError("A node answers with an address that is none.") from None


def read_holdings(node: Node, accounts: Sequence[TokenAccount], named: set[str]) -> list[SeenHolding]:
    """By token; those that are not `named` yet are asked for their names."""
    units: Counter[str] = Counter()
    decimals = {}
    for _, mint, amount, places in accounts:
        units[mint] += amount
        decimals[mint] = places
    held = [mint for mint in units if units[mint]]
    names = read_names(node, [mint for mint in held if mint not in named])
    return [SeenHolding(mint, units[mint], decimals[mint], *names.get(mint, ("", ""))) for mint in held]


def read_names(node: Node, mints: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Symbol and name by token, as whoever made it wrote them: beside the token, or in it."""
    found: dict[str, tuple[str, str]] = {}
    for start in range(0, len(mints), 100):
        part = mints[start : start + 100]
        beside = read_many(node, [metadata_account(mint) for mint in part], "base64")
        inside = read_many(node, part, "jsonParsed")
        for mint, outer, inner in zip(part, beside, inside, strict=True):
            found[mint] = names_beside(outer) or names_inside(inner) or ("", "")
    return found


def read_many(node: Node, addresses: Sequence[str], encoding: str) -> list[Mapping[str, Any]]:
    """An empty object in place of an account that there is not."""
    answer = take_object(node.call("getMultipleAccounts", list(addresses), {"encoding": encoding} | FINAL), "its accounts")
    rows = [one if isinstance(one, Mapping) else {} for one in take_list(answer.get("value"), "its accounts")]
    if len(rows) != len(addresses):
        raise ChainError("A node left out an account.")
    return rows


def metadata_account(mint: str) -> str:
    """Where the usual program for names of tokens keeps them."""
    seeds = [b"metadata", bytes(METADATA), bytes(Pubkey.from_string(mint))]
    return str(Pubkey.find_program_address(seeds, METADATA)[0])


def names_beside(account: Mapping[str, Any]) -> tuple[str, str] | None:
    """After 65 bytes of keys stand name and symbol, each with its length before it and zeros after it."""
    if account.get("owner") != str(METADATA):
        return None
    try:
        data = base64.b64decode(account["data"][0], validate=True)
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    texts, place = [], 65
    for _ in range(2):
        length = int.from_bytes(data[place : place + 4], "little")
        texts.append(plain_name(data[place + 4 : place + 4 + length].rstrip(b"\0").decode("utf-8", "replace")))
        place += 4 + length
    return texts[1], texts[0]


def names_inside(account: Mapping[str, Any]) -> tuple[str, str] | None:
    """Of tokens of 2022."""
    data = account.get("data")
    parsed = data.get("parsed") if isinstance(data, Mapping) else None
    info = parsed.get("info") if isinstance(parsed, Mapping) else None
    extensions = info.get("extensions") if isinstance(info, Mapping) else None
    for one in extensions if isinstance(extensions, list) else ():
        state = one.get("state") if isinstance(one, Mapping) and one.get("extension") == "tokenMetadata" else None
        if isinstance(state, Mapping):
            return plain_name(str(state.get("symbol", ""))), plain_name(str(state.get("name", "")))
    return None


# ---------------------------------------------------------------- transactions


def read_transactions(
    node: Node, address: str, accounts: Sequence[str], since: Block | None, tip: Block
) -> tuple[list[SeenTransaction], bool]:
    """Those after `since`, oldest first, and whether that is all of them. What comes into a token account does not name its owner,
    so each is asked for its own."""
    found: dict[str, Mapping[str, Any]] = {}
    most = MOST_TRANSACTIONS if since else FIRST_TRANSACTIONS
    whole = True
    for name in (address, *accounts):
        rows = take_list(node.call("getSignaturesForAddress", name, {"limit": most} | FINAL), "its transactions")
        new = [one for one in map(signature_of, rows) if tip.number >= slot_of(one) > (since.number if since else -1)]
        whole = whole and (since is None or len(new) < most)
        found |= {one["signature"]: one for one in new}
    newest = sorted(found, key=lambda one: slot_of(found[one]), reverse=True)[:most]
    options = {"encoding": "jsonParsed", "maxSupportedTransactionVersion": 0} | FINAL
    answers = node.call_all([("getTransaction", [signature, options]) for signature in newest])
    seen = [transaction_of(name, answer, address) for name, answer in zip(newest, answers, strict=True)]
    return seen[::-1], whole and (since is None or len(found) <= most)


def signature_of(row: Any) -> Mapping[str, Any]:
    body = take_object(row, "a transaction")
    take_text(body.get("signature"), "a transaction's signature")
    return body


def slot_of(row: Mapping[str, Any]) -> int:
    return take_number(row.get("slot"), "a transaction's slot")


def transaction_of(txid: str, answer: Any, address: str) -> SeenTransaction:
    """By what its accounts had before and after it."""
    if isinstance(answer, CallRefused):
        raise answer
    body = take_object(answer, "a transaction")
    meta = take_object(body.get("meta"), "what a transaction did")
    message = take_object(take_object(body.get("transaction"), "a transaction").get("message"), "a transaction's message")
    keys = [one.get("pubkey") if isinstance(one, Mapping) else one for one in take_list(message.get("accountKeys"), "its accounts")]
    moved: Counter[str] = Counter()
    for side, sign in (("pre", -1), ("post", 1)):
        for contract, units in balances_of(meta, side, keys, address):
            moved[contract] += sign * units
    fee = take_number(meta.get("fee"), "a fee", most=MOST_LAMPORTS) if keys[:1] == [address] else 0
    transfers = tuple(SeenTransfer(contract, units) for contract, units in moved.items() if units)
    return SeenTransaction(
        txid, Block(slot_of(body)), take_moment(body.get("blockTime")), transfers, fee, meta.get("err") is not None
    )


def balances_of(meta: Mapping[str, Any], side: str, keys: Sequence[Any], address: str) -> Iterator[tuple[str, int]]:
    """What the address had of the coin and of each token on one side of a transaction."""
    lamports = take_list(meta.get(f"{side}Balances"), "its balances")
    if address in keys and keys.index(address) < len(lamports):
        yield NATIVE, take_number(lamports[keys.index(address)], "a balance", most=MOST_LAMPORTS)
    for row in take_list(meta.get(f"{side}TokenBalances") or [], "its token balances"):
        body = take_object(row, "a token balance")
        if body.get("owner") == address:
            amount = take_object(body.get("uiTokenAmount"), "a token balance").get("amount")
            yield key_text(body.get("mint")), take_number(amount, "a token balance", most=MOST_LAMPORTS)
