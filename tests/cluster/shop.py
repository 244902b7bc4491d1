"""A namespace whose pod sends as two identities, one for each way in which a client proves who it is."""

import base64
import json
import secrets
import time
import uuid

import manifests

# Identities, by their client's authentication.
NAMES = ("post", "basic")
AUTHORIZATION_HOSTS = {"post": "login.microsoftonline.com", "basic": "auth.testbed.test"}
RELAY_HOSTS = {"post": "smtp.office365.com", "basic": "relay.testbed.test"}
# One message over a connection of its own; fails when it is not taken. Arguments: recipient, sender, text.
SEND = r"""
import os, smtplib, sys
recipient, sender, text = sys.argv[1:]
with smtplib.SMTP(os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"]), timeout=60) as smtp:
    smtp.sendmail(sender, [recipient], f"From: <{sender}>\r\nSubject: Invoice\r\n\r\n{text}\r\n".encode())
"""


class Shop:
    """Nothing but the clients is made before `open`."""

    def __init__(self, bed, namespace: str):
        self._bed, self._namespace = bed, namespace
        self._clients = {name: str(uuid.uuid4()) for name in NAMES}
        # Of the characters that change in a form.
        self.secrets = {name: f"{secrets.token_urlsafe(40)}+/=~{secrets.token_urlsafe(40)}" for name in NAMES}
        for name, client in self._clients.items():
            how = {"secret": self.secrets[name], "authentication": name, "domain": manifests.DOMAIN}
            bed.authorization.put_client(client, **how)

    def _kubectl(self, *arguments: str) -> str:
        return self._bed.kubectl("--namespace", self._namespace, *arguments).stdout

    def _identity(self, name: str) -> dict:
        if name == "post":
            provider, spec = manifests.microsoft365(self._clients[name]), {}
        else:
            provider = manifests.oauth2(f"https://{AUTHORIZATION_HOSTS[name]}/token", self._clients[name])
            provider["oauth2"]["clientAuthentication"] = "Basic"
            spec = {"smtp": {"host": RELAY_HOSTS[name]}}
        (chosen,) = provider.values()
        chosen["credential"] = {"clientSecretRef": {"name": manifests.SECRET_NAME, "key": name}}
        return manifests.identity(name, provider, **spec)

    def open(self) -> None:
        """Makes Secret, identities and pod; afterwards the controller has logged in as both, and the pod runs."""
        secret = manifests.app_secret()
        secret["stringData"] = self.secrets
        pod = manifests.pod("app", "import time; time.sleep(3600)", label=NAMES[0])
        pod["metadata"]["annotations"] = {"mailidentity.io/identities": NAMES[1]}
        manifests.apply(self._bed, self._namespace, secret, *map(self._identity, NAMES), pod)
        for condition in ("LoginVerified", "Ready"):
            self._kubectl("wait", f"--for=condition={condition}", "mailidentities", "--all", "--timeout=60s")
        self._kubectl("wait", "--for=condition=Ready", "pod/app", "--timeout=60s")

    def address(self) -> str:
        """The pod's."""
        return self._kubectl("get", "pod", "app", "-o", "jsonpath={.status.podIP}")

    def process(self) -> int:
        """One of the pod."""
        return self._bed.pod_processes(self._namespace, "app")[0]

    def send(self, text: str) -> bool:
        """A message as each identity, over new connections, with its name behind the text; whether both were taken."""
        in_app = ("exec", "app", "-c", "app", "--", "/usr/bin/python3", "-c", SEND, f"ada@{self._namespace}.test")
        run = [
            self._bed.kubectl(
                *("--namespace", self._namespace, *in_app, f"{name}@{manifests.DOMAIN}", f"{text}, from {name}"),
                check=False,
            )
            for name in NAMES
        ]
        return all(done.returncode == 0 for done in run)

    def tokens(self) -> dict[str, str]:
        """Each identity's, from its Secret."""
        return {name: secret_value(self._bed, self._namespace, f"{name}-mail-token", "token") for name in NAMES}

    def refresh(self) -> None:
        """Has the controller ask for new tokens."""
        self._kubectl("annotate", "mailidentities", "--all", f"mailidentity.io/refresh={time.time_ns()}")

    def calls(self, name: str) -> list[tuple[str, int]]:
        """How the client of an identity asked for tokens, and the status of each answer."""
        calls = self._bed.authorization.calls()
        return [(call["authentication"], call["status"]) for call in calls if call["client"] == self._clients[name]]


def secret_value(bed, namespace: str, name: str, key: str) -> str:
    said = bed.kubectl("get", "secret", name, "--namespace", namespace, "-o", "json").stdout
    return base64.b64decode(json.loads(said)["data"][key]).decode()
