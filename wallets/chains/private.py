"""Knows a private key or a seed phrase when it sees one, so that it can be refused before anything keeps or repeats it.

A mistake is on the safe side: 64 bytes may be a signature, and a phrase with a wrong word is no phrase yet. Neither is an address,
and both are refused.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

from core.errors import Invalid
from wallets.chains.base58 import base58_decode, base58check_decode

FEWEST_WORDS = 11
"""Of a phrase: the shortest has twelve, and one of them may be missing."""
WORD = re.compile(r"[^\W\d_]{3,8}")
"""Of three to eight letters, as all lists of BIP-39 in Latin letters have them."""
EXTENDED = re.compile(r"[a-zA-Z]prv[1-9A-HJ-NP-Za-km-z]{20,}")
HEX = re.compile(r"(?<![0-9a-zA-Z])(?:0x)?(?:[0-9a-f]{64}|[0-9a-f]{128})(?![0-9a-zA-Z])", re.IGNORECASE)
NUMBERS = re.compile(r"\[?\s*(?:\d{1,3}\s*,\s*){31,}\d{1,3}")
KEYSTORE = re.compile(r'"(?:ciphertext|cipherparams|kdfparams|mnemonic|privatekey|private_key|secretkey)"', re.IGNORECASE)
ARMOUR = re.compile(r"PRIVATE KEY|AGE-SECRET-KEY-|suiprivkey1|ed25519:", re.IGNORECASE)
WIF = re.compile(r"[5KL9c][1-9A-HJ-NP-Za-km-z]{50,51}|6P[1-9A-HJ-NP-Za-km-z]{56}")
IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
TOLD = (
    "looks like {kind}. Nothing of it was kept. Enter the address: a wallet that is only watched needs no key and no phrase. "
    "Whoever knows one can take everything, so move what it guards if others may have seen it."
)


def refuse_private(**given: Any) -> None:
    """`Invalid` at the first field that holds a secret, in names or values, at any depth. No message repeats any of it."""
    for name, value in given.items():
        if kind := find_private(value):
            raise Invalid("A secret was entered. It was not kept.", code="secret_entered", fields={name: [TOLD.format(kind=kind)]})


def find_private(value: Any) -> str:
    """What kind of secret it is, in words; empty where it is none."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    plain = "".join(one for one in unicodedata.normalize("NFKC", text) if unicodedata.category(one) != "Cf").strip()
    if is_phrase(plain):
        return "a seed phrase"
    if EXTENDED.search(plain):
        return "an extended private key"
    if KEYSTORE.search(plain) or ARMOUR.search(plain):
        return "a file with a private key"
    # A key may be broken over lines.
    texts = (plain, "".join(plain.split()))
    if any(HEX.search(one) or NUMBERS.search(one) or any(map(is_key, re.split(r"[^1-9A-Za-z]+", one))) for one in texts):
        return "a private key"
    return ""


def is_phrase(text: str) -> bool:
    """Whether most of it are as many words as a phrase has, whatever stands between and before them."""
    parts = [part.strip("0123456789") for part in re.split(r"[\W_]+", text)]
    words = [part for part in parts if WORD.fullmatch(part)]
    written = [part for part in parts if IDEOGRAPHS.search(part)]
    enough = max(FEWEST_WORDS, len([part for part in parts if part]) * 2 // 3)
    return len(words) >= enough or len(written) >= FEWEST_WORDS or len(IDEOGRAPHS.findall(text)) >= FEWEST_WORDS


def is_key(part: str) -> bool:
    """Whether a word in base58 is a private key of Bitcoin, also one with a wrong letter, or of Solana (64 bytes)."""
    if WIF.fullmatch(part):
        return True
    try:
        return len(base58_decode(part)) == 64 or is_extended_private(part)
    except ValueError:
        return False


def is_extended_private(part: str) -> bool:
    """An extended key under whatever version whose key begins with the zero of a private one."""
    try:
        data = base58check_decode(part)
    except ValueError:
        return False
    return len(data) == 78 and data[45] == 0
