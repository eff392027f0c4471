"""Ethereum and the chains that speak its JSON-RPC, each known by its chain id.

By hand on our HTTP client: web3 8 does not fit beside the exchanges' libraries, and of web3 7 we would use two functions. It is the
oracle of a campaign.
"""

from __future__ import annotations

import string

from Crypto.Hash import keccak

from wallets.chains.base import WatchedAddress, refuse_address


def keccak_256(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def checksum_address(address: str) -> str:
    """As EIP-55 writes it: the case of each letter is a bit of the hash."""
    small = address[2:].lower()
    digits = keccak_256(small.encode()).hex()
    return "0x" + "".join(one.upper() if int(digit, 16) > 7 else one for one, digit in zip(small, digits, strict=False))


def check_evm_address(text: str) -> WatchedAddress:
    """An address in one case has no checksum; in two cases it has to be right."""
    if len(text) != 42 or text[:2] not in ("0x", "0X") or not set(text[2:]) <= set(string.hexdigits):
        raise refuse_address("must be an address of this chain: 0x and 40 digits from 0 to f.")
    found = checksum_address(text)
    if text[2:] not in (text[2:].lower(), text[2:].upper()) and found[2:] != text[2:]:
        raise refuse_address("has a wrong checksum: a letter is wrong, or one is small that is large. Copy it again.")
    if not int(found, 16):
        raise refuse_address("is the address of nobody, where what is sent is lost.")
    return WatchedAddress(found)
