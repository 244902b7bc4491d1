"""The real mail-sidecar as a process, with what a pod has around it: mounted identities, a spool and an app."""

import json
import os
import shutil
import signal
import smtplib
import socket
import subprocess
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from waiting import until

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("MAILID_SIDECAR", ROOT / "build/sidecar-static/mail-sidecar"))
IDENTITY = "billing"
MAILBOX = "billing@contoso.test"
MESSAGE = "From: billing@contoso.test\r\nTo: a@example.test\r\nSubject: Invoice 4711\r\n\r\nPlease pay.\r\n"


class IdentityFolder:
    """Mounted identities as the kubelet makes them: all change at once when `..data` is swapped."""

    def __init__(self, base: Path):
        self.base = base
        self._files: dict[str, dict[str, str]] = {}
        self._swaps = 0
        base.mkdir(parents=True)

    def put(self, name: str, settings: dict, token: str, life: timedelta = timedelta(hours=1)) -> None:
        """What the operator's Secret of identity `name` holds from now on."""
        ends = (datetime.now(UTC) + life).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._files[name] = {"token": token, "expires-at": ends, "identity.v1.json": json.dumps(settings)}
        self._swap()

    def replace_token(self, name: str, token: str) -> None:
        """The operator has rotated the token."""
        self._files[name]["token"] = token
        self._swap()

    def remove(self, name: str) -> None:
        """The Secret has gone."""
        del self._files[name]
        self._swap()

    def _swap(self) -> None:
        self._swaps += 1
        fresh = self.base / f"..2026_11_24_05_06_07.{self._swaps}"
        for name, files in self._files.items():
            (fresh / name).mkdir(parents=True)
            for file, text in files.items():
                (fresh / name / file).write_text(text)
        fresh.mkdir(exist_ok=True)
        data = self.base / "..data"
        before = data.resolve() if data.exists() else None
        link = self.base / "..data_tmp"
        link.symlink_to(fresh.name)
        link.rename(data)
        for name in self._files:
            if not (self.base / name).is_symlink():
                (self.base / name).symlink_to(f"..data/{name}")
        if before:
            shutil.rmtree(before)


@dataclass(frozen=True)
class Reply:
    """What the app is told: `451`, `4.7.0`, and the words of all lines."""

    code: int
    enhanced: str
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.enhanced} {self.text}"


class Sidecar:
    """mail-sidecar as a process with its own folders; stop() ends it."""

    def __init__(self, folder: Path, identity_dir: Path, identity: str = IDENTITY, environment: dict | None = None):
        self.smtp_port, self.admin_port = free_port(), free_port()
        self._stderr = folder / "stderr"
        spool = folder / "spool"
        spool.mkdir(parents=True)
        variables = {
            "MAIL_SIDECAR_IDENTITY": identity,
            "MAIL_SIDECAR_IDENTITY_DIR": str(identity_dir),
            "MAIL_SIDECAR_SPOOL_DIR": str(spool),
            "MAIL_SIDECAR_SMTP_PORT": str(self.smtp_port),
            "MAIL_SIDECAR_ADMIN_PORT": str(self.admin_port),
        }
        with self._stderr.open("wb") as stderr:
            self.process = subprocess.Popen([BINARY], env=variables | (environment or {}), stderr=stderr)
        until(self._serves, "the sidecar listens", seconds=10)

    def connect(self, timeout: float = 30) -> smtplib.SMTP:
        """The app's side of a connection, greeted."""
        app = smtplib.SMTP("127.0.0.1", self.smtp_port, local_hostname="app.test", timeout=timeout)
        app.ehlo()
        return app

    def send(self, *recipients: str, sender: str = MAILBOX, message: str = MESSAGE, timeout: float = 30) -> Reply:
        """One message on a connection of its own; the reply is the first that is not positive, or the last."""
        app = self.connect(timeout)
        try:
            code, text = app.mail(sender)
            for recipient in recipients or ("a@example.test",):
                if code == 250:
                    code, text = app.rcpt(recipient)
            if code == 250:
                code, text = app.data(message)
            return reply(code, text)
        finally:
            app.close()

    def begin(self) -> smtplib.SMTP:
        """A connection on which a whole message was said, and its reply is what comes next."""
        app = self.connect()
        for command in (f"MAIL FROM:<{MAILBOX}>", "RCPT TO:<a@example.test>", "DATA"):
            code, text = app.docmd(command)
            assert code < 400, text
        app.send(MESSAGE + ".\r\n")
        return app

    def metric(self, series: str) -> float:
        """The value of a series, with its labels as Prometheus writes them; 0 where there is none."""
        for line in self.get("/metrics").splitlines():
            name, _, value = line.rpartition(" ")
            if name == series:
                return float(value)
        return 0

    def get(self, path: str) -> str:
        """The body of an administrative page."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=10) as answer:
            return answer.read().decode()

    def log(self) -> str:
        """All that it has written."""
        return self._stderr.read_text(errors="replace")

    def stop(self) -> int:
        """Ends it as the kubelet does; gives the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def _serves(self) -> bool:
        assert self.process.poll() is None, f"the sidecar ended at once:\n{self.log()}"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.smtp_port)) == 0


def identity_settings(port: int, ca: str, host: str = "localhost", deadline: float = 0.8, **more) -> dict:
    """identity.v1.json for a relay on this machine, with a deadline in seconds."""
    return {
        "name": IDENTITY,
        "mailbox": MAILBOX,
        "smtp": {"host": host, "port": port, "mechanism": "XOAUTH2", "caBundle": ca},
        "delivery": {"deadlineMilliseconds": int(deadline * 1000)},
    } | more


def reply(code: int, text: bytes) -> Reply:
    """smtplib's answer, with the enhanced code taken out of every line."""
    lines = text.decode("utf-8", "replace").split("\n")
    word = lines[0].partition(" ")[0]
    enhanced = word if word[1:2] == "." and word.replace(".", "").isdigit() else ""
    return Reply(code, enhanced, " ".join(line.removeprefix(enhanced).strip() for line in lines))


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
