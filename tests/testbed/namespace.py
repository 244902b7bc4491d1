"""The testbed's namespaces: making them, starting servers in them, entering them, removing them."""

import contextlib
import ctypes
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from . import cgroups
from .place import HERE, Place, Trouble

CLONE_NEWNET = 0x40000000
FIRST_PROCESS = HERE / "first_process.py"
# All that a server gets to see of the environment of whoever ran `up`.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}


def command(place: Place, *argv: str | Path) -> list[str]:
    """An argv that becomes `argv` in the network namespace, with the testbed's DNS, as the same process."""
    script = f'mount --bind {place.resolv} /etc/resolv.conf && exec "$@"'
    return [
        "nsenter",
        f"--net={place.namespace}",
        "unshare",
        "--mount",
        "--propagation=slave",
        "sh",
        "-c",
        script,
        "sh",
        *map(str, argv),
    ]


def in_network(place: Place, make: Callable[[], socket.socket]) -> socket.socket:
    """A socket that is made inside the network namespace; a thread of its own enters it."""
    outcome: list = []

    def enter_and_make() -> None:
        try:
            with place.namespace.open("rb") as file:
                if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), f"setns {place.namespace}")
            outcome.append(make())
        except OSError as error:
            outcome.append(error)

    thread = threading.Thread(target=enter_and_make)
    thread.start()
    thread.join()
    if isinstance(outcome[0], OSError):
        raise outcome[0]
    return outcome[0]


def connect(place: Place, host: str, port: int, timeout: float | None = 10) -> socket.socket:
    """A TCP connection from inside the network namespace."""
    return in_network(place, lambda: socket.create_connection((host, port), timeout))


def first_processes(place: Place) -> list[int]:
    """Of this testbed, whatever its state: the first process, and the one that made the namespaces for it."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                argv = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            # By name only: the checkout that started it may be gone.
            if bytes(place.state) in argv and any(
                part.endswith(b"/" + bytes(Path(FIRST_PROCESS.name))) for part in argv
            ):
                found.append(int(entry.name))
    return found


class Namespace:
    """A testbed's namespaces, while its first process lives."""

    def __init__(self, place: Place):
        self.place = place

    def ask(self, **request) -> dict:
        """Sends the first process one request. OSError where there is none."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
            control.settimeout(10)
            control.connect(str(self.place.control))
            with control.makefile("rw") as lines:
                print(json.dumps(request), file=lines, flush=True)
                answer = json.loads(lines.readline() or "null")
        if answer is None or "error" in answer:
            raise Trouble(f"{request}: {answer and answer['error']}")
        return answer

    def pid(self) -> int:
        """The first process as the host numbers it."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
            control.connect(str(self.place.control))
            told = control.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return struct.unpack("3i", told)[0]

    def alive(self) -> bool:
        try:
            self.ask(list=True)
        except (OSError, ValueError, Trouble):
            return False
        return os.path.ismount(self.place.namespace)

    def servers(self) -> dict[str, dict]:
        """Each server that was started: pid (None when it ended), since, status."""
        return self.ask(list=True)

    def running(self, name: str) -> bool:
        return self.servers().get(name, {}).get("pid") is not None

    def start(self, name: str, *argv: str | Path, environment: dict[str, str] | None = None) -> None:
        """Starts a server unless it runs; what it says goes to its log."""
        if not self.running(name):
            self.ask(start=name, argv=[str(part) for part in argv], environment=ENVIRONMENT | (environment or {}))

    def stop(self, name: str, number: int = signal.SIGTERM, seconds: float = 15) -> None:
        """Ends a server and waits for it; kills it when its time is over."""
        until = time.monotonic() + seconds
        self.ask(stop=name, signal=number)
        while self.running(name):
            if time.monotonic() > until:
                self.ask(stop=name, signal=signal.SIGKILL)
            time.sleep(0.05)

    def wait(self, name: str, ready: Callable[[], bool], seconds: float) -> None:
        """Until the server is ready. Trouble, with the end of its log, when it ended or takes too long."""
        until = time.monotonic() + seconds
        while not ready():
            ended = not self.running(name)
            if ended or time.monotonic() > until:
                log = self.place.logs / f"{name}.log"
                last = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
                what = "ended" if ended else f"was not ready after {seconds:.0f} s"
                raise Trouble(f"{name} {what}; the end of {log}:\n{last}")
            time.sleep(0.05)

    def inside(self, *argv: str | Path, **options) -> subprocess.CompletedProcess:
        """Runs a command as the servers see the world: their mounts, processes and network."""
        enter = ["nsenter", f"--target={self.pid()}", "--net", "--mount", "--pid", "--uts", "--"]
        return subprocess.run(
            [*enter, *map(str, argv)], capture_output=True, text=True, check=False, env=ENVIRONMENT, **options
        )

    def make(self) -> None:
        """Makes the namespaces anew. The folders must be there, and nothing of an earlier run."""
        place = self.place
        with (place.logs / "first-process.log").open("w") as log:
            maker = subprocess.Popen(
                [
                    *("unshare", "--net", "--mount", "--pid", "--uts", "--fork", "--kill-child", "--propagation=slave"),
                    *("--mount-proc", "/usr/bin/python3", "-B", FIRST_PROCESS, place.state, place.logs, place.resolv),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
                env=ENVIRONMENT,
            )
        until = time.monotonic() + 10
        while not place.control.exists():
            if maker.poll() is not None or time.monotonic() > until:
                raise Trouble(f"No namespaces can be made here: {(place.logs / 'first-process.log').read_text()}")
            time.sleep(0.02)
        place.namespace.touch()
        subprocess.run(["mount", "--bind", f"/proc/{self.pid()}/ns/net", place.namespace], check=True)

    def remove(self) -> None:
        """Ends all that runs inside and unmounts what the host sees of it, in whatever state it is."""
        guests = self._guests()
        ours = first_processes(self.place)
        for pid in guests + ours:
            kill(pid)
        until = time.monotonic() + 30
        while any(map(exists, guests + ours)):
            if time.monotonic() > until:
                raise Trouble(f"Processes of {self.place.state} don't end: {guests + ours}")
            time.sleep(0.02)
        for point in reversed(mounts_below(self.place.state)):
            subprocess.run(["umount", "--lazy", point], check=True)
        cgroups.remove(self.place.cgroup)

    def _guests(self) -> list[int]:
        """Processes that others started inside, such as a test's."""
        if not os.path.ismount(self.place.namespace):
            return []
        ours = self.place.namespace.stat().st_ino
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    if (entry / "ns/net").stat().st_ino == ours:
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def exists(pid: int) -> bool:
    """Whether the process is there and more than a zombie that waits for its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def mounts_below(folder: Path) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [line.split()[4] for line in lines]
    return [point for point in points if point == str(folder) or point.startswith(f"{folder}/")]
