"""A testbed leaves nothing behind, however it ends."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from testbed.namespace import Namespace, first_processes
from testbed.place import ROOT, Place

NAME = "lifecycle"
PLACE = Place(NAME)
OWN = Path("/proc/self/ns/mnt").readlink()


def bin_testbed(*arguments: str, check: bool = True) -> subprocess.CompletedProcess:
    environment = os.environ | {"MAILID_TESTBED": NAME}
    done = subprocess.run(
        [ROOT / "bin/testbed", *arguments], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0 or not check, done.stdout + done.stderr
    return done


def rules() -> list[str]:
    """Netfilter rules and chains of both backends, without counters and times."""
    found = []
    for command in ("iptables-save", "ip6tables-save", "iptables-legacy-save", "ip6tables-legacy-save"):
        said = subprocess.run([command], capture_output=True, text=True, check=False).stdout
        without_counters = re.sub(r"\[\d+:\d+\]|^#.*\n", "", said, flags=re.M)
        found += [f"{command}: {line}" for line in without_counters.splitlines()]
    return found


def our_processes() -> list[str]:
    """Processes that see, in their own mount namespace, a folder of this testbed, or name one."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                argv = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                inside = (entry / "ns/mnt").readlink() != OWN and str(PLACE.state) in (entry / "mountinfo").read_text()
            except OSError:
                continue
            if argv and (inside or str(PLACE.state) in argv):
                found.append(f"{entry.name} {argv}")
    return found


def without_others(paths: Iterable[str]) -> list[str]:
    """Without what belongs to testbeds that are up beside this one."""
    return sorted(path for path in paths if "/mail-identity-testbed" not in path or f"/{PLACE.cgroup}" in path)


def machine() -> dict[str, list[str]]:
    """All that a node may leave on a machine."""
    links = subprocess.run(["ip", "-oneline", "link"], capture_output=True, text=True, check=True).stdout
    folders = [path for parent in ("/run", "/run/lock", "/var/lib", "/var/log") for path in Path(parent).iterdir()]
    return {
        "mounts": without_others(line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()),
        "links": sorted(line.split(":")[1] for line in links.splitlines()),
        "cgroups": without_others(folder for folder, _, _ in os.walk("/sys/fs/cgroup")),
        "processes": our_processes(),
        "rules": rules(),
        "forwarding": [Path("/proc/sys/net/ipv4/ip_forward").read_text()],
        "folders": without_others(map(str, folders)),
    }


@pytest.fixture
def before():
    """The machine before; afterwards nothing of the testbed may be there."""
    bin_testbed("down")
    # The log folder and the lock stay.
    for folder in (PLACE.logs, PLACE.lock.parent):
        folder.mkdir(parents=True, exist_ok=True)
    found = machine()
    assert found["processes"] == []
    yield found
    bin_testbed("down")


def pid_of(server: str) -> int:
    """The server's process as the host numbers it."""
    inner = Namespace(PLACE).servers()[server]["pid"]
    for status in Path("/proc").glob("[0-9]*/status"):
        numbers = re.search(r"^NSpid:\t(.*)$", status.read_text(), re.M)[1].split()
        if numbers[1:] == [str(inner)] and str((status.parent / "ns/net").readlink()) == namespace_of_testbed():
            return int(status.parent.name)
    raise AssertionError(f"{server} has no process")


def namespace_of_testbed() -> str:
    return f"net:[{PLACE.namespace.stat().st_ino}]"


def test_down_leaves_nothing(before):
    bin_testbed("up")
    assert machine() != before, "the comparison sees a testbed that is up"
    bin_testbed("down")
    assert machine() == before


@pytest.mark.parametrize("level", ["api", "servers", "all"])
def test_down_after_a_killed_up_leaves_nothing(before, level):
    environment = os.environ | {"MAILID_TESTBED": NAME}
    running = subprocess.Popen([ROOT / "bin/testbed", "up"], env=environment, stderr=subprocess.DEVNULL)
    last = {"api": "etcd", "servers": "dovecot", "all": "containerd"}[level]
    while running.poll() is None and not (PLACE.logs / f"{last}.log").exists():
        time.sleep(0.01)
    assert running.poll() is None, "it is killed in the middle"
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert bin_testbed("status", check=False).stdout, "something was there to be removed"
    bin_testbed("down")
    assert machine() == before


def test_down_after_killed_servers_leaves_nothing(before):
    bin_testbed("up")
    for server in ("etcd", "containerd", "kubelet", "relay"):
        os.kill(pid_of(server), signal.SIGKILL)
    bin_testbed("down")
    assert machine() == before


def test_down_after_the_first_process_was_killed_leaves_nothing(before):
    bin_testbed("up")
    for pid in first_processes(PLACE):
        os.kill(pid, signal.SIGKILL)
    bin_testbed("down")
    assert machine() == before


def test_up_repairs_what_was_killed(before):
    bin_testbed("up")
    killed = ("etcd", "kube-apiserver", "containerd", "kubelet", "dovecot", "relay", "authorization", "coredns")
    for server in killed:
        os.kill(pid_of(server), signal.SIGKILL)
    assert bin_testbed("status", check=False).returncode == 1
    bin_testbed("up")
    bin_testbed("status")
    assert "Ready" in bin_testbed("kubectl", "get", "nodes").stdout


def relay_listens() -> bool:
    connect = "import socket; socket.create_connection(('relay.testbed.test', 587))"
    return bin_testbed("run", "/usr/bin/python3", "-c", connect, check=False).returncode == 0


def test_a_relay_that_is_stopped_takes_no_connection_until_it_is_started(before):
    bin_testbed("up", "--only", "servers")
    bin_testbed("relay", "stop")
    assert not relay_listens()
    bin_testbed("relay", "start")
    assert relay_listens()
    bin_testbed("status")


def test_a_relay_that_was_killed_is_the_testbed_s_own_again_after_up(before):
    bin_testbed("up", "--only", "servers")
    os.kill(pid_of("relay"), signal.SIGKILL)
    bin_testbed("up", "--only", "servers")
    bin_testbed("relay", "stop")
    assert not relay_listens()


def test_up_after_the_first_process_was_killed_begins_anew(before):
    bin_testbed("up", "--only", "api")
    for pid in first_processes(PLACE):
        os.kill(pid, signal.SIGKILL)
    bin_testbed("up", "--only", "api")
    assert bin_testbed("kubectl", "get", "--raw=/readyz").stdout == "ok"


def test_up_of_what_is_up_starts_nothing(before):
    bin_testbed("up")
    running = bin_testbed("status").stdout
    assert "kubelet" in running
    bin_testbed("up")
    assert bin_testbed("status").stdout == running
