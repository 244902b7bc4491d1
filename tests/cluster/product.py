"""The product as a user has it: images in the node, the chart installed, identities and apps in YAML."""

import fcntl
import hashlib
import json
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/mail-identity-operator"
RELEASE = "mail-identity-operator"
NAMESPACE = "mail-system"
IMAGES = ("mail-identity-operator", "mail-sidecar")
PYTHON_IMAGE = "localhost/python:1"
DOMAIN = "contoso.test"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


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

    @staticmethod
    def until(condition, limit: float | None = None):
        """The first true value of `condition`, asked until `limit` on the monotonic clock (60 s from now)."""
        limit = limit or time.monotonic() + 60
        while not (value := condition()):
            assert time.monotonic() < limit, "did not happen in time"
            time.sleep(0.2)
        return value

    def mails(self, recipient: str, count: int = 1) -> list[bytes]:
        """The mails in the recipient's Maildir once there are `count`, or more."""
        return self.until(lambda: found if len(found := self.bed.mails(recipient)) >= count else None)

    def log_line(self, namespace: str, workload: str, word: str, container: str = "app") -> str:
        """The first line of a container's log that has the word."""

        def line():
            said = self.bed.kubectl("logs", "--namespace", namespace, workload, "-c", container, check=False).stdout
            return next((line for line in said.splitlines() if word in line), None)

        return self.until(line)


def identity(name: str, bed, **spec) -> dict:
    """A MailIdentity for the testbed's authorization server in Microsoft's form, or with another provider in `spec`."""
    environment = bed.environment()
    return {
        "apiVersion": "mailidentity.io/v1alpha1",
        "kind": "MailIdentity",
        "metadata": {"name": name},
        "spec": {
            "mailbox": f"{name}@{DOMAIN}",
            "provider": {
                "microsoft365": {
                    "tenant": environment["tenant"],
                    "clientID": environment["client"]["id"],
                    "credential": {"clientSecretRef": {"name": "contoso-app", "key": "client-secret"}},
                }
            },
            **spec,
        },
    }


def app_secret(bed) -> dict:
    """The Secret that the identity refers to."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "contoso-app"},
        "stringData": {"client-secret": bed.environment()["client"]["secret"]},
    }


def pod_template(script: str, *arguments: str, label: str = "billing", restart: str = "Never") -> dict:
    """A labelled pod that is acceptable to Pod Security `restricted` and runs a Python script."""
    return {
        "metadata": {"labels": {"mailidentity.io/identity": label, "app": "shop"}},
        "spec": {
            "restartPolicy": restart,
            "terminationGracePeriodSeconds": 5,
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "app",
                    "image": PYTHON_IMAGE,
                    "imagePullPolicy": "Never",
                    "args": ["-c", script, *arguments],
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }
            ],
        },
    }


def pod(name: str, script: str, *arguments: str, **options) -> dict:
    template = pod_template(script, *arguments, **options)
    template["metadata"]["name"] = name
    return {"apiVersion": "v1", "kind": "Pod", **template}


def job(name: str, script: str, *arguments: str, **options) -> dict:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 3, "template": pod_template(script, *arguments, **options)},
    }


def deployment(name: str, script: str, *arguments: str) -> dict:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": "shop"}},
            "template": pod_template(script, *arguments, restart="Always"),
        },
    }


def as_list(*objects: dict) -> str:
    """For `kubectl apply -f -`."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


# An app as people write them: one message, again while the answer is 4xx. Arguments: the recipient, the text.
SEND_ONE = r"""
import os, smtplib, sys, time
recipient, text = sys.argv[1:3]
message = text.encode("utf-8", "surrogateescape").replace(b"\n", b"\r\n")
while True:
    try:
        with smtplib.SMTP(os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"]), timeout=60) as smtp:
            smtp.sendmail("billing@contoso.test", [recipient], message)
        break
    except smtplib.SMTPResponseException as refused:
        print(refused.smtp_code, refused.smtp_error.decode(), flush=True)
        if refused.smtp_code >= 500: raise
    except smtplib.SMTPRecipientsRefused as refused:
        print(refused, flush=True)
        raise
    time.sleep(0.2)
print("sent", flush=True)
if len(sys.argv) > 3: time.sleep(3600)
"""
