"""Where things are: the repository's root, its files, the cache of downloaded tools."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mail-identity-operator"
SIDES = ("common", "sidecar", "operator")


def run(*command: str | Path, **options) -> subprocess.CompletedProcess:
    """Runs a command in the root and catches what it says."""
    return subprocess.run(
        [str(part) for part in command], cwd=ROOT, text=True, capture_output=True, check=False, **options
    )


def files(*suffixes: str, under: tuple[str, ...] = ()) -> list[Path]:
    """Every file that git tracks or would track, relative to the root, by suffix and top folder."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z").stdout
    paths = sorted({Path(name) for name in listed.split("\0") if name})
    return [
        path
        for path in paths
        if (not suffixes or path.suffix in suffixes)
        and (not under or path.parts[0] in under)
        and (ROOT / path).is_file()
    ]


def scripts(interpreter: str) -> list[Path]:
    """Files without a suffix whose first line names this interpreter."""
    found = []
    for path in files(""):
        with (ROOT / path).open("rb") as file:
            first = file.readline(100)
        if first.startswith(b"#!") and interpreter.encode() in first:
            found.append(path)
    return found
