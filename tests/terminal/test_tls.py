"""TLS: certificate and host name are both checked."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from apps.terminal.demohost import PASSWORD, DemoHost, demo_policies
from apps.terminal.errors import FaultKind, HostFault, Remedy
from apps.terminal.session import Deadlines, HostSession
from tests.terminal.terminal_hosts import SHORT, StartHost, address_of


def certificate_for(name: x509.GeneralName, folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate: the file to trust it by, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Harbor Vale test host")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


RIGHT_NAME = x509.IPAddress(ip_address("127.0.0.1"))
WRONG_NAME = x509.DNSName("mainframe.example")


async def test_a_trusted_certificate_with_the_right_name_is_accepted(
    start_host: StartHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, context = certificate_for(RIGHT_NAME, tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    host = await start_host(tls=context)
    async with await HostSession.open(address_of(host, use_tls=True), deadlines=SHORT) as session:
        await session.log_on(user_id="DEMO01", password=PASSWORD)
        policy = demo_policies()[0]
        assert (await session.inquire(policy.policy_number)).detail.holder == policy.holder
        await session.log_off()


async def test_a_trusted_certificate_with_another_name_is_refused(
    start_host: StartHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, context = certificate_for(WRONG_NAME, tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    host = await start_host(tls=context)
    with pytest.raises(HostFault, match="certificate of host demo was refused") as caught:
        await HostSession.open(address_of(host, use_tls=True), deadlines=SHORT)
    assert (caught.value.kind, caught.value.remedy) == (FaultKind.TLS, Remedy.STOP_RUN)


async def test_an_untrusted_certificate_is_refused(start_host: StartHost, tmp_path: Path) -> None:
    _, context = certificate_for(RIGHT_NAME, tmp_path)
    host = await start_host(tls=context)
    with pytest.raises(HostFault) as caught:
        await HostSession.open(address_of(host, use_tls=True), deadlines=SHORT)
    assert caught.value.kind is FaultKind.TLS


async def test_a_host_whose_certificate_need_not_be_checked_is_accepted(start_host: StartHost, tmp_path: Path) -> None:
    _, context = certificate_for(WRONG_NAME, tmp_path)
    host = await start_host(tls=context)
    address = address_of(host, use_tls=True, verify_certificate=False)
    async with await HostSession.open(address, deadlines=SHORT) as session:
        assert session.usable


async def test_a_plain_host_is_not_talked_to_when_tls_is_asked_for(host: DemoHost) -> None:
    with pytest.raises(HostFault, match="did not accept a TLS connection") as caught:
        await HostSession.open(address_of(host, use_tls=True), deadlines=Deadlines(connect_seconds=0.3))
    assert caught.value.kind is FaultKind.CONNECT_FAILED
