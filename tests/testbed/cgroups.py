"""The testbed's own branch in every cgroup hierarchy, version 1 or 2."""

import os
import time
from pathlib import Path

from .place import Trouble

MOUNTS = Path("/sys/fs/cgroup")
# What the kubelet asks for.
NEEDED = {"cpu", "cpuacct", "cpuset", "memory", "pids"}


def unified() -> bool:
    """Whether the machine has cgroup v2 alone."""
    return (MOUNTS / "cgroup.controllers").exists()


def mounted(*kinds: str) -> list[Path]:
    """Where hierarchies of these kinds of file system are."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    fields = [line.split() for line in lines]
    return [Path(line[4]) for line in fields if line[line.index("-") + 1] in kinds]


def hierarchies() -> list[Path]:
    """The root of each hierarchy that has controllers for us."""
    return [MOUNTS] if unified() else mounted("cgroup")


def check() -> None:
    """Trouble where a node can't run here."""
    if unified():
        missing = {"cpu", "cpuset", "memory", "pids"} - set((MOUNTS / "cgroup.controllers").read_text().split())
    else:
        missing = NEEDED - {name for path in hierarchies() for name in path.name.split(",")}
    if missing:
        raise Trouble(f"A node needs the cgroup controllers {', '.join(sorted(missing))}, which are not in {MOUNTS}")
    if not os.access(hierarchies()[0], os.W_OK):
        raise Trouble(f"A node needs to write to {MOUNTS}; in a container, start it with its cgroups writable")


def make(name: str) -> None:
    """The branch, empty, with the machine's CPUs and memory nodes."""
    for root in hierarchies():
        branch = root / name
        branch.mkdir(exist_ok=True)
        if "cpuset" in root.name.split(","):
            for file in ("cpuset.cpus", "cpuset.mems"):
                (branch / file).write_text((root / file).read_text())
    if unified():
        enabled = " ".join(f"+{name}" for name in (MOUNTS / "cgroup.controllers").read_text().split())
        (MOUNTS / "cgroup.subtree_control").write_text(enabled)


def remove(name: str) -> None:
    """The branch with all below it; its processes have ended, but the kernel may still be about to notice."""
    # With version 1, runc makes folders in a version 2 hierarchy beside it, too.
    for root in mounted("cgroup", "cgroup2"):
        branch = root / name
        until = time.monotonic() + 10
        while branch.exists():
            for folder, _, _ in os.walk(branch, topdown=False):
                try:
                    Path(folder).rmdir()
                except FileNotFoundError:
                    continue
                except OSError:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.02)
                    break
