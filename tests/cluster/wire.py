"""What passes in a network namespace: captured by tcpdump, each direction of a connection put in order by tcpflow."""

import re
import signal
import subprocess
from pathlib import Path

# Record, handshake, ClientHello.
CLIENT_HELLO = re.compile(rb"\x16\x03[\x01-\x03]..\x01\0", re.DOTALL)


class Capture:
    """Every packet of every link of a network namespace, whole, from now to the end of `with`."""

    def __init__(self, enter: list[str], file: Path):
        """`enter` becomes the program whose argv follows it, in the namespace."""
        self.file = file
        # tcpflow knows the older of the two forms in which Linux shows all links. Handed an open file, tcpdump needs no
        # rights to write. Not in immediate mode, where each packet takes the room of the largest in the buffer.
        options = ("-i", "any", "-y", "LINUX_SLL", "-n", "-U", "-B", "65536", "-w", "-")
        with file.open("wb") as output:
            self._tcpdump = subprocess.Popen(
                [*enter, "tcpdump", *options], stdout=output, stderr=subprocess.PIPE, text=True
            )
        said = [self._tcpdump.stderr.readline()]
        while said[-1] and "listening on any" not in said[-1]:
            said.append(self._tcpdump.stderr.readline())
        assert said[-1], f"tcpdump does not listen: {''.join(said)}"

    def holds(self, octets: bytes) -> bool:
        """Whether a packet with these octets was written, which is a moment after it passed."""
        return octets in self.file.read_bytes()

    def stop(self) -> None:
        """Ends it, once; what passed and is not yet written is lost. An AssertionError if any other packet was."""
        self._tcpdump.send_signal(signal.SIGINT)
        said = self._tcpdump.communicate(timeout=30)[1]
        assert self._tcpdump.returncode == 0, said
        assert "\n0 packets dropped by kernel" in said, said

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace) -> None:
        if kind is None:
            self.stop()
        else:
            self._tcpdump.kill()
            self._tcpdump.communicate()


def select(capture: Path, expression: str, to: Path) -> Path:
    """The packets of a capture that a filter of tcpdump's lets through, as a capture."""
    subprocess.run(["tcpdump", "-r", capture, "-w", to, expression], check=True, capture_output=True)
    return to


class Flows:
    """Each direction of each TCP connection of a capture, its octets in order."""

    def __init__(self, capture: Path, folder: Path):
        folder.mkdir()
        # -Z: as it was sent, and not unzipped.
        subprocess.run(["tcpflow", "-q", "-Z", "-r", capture, "-o", folder], check=True, capture_output=True)
        self._octets = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "report.xml"}

    def all(self) -> list[bytes]:
        return list(self._octets.values())

    def between(
        self, sender: str = "", receiver: str = "", sender_port: int = 0, receiver_port: int = 0
    ) -> list[bytes]:
        """Those from one IPv4 address or port to another, as far as these are given."""
        wanted = f"{end(sender, sender_port)}-{end(receiver, receiver_port)}"
        return [octets for name, octets in self._octets.items() if re.match(wanted, name)]


def end(address: str, port: int) -> str:
    """One end of a connection as tcpflow names it, as a pattern."""
    numbers = r"\.".join(f"{int(number):03}" for number in address.split(".")) if address else ".*"
    return rf"{numbers}\.{f'{port:05}' if port else '[0-9]{5}'}"


def asks_tls_for(octets: bytes, name: str) -> bool:
    """Whether there is a ClientHello with this name as its SNI (RFC 6066 section 3)."""
    hello = CLIENT_HELLO.search(octets)
    return bool(hello) and b"\0" + len(name).to_bytes(2, "big") + name.encode() in octets[hello.end() :][:2000]
