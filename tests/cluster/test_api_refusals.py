"""The API server refuses what can't work, and says which field is wrong and what it must be."""

import copy
import json

import pytest

MICROSOFT = {
    "apiVersion": "mailidentity.io/v1alpha1",
    "kind": "MailIdentity",
    "metadata": {"name": "billing"},
    "spec": {
        "mailbox": "billing@contoso.com",
        "provider": {
            "microsoft365": {
                "tenant": "contoso.onmicrosoft.com",
                "clientID": "6f1c4d5e-1111-2222-3333-444455556666",
                "credential": {"clientSecretRef": {"name": "contoso-app", "key": "client-secret"}},
            }
        },
    },
}
OAUTH2 = {
    "tokenURL": "https://auth.contoso.com/token",
    "clientID": "mailer",
    "credential": {"clientSecretRef": {"name": "contoso-app", "key": "client-secret"}},
}

PROVIDER = "spec.provider"
M365 = "spec.provider.microsoft365"

# What is wrong: where the value goes (None takes the member away), the value, and what the refusal must say.
WRONG = {
    "a mailbox that is no address": ("spec.mailbox", "billing", "spec.mailbox", "must be one address"),
    "a mailbox with a display name": (
        "spec.mailbox",
        "Billing <b@contoso.com>",
        "spec.mailbox",
        "without a display name",
    ),
    "no mailbox": ("spec.mailbox", None, "spec.mailbox", "Required value"),
    "no provider": ("spec.provider", None, "spec.provider", "Required value"),
    "an empty provider": ("spec.provider", {}, "spec.provider", "exactly one of microsoft365 and oauth2"),
    "two providers": (f"{PROVIDER}.oauth2", OAUTH2, "spec.provider", "exactly one of microsoft365 and oauth2"),
    "a provider that nobody knows": (f"{PROVIDER}.yahoo", {}, "spec.provider.yahoo", "unknown field"),
    "oauth2 without a relay": (PROVIDER, {"oauth2": OAUTH2}, "spec.smtp", "smtp.host must be given"),
    "a tenant that is a URL": (f"{M365}.tenant", "https://contoso.com", f"{M365}.tenant", "not a URL"),
    "the tenant common": (f"{M365}.tenant", "common", f"{M365}.tenant", "must name one tenant"),
    "a client ID that is a name": (
        f"{M365}.clientID",
        "my-app",
        f"{M365}.clientID",
        "must be the Application (client) ID",
    ),
    "a cloud that is not offered": (f"{M365}.cloud", "Mars", f"{M365}.cloud", 'supported values: "Public"'),
    "an authority in clear": (f"{M365}.authorityHost", "http://login.test", f"{M365}.authorityHost", "https address"),
    "no credential": (f"{M365}.credential", None, f"{M365}.credential", "Required value"),
    "a credential without a kind": (f"{M365}.credential", {}, f"{M365}.credential.clientSecretRef", "Required value"),
    "a Secret of another namespace": (
        f"{M365}.credential.clientSecretRef.name",
        "other/secret",
        f"{M365}.credential.clientSecretRef.name",
        "not namespace/name",
    ),
    "a namespace in the reference": (
        f"{M365}.credential.clientSecretRef.namespace",
        "other",
        f"{M365}.credential.clientSecretRef.namespace",
        "unknown field",
    ),
    "a password in the spec": ("spec.password", "hunter2", "spec.password", "unknown field"),
    "a URL as host": ("spec.smtp", {"host": "smtp://smtp.contoso.com"}, "spec.smtp.host", "without smtp://"),
    "a host with a port": ("spec.smtp", {"host": "smtp.contoso.com:587"}, "spec.smtp.host", "goes into smtp.port"),
    "the port of implicit TLS": ("spec.smtp", {"port": 465}, "spec.smtp.port", "465 (implicit TLS) is not offered"),
    "a port that is none": ("spec.smtp", {"port": 70000}, "spec.smtp.port", "less than or equal to 65535"),
    "a mechanism that sends passwords": ("spec.smtp", {"mechanism": "PLAIN"}, "spec.smtp.mechanism", '"XOAUTH2"'),
    "a CA that is not PEM": ("spec.smtp", {"caBundle": "MIIB"}, "spec.smtp.caBundle", "must be PEM"),
    "a sender that is a domain": (
        "spec.senders",
        {"allowed": ["contoso.com"]},
        "spec.senders.allowed[0]",
        "*@ and a domain",
    ),
    "the same sender twice": ("spec.senders", {"allowed": ["a@b.c", "a@b.c"]}, "spec.senders.allowed[1]", "Duplicate"),
    "an empty list of senders": ("spec.senders", {"allowed": []}, "spec.senders.allowed", "at least 1 items"),
    "a deadline without a unit": ("spec.delivery", {"deadline": "25"}, "spec.delivery.deadline", "from 1s to 10m"),
    "a deadline of a day": ("spec.delivery", {"deadline": "24h"}, "spec.delivery.deadline", "from 1s to 10m"),
    "a mode that is not offered": ("spec.delivery", {"mode": "Queue"}, "spec.delivery.mode", "unknown field"),
    "no connections": ("spec.limits", {"connections": 0}, "spec.limits.connections", "greater than or equal to 1"),
    "a size that is no quantity": ("spec.limits", {"messageSize": "25 MB"}, "spec.limits.messageSize", "such as 25Mi"),
    "a size of nothing": ("spec.limits", {"messageSize": 0}, "spec.limits.messageSize", "from 1Ki to 150Mi"),
    "a name with a dot": ("metadata.name", "billing.eu", "must be a DNS label", "at most 52 characters"),
    "a name that is too long": ("metadata.name", "b" * 53, "must be a DNS label", "at most 52 characters"),
}


def changed(path: str, value) -> dict:
    """The good identity with one member set or taken away."""
    identity = copy.deepcopy(MICROSOFT)
    *parents, last = path.split(".")
    place = identity
    for name in parents:
        place = place.setdefault(name, {})
    if value is None:
        del place[last]
    else:
        place[last] = value
    return identity


@pytest.fixture
def create(crds, kubectl):
    """What the API server says of an identity, which is not kept."""

    def create(identity: dict):
        dry_run = ("create", "--dry-run=server", "--namespace", "default", "-f", "-")
        return kubectl(*dry_run, input=json.dumps(identity), check=False)

    return create


@pytest.mark.parametrize("what", WRONG)
def test_refuses(create, what):
    path, value, field, cure = WRONG[what]
    done = create(changed(path, value))
    assert done.returncode, done.stdout
    assert field in done.stderr
    assert cure in done.stderr


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.mailbox", "o'brien+bill=x@sub.contoso.com"),
        ("spec.senders", {"allowed": ["billing@contoso.com", "*@invoices.contoso.com"]}),
        ("spec.limits", {"connections": 3, "messageSize": "25Mi"}),
        ("spec.limits", {"messageSize": 1048576}),
        ("spec.delivery", {"deadline": "1m30s"}),
        ("spec", {"mailbox": "a@b.test", "provider": {"oauth2": OAUTH2}, "smtp": {"host": "relay.b.test"}}),
        (f"{M365}.authorityHost", "https://login.example.com:8443/"),
    ],
)
def test_takes_what_is_right(create, path, value):
    done = create(changed(path, value))
    assert done.returncode == 0, done.stderr


def test_explain_reads_like_documentation(create, kubectl):
    explained = kubectl("explain", "mailidentity.spec", "--recursive=false").stdout
    for field in ("mailbox", "provider", "smtp", "senders", "delivery", "limits"):
        assert field in explained
    assert "<no description>" not in explained
