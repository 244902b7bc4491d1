"""The YAML that a user writes: identities, their Secrets, and apps as pods, Jobs and Deployments."""

import json
import subprocess

from testbed.place import CLIENT, SECRET, TENANT

PYTHON_IMAGE = "localhost/python:1"
DOMAIN = "contoso.test"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
# Where an identity finds what its app authenticates with.
SECRET_NAME = "contoso-app"
SECRET_KEY = "client-secret"
CREDENTIAL = {"clientSecretRef": {"name": SECRET_NAME, "key": SECRET_KEY}}


def microsoft365(client: str = CLIENT) -> dict:
    """A provider: the testbed's authorization server in Microsoft's form."""
    return {"microsoft365": {"tenant": TENANT, "clientID": client, "credential": CREDENTIAL}}


def oauth2(token_url: str, client: str) -> dict:
    """A provider: a token endpoint that speaks plain OAuth 2.0."""
    return {"oauth2": {"tokenURL": token_url, "clientID": client, "credential": CREDENTIAL}}


def identity(name: str, provider: dict | None = None, **spec) -> dict:
    """A MailIdentity, with microsoft365() where no other provider is given."""
    return {
        "apiVersion": "mailidentity.io/v1alpha1",
        "kind": "MailIdentity",
        "metadata": {"name": name},
        "spec": {"mailbox": f"{name}@{DOMAIN}", "provider": provider or microsoft365(), **spec},
    }


def app_secret(value: str = SECRET, key: str = SECRET_KEY) -> dict:
    """The Secret that all of these identities refer to."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET_NAME}, "stringData": {key: value}}


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


def apply(bed, namespace: str, *objects: dict) -> subprocess.CompletedProcess:
    """`kubectl apply`; what it printed."""
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    return bed.kubectl("apply", "--namespace", namespace, "-f", "-", input=listed)


# An app as people write them: one message, again while the answer is 4xx. Arguments: the recipient, the text. With
# SMTP_USER and SMTP_PASSWORD in its environment it logs in first, and fails where it is not let.
SEND_ONE = r"""
import os, smtplib, sys, time
recipient, text = sys.argv[1:3]
message = text.encode("utf-8", "surrogateescape").replace(b"\n", b"\r\n")
while True:
    try:
        with smtplib.SMTP(os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"]), timeout=60) as smtp:
            if "SMTP_USER" in os.environ: smtp.login(os.environ["SMTP_USER"], os.environ["SMTP_PASSWORD"])
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
