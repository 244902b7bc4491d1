"""An HTTPS token endpoint that does what a test tells it, however wrong.

python3 -m fakes.fault_token_endpoint ADDRESS CERTIFICATE KEY OTHER_CERTIFICATE OTHER_KEY    (PEM files)

Prints {"port": N}, then answers each line of JSON on its standard input with one on its standard output:
{"behaviour": "grant", ...}  what to do from now on: a name of BEHAVIOURS; other members stay until they are changed
{}                           only asks
The answer is {"calls": [...]}: every POST so far with path, client, whether its secret was right, behaviour, token.
"""

import base64
import itertools
import json
import socket
import ssl
import sys
import threading
import time
from urllib.parse import parse_qs, unquote_plus

from fakes.acceptor import Acceptor

GIGABYTE = 1 << 30
BLOCK = b" " * 65536


class Endpoint:
    """Settings and log, shared by the threads of all connections."""

    def __init__(self, address: str, own: tuple[str, str], other: tuple[str, str]):
        self.address = address
        self.contexts = {"own": context(*own), "other": context(*other)}
        self.behaviour = "grant"
        self.secret = "right"
        self.lifetime = 3600
        self.calls = []
        self.numbers = itertools.count(1)
        self.lock = threading.Lock()
        self.acceptor = None
        self.port = 0

    def obey(self, order: dict) -> None:
        self.behaviour = order.get("behaviour", self.behaviour)
        self.secret = order.get("secret", self.secret)
        self.lifetime = order.get("lifetime", self.lifetime)
        if self.behaviour == "down":
            self.close()
        elif self.acceptor is None:
            self.open()

    def open(self) -> None:
        self.acceptor = Acceptor(socket.create_server((self.address, self.port), backlog=64), self.serve)
        self.port = self.acceptor.port

    def close(self) -> None:
        if self.acceptor:
            self.acceptor.close()
            self.acceptor = None

    def serve(self, connection: socket.socket) -> None:
        behaviour = self.behaviour
        connection.settimeout(30)
        # A client that goes away in the middle is what most behaviours are about.
        try:
            chosen = self.contexts["other" if behaviour == "other-name" else "own"]
            with chosen.wrap_socket(connection, server_side=True) as stream:
                self.answer(stream, behaviour, *read_request(stream))
        except (OSError, ValueError):
            connection.close()

    def answer(self, stream: ssl.SSLSocket, behaviour: str, head: list[str], body: str) -> None:
        client, secret = credentials(head, body)
        granted = behaviour == "grant" and secret == self.secret
        with self.lock:
            token = f"token-{next(self.numbers)}" if granted else ""
            self.calls.append(
                {
                    "path": head[0].split(" ")[1],
                    "client": client,
                    "right": secret == self.secret,
                    "behaviour": behaviour,
                    "token": token,
                }
            )
        if granted:
            answer = {"token_type": "Bearer", "expires_in": self.lifetime, "access_token": token}
            reply(stream, "200 OK", json.dumps(answer))
        elif behaviour == "grant":
            reply(stream, "401 Unauthorized", json.dumps({"error": "invalid_client", "error_codes": [7000215]}))
        else:
            BEHAVIOURS[behaviour](stream)


def context(certificate: str, key: str) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate, key)
    return made


def read_request(stream: ssl.SSLSocket) -> tuple[list[str], str]:
    """Request line and headers, and the body."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (more := stream.recv(4096)):
            raise ValueError("the request has no end")
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    length = int(header(lines, "content-length") or 0)
    while len(body) < length:
        if not (more := stream.recv(4096)):
            raise ValueError("the body has no end")
        body += more
    return lines, body.decode("ascii")


def header(lines: list[str], name: str) -> str:
    named = (line.split(":", 1)[1].strip() for line in lines[1:] if line.lower().startswith(name + ":"))
    return next(named, "")


def credentials(head: list[str], body: str) -> tuple[str, str]:
    """Client and secret, from header or form (RFC 6749 section 2.3.1)."""
    basic = header(head, "authorization").removeprefix("Basic ")
    if basic:
        client, _, secret = base64.b64decode(basic).decode().partition(":")
        return unquote_plus(client), unquote_plus(secret)
    form = parse_qs(body)
    return form.get("client_id", [""])[0], form.get("client_secret", [""])[0]


def reply(stream: ssl.SSLSocket, status: str, body: str, *headers: str) -> None:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", body]
    stream.sendall("\r\n".join(lines).encode())


def drip(stream: ssl.SSLSocket) -> None:
    """A byte a second: each wait is short, all of it takes minutes."""
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n" + b" " * 60:
        stream.sendall(bytes([byte]))
        time.sleep(1)


def huge(stream: ssl.SSLSocket) -> None:
    stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % GIGABYTE)
    for _ in range(GIGABYTE // len(BLOCK)):
        stream.sendall(BLOCK)


def endless(stream: ssl.SSLSocket) -> None:
    stream.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        stream.sendall(b"%x\r\n%b\r\n" % (len(BLOCK), BLOCK))


def one_chunk(stream: ssl.SSLSocket) -> None:
    stream.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % (GIGABYTE - 1))
    while True:
        stream.sendall(BLOCK)


def silent(stream: ssl.SSLSocket) -> None:
    stream.recv(1)


BEHAVIOURS = {
    "error": lambda stream: reply(stream, "500 Internal Server Error", "<html>Oops</html>"),
    "redirect": lambda stream: reply(stream, "307 Temporary Redirect", "", "Location: /elsewhere"),
    "page": lambda stream: reply(stream, "200 OK", "<html>Please sign in</html>", "Content-Type: text/html"),
    "throttle": lambda stream: reply(stream, "429 Too Many Requests", "Too Many Requests", "Retry-After: 3"),
    "silent": silent,
    "drip": drip,
    "huge": huge,
    "endless": endless,
    "one-chunk": one_chunk,
}


def main() -> None:
    address, certificate, key, other_certificate, other_key = sys.argv[1:]
    endpoint = Endpoint(address, (certificate, key), (other_certificate, other_key))
    endpoint.open()
    print(json.dumps({"port": endpoint.port}), flush=True)
    for line in sys.stdin:
        endpoint.obey(json.loads(line))
        with endpoint.lock:
            print(json.dumps({"calls": endpoint.calls}), flush=True)


if __name__ == "__main__":
    main()
