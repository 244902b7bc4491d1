"""Up, down and status of a testbed."""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

from . import api_server, authorization, cgroups, dns, images, node, pki, relay, tools
from .namespace import Namespace
from .place import HERE, NODE, ROOT, Place, Trouble
from .progress import step

LEVELS = ("api", "servers", "all")


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """One `up` or `down` at a time."""
    place.lock.parent.mkdir(parents=True, exist_ok=True)
    with place.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step("waiting for another bin/testbed"):
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fingerprint() -> str:
    """Changes with everything that a running testbed was made from."""
    digest = hashlib.sha256()
    sources = [path for path in HERE.rglob("*") if path.is_file() and path.suffix not in (".md", ".pyc")]
    for path in sorted(sources):
        digest.update(str(path.relative_to(HERE)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def check_machine() -> None:
    """Trouble where no testbed can run, before anything is fetched."""
    if os.geteuid() != 0:
        raise Trouble("bin/testbed up needs root: it makes namespaces, mounts and cgroups")
    if os.uname().machine != "x86_64":
        raise Trouble(f"The pinned kubectl, helm and Node.js are for x86_64, not {os.uname().machine}")


def keep_or_remove(place: Place) -> bool:
    """Whether what is there can be used; what can't be is removed."""
    namespace = Namespace(place)
    if not place.state.exists():
        return False
    owner = place.state / "owner.json"
    told = json.loads(owner.read_text()) if owner.exists() else {}
    if namespace.alive():
        if told.get("checkout") not in (None, str(ROOT)):
            other = f"That testbed belongs to {told['checkout']}. Take it down there, or set MAILID_TESTBED=NAME"
            raise Trouble(f"{other} for one of this checkout's own.")
        if told.get("fingerprint") == fingerprint():
            return True
    with step("removing what is left of an earlier run"):
        remove(place)
    return False


def lay(place: Place) -> None:
    """Folders, certificates and namespaces of a new testbed."""
    with step("namespaces and certificates"):
        shutil.rmtree(place.logs, ignore_errors=True)
        for folder in (place.state, place.logs):
            folder.mkdir(parents=True)
        place.resolv.write_text(f"nameserver {NODE}\noptions timeout:2 attempts:2\n")
        pki.make(place)
        Namespace(place).make()
        owner = {"checkout": str(ROOT), "fingerprint": fingerprint()}
        (place.state / "owner.json").write_text(json.dumps(owner))


def up(place: Place, level: str) -> None:
    """Brings up what is missing of a level: one of LEVELS, each holds those before it."""
    check_machine()
    if level == "all":
        cgroups.check()
    begin = time.monotonic()
    with locked(place):
        if not keep_or_remove(place):
            tools.packages()
            lay(place)
        namespace = Namespace(place)
        api_server.up(namespace)
        if level in ("servers", "all"):
            dns.up(namespace)
            authorization.up(namespace)
            relay.up(namespace)
        if level == "all":
            node.up(namespace)
    with_name = f" {place.name}" if place.name else ""
    with step(f"testbed{with_name} is up, after {time.monotonic() - begin:.1f} s in all"):
        pass


def fetch() -> None:
    """Installs, downloads and builds what `up` needs, and starts nothing."""
    check_machine()
    tools.packages()
    tools.client("kubectl")
    tools.client("helm")
    tools.npm_packages("authorization", "the authorization server")
    images.archives()
    tools.coredns()
    tools.kubernetes("kube-apiserver", *node.PROGRAMS)


def remove(place: Place) -> None:
    Namespace(place).remove()
    shutil.rmtree(place.state, ignore_errors=True)


def down(place: Place) -> None:
    """Ends and removes everything but the logs."""
    with locked(place), step("testbed down"):
        remove(place)


def status(place: Place) -> bool:
    """Prints each server's state; whether all that were started run."""
    namespace = Namespace(place)
    if not namespace.alive():
        print("down")
        return False
    servers = namespace.servers()
    for name, server in servers.items():
        state = f"process {server['pid']}" if server["pid"] else f"ended with {server['status']}"
        print(f"{name:28}{state:20}since {time.strftime('%H:%M:%S', time.localtime(server['since']))}")
    return all(server["pid"] for server in servers.values())
