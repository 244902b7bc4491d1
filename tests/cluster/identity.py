"""What a test asks of one MailIdentity: to be there, and what became of it."""

import base64
import json
import time

import manifests
from waiting import until


class Identity:
    """One MailIdentity and its app's Secret. Its client at the token endpoint is named as its namespace, which so has
    to be one of the test's own."""

    def __init__(self, bed, namespace: str, token_url: str, name: str = "billing", relay: str = "relay.testbed.test"):
        self.bed = bed
        self.namespace = namespace
        self.name = name
        self._token_url = token_url
        self._relay = relay

    @property
    def client(self) -> str:
        return self.namespace

    @property
    def mailbox(self) -> str:
        return f"{self.name}@{manifests.DOMAIN}"

    def manifest(self, token_url: str = "") -> dict:
        provider = manifests.oauth2(token_url or self._token_url, self.client)
        return manifests.identity(self.name, provider, smtp={"host": self._relay})

    def apply(self, token_url: str = "") -> None:
        """Makes it or changes it: to its own token endpoint, or to another."""
        manifests.apply(self.bed, self.namespace, self.manifest(token_url))

    def apply_secret(self, value: str, key: str = manifests.SECRET_KEY) -> None:
        """What the client authenticates with; under another key than the identity's it is not found."""
        manifests.apply(self.bed, self.namespace, manifests.app_secret(value, key))

    def delete_secret(self) -> None:
        self._kubectl("delete", "secret", manifests.SECRET_NAME)

    def refresh(self) -> None:
        """Asks for a new token at once."""
        self._kubectl("annotate", "mid", self.name, "--overwrite", f"mailidentity.io/refresh={time.time_ns()}")

    def status(self) -> dict:
        return json.loads(self._kubectl("get", "mid", self.name, "-o", "json")).get("status", {})

    def condition(self, kind: str) -> tuple[str, str]:
        """Status and reason."""
        found = self._condition(kind)
        return found.get("status", ""), found.get("reason", "")

    def message(self, kind: str) -> str:
        return self._condition(kind)["message"]

    def token_secret(self) -> dict[str, bytes]:
        """What the operator wrote, decoded; empty where there is nothing."""
        name = f"{self.name}-mail-token"
        found = self.bed.kubectl("get", "secret", name, "--namespace", self.namespace, "-o", "json", check=False)
        if found.returncode:
            assert "NotFound" in found.stderr, found.stderr
            return {}
        return {key: base64.b64decode(value) for key, value in json.loads(found.stdout)["data"].items()}

    def token(self) -> str:
        """The access token; empty where there is none."""
        return self.token_secret().get("token", b"").decode()

    def settled(self, old_token: str = "") -> bool:
        """Everything is True, about a token that is not `old_token`, and the status is about what is in the Secret."""
        secret = self.token_secret()
        if not secret or secret["token"].decode() == old_token:
            return False
        status = self.status()
        conditions = {each["type"]: each["status"] for each in status.get("conditions", [])}
        return (
            conditions == dict.fromkeys(("Ready", "TokenIssued", "TokenFresh", "LoginVerified"), "True")
            and status["token"]["expirationTime"].encode() == secret["expires-at"]
            and "lastFailure" not in status
        )

    def wait_for(self, kind: str, status: str, reason: str, seconds: float = 40) -> None:
        """Until the condition has this status and reason."""

        def instead() -> str:
            return f"{kind} is {status} ({reason}); it is {json.dumps(self.status(), indent=1)}"

        until(lambda: self.condition(kind) == (status, reason), instead, seconds)

    def _condition(self, kind: str) -> dict:
        return next((each for each in self.status().get("conditions", []) if each["type"] == kind), {})

    def _kubectl(self, *arguments: str) -> str:
        return self.bed.kubectl("--namespace", self.namespace, *arguments).stdout
