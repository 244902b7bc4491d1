"""From `helm install` to a mail in a Maildir, for each kind of workload, where Pod Security is `restricted`."""

import itertools
import re

import manifests
import pytest

TEXT = """\
From: Billing <billing@contoso.test>
To: {recipient}
Subject: Invoice =?utf-8?q?f=C3=BCr?= you
Date: Tue, 24 Nov 2026 05:06:07 +0000
Message-ID: <{recipient}>

Dear customer,

.a line that begins with a dot
 trailing blanks   \t
{long}
the end, without more
"""
# What is added on the way and only that, from the top: by the relay's delivery, the relay and the sidecar.
ADDED = (b"Return-Path:", b"X-Original-To:", b"Delivered-To:", b"Received:", b"Received:")


def text_for(recipient: str) -> str:
    return TEXT.format(recipient=recipient, long="x" * 900)


def without_trace(mail: bytes) -> tuple[bytes, list[bytes]]:
    """The mail without the header fields that were added at its top, and those fields."""
    added = []
    while match := re.match(rb"(Return-Path:|X-Original-To:|Delivered-To:|Received:)[^\n]*\n([ \t][^\n]*\n)*", mail):
        added.append(match[0])
        mail = mail[match.end() :]
    return mail, added


def workload(kind: str, recipient: str) -> dict:
    arguments = (manifests.SEND_ONE, recipient, text_for(recipient))
    if kind == "Deployment":
        return manifests.deployment("app", *arguments, "stay")
    return manifests.job("app", *arguments) if kind == "Job" else manifests.pod("app", *arguments)


@pytest.mark.parametrize("kind", ["Deployment", "Job", "Pod"])
def test_a_mail_arrives_byte_for_byte(installed, testbed, kubectl, make_namespace, kind):
    namespace = make_namespace("first-mail", labels=manifests.RESTRICTED)
    recipient = f"{kind.lower()}@{namespace}.test"
    objects = (manifests.app_secret(), manifests.identity("billing"), workload(kind, recipient))
    manifests.apply(testbed, namespace, *objects)
    (mail,) = installed.mails(recipient)
    body, added = without_trace(mail)
    assert body == text_for(recipient).encode()
    assert len(added) == len(ADDED)
    assert all(field.startswith(name) for field, name in zip(added, ADDED, strict=True))
    ours = added[-1]
    assert b"[127.0.0.1]" in ours or b"localhost" in ours
    assert b"app" not in ours, "the pod's name is nobody's business"

    if kind == "Job":
        kubectl("wait", "--for=condition=Complete", "job/app", "--namespace", namespace, "--timeout=60s")


@pytest.mark.parametrize("order", itertools.permutations(["identity", "secret", "pod"]), ids="-".join)
def test_every_order_of_creation_ends_in_a_mail(installed, testbed, kubectl, make_namespace, order):
    namespace = make_namespace("any-order")
    recipient = f"{'-'.join(order)}@{namespace}.test"
    objects = {
        "identity": manifests.identity("billing"),
        "secret": manifests.app_secret(),
        "pod": manifests.pod("app", manifests.SEND_ONE, recipient, text_for(recipient)),
    }
    for part in order:
        manifests.apply(testbed, namespace, objects[part])
        if part == "pod":
            # Nothing holds the app's start up: it runs and is told 451 until there is a token.
            kubectl(
                *("wait", "--for=jsonpath={.status.phase}!=Pending", "pod/app"),
                *("--namespace", namespace, "--timeout=60s"),
                check=False,
            )
    assert len(installed.mails(recipient)) == 1


def test_mail_of_a_second_identity_waits_until_there_is_one(installed, testbed, make_namespace):
    namespace = make_namespace("second-identity")
    recipient = f"app@{namespace}.test"
    app = manifests.pod("app", manifests.SEND_ONE, recipient, text_for(recipient), label="alerts")
    app["metadata"]["annotations"] = {"mailidentity.io/identities": "billing"}
    manifests.apply(testbed, namespace, manifests.app_secret(), manifests.identity("alerts"), app)
    # First for its own identity, then for the second; a 5xx would end the app.
    assert "451" in installed.log_line(namespace, "pod/app", "identity billing")
    manifests.apply(testbed, namespace, manifests.identity("billing"))
    assert len(installed.mails(recipient)) == 1


def test_an_app_that_insists_on_logging_in_may_with_any_password(installed, testbed, kubectl, make_namespace):
    namespace = make_namespace("logs-in")
    recipient = f"app@{namespace}.test"
    app = manifests.pod("app", manifests.SEND_ONE, recipient, text_for(recipient))
    app["metadata"]["annotations"] = {"mailidentity.io/accept-auth": "true"}
    login = {"SMTP_USER": "anybody-at-all", "SMTP_PASSWORD": "any-password-will-do"}
    app["spec"]["containers"][0]["env"] = [{"name": name, "value": value} for name, value in login.items()]
    manifests.apply(testbed, namespace, manifests.app_secret(), manifests.identity("billing"), app)
    assert len(installed.mails(recipient)) == 1
    said = kubectl("logs", "pod/app", "--namespace", namespace, "-c", "mail-sidecar").stdout
    assert "serving" in said, "the log is there"
    assert [word for word in login.values() if word in said] == []


def test_a_pod_whose_identity_is_missing_starts_and_the_user_is_warned(installed, testbed, make_namespace):
    namespace = make_namespace("warned")
    pod = manifests.pod("app", manifests.SEND_ONE, "nobody@warned.test", "x", label="nothing")
    made = manifests.apply(testbed, namespace, pod)
    assert "nothing" in made.stderr, "kubectl prints the webhook's warning"
    said = installed.log_line(namespace, "pod/app", "451")
    assert "4.7.0" in said
