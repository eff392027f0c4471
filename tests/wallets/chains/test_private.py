"""A secret is known for one in every form that people copy, and an address never is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from core.errors import Invalid
from tests.wallets.chains.test_addresses import BIP_44, BIP_49, BIP_84, BIP_86, EIP_55, OWNER, WITNESSES
from wallets.chains.base58 import base58_encode, base58check_encode
from wallets.chains.bitcoin import MAIN, SCRIPTS, address_of
from wallets.chains.evm import checksum_address
from wallets.chains.extended_keys import extended_key_read
from wallets.chains.private import find_private, refuse_private

PHRASE = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
"""The one that the standards publish."""
XPRV = "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
ZPRV = "zprvAWgYBBk7JR8Gjrh4UJQ2uJdG1r3WNRRfURiABBE3RvMXYSrRJL62XuezvGdPvG6GFBZduosCc1YP5wixPox7zhZLfiUm8aunE96BBa4Kei5"
SECRETS: list[Any] = [
    PHRASE,
    PHRASE.upper(),
    PHRASE.replace(" ", "\n"),
    PHRASE.replace(" ", ","),
    PHRASE.replace(" ", "-"),
    " ".join(f"{number}. {word}" for number, word in enumerate(PHRASE.split(), 1)),
    " ".join(f"{number}{word}" for number, word in enumerate(PHRASE.split(), 1)),
    PHRASE.split(),
    {"mine": PHRASE.split()},
    PHRASE.rsplit(" ", 1)[0],
    PHRASE.replace("about", "abuot"),
    "\u200b".join(PHRASE),
    "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal will",
    "　".join(["あいこくしん"] * 11 + ["あおぞら"]),
    "的的的的的的的的的的的在",
    XPRV,
    XPRV[:-1] + "j",
    ZPRV,
    f"wpkh([d34db33f/84h/0h/0h]{XPRV}/0/*)",
    "KyZpNDKnfs94vbrwhJneDi77V6jF64PWPF8x5cdJb8ifgg2DUc9d",
    "cULrpoZGXiuC19Uhvykx7NugygA3k86b3hmdCeyvHYQZSxojGyXJ",
    "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
    "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTK",
    "6PRVWUbkzzsbcVac2qwfssoUJAN1Xhrg6bNk8J7Nzm5H7kxEbn2Nh2ZoGg",
    "c9bdb49cfbaedca21c4b1f3a7803c34636b1d7dc55a717132443fc3f4c5867e8",
    "0xC9BDB49CFBAEDCA21C4B1F3A7803C34636B1D7DC55A717132443FC3F4C5867E8",
    "c9bdb49cfbaedca21c4b1f3a7803c346\n36b1d7dc55a717132443fc3f4c5867e8",
    base58_encode(bytes(range(1, 65))),
    list(range(64)),
    json.dumps(list(range(64))),
    {"crypto": {"cipher": "aes-128-ctr", "ciphertext": "00"}, "version": 3},
    '{"address": "00", "Crypto": {"ciphertext": "00"}}',
    "-----BEGIN EC PRIVATE KEY-----",
]
ADDRESSES = [BIP_44, BIP_49, BIP_84, BIP_86, *EIP_55, *WITNESSES, OWNER, "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA"]
NAMES = [
    "Cold storage",
    "Savings of the family, in the vault of the bank at home",
    "冷钱包",
    "",
    "0x",
    None,
    7,
    {"chain": "bitcoin"},
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_refused_and_not_repeated(secret: Any) -> None:
    with pytest.raises(Invalid) as told:
        refuse_private(chain="bitcoin", address=secret, name="mine")
    assert list(told.value.fields) == ["address"]
    assert told.value.code == "secret_entered"
    words = secret.split() if isinstance(secret, str) else [json.dumps(secret)]
    assert not [word for word in words if len(word) > 5 and word in told.value.in_full()]


@pytest.mark.parametrize("plain", [*ADDRESSES, *NAMES])
def test_an_address_or_a_name_is_none(plain: Any) -> None:
    assert find_private(plain) == ""


@given(st.binary(min_size=32, max_size=32), st.sampled_from(["{}", " {} ", "key={}", "my key is {}, keep it", '"{}"']))
def test_any_private_key_is_known_in_any_form(key: bytes, around: str) -> None:
    forms = [key.hex(), "0x" + key.hex().upper(), base58_encode(key + key[::-1]), str(list(key))]
    forms += [base58check_encode(version + key + end) for version in (b"\x80", b"\xef") for end in (b"", b"\x01")]
    forms.append(base58check_encode(bytes.fromhex("04b2430c") + bytes(41) + b"\0" + key))
    forms.append(base58check_encode(bytes.fromhex("01020304") + bytes(41) + b"\0" + key))
    assert [form for form in forms if not find_private(around.format(form))] == []


@given(st.binary(min_size=32, max_size=32), st.integers(0, 1000))
def test_no_address_is_taken_for_a_key(data: bytes, index: int) -> None:
    key = extended_key_read(BIP_44).child(index).key
    addresses = [str(Pubkey(data)), checksum_address("0x" + data[:20].hex()), "0x" + data[:20].hex()]
    addresses += [address_of(MAIN, script, key) for script in SCRIPTS]
    assert [address for address in addresses if find_private(address)] == []
