"""What tests use: the testbed that is up."""

import os
import shlex
import socket
import subprocess
from pathlib import Path

from . import images, namespace, node, tools
from .authorization import Authorization
from .place import ADMIN, CLIENT, NAMES, NODE, SECRET, TENANT, Place, Trouble
from .relay import Maildir, Relay


class Testbed:
    """The testbed that MAILID_TESTBED names. Trouble if it is not up."""

    __test__ = False  # not a class of tests, whatever its name says to pytest

    def __init__(self):
        self.place = Place.chosen()
        self.inside = namespace.Namespace(self.place)
        if not self.inside.alive():
            raise Trouble("The testbed is not up; run bin/testbed up")
        self.authorization = Authorization(self.place)
        self.relay = Relay(self.inside)
        self._maildir = Maildir(self.place.maildir)

    def environment(self) -> dict:
        """Addresses, names and files, as `bin/testbed env` prints them."""
        place = self.place
        return {
            "namespace": str(place.namespace),
            "kubeconfig": str(place.kubeconfig),
            "ca": str(place.ca),
            "addresses": {"node": NODE} | NAMES,
            "names": sorted(NAMES),
            "admin": ADMIN,
            "tenant": TENANT,
            "client": {"id": CLIENT, "secret": SECRET},
            "maildir": str(place.maildir),
            "logs": str(place.logs),
            "state": str(place.state),
            "images": {name: images.IMAGES[name] for name in ("busybox", "python")},
        }

    def command(self, *argv: str | Path) -> list[str]:
        """An argv for Popen that runs `argv` inside, with the testbed's DNS, as the very process it starts."""
        return namespace.command(self.place, *argv)

    def run(self, *argv: str | Path, check: bool = True, **options) -> subprocess.CompletedProcess:
        """Runs a host's program inside and catches what it says; a failure is an AssertionError with its words."""
        done = subprocess.run(self.command(*argv), capture_output=True, text=True, check=False, **options)
        if check and done.returncode:
            words = (done.stdout + done.stderr).strip()
            raise AssertionError(f"{shlex.join(map(str, argv))} ended with {done.returncode}: {words}")
        return done

    def kubectl(self, *arguments: str | Path, **options) -> subprocess.CompletedProcess:
        """kubectl as the cluster's administrator."""
        return self._client("kubectl", *arguments, **options)

    def helm(self, *arguments: str | Path, **options) -> subprocess.CompletedProcess:
        """helm as the cluster's administrator."""
        return self._client("helm", *arguments, **options)

    def _client(self, name: str, *arguments: str | Path, **options) -> subprocess.CompletedProcess:
        environment = options.pop("env", os.environ) | tools.client_environment(self.place)
        return self.run(tools.client(name), *arguments, env=environment, **options)

    def load_image(self, archive: str | Path) -> None:
        """Brings the image of a docker archive into the node, under the name that it has there."""
        node.load_image(self.inside, Path(archive).resolve())

    def pod_processes(self, namespace: str, name: str) -> list[int]:
        """The processes of a running pod as the host numbers them, its pause container's first."""
        uid = self.kubectl("get", "pod", name, "--namespace", namespace, "-o", "jsonpath={.metadata.uid}").stdout
        return node.processes_of_pod(uid)

    def mails(self, recipient: str) -> list[bytes]:
        """What the relay has taken for this address, oldest first, as it lies in the Maildir."""
        return self._maildir.mails(recipient)

    def connect(self, host: str, port: int, timeout: float | None = 10) -> socket.socket:
        """A TCP connection from inside; `host` is an address of NAMES, as names are the host's own here."""
        return namespace.connect(self.place, NAMES.get(host, host), port, timeout)

    def listen(self, host: str) -> socket.socket:
        """A socket that listens inside, on a port that nobody else has there."""
        return namespace.in_network(self.place, lambda: socket.create_server((host, 0)))
