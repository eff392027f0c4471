"""Extended public keys of Bitcoin (BIP-32), and the keys below them.

By hand, because no library had wheels for each Python that we run on and Taproot. The vectors of BIP-32, 44, 49, 84 and 86 are
tests.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ec import SECP256K1, EllipticCurvePublicKey, derive_private_key

from wallets.chains.base58 import base58check_decode

FIELD = 2**256 - 2**32 - 977
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
HARDENED = 2**31
Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ExtendedKey:
    """A public key in 33 bytes, and the chain code that keys below it are made with. `version` says which addresses are meant."""

    version: bytes
    depth: int
    code: bytes
    key: bytes

    def child(self, index: int) -> ExtendedKey:
        """`ValueError` for a hardened one, which only the private key leads to, and for one in 2^127 that there is not."""
        if not 0 <= index < HARDENED:
            raise ValueError("A public key leads to no hardened child.")
        made = hmac.digest(self.code, self.key + index.to_bytes(4, "big"), "sha512")
        return ExtendedKey(self.version, self.depth + 1, made[32:], compress(add_scalar(decompress(self.key), made[:32])))


def extended_key_read(text: str) -> ExtendedKey:
    """`ValueError` says what is wrong with it."""
    data = base58check_decode(text)
    if len(data) != 78:
        raise ValueError("It has the wrong length.")
    if not data[4] and any(data[5:13]):
        raise ValueError("It is a first key that has one above it.")
    decompress(data[45:])
    return ExtendedKey(data[:4], data[4], data[13:45], data[45:])


@lru_cache(maxsize=64)
def branch_key(text: str, branch: int) -> ExtendedKey:
    """Of an account's key: branch 0 is for receiving, 1 for change."""
    return extended_key_read(text).child(branch)


@lru_cache(maxsize=20_000)
def address_key(text: str, branch: int, index: int) -> bytes:
    return branch_key(text, branch).child(index).key


def decompress(key: bytes) -> Point:
    """`ValueError` for what is no point of the curve."""
    try:
        numbers = EllipticCurvePublicKey.from_encoded_point(SECP256K1(), key).public_numbers()
    except ValueError:
        raise ValueError("It holds no public key.") from None
    return numbers.x, numbers.y


def compress(point: Point) -> bytes:
    return bytes([2 + point[1] % 2]) + point[0].to_bytes(32, "big")


def add_scalar(point: Point, scalar: bytes) -> Point:
    """The point and `scalar` times the curve's base."""
    number = int.from_bytes(scalar, "big")
    if not 0 < number < ORDER:
        raise ValueError("There is no such child.")
    numbers = derive_private_key(number, SECP256K1()).public_key().public_numbers()
    (x, y), (there_x, there_y) = point, (numbers.x, numbers.y)
    if x == there_x:
        raise ValueError("There is no such child.")
    slope = (there_y - y) * pow(there_x - x, -1, FIELD) % FIELD
    sum_x = (slope * slope - x - there_x) % FIELD
    return sum_x, (slope * (x - sum_x) - y) % FIELD


def taproot_key(key: bytes) -> bytes:
    """The 32 bytes that a Taproot address is of: the key, bound to having no script (BIP-341, BIP-86)."""
    inner = key[1:]
    name = sha256(b"TapTweak").digest()
    tweaked = add_scalar(decompress(b"\x02" + inner), sha256(name + name + inner).digest())
    return tweaked[0].to_bytes(32, "big")
