"""A relay for SMTP submission that can go wrong at every step. For faults only: the real ones are in tests/testbed."""

import base64
import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass, field

from fakes.acceptor import Acceptor
from fakes.authority import Certificate

# In the order in which a client meets them. `ehlo` is the one in clear, `auth` the command, `response` the token.
STEPS = ("greeting", "ehlo", "starttls", "tls", "ehlo_tls", "auth", "response", "mail", "rcpt", "data", "dot")

GOOD = {
    "greeting": "220 relay.test ESMTP",
    "ehlo": "250-relay.test\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250 STARTTLS",
    "starttls": "220 2.0.0 Ready to start TLS",
    "ehlo_tls": "250-relay.test\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250 AUTH LOGIN XOAUTH2",
    "auth": "334 ",
    "response": "235 2.7.0 Authentication successful",
    "mail": "250 2.1.0 Ok",
    "rcpt": "250 2.1.5 Ok",
    "data": "354 End data with <CR><LF>.<CR><LF>",
    "dot": "250 2.0.0 Ok: queued as AFE488F59",
}


@dataclass(frozen=True)
class Say:
    """Answers with these lines, whatever the client wanted, and goes on."""

    lines: str


@dataclass(frozen=True)
class Cut:
    """Ends the connection, after `lines` if there are any."""

    lines: str = ""


@dataclass
class Hold:
    """Answers with `then` once release() is called; waits where nobody calls it until the client has gone."""

    then: "Say | Cut | None" = None
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        self.released.set()


Fault = Say | Cut | Hold


@dataclass(frozen=True)
class Mail:
    """A message that the relay has taken."""

    sender: str
    recipients: tuple[str, ...]
    body: bytes


class ConnectionOverError(Exception):
    """The conversation has ended, by plan or because the client went."""


class FaultRelay:
    """Listens on a port of 127.0.0.1 until close(). A good relay, but for what at() says.

    `accepted_tokens` is who may log in; without it everybody may. What it heard outside and inside TLS is in
    `clear` and `inside`, complete messages in `mails`, every token that was presented in `tokens`.
    """

    def __init__(self, certificate: Certificate):
        self.accepted_tokens: set[str] | None = None
        self.clear = bytearray()
        self.inside = bytearray()
        self.mails: list[Mail] = []
        self.tokens: list[str] = []
        self.connections = 0
        self.dots = 0
        self._faults: dict[str, list[Fault]] = {}
        self._always: dict[str, Fault] = {}
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate.chain, certificate.key)
        self._open: set[Conversation] = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._acceptor = Acceptor(socket.create_server(("127.0.0.1", 0)), self._serve)
        self.port = self._acceptor.port

    def always(self, step: str, fault: Fault) -> None:
        """Every time that a client comes to this step."""
        self._always[step] = fault

    def once(self, step: str, *faults: Fault) -> None:
        """The first times, one after the other; then it is good."""
        self._faults.setdefault(step, []).extend(faults)

    def heal(self) -> None:
        """Good from now on."""
        self._faults.clear()
        self._always.clear()

    def close(self) -> None:
        self._acceptor.close()
        with self._lock:
            self._closing.set()
            for conversation in self._open:
                conversation.hang_up()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        conversation = Conversation(self, connection)
        with self._lock:
            if self._closing.is_set():
                connection.close()
                return
            self.connections += 1
            self._open.add(conversation)
        conversation.run()

    def _fault_at(self, step: str) -> Fault | None:
        with self._lock:
            waiting = self._faults.get(step)
            return waiting.pop(0) if waiting else self._always.get(step)


class Conversation:
    """One client, in a thread of its own."""

    def __init__(self, relay: FaultRelay, connection: socket.socket):
        self._relay = relay
        self._connection = connection
        self._heard = relay.clear
        self._buffer = b""

    def run(self) -> None:
        with contextlib.suppress(ConnectionOverError, OSError):
            self._log_in()
            while True:
                self._transaction()
        with self._relay._lock:
            self._relay._open.discard(self)
        self.hang_up()

    def hang_up(self) -> None:
        """Ends the connection, even while its thread waits on it."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _log_in(self) -> None:
        self._answer("greeting")
        self._expect("EHLO")
        self._answer("ehlo")
        self._expect("STARTTLS")
        if not self._answer("starttls").startswith("220"):
            raise ConnectionOverError
        fault = self._relay._fault_at("tls")
        if isinstance(fault, Cut):
            raise ConnectionOverError
        if isinstance(fault, Hold):
            self._hold(fault)
        self._connection = self._relay._tls.wrap_socket(self._connection, server_side=True)
        self._heard = self._relay.inside
        self._expect("EHLO")
        self._answer("ehlo_tls")
        self._expect("AUTH XOAUTH2")
        if not self._answer("auth").startswith("334"):
            raise ConnectionOverError
        token = token_of(self._line())
        self._relay.tokens.append(token)
        allowed = self._relay.accepted_tokens is None or token in self._relay.accepted_tokens
        said = self._answer("response", None if allowed else "535 5.7.3 Authentication unsuccessful [relay.test]")
        if not said.startswith("235"):
            raise ConnectionOverError

    def _transaction(self) -> None:
        """Commands up to one accepted message; RSET and refusals begin anew."""
        sender = ""
        recipients: list[str] = []
        while True:
            line = self._line()
            verb = line[:4].upper()
            if verb == "QUIT":
                self._say("221 2.0.0 Bye")
                raise ConnectionOverError
            if verb == "RSET":
                sender, recipients = "", []
                self._say("250 2.0.0 Ok")
            elif verb == "MAIL":
                sender = path_of(line) if self._answer("mail").startswith("250") else ""
            elif verb == "RCPT" and not sender:
                self._say("503 5.5.1 Error: need MAIL command")
            elif verb == "RCPT":
                if self._answer("rcpt").startswith("250"):
                    recipients.append(path_of(line))
            elif verb == "DATA" and not recipients:
                self._say("503 5.5.1 Error: need RCPT command")
            elif verb == "DATA":
                if self._answer("data").startswith("354"):
                    self._body(sender, tuple(recipients))
                return
            else:
                self._say("500 5.5.2 Error: bad syntax")

    def _body(self, sender: str, recipients: tuple[str, ...]) -> None:
        lines = []
        # GOOD has no answer here: a good relay says nothing before the dot.
        if early := self._relay._fault_at("body"):
            self._octets()
            self._tell(early, early.lines)
        while (line := self._octets()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b".") else line)
        self._relay.dots += 1
        fault, said = self._decide("dot")
        # Kept before the client hears of it, who may ask at once.
        if said.startswith("250 "):
            self._relay.mails.append(Mail(sender, recipients, b"".join(lines)))
        self._tell(fault, said)

    def _answer(self, step: str, otherwise: str | None = None) -> str:
        """Does what this step is told to do, and gives what it said."""
        fault, said = self._decide(step, otherwise)
        self._tell(fault, said)
        return said

    def _decide(self, step: str, otherwise: str | None = None) -> tuple[Say | Cut | None, str]:
        fault = self._relay._fault_at(step)
        if isinstance(fault, Hold):
            fault = self._hold(fault)
        return fault, fault.lines if fault else otherwise or GOOD[step]

    def _tell(self, fault: Say | Cut | None, said: str) -> None:
        if said:
            self._say(said)
        if isinstance(fault, Cut):
            raise ConnectionOverError

    def _hold(self, fault: Hold) -> "Say | Cut | None":
        fault.reached.set()
        while not fault.released.wait(0.02):
            if self._relay._closing.is_set() or self._gone():
                raise ConnectionOverError
        return fault.then

    def _gone(self) -> bool:
        """Whether the client has ended the connection."""
        self._connection.settimeout(0)
        try:
            more = self._connection.recv(65536)
            self._buffer += more
            return not more
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        finally:
            self._connection.settimeout(None)

    def _say(self, lines: str) -> None:
        # `<pause>` puts what follows into a segment of its own.
        for part in lines.split("<pause>"):
            self._connection.sendall(part.encode() + b"\r\n")

    def _expect(self, command: str) -> None:
        line = self._line()
        if not line.upper().startswith(command):
            raise ConnectionOverError

    def _line(self) -> str:
        return self._octets().decode("utf-8", "replace").removesuffix("\r\n")

    def _octets(self) -> bytes:
        while b"\n" not in self._buffer:
            more = self._connection.recv(65536)
            if not more:
                raise ConnectionOverError
            self._heard += more
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line + b"\n"


def path_of(line: str) -> str:
    """The address of MAIL or RCPT."""
    return line[line.index("<") + 1 : line.index(">")]


def token_of(response: str) -> str:
    """The token in XOAUTH2's message."""
    message = base64.b64decode(response).decode()
    return message.partition("auth=Bearer ")[2].rstrip("\x01")
