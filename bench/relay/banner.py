"""How long a sidecar takes from exec to its greeting. Runs inside the testbed's network when called as a program."""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / "build/sidecar-static/mail-sidecar"
RUNS = 21


def milliseconds(bed) -> float:
    """The median of several starts."""
    return json.loads(bed.run("/usr/bin/python3", "-B", __file__).stdout)


def start(port: int, folder: str) -> float:
    environment = {
        "MAIL_SIDECAR_IDENTITY": "billing",
        "MAIL_SIDECAR_IDENTITY_DIR": folder,
        "MAIL_SIDECAR_SPOOL_DIR": folder,
        "MAIL_SIDECAR_SMTP_PORT": str(port),
        "MAIL_SIDECAR_ADMIN_PORT": str(port + 1000),
    }
    begin = time.monotonic()
    process = subprocess.Popen([BINARY], env=os.environ | environment, stderr=subprocess.DEVNULL)
    while True:
        with socket.socket() as connection:
            if connection.connect_ex(("127.0.0.1", port)) == 0:
                assert connection.recv(1024).startswith(b"220 ")
                took = time.monotonic() - begin
                break
        # Asking without a pause would keep the processor from a sidecar that was put on the same one.
        time.sleep(0.0001)
    process.kill()
    process.wait()
    return took * 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        json.dump(statistics.median(start(20_000 + run, folder) for run in range(RUNS)), sys.stdout)


if __name__ == "__main__":
    main()
