"""The controller as a process of its own inside the testbed."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

from waiting import until

ROOT = Path(__file__).resolve().parents[2]


def program() -> Path:
    """What ships; MAILID_BUILD names another build folder."""
    built = ROOT / os.environ.get("MAILID_BUILD", "build/release") / "mail-identity-operator"
    assert built.is_file(), f"{built} is missing: build the preset release"
    return built


class Controller:
    """`mail-identity-operator controller` with these flags: one process at a time, again and again."""

    def __init__(self, bed, log: Path, kubeconfig: Path, *flags: str):
        self._bed = bed
        self._log = log
        self._flags = [f"--kubeconfig={kubeconfig}", "--health-port=0", "--log-level=debug", *flags]
        self._process: subprocess.Popen | None = None
        self._health_port = 0

    def start(self) -> None:
        """Returns when it says that it has started."""
        begin = self._log.stat().st_size if self._log.exists() else 0
        argv = self._bed.command(program(), "controller", *self._flags)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        started = until(lambda: self._started(begin), "the controller says that it has started")
        self._health_port = started["health_port"]

    def _started(self, begin: int) -> dict | None:
        assert self.running, self.log()[-2000:]
        lines = self._log.read_bytes()[begin:].decode().splitlines(keepends=True)
        whole = [json.loads(line) for line in lines if line.endswith("\n") and line.startswith("{")]
        return next((line for line in whole if line["message"] == "controller"), None)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs; -N where signal N has killed it."""
        return self._process.poll()

    def kill(self) -> None:
        """With SIGKILL; nothing where it has ended already."""
        self._process.kill()
        self._process.wait(10)

    def terminate(self) -> int:
        """Ends it as the kubelet does; the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)

    def log(self) -> str:
        """All that its processes have said."""
        return self._log.read_text()

    def page(self, path: str) -> tuple[int, str]:
        """Status and body of /healthz, /readyz or /metrics."""
        with self._bed.connect("127.0.0.1", self._health_port) as connection, connection.makefile("rb") as answer:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            head, _, body = answer.read().partition(b"\r\n\r\n")
        return int(head.split()[1]), body.decode()

    def metric(self, name: str, label: str = "") -> float:
        """The sum of a metric's series, of those with the label (`namespace="shop"`)."""
        values = re.findall(rf"(?m)^{name}(?:\{{(.*)\}})? (\S+)$", self.page("/metrics")[1])
        return sum(float(value) for labels, value in values if label in labels)

    def resident(self) -> int:
        """Bytes in memory now; from here on peak() counts anew."""
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")
        return self._memory("VmRSS")

    def peak(self) -> int:
        """The most bytes in memory since resident() was asked."""
        return self._memory("VmHWM")

    def _memory(self, name: str) -> int:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(rf"(?m)^{name}:\s*(\d+) kB$", status)[1]) * 1024
