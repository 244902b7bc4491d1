"""A TLS proxy for HTTP/1.1 that sees every request, and can do something at a chosen one before it goes on.

It stands between a program under test and a real server: the program gets the server's own answers, and the test
gets to know the very moment in which a request arrives or its answer is about to be handed back.
"""

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from fakes.acceptor import Acceptor


@dataclass
class Point:
    """A moment that a test waits for: the first request whose line fits, as it arrives or as it is answered."""

    moment: str  # "arrives": the server never sees it; "answered": the server has done it, the client never hears
    line: re.Pattern
    act: Callable[[], None]
    reached: threading.Event = field(default_factory=threading.Event)


class HoldingProxy:
    """Serves on a listening socket until close(). `connect` gives a new TCP connection to the server behind it."""

    def __init__(
        self,
        listener: socket.socket,
        context: ssl.SSLContext,
        connect: Callable[[], socket.socket],
        upstream: ssl.SSLContext,
        name: str,
    ):
        self.lines: list[str] = []
        self._context = context
        self._connect = connect
        self._upstream = upstream
        self._name = name
        self._lock = threading.Lock()
        self._points: list[Point] = []
        self._acceptor = Acceptor(listener, self._serve)
        self.port = self._acceptor.port

    def at(self, moment: str, line: str, act: Callable[[], None]) -> Point:
        """At the first request from now on that fits, calls `act` and drops the connection."""
        point = Point(moment, re.compile(line), act)
        with self._lock:
            self._points.append(point)
        return point

    def close(self) -> None:
        self._acceptor.close()

    def _serve(self, connection: socket.socket) -> None:
        # A client that is killed breaks its connections at any place; that is what this is for.
        with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as stack:
            client = stack.enter_context(self._context.wrap_socket(connection, server_side=True))
            requests = stack.enter_context(client.makefile("rb"))
            server = stack.enter_context(self._upstream.wrap_socket(self._connect(), server_hostname=self._name))
            answers = stack.enter_context(server.makefile("rb"))
            while head := read_head(requests):
                line = head.split(b" HTTP/", 1)[0].decode("latin-1")
                body = read_body(requests, head, is_request=True)
                with self._lock:
                    self.lines.append(line)
                if self._is_point("arrives", line):
                    return
                server.sendall(head + body)
                answer = read_head(answers)
                if "watch=" in line:
                    client.sendall(answer)
                    while part := answers.read1(65536):
                        client.sendall(part)
                    return
                content = read_body(answers, answer, is_request=False)
                if self._is_point("answered", line):
                    return
                client.sendall(answer + content)

    def _is_point(self, moment: str, line: str) -> bool:
        with self._lock:
            point = next((each for each in self._points if each.moment == moment and each.line.search(line)), None)
            if point is None:
                return False
            self._points.remove(point)
        point.act()
        point.reached.set()
        return True


def read_head(stream) -> bytes:
    """First line and headers with the empty line; empty at the end of the connection."""
    head = b""
    while line := stream.readline():
        head += line
        if line == b"\r\n":
            return head
    return b""


def read_body(stream, head: bytes, is_request: bool) -> bytes:
    """The body as it is on the wire."""
    if length := re.search(rb"(?im)^content-length:\s*(\d+)", head):
        return stream.read(int(length[1]))
    if re.search(rb"(?im)^transfer-encoding:\s*chunked", head):
        body = b""
        while True:
            size = stream.readline()
            body += size
            chunk = stream.read(int(size.split(b";")[0], 16) + 2)
            body += chunk
            if chunk == b"\r\n":
                return body
    return b"" if is_request or re.match(rb"HTTP/1.1 (1|204|304)", head) else stream.read()
