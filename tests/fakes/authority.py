"""A certificate authority made with openssl, for servers that tests start."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """Where certificate and key lie, both PEM."""

    chain: Path
    key: Path


class Authority:
    """One certificate authority; its files are in `folder`."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._own = self._request("ca", "/CN=the tests' authority", "basicConstraints=critical,CA:TRUE")

    @property
    def file(self) -> Path:
        """Its certificate, for those who shall believe it."""
        return self._own.chain

    @property
    def pem(self) -> str:
        """What is in the file."""
        return self.file.read_text()

    def issue(self, *names: str) -> Certificate:
        """A certificate for these DNS names and IPv4 addresses."""
        alternatives = "subjectAltName=" + ",".join(
            f"{'IP' if re.fullmatch(r'[0-9.]+', name) else 'DNS'}:{name}" for name in names
        )
        signer = ("-CA", str(self._own.chain), "-CAkey", str(self._own.key))
        return self._request(f"leaf-{names[0]}", "/CN=a server", alternatives, *signer)

    def _request(self, file: str, subject: str, extension: str, *signer: str) -> Certificate:
        made = Certificate(self.folder / f"{file}.pem", self.folder / f"{file}.key")
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-days", "2", "-subj", subject, "-addext", extension, *signer]
        command += ["-keyout", str(made.key), "-out", str(made.chain)]
        subprocess.run(command, check=True, capture_output=True)
        return made
