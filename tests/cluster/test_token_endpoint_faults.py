"""The controller as a process, the real API server, and a token endpoint with every fault that it may have.

The fault is named, the old token stays, and the controller recovers by itself."""

import json

import pytest
from api import api_server_alone
from controller import Controller
from fault_endpoint import FaultEndpoint
from identity import Identity
from testbed.place import NODE

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
    flags = (f"--allowed-hosts={NODE}", f"--token-ca-file={endpoint.ca}")
    made = Controller(testbed, log, testbed.place.kubeconfig, *flags)
    made.start()
    yield made
    alive = made.running
    ended = made.terminate() if alive else made.exit_code
    print(made.log())
    assert alive, "the controller has ended by itself"
    assert ended == 0


@pytest.fixture
def identity(testbed, controller, endpoint, make_namespace) -> Identity:
    """An identity with a good token; afterwards the endpoint is good again."""
    endpoint.now("grant", secret=RIGHT)
    # Nobody listens where it has its relay.
    made = Identity(testbed, make_namespace("faults"), endpoint.url, relay=NODE)
    made.apply_secret(RIGHT)
    made.apply()
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


def assert_recovered(identity: Identity, endpoint: FaultEndpoint, old: str) -> None:
    identity.wait_for("TokenFresh", "True", "TokenFresh", seconds=90)
    assert identity.token() not in ("", old)
    assert identity.token() == [call["token"] for call in endpoint.calls(identity.client)][-1]
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
    before = len(endpoint.calls(identity.client))
    resident = controller.resident()
    endpoint.now(fault)
    identity.refresh()
    assert_old_token_is_kept(identity, old, FAULTS[fault])
    assert controller.peak() - resident <= ALLOWED_GROWTH

    calls = endpoint.calls(identity.client)[before:]
    assert [call["path"] for call in calls] == ([] if fault in UNHEARD else ["/token"]), (
        "one POST for the one that was due"
    )
    assert NODE in identity.message("TokenFresh")

    endpoint.now("grant")
    identity.refresh()
    assert_recovered(identity, endpoint, old)


def test_what_passes_is_tried_again_without_anybody_asking(identity, endpoint):
    old = identity.token()
    endpoint.now("error")
    identity.refresh()
    assert_old_token_is_kept(identity, old, "TokenEndpointUnavailable")
    assert "retryTime" in identity.status()["lastFailure"]
    endpoint.now("grant")
    assert_recovered(identity, endpoint, old)


def test_a_wrong_secret_is_named_and_a_right_one_found(identity, endpoint):
    old = identity.token()
    identity.apply_secret(WRONG)
    identity.refresh()
    assert_old_token_is_kept(identity, old, "InvalidClient")
    assert "AADSTS7000215" in identity.message("TokenFresh")
    assert WRONG not in json.dumps(identity.status())
    identity.apply_secret(RIGHT)
    identity.refresh()
    assert_recovered(identity, endpoint, old)


def test_a_missing_secret_is_named_and_found_when_it_comes(identity, endpoint):
    old = identity.token()
    before = len(endpoint.calls(identity.client))
    identity.delete_secret()
    identity.refresh()
    assert_old_token_is_kept(identity, old, "CredentialMissing")
    assert len(endpoint.calls(identity.client)) == before
    identity.apply_secret(RIGHT)
    assert_recovered(identity, endpoint, old)


def test_a_missing_key_is_named_and_found_when_it_comes(identity, endpoint):
    old = identity.token()
    before = len(endpoint.calls(identity.client))
    identity.delete_secret()
    identity.apply_secret(RIGHT, key="other")
    identity.refresh()
    assert_old_token_is_kept(identity, old, "CredentialKeyMissing")
    assert len(endpoint.calls(identity.client)) == before
    identity.apply_secret(RIGHT)
    assert_recovered(identity, endpoint, old)


def test_nothing_is_sent_to_a_host_that_is_not_allowed(identity, endpoint):
    old = identity.token()
    before = len(endpoint.calls(identity.client))
    # The same endpoint by another way of writing its address, which nobody has allowed.
    identity.apply(f"https://node.testbed.test:{endpoint.port}/token")
    identity.wait_for("TokenFresh", "False", "HostNotAllowed")
    assert identity.status()["lastFailure"]["reason"] == "HostNotAllowed"
    assert identity.token() == old
    assert len(endpoint.calls(identity.client)) == before
    identity.apply()
    identity.wait_for("TokenFresh", "True", "TokenFresh")
    identity.wait_for("Ready", "True", "Ready")


def test_an_identity_without_any_token_yet_says_why(testbed, controller, endpoint, make_namespace):
    endpoint.now("grant", secret=RIGHT)
    fresh = Identity(testbed, make_namespace("faults"), endpoint.url, relay=NODE)
    fresh.apply_secret(WRONG)
    fresh.apply()
    fresh.wait_for("TokenIssued", "False", "InvalidClient")
    fresh.wait_for("Ready", "False", "InvalidClient")
    assert fresh.token() == ""
    fresh.apply_secret(RIGHT)
    fresh.refresh()
    fresh.wait_for("Ready", "True", "Ready")
    assert fresh.token() != ""


def test_no_secret_is_ever_written_down(controller):
    """Runs last: what the process said while all of that happened."""
    said = controller.log()
    assert said
    assert "token-" not in said
    assert "s3cret" not in said
