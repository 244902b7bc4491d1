"""The first process of a testbed: alone in new network, mount and process namespaces, it starts the servers.

first_process.py STATE LOGS RESOLV_CONF

When it ends, however it ends, the kernel ends every server, shim and container with it, and their mounts and
links are gone. It listens on STATE/control.sock; a request is one JSON object a connection, so is the answer:
{"start": NAME, "argv": [], "environment": {}}, {"stop": NAME, "signal": 15}, {"list": true}.
"""

import ctypes
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from place import AUTHORIZATION, NODE, PREFIX, RELAY

PR_SET_NAME = 15


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()}")


def lay_network() -> None:
    """A bridge carries the servers' addresses and is the way to everywhere, so that nothing can leave."""
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "testbed", "type", "bridge")
    for address in (NODE, AUTHORIZATION, RELAY):
        run("ip", "address", "add", f"{address}/{PREFIX}", "dev", "testbed")
    run("ip", "link", "set", "testbed", "up")
    run("ip", "route", "add", "default", "via", NODE)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def cover(folder: str, keep: Path) -> None:
    """Lets writes below a folder go to memory; only `keep` stays the host's own."""
    kept = os.open(keep, os.O_PATH)
    layers = Path("/run/covered") / folder.strip("/").replace("/", "-")
    (layers / "upper").mkdir(parents=True)
    (layers / "work").mkdir()
    options = f"lowerdir={folder},upperdir={layers}/upper,workdir={layers}/work"
    run("mount", "-t", "overlay", "-o", options, "overlay", folder)
    # Through the descriptor: by its path it is the covered one now.
    source = f"/proc/self/fd/{kept}"
    subprocess.run(["mount", "--no-canonicalize", "--bind", source, keep], pass_fds=[kept], check=True)
    os.close(kept)


def lay_mounts(state: Path, logs: Path, resolv: Path) -> None:
    """Programs with fixed paths (/run/containerd, /var/lib/kubelet, /var/log/containers) write into memory."""
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for folder in ("/run/lock", "/run/netns"):
        Path(folder).mkdir()
    cover("/var/lib", state)
    cover("/var/log", logs)
    target = Path("/etc/resolv.conf").resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch()
    run("mount", "--bind", str(resolv), str(target))


class Servers:
    """The servers that were started, by name."""

    def __init__(self, logs: Path):
        self._logs = logs
        self._pids: dict[str, int] = {}
        self._since: dict[str, float] = {}
        self._ended: dict[str, int] = {}

    def start(self, name: str, argv: list[str], environment: dict[str, str]) -> dict:
        if name in self._pids:
            return {"error": f"{name} is running"}
        log = os.open(self._logs / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        nothing = os.open("/dev/null", os.O_RDONLY)
        try:
            self._pids[name] = os.posix_spawnp(
                argv[0],
                argv,
                environment,
                setsid=True,
                setsigdef=[signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE],
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, nothing, 0),
                    (os.POSIX_SPAWN_DUP2, log, 1),
                    (os.POSIX_SPAWN_DUP2, log, 2),
                ],
            )
        except OSError as error:
            return {"error": f"{argv[0]}: {error.strerror}"}
        finally:
            os.close(log)
            os.close(nothing)
        self._since[name] = time.time()
        self._ended.pop(name, None)
        return {"pid": self._pids[name]}

    def stop(self, name: str, number: int) -> dict:
        if name in self._pids:
            os.kill(self._pids[name], number)
        return {}

    def list(self) -> dict:
        return {
            name: {"pid": self._pids.get(name), "since": since, "status": self._ended.get(name)}
            for name, since in self._since.items()
        }

    def reap(self) -> None:
        """Takes leave of every process that ended, the servers' orphans too."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for name in [name for name, known in self._pids.items() if known == pid]:
                del self._pids[name]
                self._ended[name] = os.waitstatus_to_exitcode(status)
                print(f"{name} ended: {self._ended[name]}", flush=True)


def answer(servers: Servers, request: dict) -> dict:
    if "start" in request:
        return servers.start(request["start"], request["argv"], request["environment"])
    if "stop" in request:
        return servers.stop(request["stop"], request["signal"])
    return servers.list()


def serve(servers: Servers, listener: socket.socket, wake: int) -> None:
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(wake, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj == wake:
                os.read(wake, 4096)
                servers.reap()
                continue
            connection, _ = listener.accept()
            with connection, connection.makefile("rw") as lines:
                connection.settimeout(5)
                try:
                    servers.reap()
                    print(json.dumps(answer(servers, json.loads(lines.readline()))), file=lines, flush=True)
                except (OSError, ValueError, KeyError) as error:
                    print(f"bad request: {error}", flush=True)


def main() -> None:
    state, logs, resolv = map(Path, sys.argv[1:])
    ctypes.CDLL(None).prctl(PR_SET_NAME, b"testbed", 0, 0, 0)
    # Postfix delivers nothing on a machine whose own name is none for a mail server (`my_host`).
    socket.sethostname("testbed")
    lay_network()
    lay_mounts(state, logs, resolv)
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    control = state / "control.sock"
    control.unlink(missing_ok=True)
    # Renamed when it listens: whoever finds it can connect.
    early = state / "control.early"
    early.unlink(missing_ok=True)
    listener.bind(str(early))
    listener.listen()
    early.chmod(0o600)
    early.rename(control)
    serve(Servers(logs), listener, woken)


if __name__ == "__main__":
    main()
