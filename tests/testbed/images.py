"""The container images that the node needs by itself, built once into the cache folder."""

import shutil
import tempfile
from pathlib import Path

from .place import CACHE, HERE
from .progress import step
from .tools import key, missing, run

SOURCES = HERE / "images"
BUSYBOX = Path("/bin/busybox")
PAUSE = "localhost/pause:1"
IMAGES = {"pause": PAUSE, "busybox": "localhost/busybox:1", "python": "localhost/python:1"}
PYTHON = "python3.11"


def prepare_pause(context: Path) -> None:
    run("gcc", "-static", "-Os", "-s", "-o", context / "pause", SOURCES / "pause.c")


def prepare_busybox(context: Path) -> None:
    binaries = context / "root/bin"
    binaries.mkdir(parents=True)
    shutil.copy(BUSYBOX, binaries / "busybox")
    for applet in run(BUSYBOX, "--list").split():
        if applet != "busybox":
            (binaries / applet).symlink_to("busybox")
    (context / "root/tmp").mkdir()
    (context / "root/tmp").chmod(0o1777)


def prepare_python(context: Path) -> None:
    """The interpreter, the standard library, and the shared libraries that both load."""
    root = context / "root"
    packages = (f"{PYTHON}-minimal", f"lib{PYTHON}-minimal", f"lib{PYTHON}-stdlib")
    listed = [Path(line) for line in run("dpkg", "-L", *packages).splitlines()]
    ours = [path for path in listed if path.is_file() and path.parts[2] in ("bin", "lib")]
    programs = [path for path in ours if path.suffix == ".so" or path.name == PYTHON]
    words = run("ldd", *programs).split()
    libraries = {Path(word) for word in words if word.startswith(("/lib", "/usr/lib")) and not word.endswith(":")}
    for path in {*ours, *libraries}:
        copy = root / path.relative_to("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    (root / "usr/bin/python3").symlink_to(PYTHON)
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)


def build(name: str, archive: Path) -> None:
    """Writes the image as a docker archive."""
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder) / "context"
        context.mkdir()
        {"pause": prepare_pause, "busybox": prepare_busybox, "python": prepare_python}[name](context)
        storage = ("--root", f"{folder}/storage", "--runroot", f"{folder}/run", "--storage-driver", "vfs")
        file = SOURCES / f"{name}.Containerfile"
        tag = ("--isolation", "chroot", "--quiet", "--tag", IMAGES[name])
        run("buildah", *storage, "bud", *tag, "--file", file, context)
        run("buildah", *storage, "push", "--quiet", IMAGES[name], f"docker-archive:{archive}:{IMAGES[name]}")


def archives() -> list[Path]:
    """A docker archive for each image."""
    sources = [path for path in sorted(SOURCES.iterdir()) if path.suffix in (".c", ".Containerfile")]
    folder = CACHE / f"images-{key(*sources, BUSYBOX)}"
    found = [folder / f"{name}.tar" for name in IMAGES]
    with missing(folder) as fill:
        if fill:
            with step("images of pause, busybox and python"):
                for name, archive in zip(IMAGES, found, strict=True):
                    archive.unlink(missing_ok=True)
                    build(name, archive)
    return found
