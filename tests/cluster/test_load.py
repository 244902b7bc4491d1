"""Large and many messages through one sidecar."""

import json

import manifests

SEND_LARGE = r"""
import os, smtplib, sys, time
line = b"x" * 76 + b"\r\n"
body = b"From: <crowd@contoso.test>\r\nSubject: large\r\n\r\n" + line * (20 * 1000 * 1000 // len(line))
with smtplib.SMTP(os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"]), timeout=120) as smtp:
    smtp.sendmail("crowd@contoso.test", [sys.argv[1]], body)
print("sent", len(body), flush=True)
"""

# 200 connections are open before the first message goes out on any of them.
SEND_MANY = r"""
import os, smtplib, sys, threading
clients = int(sys.argv[2])
together = threading.Barrier(clients)
failed = []
def client(number):
    try:
        with smtplib.SMTP(os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"]), timeout=120) as smtp:
            together.wait(60)
            smtp.sendmail("crowd@contoso.test", [sys.argv[1]],
                          f"From: <crowd@contoso.test>\r\nSubject: {number}\r\n\r\nhello\r\n".encode())
    except Exception as trouble:
        failed.append(repr(trouble))
threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("failed", len(failed), failed[:3], flush=True)
sys.exit(bool(failed))
"""


def run_job(installed, testbed, kubectl, namespace: str, script: str, *arguments: str) -> None:
    identity = manifests.identity("crowd", limits={"connections": 3}, delivery={"deadline": "2m"})
    manifests.apply(testbed, namespace, manifests.app_secret(), identity)
    kubectl("wait", "--for=condition=Ready", "mid/crowd", "--namespace", namespace, "--timeout=60s")
    job = manifests.job("app", script, *arguments, label="crowd")
    job["spec"]["backoffLimit"] = 0
    manifests.apply(testbed, namespace, job)
    done = kubectl(
        *("wait", "--for=condition=Complete", "job/app", "--namespace", namespace, "--timeout=180s"), check=False
    )
    said = kubectl("logs", "--namespace", namespace, "job/app", "--all-containers", check=False).stdout
    assert done.returncode == 0, said


def sidecar_restarts(kubectl, namespace: str) -> list[int]:
    pods = json.loads(kubectl("get", "pods", "--namespace", namespace, "-o", "json").stdout)["items"]
    return [status["restartCount"] for pod in pods for status in pod["status"]["initContainerStatuses"]]


def test_a_mail_of_20_megabytes_arrives(installed, testbed, kubectl, make_namespace):
    namespace = make_namespace("large", labels=manifests.RESTRICTED)
    run_job(installed, testbed, kubectl, namespace, SEND_LARGE, f"large@{namespace}.test")
    (mail,) = installed.mails(f"large@{namespace}.test")
    assert len(mail) > 19_000_000
    assert mail.endswith(b"x" * 76 + b"\n")
    assert sidecar_restarts(kubectl, namespace) == [0]


def test_200_clients_at_once_share_three_connections(installed, testbed, kubectl, make_namespace):
    namespace = make_namespace("many", labels=manifests.RESTRICTED)
    before = testbed.relay.position()
    run_job(installed, testbed, kubectl, namespace, SEND_MANY, f"many@{namespace}.test", "200")
    assert len(installed.mails(f"many@{namespace}.test", count=200)) == 200
    assert sidecar_restarts(kubectl, namespace) == [0]
    assert testbed.relay.most_connections(since=before, mailbox="crowd@contoso.test") <= 3
