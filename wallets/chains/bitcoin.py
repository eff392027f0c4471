"""Bitcoin by address or extended public key, with balances from an Esplora server."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from Crypto.Hash import RIPEMD160

from wallets.chains.base import WatchedAddress, refuse_address
from wallets.chains.base58 import base58check_decode, base58check_encode
from wallets.chains.bech32 import segwit_decode, segwit_encode
from wallets.chains.extended_keys import extended_key_read, taproot_key

LEGACY, NESTED, WITNESS, TAPROOT = "p2pkh", "p2sh-p2wpkh", "p2wpkh", "p2tr"
SCRIPTS = (LEGACY, NESTED, WITNESS, TAPROOT)


@dataclass(frozen=True, slots=True)
class Network:
    """What its addresses begin with. `extended`: by the version of an extended public key, the scripts that it is used for; the
    plain version serves three kinds of wallets."""

    prefix: str
    key_hash: int
    script_hash: int
    extended: dict[bytes, tuple[str, ...]]


PLAIN = (LEGACY, WITNESS, TAPROOT)
MAIN = Network(
    "bc",
    0x00,
    0x05,
    {
        bytes.fromhex("0488b21e"): PLAIN,
        bytes.fromhex("049d7cb2"): (NESTED,),
        bytes.fromhex("04b24746"): (WITNESS,),
    },
)
TESTS = {
    bytes.fromhex("043587cf"): PLAIN,
    bytes.fromhex("044a5262"): (NESTED,),
    bytes.fromhex("045f1cf6"): (WITNESS,),
}
TEST, LOCAL = Network("tb", 0x6F, 0xC4, TESTS), Network("bcrt", 0x6F, 0xC4, TESTS)


def check_bitcoin_address(network: Network, text: str, script: str = "") -> WatchedAddress:
    """An address in any of its forms, or an extended public key."""
    if text[1:4] == "pub":
        return check_extended_key(network, text, script)
    if script:
        raise refuse_address("is one address, which says itself what it is; a kind of script is for an extended public key.")
    address = text.lower() if text[: len(network.prefix) + 1].lower() == f"{network.prefix}1" else text
    try:
        script_of(network, text)
    except ValueError as error:
        raise refuse_address(f"is no address of this chain. {error}") from None
    return WatchedAddress(address)


def check_extended_key(network: Network, text: str, script: str) -> WatchedAddress:
    try:
        key = extended_key_read(text)
    except ValueError as error:
        raise refuse_address(f"is no extended public key. {error}") from None
    if key.version not in network.extended:
        raise refuse_address("is an extended key of another network, or of several signers, which is not read.")
    if script and script not in SCRIPTS:
        raise refuse_address(f"can be looked for as {', '.join(SCRIPTS)}.")
    return WatchedAddress(text, (script,) if script else network.extended[key.version])


def script_of(network: Network, address: str) -> bytes:
    """What an output to the address is locked with. `ValueError` says what is wrong."""
    if address.lower().startswith(f"{network.prefix}1"):
        version, program = segwit_decode(network.prefix, address)
        return bytes([version + 0x50 if version else 0, len(program)]) + program
    data = base58check_decode(address)
    if len(data) != 21:
        raise ValueError("It has the wrong length.")
    if data[0] == network.key_hash:
        return b"\x76\xa9\x14" + data[1:] + b"\x88\xac"
    if data[0] == network.script_hash:
        return b"\xa9\x14" + data[1:] + b"\x87"
    raise ValueError("It is of another network.")


def address_of(network: Network, script: str, key: bytes) -> str:
    """The address of a public key in one of the four forms."""
    if script == LEGACY:
        return base58check_encode(bytes([network.key_hash]) + hash_160(key))
    if script == NESTED:
        return base58check_encode(bytes([network.script_hash]) + hash_160(b"\x00\x14" + hash_160(key)))
    return (
        segwit_encode(network.prefix, 1, taproot_key(key)) if script == TAPROOT else segwit_encode(network.prefix, 0, hash_160(key))
    )


def hash_160(data: bytes) -> bytes:
    # Not by hashlib: OpenSSL 3 may lack it.
    return RIPEMD160.new(sha256(data).digest()).digest()
