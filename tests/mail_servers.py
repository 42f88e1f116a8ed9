"""Real mail servers of the tests' own: Dovecot for IMAP, and an SMTP server with AUTH and STARTTLS that lays what is
sent to the bureau into Dovecot's mailbox and keeps what is sent to anybody else. In a temporary folder, on free ports
of the loopback, gone at the end."""

from __future__ import annotations

import imaplib
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.postgres import free_port

BUREAU = "bureau@mz.example"
PASSWORD = "shou-quan-ma-7"
LARGEST = 80 * 1024 * 1024  # bytes of a letter that the SMTP server takes
START_SECONDS = 15
CONFIG = """
base_dir = {folder}/run
log_path = {folder}/dovecot.log
listen = 127.0.0.1
protocols = imap
{users}
first_valid_uid = 1
mail_location = maildir:{folder}/mail/%u
mailbox_list_index = no
auth_mechanisms = plain login
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
imap_id_log = *
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


def dovecot_program() -> str:
    """Raises RuntimeError when Dovecot is not installed: a test that needs it fails, it is not skipped."""
    found = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError("未找到 Dovecot，请先安装 dovecot-imapd；bin/test 会代为安装。")
    return found


@dataclass
class Dovecot:
    """A running IMAP server with one mailbox; ``box``: the folder that letters are laid into. ``kill`` leaves no time for anything; ``start`` goes on where it was."""

    folder: Path
    imap: int = field(default_factory=free_port)
    imaps: int = field(default_factory=free_port)
    program: subprocess.Popen[bytes] | None = None
    box: str = "INBOX"

    def prepare(self) -> None:
        owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        users = (
            ""
            if os.geteuid() == 0
            else "\n".join(
                f"default_{name} = {owner.pw_name}" for name in ("internal_user", "login_user", "internal_group")
            )
        )
        facts = {"folder": self.folder, "imap": self.imap, "imaps": self.imaps, "users": users}
        config = CONFIG.format(**facts, uid=owner.pw_uid, gid=owner.pw_gid)
        (self.folder / "dovecot.conf").write_text(config, "utf-8")
        (self.folder / "users").write_text(f"{BUREAU}:{PASSWORD}\n", "utf-8")
        (self.folder / "mail").mkdir()
        shutil.chown(self.folder / "mail", owner.pw_uid, owner.pw_gid)
        for name in ("dovecot.conf", "users", "cert.pem", "key.pem"):
            (self.folder / name).chmod(0o644)

    def start(self) -> None:
        command = [dovecot_program(), "-F", "-c", str(self.folder / "dovecot.conf")]
        with (self.folder / "out.log").open("ab") as out:
            self.program = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
        for _ in range(START_SECONDS * 50):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.imap), 1) as probe:
                if probe.recv(4):
                    return
            if self.program.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(f"Dovecot did not start:\n{self.log()}")

    def log(self) -> str:
        return "\n".join(p.read_text(errors="replace") for p in self.folder.glob("*.log"))

    def kill(self) -> None:
        """``kill -9`` for the master and all it started, in the middle of whatever they do."""
        assert self.program is not None
        with suppress(ProcessLookupError):
            os.killpg(self.program.pid, signal.SIGKILL)
        self.program.wait()
        self.program = None

    def client(self) -> imaplib.IMAP4:
        """Another program that reads this mailbox."""
        client = imaplib.IMAP4("127.0.0.1", self.imap, timeout=30)
        client.login(BUREAU, PASSWORD)
        return client

    def append(self, raw: bytes, arrived: Any = None) -> None:
        """Lay a letter into the mailbox, as a delivery does. ``arrived``: an aware instant, else now."""
        client = self.client()
        try:
            status, answer = client.append(self.box, "", arrived, raw)
            assert status == "OK", answer
        finally:
            client.logout()

    def letters(self) -> dict[int, tuple[str, ...]]:
        """The UIDs of all letters, each with its flags, read without changing any."""
        client = self.client()
        try:
            client.select("INBOX", readonly=True)
            _, answer = client.uid("FETCH", "1:*", "(UID FLAGS)")
            lines = [line.decode() for line in answer if isinstance(line, bytes)]
        finally:
            client.logout()
        found = {}
        for line in lines:
            uid = int(line.split("UID ")[1].split()[0].rstrip(")"))
            flags = line.split("FLAGS (")[1].split(")")[0].split()
            found[uid] = tuple(sorted(flag for flag in flags if flag != "\\Recent"))  # the server's own word
        return found

    def uidvalidity(self) -> int:
        client = self.client()
        try:
            client.select("INBOX", readonly=True)
            return int(client.response("UIDVALIDITY")[1][0])
        finally:
            client.logout()

    def number_anew(self) -> None:
        """What a restored or migrated mailbox does: all letters are there, every UID and the UIDVALIDITY are others."""
        self.kill()
        box = self.folder / "mail" / BUREAU
        for path in [*box.glob("dovecot*")]:
            path.unlink()
        (box / "dovecot-uidvalidity").write_text("7a000000", "ascii")
        (box / "dovecot-uidvalidity.7a000000").touch()
        owner = box.stat()
        for path in box.glob("dovecot*"):
            os.chown(path, owner.st_uid, owner.st_gid)
        self.start()


@dataclass(frozen=True)
class Peer:
    host: str
    port: int


@dataclass
class Post:
    """What the SMTP server does with what it is handed: the bureau's goes into its mailbox, the rest is kept.

    ``arrived``: the instant at which what comes counts as arrived, as IMAP writes it; None for now.
    ``lose_connection``: so many of the next letters are taken, and the connection cut before the sender is told.
    ``refuse``: answers for the next recipients, such as "550 no such user". ``own_sender``: the only address that
    letters may come from. ``peers``: from where each letter came; one port is one connection.
    """

    dovecot: Dovecot | None = None
    arrived: str | None = None
    sent: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    lose_connection: int = 0
    refuse: list[str] = field(default_factory=list)
    own_sender: str | None = None
    peers: list[Peer] = field(default_factory=list)
    _wires: list[SMTP] = field(default_factory=list)

    def hang_up(self) -> None:
        """Close every connection, as a server does with those that were idle for long."""
        for wire in self._wires:
            if wire.transport is not None:
                wire.loop.call_soon_threadsafe(wire.transport.close)
        self._wires.clear()
        time.sleep(0.05)

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if self.own_sender and address != self.own_sender:
            return "553 Mail from must equal authorized user"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if self.refuse:
            return self.refuse.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = envelope.content
        assert isinstance(raw, bytes)
        self.peers.append(Peer(*session.peer[:2]))
        self._wires.append(server)
        outside = [to for to in envelope.rcpt_tos if to != BUREAU]
        if self.dovecot is not None and BUREAU in envelope.rcpt_tos:
            self.dovecot.append(f"Return-Path: <{envelope.mail_from}>\r\n".encode() + raw, self.arrived)
        if outside:
            self.envelopes.append((str(envelope.mail_from), outside))
            self.sent.append(message_from_bytes(raw, policy=policy.default))  # type: ignore[arg-type]
        if self.lose_connection:
            self.lose_connection -= 1
            assert server.transport is not None
            server.transport.close()
        return "250 OK"


def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
    return AuthResult(success=right, handled=right)


@dataclass
class MailServers:
    """Both servers, the certificate authority that signed for them, and what was sent."""

    dovecot: Dovecot
    post: Post
    smtp: int
    smtps: int
    ca_file: Path

    def environment(self, *, imap: int | None = None, **more: str) -> dict[str, str]:
        """The settings of a bureau that reads and answers, STARTTLS both ways. ``imap``: another port, such as a
        proxy's."""
        return {
            "LUCHENG_IMAP_HOST": "localhost",
            "LUCHENG_IMAP_PORT": str(imap or self.dovecot.imap),
            "LUCHENG_IMAP_SECURITY": "starttls",
            "LUCHENG_IMAP_USER": BUREAU,
            "LUCHENG_IMAP_PASSWORD": PASSWORD,
            "LUCHENG_IMAP_TIMEOUT": "20",
            "LUCHENG_SMTP_HOST": "localhost",
            "LUCHENG_SMTP_PORT": str(self.smtp),
            "LUCHENG_SMTP_SECURITY": "starttls",
            "LUCHENG_SMTP_USER": BUREAU,
            "LUCHENG_SMTP_PASSWORD": PASSWORD,
            "LUCHENG_SMTP_FROM": f"小城民政局 <{BUREAU}>",
            "LUCHENG_SMTP_TIMEOUT": "20",
            "LUCHENG_MAIL_CA_FILE": str(self.ca_file),
            **more,
        }


@contextmanager
def running_mail() -> Iterator[MailServers]:
    """An empty mailbox and both servers, for as long as the block lasts (about 0.3 s to start)."""
    dovecot_program()
    folder = Path(tempfile.mkdtemp(prefix="lucheng-mail-"))
    folder.chmod(0o711)
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    dovecot = Dovecot(folder)
    post = Post(dovecot)
    common: dict[str, Any] = {"authenticator": authenticate, "auth_required": True, "data_size_limit": LARGEST}
    plain = Controller(post, "127.0.0.1", free_port(), tls_context=context, require_starttls=True, **common)
    # AUTH over TLS from the start, which this server does not count as TLS
    secure = Controller(post, "127.0.0.1", free_port(), ssl_context=context, auth_require_tls=False, **common)
    try:
        dovecot.prepare()
        dovecot.start()
        plain.start()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            secure.start()
        yield MailServers(dovecot, post, plain.port, secure.port, folder / "ca.pem")
    finally:
        for controller in (plain, secure):
            with suppress(AssertionError):  # it was never started
                controller.stop(no_assert=False)
        if dovecot.program is not None:
            dovecot.kill()
        shutil.rmtree(folder)


class Proxy:
    """A wire to a server that can be cut after so many bytes that the server sent. ``carried``: bytes so far."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.carried = 0
        self.cuts = 0
        self._left: int | None = None  # bytes until the wire is cut; None for never
        self._at_cut: Callable[[], None] = lambda: None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, count: int, at_cut: Callable[[], None] = lambda: None) -> None:
        """Cut every wire when the server has sent so many more bytes; then do ``at_cut``."""
        self._at_cut, self._left = at_cut, count

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.target), 10)
                except OSError:
                    client.close()
                    continue
                for source, sink, counts in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._carry, args=(source, sink, counts), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, counts: bool) -> None:
        with suppress(OSError):
            while data := source.recv(16384):
                if counts and self._left is not None and len(data) >= self._left:
                    sink.sendall(data[: self._left])
                    self._left, self.cuts = None, self.cuts + 1
                    self._at_cut()
                    break
                if counts:
                    self.carried += len(data)
                    self._left = None if self._left is None else self._left - len(data)
                sink.sendall(data)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
