"""Addresses and extended keys, held to the vectors of the standards they come from: BIP-32, 44, 49, 84, 86, 350, EIP-55, and
Solana's associated accounts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from wallets.chains import bitcoin, evm, solana
from wallets.chains.base58 import base58_decode, base58_encode, base58check_decode, base58check_encode
from wallets.chains.bech32 import segwit_decode, segwit_encode
from wallets.chains.bitcoin import LEGACY, LOCAL, MAIN, NESTED, TAPROOT, TEST, WITNESS
from wallets.chains.extended_keys import address_key, extended_key_read

# Account 0 of the phrase that all these standards use for their examples.
BIP_44 = "xpub6BosfCnifzxcFwrSzQiqu2DBVTshkCXacvNsWGYJVVhhawA7d4R5WSWGFNbi8Aw6ZRc1brxMyWMzG3DSSSSoekkudhUd9yLb6qx39T9nMdj"
BIP_49 = "upub5EFU65HtV5TeiSHmZZm7FUffBGy8UKeqp7vw43jYbvZPpoVsgU93oac7Wk3u6moKegAEWtGNF8DehrnHtv21XXEMYRUocHqguyjknFHYfgY"
BIP_84 = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
BIP_86 = "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ"
CHILDREN = [
    # vector 1
    (
        "xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5ski8PX9rL2dZXvgGDnw",
        1,
        "xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7SyYq527Hqck2AxYysAA7xmALppuCkwQ",
    ),
    (
        "xpub6FHa3pjLCk84BayeJxFW2SP4XRrFd1JYnxeLeU8EqN3vDfZmbqBqaGJAyiLjTAwm6ZLRQUMv1ZACTj37sR62cfN7fe5JnJ7dh8zL4fiyLHV",
        1_000_000_000,
        "xpub6H1LXWLaKsWFhvm6RVpEL9P4KfRZSW7abD2ttkWP3SSQvnyA8FSVqNTEcYFgJS2UaFcxupHiYkro49S8yGasTvXEYBVPamhGW6cFJodrTHy",
    ),
    # vector 2
    (
        "xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB",
        0,
        "xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH",
    ),
    (
        "xpub6ASAVgeehLbnwdqV6UKMHVzgqAG8Gr6riv3Fxxpj8ksbH9ebxaEyBLZ85ySDhKiLDBrQSARLq1uNRts8RuJiHjaDMBU4Zn9h8LZNnBC5y4a",
        1,
        "xpub6DF8uhdarytz3FWdA8TvFSvvAh8dP3283MY7p2V4SeE2wyWmG5mg5EwVvmdMVCQcoNJxGoWaU9DCWh89LojfZ537wTfunKau47EL2dhHKon",
    ),
    (
        "xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL",
        2,
        "xpub6FnCn6nSzZAw5Tw7cgR9bi15UV96gLZhjDstkXXxvCLsUXBGXPdSnLFbdpq8p9HmGsApME5hQTZ3emM2rnY5agb9rXpVGyy3bdW6EEgAtqt",
    ),
]
NO_KEYS = [
    "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6LBpB85b3D2yc8sfvZU521AAwdZafEz7mnzBBsz4wKY5fTtTQBm",
    "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Txnt3siSujt9RCVYsx4qHZGc62TG4McvMGcAUjeuwZdduYEvFn",
    "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6N8ZMMXctdiCjxTNq964yKkwrkBJJwpzZS4HS2fxvyYUA4q2Xe4",
    "xpub661no6RGEX3uJkY4bNnPcw4URcQTrSibUZ4NqJEw5eBkv7ovTwgiT91XX27VbEXGENhYRCf7hyEbWrR3FewATdCEebj6znwMfQkhRYHRLpJ",
    "xpub661MyMwAuDcm6CRQ5N4qiHKrJ39Xe1R1NyfouMKTTWcguwVcfrZJaNvhpebzGerh7gucBvzEQWRugZDuDXjNDRmXzSZe4c7mnTK97pTvGS8",
    "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Q5JXayek4PRsn35jii4veMimro1xefsM58PgBMrvdYre8QyULY",
    "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Q5JXayek4PRsn35jii4veMimro1xefsM58PgBMrvdYre8QyULZ",
]
"""BIP-32's vector 5, as far as it is of public keys, and one with a wrong letter."""
WITNESSES = {
    "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4": "0014751e76e8199196d454941c45d1b3a323f1433bd6",
    "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7": (
        "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262"
    ),
    "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y": (
        "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6"
    ),
    "BC1SW50QGDZ25J": "6002751e",
    "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs": "5210751e76e8199196d454941c45d1b3a323",
    "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c": (
        "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433"
    ),
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0": (
        "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    ),
}
NO_WITNESSES = [
    "tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
    "tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf",
    "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
    "tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47",
    "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
    "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
    "bc1pw5dgrnzv",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
    "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
    "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
    "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",
    "bc1gmk9yu",
]
"""BIP-350's, each invalid for a reason of its own."""
EIP_55 = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]
OWNER, USDC = "3h1zGmCwsRJnVk5BuRNMLsPaQu1y2aqXqXDWYCgrp5UG", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"


def refusal(check: Any, *given: Any) -> str:
    with pytest.raises(Invalid) as told:
        check(*given)
    (message,) = told.value.fields["address"]
    return message


@pytest.mark.parametrize(("above", "index", "below"), CHILDREN)
def test_public_children_are_those_of_bip_32(above: str, index: int, below: str) -> None:
    child, told = extended_key_read(above).child(index), extended_key_read(below)
    assert (child.key, child.code, child.depth) == (told.key, told.code, told.depth)


def test_a_hardened_child_needs_the_private_key() -> None:
    with pytest.raises(ValueError, match="hardened"):
        extended_key_read(BIP_44).child(2**31)


@pytest.mark.parametrize("text", NO_KEYS)
def test_what_is_no_extended_key_is_refused(text: str) -> None:
    assert "is no extended public key" in refusal(bitcoin.check_bitcoin_address, MAIN, text)


@pytest.mark.parametrize(
    ("network", "account", "script", "addresses"),
    [
        (MAIN, BIP_44, LEGACY, {(0, 0): "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA"}),
        (TEST, BIP_49, NESTED, {(0, 0): "2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2"}),
        (
            MAIN,
            BIP_84,
            WITNESS,
            {
                (0, 0): "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu",
                (0, 1): "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g",
                (1, 0): "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el",
            },
        ),
        (
            MAIN,
            BIP_86,
            TAPROOT,
            {
                (0, 0): "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
                (0, 1): "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh",
                (1, 0): "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7",
            },
        ),
    ],
    ids=["BIP-44", "BIP-49", "BIP-84", "BIP-86"],
)
def test_an_accounts_addresses_are_those_of_its_standard(
    network: bitcoin.Network, account: str, script: str, addresses: dict[tuple[int, int], str]
) -> None:
    assert script in bitcoin.check_bitcoin_address(network, account).scripts
    found = {place: bitcoin.address_of(network, script, address_key(account, *place)) for place in addresses}
    assert found == addresses
    for address in addresses.values():
        assert bitcoin.check_bitcoin_address(network, address).address == address


@pytest.mark.parametrize("address", WITNESSES)
def test_witness_addresses_are_read_as_bip_350_says(address: str) -> None:
    network = MAIN if address.lower().startswith("bc1") else TEST
    assert bitcoin.script_of(network, address).hex() == WITNESSES[address]
    assert segwit_encode(network.prefix, *segwit_decode(network.prefix, address)) == address.lower()
    assert bitcoin.check_bitcoin_address(network, address).address == address.lower()


@pytest.mark.parametrize("address", NO_WITNESSES)
def test_what_bip_350_refuses_is_refused(address: str) -> None:
    for network in (MAIN, TEST, LOCAL):
        assert address not in refusal(bitcoin.check_bitcoin_address, network, address)


@given(
    st.integers(0, 16), st.binary(min_size=2, max_size=40), st.integers(0, 60), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l")
)
def test_one_wrong_letter_is_always_found(version: int, program: bytes, place: int, letter: str) -> None:
    if version == 0:
        program = (program * 20)[:20]
    address = segwit_encode("bc", version, program)
    at = 3 + place % (len(address) - 3)
    spoilt = address[:at] + letter + address[at + 1 :]
    if spoilt != address:
        with pytest.raises(ValueError, match=r"\."):
            segwit_decode("bc", spoilt)


@given(st.binary(min_size=1, max_size=80))
def test_base58_reads_what_it_wrote(data: bytes) -> None:
    assert base58_decode(base58_encode(data)) == data
    assert base58check_decode(base58check_encode(data)) == data


@pytest.mark.parametrize("address", EIP_55)
def test_evm_addresses_carry_their_checksum_in_their_letters(address: str) -> None:
    for text in (address, address.lower(), "0x" + address[2:].upper()):
        assert evm.check_evm_address(text).address == address
    letter = next(place for place in range(41, 1, -1) if address[place].isalpha())
    spoilt = address[:letter] + address[letter].swapcase() + address[letter + 1 :]
    if spoilt[2:] not in (spoilt[2:].lower(), spoilt[2:].upper()):
        assert "checksum" in refusal(evm.check_evm_address, spoilt)


@pytest.mark.parametrize("text", ["", "0x", "0x" + "0" * 40, "0x" + "g" * 40, EIP_55[4][2:], EIP_55[4] + "0", "vitalik.eth", USDC])
def test_what_is_no_evm_address_is_refused_without_a_word_of_it(text: str) -> None:
    told = refusal(evm.check_evm_address, text)
    assert len(text) < 3 or text not in told


def test_solanas_associated_account_is_the_published_one() -> None:
    assert solana.token_account(OWNER, USDC) == "3uetDDizgTtadDHZzyy9BqxrjQcozMEkxzbKhfZF4tG3"
    assert solana.token_account(OWNER, USDC, program=solana.TOKEN_2022) != solana.token_account(OWNER, USDC)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1" * 32, "the system program"),
        (str(solana.TOKEN), "the token program"),
        ("3uetDDizgTtadDHZzyy9BqxrjQcozMEkxzbKhfZF4tG3", "the wallet itself"),
        (OWNER[:-1], "32 bytes"),
        (OWNER.lower(), "32 bytes"),
        ("", "32 bytes"),
        (EIP_55[4], "32 bytes"),
    ],
)
def test_what_is_no_wallet_of_solana_is_refused(text: str, words: str) -> None:
    assert words in refusal(solana.check_solana_address, text)
    assert solana.check_solana_address(OWNER).address == OWNER


@pytest.mark.parametrize(
    ("network", "text", "words"),
    [
        (MAIN, "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabB", "checksum"),
        (MAIN, "mkpZhYtJu2r87Js3pDiWJDmPte2NRZ8bJV", "another network"),
        (TEST, "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", "no address"),
        (MAIN, "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", "no address"),
        (MAIN, BIP_49, "another network"),
        (TEST, BIP_84, "another network"),
        (MAIN, EIP_55[4], "no address"),
        (MAIN, "", "no address"),
        (MAIN, "1" * 5000, "no address"),
    ],
)
def test_what_is_no_address_of_this_bitcoin_is_refused(network: bitcoin.Network, text: str, words: str) -> None:
    assert words in refusal(bitcoin.check_bitcoin_address, network, text)


def test_a_kind_of_script_narrows_an_extended_key_and_nothing_else() -> None:
    assert bitcoin.check_bitcoin_address(MAIN, BIP_86, TAPROOT).scripts == (TAPROOT,)
    assert "can be looked for as" in refusal(bitcoin.check_bitcoin_address, MAIN, BIP_86, "p2wsh")
    assert "one address" in refusal(bitcoin.check_bitcoin_address, MAIN, "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA", LEGACY)
