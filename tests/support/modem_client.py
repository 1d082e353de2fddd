"""An independent client of the modem's JSON dialect, for tests: no browser, no code of the lab's.

Written from the reference alone (§ 2.1, 2.2); what it agrees on with the lab's page and server is
what the protocol says.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import time
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

SHA1 = 20


@dataclass
class Envelope:
    """One session's secrets and the modem's parameters; makes request bodies, opens answers."""

    nn: str
    ee: str
    seq: int
    hash: str
    key: bytes
    iv: bytes
    variant: str = "cbc"
    random: Random = field(default_factory=Random)

    def text(self, octets: bytes) -> str:
        return octets.decode() if self.variant == "cbc" else base64.b64encode(octets).decode()

    def sign_text(self, length: int, *, login: bool = False) -> str:
        text = f"h={self.hash}&s={self.seq + length}"
        if login:
            text = f"key={self.text(self.key)}&iv={self.text(self.iv)}&{text}"
        return text

    def sign(self, text: str) -> str:
        octets, size = text.encode(), len(self.nn) // 2
        step = size - 2 * SHA1 - 2 if self.variant == "oaep" else size
        blocks = [octets[at : at + step] for at in range(0, len(octets), step)]
        pad = self._oaep if self.variant == "oaep" else lambda b: b.ljust(size, b"\0")
        modulus, exponent = int(self.nn, 16), int(self.ee, 16)
        return "".join(
            f"{pow(int.from_bytes(pad(b), 'big'), exponent, modulus):0{2 * size}x}" for b in blocks
        )

    def _oaep(self, message: bytes) -> bytes:
        size = len(self.nn) // 2
        seed = self.random.randbytes(SHA1)
        label = hashlib.sha1(b"").digest()
        block = label + bytes(size - len(message) - 2 * SHA1 - 2) + b"\1" + message
        masked = _xor(block, _mgf1(seed, len(block)))
        return b"\0" + _xor(seed, _mgf1(masked, SHA1)) + masked

    def seal(self, plain: str, *, login: bool = False) -> str:
        """The request body of a plaintext."""
        if self.variant == "cbc":
            padder = padding.PKCS7(128).padder()
            padded = padder.update(plain.encode()) + padder.finalize()
            aes = Cipher(algorithms.AES(self.key), modes.CBC(self.iv)).encryptor()
            sealed, tag = aes.update(padded) + aes.finalize(), b""
        else:
            aes = Cipher(algorithms.AES(self.key), modes.GCM(self.iv)).encryptor()
            sealed = aes.update(plain.encode()) + aes.finalize()
            tag = aes.tag
        data = base64.b64encode(sealed).decode()
        body = f"sign={self.sign(self.sign_text(len(data), login=login))}\r\ndata={data}\r\n"
        return body + f"tag={base64.b64encode(tag).decode()}\r\n" if tag else body

    def open(self, answer: str) -> str:
        """The plaintext of an answer."""
        answer = answer.rstrip("\0")
        if not answer:
            return ""
        if self.variant == "cbc":
            aes = Cipher(algorithms.AES(self.key), modes.CBC(self.iv)).decryptor()
            padded = aes.update(base64.b64decode(answer)) + aes.finalize()
            unpadder = padding.PKCS7(128).unpadder()
            return (unpadder.update(padded) + unpadder.finalize()).decode()
        tag = base64.b64decode(answer[-24:])
        aes = Cipher(algorithms.AES(self.key), modes.GCM(self.iv, tag)).decryptor()
        return (aes.update(base64.b64decode(answer[:-24])) + aes.finalize()).decode()


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _mgf1(seed: bytes, length: int) -> bytes:
    out = b""
    while len(out) < length:
        out += hashlib.sha1(seed + (len(out) // SHA1).to_bytes(4, "big")).digest()
    return out[:length]


def plaintext(operation: str, oid: str, **data: str) -> str:
    """A request as the page writes it."""
    nowhere = "0,0,0,0,0,0"
    fields = {**data, "stack": nowhere, "pstack": nowhere}
    wish = {"data": fields, "operation": operation, "oid": oid}
    return json.dumps(wish, separators=(",", ":")) + "\r\n"


class ModemClient:
    """Logs in to a modem at a port of loopback under its host name."""

    def __init__(self, port: int, host: str, variant: str = "cbc") -> None:
        self._host, self._variant = f"{host}:{port}", variant
        headers = {
            "Host": self._host,
            "Referer": f"http://{self._host}/",
            "User-Agent": "Mozilla/5.0",
        }
        self.http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False
        )
        self.envelope: Envelope | None = None
        self.token = ""

    async def busy(self) -> bool:
        answer = await self.http.post("/cgi/getBusy")
        return "isLogined=1" in answer.text

    async def login(self, password: str, user: str = "user") -> str:
        """The decrypted answer; on success the session is ready for operations."""
        answer = await self.http.post("/cgi/getGDPRParm")
        found = dict(re.findall(r'var (\w+)="([^"]*)"', answer.text))
        digits = f"{int(time.time() * 1000)}{os.urandom(4).hex()}".encode()[:16]
        gcm = self._variant != "cbc"
        self.envelope = Envelope(
            nn=found["nn"],
            ee=found["ee"],
            seq=int(found["seq"]),
            hash=hashlib.md5((user + password).encode()).hexdigest(),
            key=os.urandom(16) if gcm else digits,
            iv=os.urandom(12) if gcm else digits[::-1],
            variant=self._variant,
        )
        told = {
            "UserName": base64.b64encode(user.encode()).decode(),
            "Passwd": base64.b64encode(password.encode()).decode(),
            "Action": "1",
        }
        wish = plaintext("cgi", "/cgi/login", **told)
        said = self.envelope.open((await self.post(wish, login=True)).text)
        page = await self.http.get("/")
        if match := re.search(r'var token="(\w+)"', page.text):
            self.token = match[1]
        return said

    async def post(self, plain: str, *, login: bool = False) -> httpx.Response:
        assert self.envelope is not None
        headers = {"Content-Type": "text/plain", "TokenID": self.token or "0"}
        body = self.envelope.seal(plain, login=login)
        return await self.http.post("/cgi_gdpr?9", content=body, headers=headers)

    async def ask(self, operation: str, oid: str) -> Any:
        """The parsed answer of an operation."""
        assert self.envelope is not None
        answer = await self.post(plaintext(operation, oid))
        answer.raise_for_status()
        return json.loads(self.envelope.open(answer.text))

    async def logout(self) -> httpx.Response:
        return await self.post(plaintext("cgi", "/cgi/logout"))

    async def close(self) -> None:
        await self.http.aclose()
