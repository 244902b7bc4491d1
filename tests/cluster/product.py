"""The product as a user has it: images in the node, the chart installed."""

import fcntl
import hashlib
import json
from pathlib import Path

from waiting import until

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/mail-identity-operator"
RELEASE = "mail-identity-operator"
NAMESPACE = "mail-system"
IMAGES = ("mail-identity-operator", "mail-sidecar")


def load_images(bed) -> str:
    """Brings our images into the node; gives a fingerprint of them."""
    fingerprint = hashlib.sha256()
    for name in IMAGES:
        archive = ROOT / "build/images" / f"{name}.tar"
        assert archive.is_file(), f"{archive} is missing: build the presets release and sidecar-static, then bin/images"
        fingerprint.update(archive.read_bytes())
        bed.load_image(archive)
    return fingerprint.hexdigest()[:16]


def install(bed, **values) -> None:
    """`helm install`, or nothing new where it is installed so already."""
    with (bed.place.state / "product.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fingerprint = {"mailidentity.io/images": load_images(bed)}
        ca = bed.place.ca.read_text()
        chosen = {
            "allowedHosts": ["auth.testbed.test", "relay.testbed.test"],
            "extraCA": {"tokenEndpoints": ca, "smtp": ca},
            "controller": {"podAnnotations": fingerprint},
            "webhook": {"podAnnotations": fingerprint},
            **values,
        }
        bed.helm(
            *("upgrade", "--install", RELEASE, CHART, "--namespace", NAMESPACE, "--create-namespace"),
            *("--values", "-", "--wait", "--timeout", "180s"),
            input=json.dumps(chosen),
        )


class Installed:
    """What a test asks of the installed product; whatever takes a moment is waited for, with a limit."""

    def __init__(self, bed):
        self.bed = bed

    def mails(self, recipient: str, count: int = 1) -> list[bytes]:
        """The mails in the recipient's Maildir once there are `count`, or more."""
        return until(
            lambda: found if len(found := self.bed.mails(recipient)) >= count else None,
            f"{count} mails for {recipient} have arrived",
            seconds=60,
        )

    def log_line(self, namespace: str, workload: str, word: str, container: str = "app") -> str:
        """The first line of a container's log that has the word."""

        def line():
            said = self.bed.kubectl("logs", "--namespace", namespace, workload, "-c", container, check=False).stdout
            return next((line for line in said.splitlines() if word in line), None)

        return until(line, f"{workload} says {word}", seconds=60)
