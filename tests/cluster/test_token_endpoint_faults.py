"""The controller as a process, the real API server, and a token endpoint with every fault that it may have.

The fault is named, the old token stays, and the controller recovers by itself."""

import base64
import json
import time

import pytest
from controller_alone import NODE, Controller, FaultEndpoint, api_server_alone

MEGABYTE = 1 << 20
# What the answer may cost, however large it is.
ALLOWED_GROWTH = 16 * MEGABYTE
RIGHT = "s3cret-of-the-client"
WRONG = "s3cret-of-somebody-else"


@pytest.fixture(scope="module")
def testbed():
    with api_server_alone("faults") as bed:
        yield bed


@pytest.fixture(scope="module")
def endpoint(testbed, tmp_path_factory):
    made = FaultEndpoint(testbed, tmp_path_factory.mktemp("endpoint"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def controller(testbed, endpoint, tmp_path_factory):
    """One process for all faults: that none of them harms it is half of the test."""
    log = tmp_path_factory.mktemp("controller") / "log"
    started = Controller(testbed, log, f"--allowed-hosts={NODE}", f"--token-ca-file={endpoint.ca}")
    yield started
    alive = started.running
    started.stop()
    print(started.said())
    assert alive, "the controller has ended by itself"


class Identity:
    """One MailIdentity in a namespace of its own, with the client that is named as the namespace."""

    def __init__(self, bed, namespace: str, endpoint: FaultEndpoint):
        self.bed = bed
        self.namespace = namespace
        self.endpoint = endpoint

    def kubectl(self, *arguments: str, **options) -> str:
        return self.bed.kubectl("--namespace", self.namespace, *arguments, **options).stdout

    def apply(self, *objects: dict) -> None:
        for each in objects:
            self.kubectl("apply", "-f", "-", input=json.dumps(each))

    def apply_secret(self, **data: str) -> None:
        self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "app"}, "stringData": data})

    def apply_identity(self, token_url: str = "") -> None:
        provider = {
            "tokenURL": token_url or self.endpoint.url,
            "clientID": self.namespace,
            "credential": {"clientSecretRef": {"name": "app", "key": "secret"}},
        }
        self.apply(
            {
                "apiVersion": "mailidentity.io/v1alpha1",
                "kind": "MailIdentity",
                "metadata": {"name": "billing"},
                "spec": {"mailbox": "billing@contoso.test", "provider": {"oauth2": provider}, "smtp": {"host": NODE}},
            }
        )

    def refresh(self) -> None:
        """Asks for a new token at once."""
        self.kubectl("annotate", "mid", "billing", "--overwrite", f"mailidentity.io/refresh={time.time_ns()}")

    def status(self) -> dict:
        return json.loads(self.kubectl("get", "mid", "billing", "-o", "json")).get("status", {})

    def condition(self, kind: str) -> tuple[str, str]:
        """Status and reason."""
        for each in self.status().get("conditions", []):
            if each["type"] == kind:
                return each["status"], each["reason"]
        return "", ""

    def message(self, kind: str) -> str:
        return next(each["message"] for each in self.status()["conditions"] if each["type"] == kind)

    def token(self) -> str:
        """The token in the Secret; empty where there is none."""
        said = self.bed.kubectl(
            *("--namespace", self.namespace, "get", "secret", "billing-mail-token", "-o", "json"), check=False
        )
        return base64.b64decode(json.loads(said.stdout)["data"]["token"]).decode() if said.returncode == 0 else ""

    def wait(self, condition, seconds: float = 40) -> None:
        limit = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < limit, f"did not happen: {json.dumps(self.status(), indent=1)}"
            time.sleep(0.2)

    def wait_for(self, kind: str, status: str, reason: str, seconds: float = 40) -> None:
        self.wait(lambda: self.condition(kind) == (status, reason), seconds)


@pytest.fixture
def identity(testbed, controller, endpoint, make_namespace) -> Identity:
    """An identity with a good token; afterwards the endpoint is good again."""
    endpoint.now("grant", secret=RIGHT)
    made = Identity(testbed, make_namespace("faults"), endpoint)
    made.apply_secret(secret=RIGHT)
    made.apply_identity()
    made.wait_for("TokenFresh", "True", "TokenFresh")
    made.wait_for("Ready", "True", "Ready")
    yield made
    endpoint.now("grant", secret=RIGHT)
    assert controller.running


def assert_old_token_is_kept(identity: Identity, old: str, reason: str) -> None:
    identity.wait_for("TokenFresh", "False", reason)
    assert identity.status()["lastFailure"]["reason"] == reason
    assert identity.condition("TokenIssued") == ("True", "TokenIssued")
    assert identity.condition("Ready") == ("True", "Ready")
    assert identity.token() == old


def assert_recovered(identity: Identity, old: str) -> None:
    identity.wait_for("TokenFresh", "True", "TokenFresh", seconds=90)
    assert identity.token() not in ("", old)
    assert identity.token() == [call["token"] for call in identity.endpoint.calls(identity.namespace)][-1]
    # Nobody listens where the identity has its relay, which is noted, too, and holds nothing back.
    assert identity.status().get("lastFailure", {}).get("reason") in (None, "RelayUnreachable")


FAULTS = {
    "down": "TokenEndpointUnreachable",
    "error": "TokenEndpointUnavailable",
    "silent": "TokenEndpointTimeout",
    "drip": "TokenEndpointTimeout",
    "redirect": "TokenEndpointRedirected",
    "throttle": "TokenEndpointThrottled",
    "huge": "TokenResponseTooLarge",
    "endless": "TokenResponseTooLarge",
    "one-chunk": "TokenResponseTooLarge",
    "page": "TokenResponseInvalid",
    "other-name": "TokenEndpointCertificate",
}
# Nothing of these reaches the endpoint as a request.
UNHEARD = ("down", "other-name")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_and_the_old_token_kept(identity, endpoint, controller, fault):
    old = identity.token()
    before = len(endpoint.calls(identity.namespace))
    resident = controller.resident()
    endpoint.now(fault)
    identity.refresh()
    assert_old_token_is_kept(identity, old, FAULTS[fault])
    assert controller.peak() - resident <= ALLOWED_GROWTH

    calls = endpoint.calls(identity.namespace)[before:]
    assert [call["path"] for call in calls] == ([] if fault in UNHEARD else ["/token"]), (
        "one POST for the one that was due"
    )
    assert NODE in identity.message("TokenFresh")

    endpoint.now("grant")
    identity.refresh()
    assert_recovered(identity, old)


def test_what_passes_is_tried_again_without_anybody_asking(identity, endpoint):
    old = identity.token()
    endpoint.now("error")
    identity.refresh()
    assert_old_token_is_kept(identity, old, "TokenEndpointUnavailable")
    assert "retryTime" in identity.status()["lastFailure"]
    endpoint.now("grant")
    assert_recovered(identity, old)


def test_a_wrong_secret_is_named_and_a_right_one_found(identity, endpoint):
    old = identity.token()
    identity.apply_secret(secret=WRONG)
    identity.refresh()
    assert_old_token_is_kept(identity, old, "InvalidClient")
    assert "AADSTS7000215" in identity.message("TokenFresh")
    assert WRONG not in json.dumps(identity.status())
    identity.apply_secret(secret=RIGHT)
    identity.refresh()
    assert_recovered(identity, old)


def test_a_missing_secret_is_named_and_found_when_it_comes(identity, endpoint):
    old = identity.token()
    before = len(endpoint.calls(identity.namespace))
    identity.kubectl("delete", "secret", "app")
    identity.refresh()
    assert_old_token_is_kept(identity, old, "CredentialMissing")
    assert len(endpoint.calls(identity.namespace)) == before
    identity.apply_secret(secret=RIGHT)
    assert_recovered(identity, old)


def test_a_missing_key_is_named_and_found_when_it_comes(identity, endpoint):
    old = identity.token()
    before = len(endpoint.calls(identity.namespace))
    identity.kubectl("delete", "secret", "app")
    identity.apply_secret(other=RIGHT)
    identity.refresh()
    assert_old_token_is_kept(identity, old, "CredentialKeyMissing")
    assert len(endpoint.calls(identity.namespace)) == before
    identity.apply_secret(secret=RIGHT)
    assert_recovered(identity, old)


def test_nothing_is_sent_to_a_host_that_is_not_allowed(identity, endpoint):
    old = identity.token()
    before = len(endpoint.calls(identity.namespace))
    # The same endpoint by another way of writing its address, which nobody has allowed.
    identity.apply_identity(f"https://node.testbed.test:{endpoint.port}/token")
    identity.wait_for("TokenFresh", "False", "HostNotAllowed")
    assert identity.status()["lastFailure"]["reason"] == "HostNotAllowed"
    assert identity.token() == old
    assert len(endpoint.calls(identity.namespace)) == before
    identity.apply_identity()
    identity.wait_for("TokenFresh", "True", "TokenFresh")
    identity.wait_for("Ready", "True", "Ready")


def test_an_identity_without_any_token_yet_says_why(testbed, controller, endpoint, make_namespace):
    endpoint.now("grant", secret=RIGHT)
    fresh = Identity(testbed, make_namespace("faults"), endpoint)
    fresh.apply_secret(secret=WRONG)
    fresh.apply_identity()
    fresh.wait_for("TokenIssued", "False", "InvalidClient")
    fresh.wait_for("Ready", "False", "InvalidClient")
    assert fresh.token() == ""
    fresh.apply_secret(secret=RIGHT)
    fresh.refresh()
    fresh.wait_for("Ready", "True", "Ready")
    assert fresh.token() != ""


def test_no_secret_is_ever_written_down(controller):
    """Runs last: what the process said while all of that happened."""
    said = controller.said()
    assert said
    assert "token-" not in said
    assert "s3cret" not in said
