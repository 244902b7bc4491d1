"""A listener between client and server that hands on every octet and keeps a copy."""

import contextlib
import socket
import threading

from fakes.acceptor import Acceptor


class Recorder:
    """Listens on `port` of 127.0.0.1, or on any, and connects every client to `target`.

    All octets of both directions are in `octets`, as a capture on the wire would have them.
    """

    def __init__(self, target: int, port: int = 0):
        self.target = target
        self.octets = bytearray()
        self._acceptor = Acceptor(socket.create_server(("127.0.0.1", port)), self._carry)
        self.port = self._acceptor.port

    def close(self) -> None:
        self._acceptor.close()

    def _carry(self, client: socket.socket) -> None:
        """One connection until both sides have ended it."""
        with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.target)) as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
            back.start()
            self._pump(client, server)
            back.join()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while octets := source.recv(65536):
                self.octets += octets
                sink.sendall(octets)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
