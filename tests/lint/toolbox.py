"""Tools that don't come from Debian, fetched once into the cache folder."""

import fcntl
import hashlib
import shutil
from pathlib import Path

from repository import CACHE, ROOT, run

REQUIREMENTS = ROOT / "tests/lint/requirements.txt"


def ruff() -> Path:
    """The pinned ruff, in a virtual environment named after the pins."""
    pins = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    home = CACHE / f"lint-{pins}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lint.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "ready").exists():
            shutil.rmtree(home, ignore_errors=True)
            for command in (
                ["/usr/bin/python3", "-m", "venv", home],
                [home / "bin/pip", "install", "--quiet", "--require-hashes", "-r", REQUIREMENTS],
            ):
                done = run(*command)
                if done.returncode:
                    raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
            (home / "ready").touch()
    return home / "bin/ruff"
