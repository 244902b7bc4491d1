"""Clients that break the rules, by mistake or on purpose: right replies, little memory, and the next one is served."""

import contextlib
import resource
import socket
import threading
import time
from pathlib import Path

import pytest
from fakes.fault_relay import FaultRelay, Mail
from sidecar_process import IDENTITY, MAILBOX, Sidecar, identity_settings
from waiting import until

KIB = 1024
PEAK_BASE = 8 * KIB * KIB
PEAK_FOR_EACH = 25 * KIB
CLIENT_LIMIT = 1024

# What servers have taken for the end of data (CVE-2023-51764, -51765, -51766 and what came after them).
SMUGGLING = [
    b"\n.\n",
    b"\n.\r",
    b"\r.\n",
    b"\r.\r",
    b"\n.\r\n",
    b"\r.\r\n",
    b"\r\n.\n",
    b"\r\n.\r",
    b"\r\n.\r\r\n",
    b"\r\r\n.\r\r\n",
    b"\n\n.\n\n",
    b"\r\n\x00.\r\n",
    b"\r\n.\x00\r\n",
]


class RawClient:
    """A client that sends whatever it likes; replies are whole lines as they come."""

    def __init__(self, sidecar: Sidecar):
        self.socket = socket.create_connection(("127.0.0.1", sidecar.smtp_port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = self.socket.makefile("rb")

    def send(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def reply(self) -> str:
        """The next reply, its lines joined; empty where the server has ended the connection."""
        lines = []
        with contextlib.suppress(ConnectionError):
            while line := self._received.readline().decode():
                lines.append(line.rstrip("\r\n"))
                if line[3:4] == " ":
                    break
        return " ".join(lines)

    def ask(self, line: bytes) -> str:
        self.send(line + b"\r\n")
        return self.reply()

    def greeted(self) -> "RawClient":
        assert self.reply() == "220 localhost ESMTP"
        assert self.ask(b"EHLO app").startswith("250-localhost")
        return self

    def at_data(self) -> "RawClient":
        """Up to 354."""
        self.greeted()
        assert self.ask(b"MAIL FROM:<%s>" % MAILBOX.encode()) == "250 2.1.0 OK"
        assert self.ask(b"RCPT TO:<a@example.test>") == "250 2.1.5 OK"
        assert self.ask(b"DATA").startswith("354 ")
        return self

    def close(self) -> None:
        self._received.close()
        self.socket.close()


class Pod:
    """A sidecar with a good relay, and what was the most that its clients were."""

    def __init__(self, sidecar: Sidecar, relay: FaultRelay):
        self.sidecar, self.relay = sidecar, relay
        self.most_clients = 1
        self._clients: list[RawClient] = []

    def client(self) -> RawClient:
        self._clients.append(RawClient(self.sidecar))
        self.most_clients = max(self.most_clients, len(self._clients))
        return self._clients[-1]

    def part_from(self, *clients: RawClient) -> None:
        for client in clients:
            client.close()
            self._clients.remove(client)

    def part_from_all(self) -> None:
        self.part_from(*self._clients)

    def taken(self) -> Mail:
        """The one message that the relay has taken; it notes it down after its reply."""
        until(lambda: self.relay.mails, "the relay has a message", seconds=10)
        assert len(self.relay.mails) == self.relay.dots == 1
        return self.relay.mails[0]

    def peak(self) -> int:
        """The most memory that the process ever had, in octets."""
        with Path(f"/proc/{self.sidecar.process.pid}/status").open() as status:
            return next(int(line.split()[1]) * KIB for line in status if line.startswith("VmHWM:"))

    def assert_serves(self) -> None:
        assert self.sidecar.send().code == 250

    def assert_small(self) -> None:
        # One more than we count: the client of assert_serves().
        allowed = PEAK_BASE + (self.most_clients + 1) * PEAK_FOR_EACH
        assert self.peak() <= allowed, f"{self.peak() / KIB:.0f} KiB for {self.most_clients} clients"


@contextlib.contextmanager
def descriptors(soft_limit: int):
    """The usual limit for a process that starts meanwhile, or a higher one for a thousand clients in this one."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[1], soft_limit), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def pod(authority, identities, make_token, start_sidecar):
    """What every client is held to: after it the next one is served, and memory has stayed small."""
    relay = FaultRelay(authority.issue("localhost"))
    identities.put(IDENTITY, identity_settings(port=relay.port, ca=authority.pem, deadline=20), make_token())
    with descriptors(1024):
        pod = Pod(start_sidecar(), relay)
    with descriptors(8192):
        yield pod
        pod.part_from_all()
    pod.assert_serves()
    pod.assert_small()
    relay.close()


def has_bare_line_ends(octets: bytes) -> bool:
    rest = octets.replace(b"\r\n", b"")
    return b"\r" in rest or b"\n" in rest


# Octets that mean one thing here and another thing elsewhere.


@pytest.mark.parametrize("piece", [1, 3, 4096])
@pytest.mark.parametrize("sequence", SMUGGLING, ids=repr)
def test_a_smuggled_end_of_data_stays_inside_its_message(pod, sequence, piece):
    smuggled = b"MAIL FROM:<evil@contoso.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\nSubject: evil\r\n\r\nEvil"
    said = b"Subject: one\r\n\r\none" + sequence + smuggled + b"\r\n.\r\n"
    client = pod.client().at_data()
    for start in range(0, len(said), piece):
        client.send(said[start : start + piece])
    reply = client.reply()
    if b"\x00" in sequence:
        assert reply.startswith("554 5.6.0 ")
        assert not pod.relay.mails
    else:
        assert reply.startswith("250 2.0.0 ")
        mail = pod.taken()
        assert b"RCPT TO:<b@example.test>\r\nDATA\r\n" in mail.body
        assert mail.recipients == ("a@example.test",)
    assert not has_bare_line_ends(bytes(pod.relay.inside))
    assert client.ask(b"NOOP") == "250 2.0.0 OK"


def test_bare_line_ends_become_what_mail_can_carry(pod):
    client = pod.client().at_data()
    client.send(b"Subject: x\n\na\rb\n\n..c\r\r\n.\r\n")
    assert client.reply().startswith("250 ")
    assert pod.taken().body.endswith(b"Subject: x\r\n\r\na b\r\n\r\n..c \r\n")


@pytest.mark.parametrize("line", [b"NOOP\x00", b"NO\rOP", b"\x7fNOOP"[1:] + b"\x1b[31m", b""], ids=repr)
def test_control_octets_are_no_command(pod, line):
    client = pod.client().greeted()
    assert client.ask(line).startswith("500 5.5.2 ")
    assert client.ask(b"NOOP") == "250 2.0.0 OK"


@pytest.mark.parametrize(
    "address", [b"<a@example.test\r>", b"<a@example.test\x00>", b"<a@example.test>\rRCPT TO:<b@example.test>"], ids=repr
)
def test_an_address_never_carries_a_second_command(pod, address):
    client = pod.client().greeted()
    assert client.ask(b"MAIL FROM:<%s>" % MAILBOX.encode()).startswith("250 ")
    assert client.ask(b"RCPT TO:" + address).startswith("500 5.5.2 ")


# Input that does not wait.


@pytest.mark.parametrize(
    "early",
    [
        b"NOOP\r\nNOOP\r\n",
        b"RSET\r\nMAIL FROM:<evil@contoso.test>\r\n",
        b"QUIT\r\nNOOP\r\n",
        b"NOOP\r\n" + b"x" * 1_000_000,
    ],
    ids=lambda early: repr(early[:40]),
)
def test_whoever_sends_on_before_the_reply_is_cut_off(pod, early):
    client = pod.client().greeted()
    client.send(early)
    assert client.reply() == "554 5.5.0 Wait for the reply before you send on; there is no PIPELINING"
    client.socket.shutdown(socket.SHUT_WR)
    assert client.reply() == ""
    assert "sent on before our reply" in pod.sidecar.log()


def test_a_command_behind_the_final_dot_undoes_the_message(pod):
    client = pod.client().at_data()
    client.send(b"one\r\n.\r\nMAIL FROM:<evil@contoso.test>\r\n")
    assert client.reply().startswith("554 5.5.0 ")
    assert not pod.relay.mails


def test_quit_behind_the_final_dot_is_fine(pod):
    client = pod.client().at_data()
    client.send(b"Subject: one\r\n\r\none\r\n.\r\nQUIT\r\n")
    assert client.reply().startswith("250 2.0.0 ")
    assert client.reply() == "221 2.0.0 Bye"
    assert pod.taken()


@pytest.mark.parametrize(
    "foreign",
    [b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\nMAIL FROM:<a@b.test>\r\n", b"\x16\x03\x01\x00\xf8\x01\x00\x00\xf4"],
    ids=["http", "tls"],
)
def test_other_protocols_are_sent_away(pod, foreign):
    client = pod.client()
    assert client.reply().startswith("220 ")
    client.send(foreign)
    assert client.reply().startswith("554 5.5.")


# Much of everything.


def test_a_line_of_ten_megabytes_is_refused_and_not_kept(pod):
    client = pod.client().greeted()
    client.send(b"MAIL FROM:<" + b"x" * 10_000_000)
    assert client.ask(b">") == "500 5.5.2 Line longer than 2048 octets"
    assert client.ask(b"NOOP") == "250 2.0.0 OK"


def test_a_message_of_one_line_of_ten_megabytes_goes_out_as_it_is(pod):
    client = pod.client().at_data()
    line = b"0123456789" * 1_000_000
    client.send(b"Subject: long\r\n\r\n" + line + b"\r\n.\r\n")
    assert client.reply().startswith("250 ")
    assert pod.taken().body.endswith(b"\r\n\r\n" + line + b"\r\n")


def test_a_message_without_end_is_refused_at_its_end(pod):
    client = pod.client().at_data()
    for _ in range(40):
        client.send(b"x" * 1_000_000)
    client.send(b"\r\n.\r\n")
    assert client.reply() == "552 5.3.4 Message larger than 26214400 octets"
    assert client.ask(b"NOOP") == "250 2.0.0 OK"
    assert not pod.relay.mails


def test_of_a_thousand_recipients_those_beyond_the_limit_are_told_so(pod):
    client = pod.client().greeted()
    assert client.ask(b"MAIL FROM:<%s>" % MAILBOX.encode()).startswith("250 ")
    replies = [client.ask(b"RCPT TO:<recipient-%d@example.test>" % number) for number in range(1000)]
    assert replies[:500] == ["250 2.1.5 OK"] * 500
    assert replies[500:] == ["452 4.5.3 More than 500 recipients; send the rest in another message"] * 500
    assert client.ask(b"DATA").startswith("354 ")
    assert client.ask(b"Subject: many\r\n\r\nmany\r\n.").startswith("250 ")
    assert len(pod.taken().recipients) == 500


def test_two_hundred_clients_with_five_hundred_recipients_each_share_what_memory_there_is(pod):
    def fill(client: RawClient, _: int) -> None:
        client.greeted()
        assert client.ask(b"MAIL FROM:<%s>" % MAILBOX.encode()).startswith("250 ")
        last = [client.ask(b"RCPT TO:<%0200d@example.test>" % number) for number in range(500)][-1]
        assert last in ("250 2.1.5 OK", "452 4.3.1 No memory for more recipients; try again")

    in_threads(fill, [pod.client() for _ in range(200)])
    pod.assert_serves()


def test_mistakes_without_end_end_the_connection(pod):
    client = pod.client().greeted()
    replies = [client.ask(b"FOO") for _ in range(21)]
    assert set(replies[:20]) == {"500 5.5.2 Command not recognized"}
    assert replies[20] == "421 4.7.0 Too many errors"


def test_commands_without_end_and_without_mail_end_the_connection(pod):
    client = pod.client().greeted()
    replies = [client.ask(b"NOOP") for _ in range(1000)]
    assert set(replies[:-1]) == {"250 2.0.0 OK"}
    assert replies[-1] == "421 4.7.0 Too many commands without mail"


# Many of them, and slow ones.


def test_a_thousand_idle_clients_cost_little_and_the_next_is_served(pod):
    for _ in range(1000):
        pod.client()
    for client in pod._clients:
        assert client.reply() == "220 localhost ESMTP"
    pod.assert_serves()
    pod.assert_small()


def test_a_thousand_clients_that_stop_within_a_message_cost_little(pod):
    # Each holds as much as a single one may have in memory.
    held = b"Subject: held\r\n\r\n" + b"x" * 60 * KIB
    in_threads(lambda client, _: client.at_data().send(held), [pod.client() for _ in range(1000)])
    pod.assert_serves()
    pod.assert_small()


def test_clients_beyond_the_limit_are_told_so_until_one_goes(pod):
    for _ in range(CLIENT_LIMIT):
        assert pod.client().reply().startswith("220 ")
    refused = pod.client()
    assert refused.reply() == "421 4.3.2 The app has more connections open than the sidecar serves"
    assert refused.reply() == ""
    assert '"reason":"TooManyClients"' in pod.sidecar.log()
    pod.part_from(refused, pod._clients[0])
    until(lambda: RawClient(pod.sidecar).reply().startswith("220 "), "somebody else is let in", seconds=10)


def test_clients_that_come_and_go_leave_nothing_behind(pod):
    for number in range(2 * CLIENT_LIMIT):
        client = pod.client()
        if number % 4 == 0:
            client.at_data().send(b"Subject: half")
        elif number % 4 == 1:
            client.send(b"EHL")
        elif number % 4 == 2:
            assert client.reply().startswith("220 ")
        pod.part_from(client)
    assert not pod.relay.mails


def test_slow_clients_keep_nobody_waiting(pod):
    slow = [pod.client().at_data() if number % 2 else pod.client().greeted() for number in range(200)]
    stop = threading.Event()

    def trickle() -> None:
        while not stop.is_set():
            for client in slow:
                client.send(b"x")

    trickler = threading.Thread(target=trickle)
    trickler.start()
    try:
        began = time.monotonic()
        for _ in range(20):
            pod.assert_serves()
        assert time.monotonic() - began < 10
    finally:
        stop.set()
        trickler.join()


def test_a_client_that_floods_keeps_nobody_waiting(pod):
    floods = [pod.client().at_data(), pod.client().greeted()]
    stop = threading.Event()

    def flood(client: RawClient) -> None:
        octets = b"x" * 1_000_000
        with contextlib.suppress(OSError):
            while not stop.is_set():
                client.send(octets)

    threads = [threading.Thread(target=flood, args=(client,)) for client in floods]
    for thread in threads:
        thread.start()
    try:
        began = time.monotonic()
        for _ in range(10):
            pod.assert_serves()
        assert time.monotonic() - began < 10
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def in_threads(work, clients: list[RawClient], count: int = 20) -> None:
    """work(client, number) for all of them, some at a time; fails with the first that failed."""
    failures: list[BaseException] = []

    def share(first: int) -> None:
        try:
            for number in range(first, len(clients), count):
                work(clients[number], number)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=share, args=(first,)) for first in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
