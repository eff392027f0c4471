"""Base58, with Bitcoin's alphabet, plain and with a checksum of four bytes."""

from __future__ import annotations

from hashlib import sha256

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
DIGITS = {letter: digit for digit, letter in enumerate(ALPHABET)}
LONGEST = 200
"""Characters; decoding takes time that grows with their square."""


def base58_decode(text: str) -> bytes:
    """`ValueError` for what is none, or is longer than anything that we read."""
    if len(text) > LONGEST or not set(text) <= set(DIGITS):
        raise ValueError("This is no base58.")
    number = 0
    for letter in text:
        number = number * 58 + DIGITS[letter]
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def base58_encode(data: bytes) -> str:
    number, letters = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        letters = ALPHABET[digit] + letters
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + letters


def base58check_decode(text: str) -> bytes:
    """What stands before the checksum; `ValueError` where that is wrong."""
    data = base58_decode(text)
    if len(data) < 5 or checksum_of(data[:-4]) != data[-4:]:
        raise ValueError("The checksum is wrong.")
    return data[:-4]


def base58check_encode(data: bytes) -> str:
    return base58_encode(data + checksum_of(data))


def checksum_of(data: bytes) -> bytes:
    return sha256(sha256(data).digest()).digest()[:4]
