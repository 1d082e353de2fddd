"""The modem's side of the envelope: RSA-512 signatures, AES in CBC or GCM.

By hand where libraries refuse: nobody loads a 512-bit RSA key any more.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

BLOCK: Final = 64
"""Octets of an RSA-512 block."""
HASH: Final = 20
"""Octets of SHA-1."""
TAG_TEXT: Final = 24
"""Characters of a GCM tag in base64."""


class Variant(StrEnum):
    """What the firmware's page encrypts with."""

    CBC = "cbc"
    GCM = "gcm"
    OAEP = "oaep"
    """GCM, and RSA with OAEP."""


class EnvelopeError(ValueError):
    """The envelope does not open: a modem answers that with a closed socket."""


@dataclass(frozen=True, slots=True)
class RsaKey:
    """A key of 512 bits: worthless by today's means, and what the modems have."""

    n: int
    d: int
    e: int = 65537

    @classmethod
    def of_primes(cls, p: int, q: int) -> RsaKey:
        """The key of two primes."""
        return cls(p * q, pow(65537, -1, (p - 1) * (q - 1)))

    def open(self, sign: str, variant: Variant) -> str:
        """The text below a signature in hex. Raises EnvelopeError."""
        size = 2 * BLOCK
        if not sign or len(sign) % size:
            raise EnvelopeError("the signature is no number of blocks")
        try:
            numbers = [int(sign[at : at + size], 16) for at in range(0, len(sign), size)]
        except ValueError:
            raise EnvelopeError("the signature is not hexadecimal") from None
        blocks = [pow(number, self.d, self.n).to_bytes(BLOCK) for number in numbers]
        if variant is Variant.OAEP:
            text = b"".join(_unpadded(block) for block in blocks)
        else:
            text = b"".join(blocks).rstrip(b"\0")
        try:
            return text.decode("ascii")
        except UnicodeDecodeError:
            raise EnvelopeError("the signature does not open") from None


GOLDEN_N: Final = int(
    "BD3842C3F6CFB92E13D4A893D4C72C621BD8FE886587E1BA1FD95216973B403E"
    "C588CEA07061D518FB72D3060484C6498A408257BFFCE2C37FD1B7EB938CA4ED",
    16,
)
GOLDEN_P: Final = int("f24a8cdc167edfdaec7ea1c99d6d1f17a28e6d2ae81b9fcc35d25ae0d45d1139", 16)
GOLDEN_KEY: Final = RsaKey.of_primes(GOLDEN_P, GOLDEN_N // GOLDEN_P)
"""The key of the reference's golden vector: public, for the lab only."""


def _unpadded(block: bytes) -> bytes:
    """The message of an OAEP block (SHA-1, MGF1, no label)."""
    seed_masked, data_masked = block[1 : 1 + HASH], block[1 + HASH :]
    seed = _xor(seed_masked, _mask(data_masked, HASH))
    data = _xor(data_masked, _mask(seed, len(data_masked)))
    label, rest = data[:HASH], data[HASH:].lstrip(b"\0")
    no_label = hashlib.sha1(usedforsecurity=False).digest()
    if block[0] or label != no_label or rest[:1] != b"\x01":
        raise EnvelopeError("the signature is not OAEP")
    return rest[1:]


def _mask(seed: bytes, length: int) -> bytes:
    made = b"".join(
        hashlib.sha1(seed + number.to_bytes(4), usedforsecurity=False).digest()
        for number in range(length // HASH + 1)
    )
    return made[:length]


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


@dataclass(frozen=True, slots=True)
class SessionKey:
    """Key and IV of one session, constant for all its requests."""

    key: bytes
    iv: bytes
    variant: Variant

    @classmethod
    def of_text(cls, key: str, iv: str, variant: Variant) -> SessionKey:
        """From a login's signature: digits as they are, or base64. Raises EnvelopeError."""
        if variant is Variant.CBC:
            made = cls(key.encode(), iv.encode(), variant)
        else:
            made = cls(_bytes(key), _bytes(iv), variant)
        if len(made.key) != 16 or len(made.iv) != (16 if variant is Variant.CBC else 12):
            raise EnvelopeError("the session key has not the size it should have")
        return made

    def decrypt(self, data: str, tag: str) -> str:
        """The plaintext of a request. Raises EnvelopeError."""
        cipher = _bytes(data)
        try:
            if self.variant is Variant.CBC:
                plain = self._cbc(cipher)
            else:
                plain = AESGCM(self.key).decrypt(self.iv, cipher + _bytes(tag), None)
            return plain.decode("utf-8")
        except (InvalidTag, ValueError):
            raise EnvelopeError("the data does not decrypt") from None

    def _cbc(self, cipher: bytes) -> bytes:
        decryptor = Cipher(algorithms.AES(self.key), modes.CBC(self.iv)).decryptor()
        padded = decryptor.update(cipher) + decryptor.finalize()
        return padded[: -padded[-1]] if padded else b""

    def encrypt(self, text: str) -> str:
        """The answer as the modem sends it: base64, in GCM followed by that of the tag."""
        plain = text.encode("utf-8")
        if self.variant is not Variant.CBC:
            sealed = AESGCM(self.key).encrypt(self.iv, plain, None)
            return _text(sealed[:-16]) + _text(sealed[-16:])
        fill = 16 - len(plain) % 16
        encryptor = Cipher(algorithms.AES(self.key), modes.CBC(self.iv)).encryptor()
        return _text(encryptor.update(plain + bytes([fill]) * fill) + encryptor.finalize())


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise EnvelopeError("not base64") from None


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")
