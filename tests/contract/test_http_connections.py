"""Why a system cannot be reached, in words that name what to mend."""

import asyncio
import ssl
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cpe.access.bridge.interface import Modem
from cpe.access.bridge.service import ServiceBridge
from cpe.access.erpnext.frappe import Frappe
from cpe.access.erpnext.whoami import whoami
from cpe.access.genieacs.nbi import Nbi
from cpe.access.genieacs.transport import NbiTransport
from cpe.domain.errors import AccessError, UnreachableError
from cpe.profiles.bridge_profile import bridge_profile


async def words(url: str) -> str:
    transport = NbiTransport(url, timeout_s=2.0)
    try:
        with pytest.raises(UnreachableError) as caught:
            await Nbi(transport).count()
    finally:
        await transport.close()
    return caught.value.message


def own_certificate(folder: Path) -> tuple[Path, Path]:
    """A key and its self-signed certificate for localhost, as PEM files."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    signed = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    files = folder / "key.pem", folder / "cert.pem"
    files[0].write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain))
    files[1].write_bytes(signed.public_bytes(encoding))
    return files


async def refusing(_reader, writer):
    writer.close()


def told(error: BaseException) -> str:
    """All that a log would hold of an exception."""
    return "".join(traceback.format_exception(error)) + repr(error)


async def ask_with(secret: str, port: int) -> None:
    """Ask each HTTP system with this secret; every one fails, and only by our own errors."""
    url = f"http://127.0.0.1:{port}"
    for ask in (
        lambda: Nbi(NbiTransport(url, token=secret, timeout_s=2.0)).count(),
        lambda: Frappe(url, "key", secret, timeout_s=2.0).read("Task", "T"),
        lambda: whoami(url, "key", secret, timeout_s=2.0),
        lambda: ServiceBridge(url, login=None, token=secret).read(
            Modem(url, "S1"), (bridge_profile().identity,), bound_s=2.0
        ),
    ):
        with pytest.raises(AccessError) as caught:
            await ask()
        assert "CANARY" not in told(caught.value)


@pytest.mark.parametrize("secret", ["clé-CANARY", "two\nlines-CANARY", "CANARY\0"])
async def test_a_secret_that_no_header_can_hold_is_told_to_nobody(secret):
    server = await asyncio.start_server(refusing, "127.0.0.1", 0)
    async with server:
        await ask_with(secret, server.sockets[0].getsockname()[1])


async def test_the_line_break_that_a_file_ends_with_is_no_part_of_a_secret():
    heard: list[bytes] = []

    async def listen(reader, writer):
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        await ask_with("secret-of-a-file\n", server.sockets[0].getsockname()[1])
    assert len(heard) == 4
    assert all(b"secret-of-a-file\r\n" in request for request in heard)


async def test_a_closed_port_refuses():
    server = await asyncio.start_server(refusing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    assert await words(f"http://127.0.0.1:{port}") == "connection refused"


async def test_a_name_that_does_not_resolve_is_said():
    assert await words("http://acs.invalid:7557") == "its host name is not known"


async def test_https_to_a_server_of_plain_http_is_said():
    async def plain(reader, writer):
        await reader.read(64)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert "does not speak TLS" in await words(f"https://127.0.0.1:{port}")


async def test_a_certificate_of_the_operators_own_is_named_and_not_called_a_refusal(tmp_path: Path):
    key, certificate = own_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(refusing, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        said = await words(f"https://localhost:{port}")
    assert said.startswith("its certificate is not trusted (self-signed certificate")
