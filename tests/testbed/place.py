"""Names, addresses and folders of one testbed."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mail-identity-operator"

# Each testbed has a network of its own, so all have the same addresses.
NODE = "10.77.0.1"
AUTHORIZATION = "10.77.0.2"
RELAY = "10.77.0.3"
PREFIX = 24
PODS = "10.244.0.0/24"
SERVICES = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"

AUTHORIZATION_NAMES = ("login.microsoftonline.com", "auth.testbed.test")
RELAY_NAMES = ("smtp.office365.com", "relay.testbed.test")
NAMES = {
    **dict.fromkeys(AUTHORIZATION_NAMES, AUTHORIZATION),
    **dict.fromkeys(RELAY_NAMES, RELAY),
    "node.testbed.test": NODE,
}
ADMIN = f"http://{AUTHORIZATION}:8080"
API = f"https://{NODE}:6443"

TENANT = "3f2c8a51-7d0e-4b7b-9d0b-6c1f2a9e4d10"
CLIENT = "6f1c4d5e-2b3a-4c8d-9e0f-a1b2c3d4e5f6"
SECRET = "testbed-secret"


class Trouble(Exception):
    """What a person has to know: what was wrong, and what to do."""


@dataclass(frozen=True)
class Place:
    """Where one testbed keeps what it has. `name` is empty for the machine's usual one."""

    name: str
    state: Path = field(init=False)
    logs: Path = field(init=False)
    lock: Path = field(init=False)
    cgroup: str = field(init=False)

    def __post_init__(self):
        if not re.fullmatch(r"[a-z0-9-]{0,20}", self.name):
            raise Trouble(f"MAILID_TESTBED={self.name}: only a-z, 0-9 and -, at most 20 of them")
        full = "mail-identity-testbed" + (f"-{self.name}" if self.name else "")
        for key, value in {
            "state": Path("/var/lib") / full,
            "logs": Path("/var/log") / full,
            "lock": Path("/run/lock") / full,
            "cgroup": full,
        }.items():
            object.__setattr__(self, key, value)

    @classmethod
    def chosen(cls) -> "Place":
        """The one that MAILID_TESTBED names."""
        return cls(os.environ.get("MAILID_TESTBED", ""))

    @property
    def namespace(self) -> Path:
        """The network namespace, as a file for nsenter."""
        return self.state / "net"

    @property
    def control(self) -> Path:
        """Where the testbed's first process listens."""
        return self.state / "control.sock"

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def ca(self) -> Path:
        """The CA of authorization server and relay."""
        return self.pki / "testbed-ca.crt"

    @property
    def kubeconfig(self) -> Path:
        return self.state / "admin.kubeconfig"

    @property
    def resolv(self) -> Path:
        """What /etc/resolv.conf is inside."""
        return self.state / "resolv.conf"

    @property
    def maildir(self) -> Path:
        return self.state / "mail" / "inbox"
