"""The controller as a process of its own inside the testbed, and a token endpoint for it that can misbehave."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from testbed import Testbed

ROOT = Path(__file__).resolve().parents[2]
NODE = "10.77.0.1"  # where a test's process may listen


def program() -> Path:
    """What ships; MAILID_BUILD names another build folder."""
    built = Path(os.environ.get("MAILID_BUILD", ROOT / "build/release")) / "mail-identity-operator"
    assert built.is_file(), f"{built} is missing: build the preset release"
    return built


@contextmanager
def api_server_alone(name: str) -> Iterator[Testbed]:
    """A testbed of its own, with nothing but the API server and our API: where the chart is installed, its controller
    would look after the same identities."""
    chosen = os.environ.get("MAILID_TESTBED", "")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MAILID_TESTBED", f"{chosen}-{name}" if chosen else name)
        subprocess.run([ROOT / "bin/testbed", "up", "--only", "api"], check=True)
        try:
            bed = Testbed()
            bed.kubectl("apply", "-f", ROOT / "crds")
            bed.kubectl("wait", "--for=condition=Established", "crd/mailidentities.mailidentity.io", "--timeout=30s")
            yield bed
        finally:
            subprocess.run([ROOT / "bin/testbed", "down"], check=True)


class Controller:
    """`mail-identity-operator controller` against the testbed's API server, from start to stop()."""

    def __init__(self, bed, log: Path, *arguments: str):
        self.log = log
        command = bed.command(
            program(),
            "controller",
            f"--kubeconfig={bed.environment()['kubeconfig']}",
            "--health-port=18080",
            *arguments,
        )
        with log.open("ab") as lines:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=lines, stderr=lines)

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def said(self) -> str:
        return self.log.read_text()

    def stop(self) -> None:
        if self.running:
            self.process.terminate()
        self.process.wait(timeout=20)

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
        raise AssertionError(f"/proc says nothing of {name}")

    def resident(self) -> int:
        """Bytes in memory now; from here on peak() counts anew."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return self._status("VmRSS")

    def peak(self) -> int:
        """The most bytes in memory since resident() was asked."""
        return self._status("VmHWM")


class FaultEndpoint:
    """fault_token_endpoint.py on the node's address, until close()."""

    def __init__(self, bed, folder: Path):
        self.ca = folder / "fault-ca.pem"
        own, other = make_certificates(folder, self.ca)
        script = ROOT / "tests/fakes/fault_token_endpoint.py"
        command = bed.command(sys.executable, "-B", script, NODE, own, other)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = self._answer()["port"]
        self.url = f"https://{NODE}:{self.port}/token"

    def _answer(self) -> dict:
        line = self.process.stdout.readline()
        assert line, "the fault endpoint has ended"
        return json.loads(line)

    def now(self, behaviour: str, **settings) -> None:
        """What it does from now on."""
        self._order({"behaviour": behaviour, **settings})

    def calls(self, client: str) -> list[dict]:
        """The POSTs of this client so far."""
        return [call for call in self._order({})["calls"] if call["client"] == client]

    def _order(self, order: dict) -> dict:
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()


def make_certificates(folder: Path, ca: Path) -> tuple[Path, Path]:
    """A CA, a certificate for the node's address and one for another name, each with its key in one file."""

    def openssl(*arguments) -> None:
        subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True)

    new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(*new, "-x509", "-days", 2, "-subj", "/CN=Faults", "-keyout", "fault-ca.key", "-out", ca)

    def issue(name: str, names: str) -> Path:
        (folder / "names").write_text(f"subjectAltName={names}\n")
        openssl(*new, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        authority = ("-CA", ca, "-CAkey", "fault-ca.key", "-CAcreateserial")
        openssl(
            "x509", "-req", "-in", f"{name}.csr", *authority, "-days", 2, "-extfile", "names", "-out", f"{name}.crt"
        )
        both = folder / f"{name}.pem"
        both.write_text((folder / f"{name}.crt").read_text() + (folder / f"{name}.key").read_text())
        return both

    return issue("own", f"IP:{NODE}"), issue("other", "DNS:evil.test")
