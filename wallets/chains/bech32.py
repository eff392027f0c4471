"""Segregated witness addresses: bech32 for version 0 (BIP-173), bech32m for those after it (BIP-350)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
DIGITS = {letter: digit for digit, letter in enumerate(ALPHABET)}
GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
BECH32, BECH32M = 1, 0x2BC830A3
LONGEST = 90


def segwit_decode(prefix: str, text: str) -> tuple[int, bytes]:
    """Version and program of an address of the network with this prefix; `ValueError` says what is wrong."""
    found, digits, constant = bech32_decode(text)
    if found != prefix:
        raise ValueError("The address is of another network.")
    version, program = digits[0] if digits else 17, bytes(regroup_bits(digits[1:], 5, 8))
    if version > 16 or not 2 <= len(program) <= 40 or (version == 0 and len(program) not in (20, 32)):
        raise ValueError("The address is of no version that there is.")
    if constant != (BECH32M if version else BECH32):
        raise ValueError("The checksum is of another version's kind.")
    return version, program


def segwit_encode(prefix: str, version: int, program: bytes) -> str:
    digits = [version, *regroup_bits(program, 8, 5)]
    constant = BECH32M if version else BECH32
    rest = polynomial_of([*expand_prefix(prefix), *digits, *[0] * 6]) ^ constant
    digits += [rest >> 5 * (5 - place) & 31 for place in range(6)]
    return f"{prefix}1{''.join(ALPHABET[digit] for digit in digits)}"


def bech32_decode(text: str) -> tuple[str, list[int], int]:
    """Prefix, digits of five bits and the checksum's constant. All letters are of one case: of capitals is what codes for cameras
    are made of."""
    if text not in (text.lower(), text.upper()):
        raise ValueError("Small letters and capitals are mixed.")
    prefix, one, body = text.lower().rpartition("1")
    if not (one and prefix and len(body) >= 6 and len(text) <= LONGEST):
        raise ValueError("This is no bech32.")
    if not set(body) <= set(DIGITS) or not all("!" <= letter <= "~" for letter in prefix):
        raise ValueError("A letter is none of bech32's.")
    digits = [DIGITS[letter] for letter in body]
    constant = polynomial_of([*expand_prefix(prefix), *digits])
    if constant not in (BECH32, BECH32M):
        raise ValueError("The checksum is wrong.")
    return prefix, digits[:-6], constant


def polynomial_of(digits: Iterable[int]) -> int:
    rest = 1
    for digit in digits:
        top, rest = rest >> 25, (rest & 0x1FFFFFF) << 5 ^ digit
        for place, part in enumerate(GENERATOR):
            rest ^= part if top >> place & 1 else 0
    return rest


def expand_prefix(prefix: str) -> list[int]:
    return [*(ord(letter) >> 5 for letter in prefix), 0, *(ord(letter) & 31 for letter in prefix)]


def regroup_bits(digits: Sequence[int], wide: int, narrow: int) -> list[int]:
    """The same bits in digits of another width. Growing, bits that are left over must be zero and fewer than a digit was."""
    held = bits = 0
    found = []
    for digit in digits:
        held, bits = held << wide | digit, bits + wide
        while bits >= narrow:
            bits -= narrow
            found.append(held >> bits & (1 << narrow) - 1)
        held &= (1 << bits) - 1
    if wide > narrow and bits:
        found.append(held << (narrow - bits))
    elif wide < narrow and (bits >= wide or held):
        raise ValueError("Bits are left over.")
    return found
