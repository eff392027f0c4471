"""Solana, with the keys of `solders` and our own HTTP."""

from __future__ import annotations

from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address

from wallets.chains.base import WatchedAddress, refuse_address

TOKEN = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
SYSTEM = Pubkey.from_string("1" * 32)
PROGRAMS = {
    SYSTEM: "the system program",
    TOKEN: "the token program",
    TOKEN_2022: "the token program of 2022",
    Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"): "the associated token program",
}


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
