"""Five rotations of the token while a pod sends a mail a second: nobody notices."""

import json
from collections import Counter

import manifests
from waiting import until

# One message a second, numbered, each exactly once; what isn't 250 ends the pod with an error.
SEND_FOR_EVER = r"""
import os, smtplib, sys, time
number = 0
begin = time.monotonic()
while not os.path.exists("/tmp/stop"):
    with smtplib.SMTP(os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"]), timeout=60) as smtp:
        smtp.sendmail("rotating@contoso.test", [sys.argv[1]],
                      f"From: <rotating@contoso.test>\r\nSubject: {number}\r\n\r\n{number}\r\n".encode())
    number += 1
    print("sent", number, flush=True)
    time.sleep(max(0, begin + number - time.monotonic()))
print("stopped", flush=True)
time.sleep(3600)
"""
CLIENT = "11111111-2222-3333-4444-555555555555"
LIFE = 120
ROTATIONS = 5


def subject(mail: bytes) -> str:
    return next(line for line in mail.split(b"\n") if line.startswith(b"Subject:")).split(b":")[1].strip().decode()


def test_five_rotations_lose_and_double_nothing(installed, testbed, kubectl, make_namespace):
    namespace = make_namespace("rotation", labels=manifests.RESTRICTED)
    recipient = f"steady@{namespace}.test"
    testbed.authorization.put_client(CLIENT, secret="rotating-secret", lifetime=LIFE, domain=manifests.DOMAIN)
    identity = manifests.identity("rotating", manifests.microsoft365(CLIENT))

    manifests.apply(testbed, namespace, manifests.app_secret("rotating-secret"), identity)
    kubectl("wait", "--for=condition=Ready", "mid/rotating", "--namespace", namespace, "--timeout=60s")
    manifests.apply(testbed, namespace, manifests.pod("app", SEND_FOR_EVER, recipient, label="rotating"))

    def tokens() -> set[str]:
        calls = testbed.authorization.calls()
        return {call["jti"] for call in calls if call["client"] == CLIENT and call["status"] == 200}

    # Half of the life is a rotation's pace; twice that is more than any of them may take.
    until(
        lambda: len(tokens() & testbed.relay.logged_in_tokens()) > ROTATIONS,
        f"{ROTATIONS} rotations",
        seconds=LIFE * (ROTATIONS + 1),
    )

    stop = ("/usr/bin/python3", "-c", "open('/tmp/stop', 'w')")
    kubectl("exec", "--namespace", namespace, "app", "-c", "app", "--", *stop)
    installed.log_line(namespace, "pod/app", "stopped")
    status = json.loads(kubectl("get", "pod", "app", "--namespace", namespace, "-o", "json").stdout)["status"]
    containers = status["containerStatuses"] + status["initContainerStatuses"]
    assert [container["restartCount"] for container in containers] == [0, 0]

    said = kubectl("logs", "--namespace", namespace, "app", "-c", "app").stdout
    sent = said.count("sent ")
    assert sent >= ROTATIONS * LIFE // 2 * 3 // 4, "it really sent all the time"
    arrived = Counter(subject(mail) for mail in testbed.mails(recipient))
    assert [number for number, copies in arrived.items() if copies > 1] == []
    assert {str(number) for number in range(sent)} - set(arrived) == set()
