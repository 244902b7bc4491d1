"""The sidecar as a process inside the testbed's network, and what it costs."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / "build/sidecar-static/mail-sidecar"


class Sidecar:
    """One running sidecar with one identity, `billing`."""

    def __init__(self, bed, token: str, host: str, port: int, connections: int, smtp_port: int = 2525):
        self.folder = Path(tempfile.mkdtemp(prefix="mail-identity-bench-"))
        identity = self.folder / "identities/billing"
        identity.mkdir(parents=True)
        (self.folder / "spool").mkdir()
        settings = {
            "name": "billing",
            "mailbox": "billing@contoso.test",
            "smtp": {"host": host, "port": port, "caBundle": bed.place.ca.read_text()},
            "limits": {"connections": connections},
        }
        (identity / "token").write_text(token)
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        (identity / "expires-at").write_text(expires)
        (identity / "identity.v1.json").write_text(json.dumps(settings))
        environment = os.environ | {
            "MAIL_SIDECAR_IDENTITY": "billing",
            "MAIL_SIDECAR_IDENTITY_DIR": str(self.folder / "identities"),
            "MAIL_SIDECAR_SPOOL_DIR": str(self.folder / "spool"),
            "MAIL_SIDECAR_SMTP_PORT": str(smtp_port),
            "MAIL_SIDECAR_ADMIN_PORT": str(smtp_port + 7062),
        }
        log = (self.folder / "log").open("w")
        self.process = subprocess.Popen(bed.command(BINARY), env=environment, stderr=log)
        self.connection = first_connection(bed, smtp_port)

    def cpu_seconds(self) -> float:
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1e9

    def pss_megabytes(self) -> float:
        """Proportional set size: what the kernel gives to this process alone, and its share of the rest."""
        for line in Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / 1e6
        raise AssertionError("no Pss in smaps_rollup")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)


def first_connection(bed, port: int) -> socket.socket:
    """Connects as soon as somebody listens, and reads the greeting."""
    limit = time.monotonic() + 10
    while True:
        try:
            connection = bed.connect("127.0.0.1", port)
            break
        except OSError:
            if time.monotonic() > limit:
                raise
    assert connection.recv(1024).startswith(b"220 ")
    return connection
