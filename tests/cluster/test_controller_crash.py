"""The controller killed with SIGKILL at each point of a token's way: it recovers, and pays with one call at most."""

import signal
import time

import manifests
import pytest
from controller import Controller
from identity import Identity
from proxies import Proxies
from relay_login import GRANTED, log_in
from waiting import until

KIB = 1024

# Where it dies: which server's proxy, the moment, the request, and how many calls of the token endpoint that costs.
# What arrives and is dropped was never seen by the server; what is answered and dropped was done.
SECRET = r"^(POST|PATCH) /api/v1/namespaces/NAMESPACE/secrets"
STATUS = r"^PATCH /apis/mailidentity\.io/v1alpha1/namespaces/NAMESPACE/.*/status"
POINTS = {
    "before-token-request": ("authorization", "arrives", r"^POST /token", 0),
    "after-token-request": ("authorization", "answered", r"^POST /token", 1),
    "before-secret": ("api", "arrives", SECRET, 1),
    "after-secret": ("api", "answered", SECRET, 0),
    "before-status": ("api", "arrives", STATUS, 0),
    "after-status": ("api", "answered", STATUS, 0),
}


@pytest.fixture(scope="module")
def proxies(testbed, tmp_path_factory):
    made = Proxies(testbed, tmp_path_factory.mktemp("proxies"))
    yield made
    made.close()


@pytest.fixture
def controller(testbed, proxies, tmp_path):
    trusted = (f"--token-ca-file={proxies.ca}", f"--smtp-ca-file={testbed.place.ca}")
    hosts = "--allowed-hosts=127.0.0.1,relay.testbed.test"
    made = Controller(testbed, tmp_path / "controller.log", proxies.kubeconfig, hosts, *trusted)
    yield made
    if made.running:
        made.kill()


@pytest.fixture
def identity(testbed, proxies, make_namespace):
    """One whose client may have a token; it is yet to be applied."""
    made = Identity(testbed, make_namespace("crash"), proxies.token_url)
    testbed.authorization.put_client(made.client, secret="right", lifetime=3600, domain=manifests.DOMAIN)
    made.apply_secret("right")
    yield made
    # Without a controller manager the namespace stays, and the next test's controller would find them there.
    testbed.kubectl("delete", "mid", "--all", "--namespace", made.namespace)


def assert_token_works(identity: Identity) -> None:
    """The relay checks the token's signature."""
    assert log_in(identity.bed, identity.mailbox, identity.token()) == GRANTED


def calls(identity: Identity) -> int:
    """Calls of the token endpoint that reached it."""
    return sum(call["client"] == identity.client for call in identity.bed.authorization.calls())


def kill_at(point: str, proxies: Proxies, controller: Controller, identity: Identity, begin) -> None:
    """Begins something and kills the controller at the point."""
    server, moment, request, _ = POINTS[point]
    request = request.replace("NAMESPACE", identity.namespace)
    hold = getattr(proxies, server).at(moment, request, controller.kill)
    begin()
    assert hold.reached.wait(40), f"the point was not reached: {point}"
    assert controller.exit_code == -signal.SIGKILL


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_the_first_token_is_fetched(point, proxies, controller, identity):
    controller.start()
    kill_at(point, proxies, controller, identity, identity.apply)
    if identity.token_secret():
        assert_token_works(identity)

    controller.start()
    until(identity.settled, "the identity is ready")
    assert_token_works(identity)
    assert calls(identity) == 1 + POINTS[point][3]


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_the_token_is_rotated(point, proxies, controller, identity):
    controller.start()
    identity.apply()
    until(identity.settled, "the identity is ready")
    old = identity.token()
    assert calls(identity) == 1

    # Of another life, so that the status changes even where both tokens are of the same second.
    identity.bed.authorization.put_client(identity.client, lifetime=1800)
    kill_at(point, proxies, controller, identity, identity.refresh)
    assert_token_works(identity)

    controller.start()
    until(lambda: identity.settled(old), "the new token is in place")
    assert_token_works(identity)
    assert calls(identity) == 2 + POINTS[point][3]


def test_restart_while_tokens_are_fresh_makes_no_call(controller, identity):
    controller.start()
    identity.apply()
    until(identity.settled, "the identity is ready")
    here = f'namespace="{identity.namespace}"'
    for _ in range(3):
        assert controller.terminate() == 0
        controller.start()
        until(lambda: controller.page("/readyz")[0] == 200, "the controller is ready")
        until(lambda: controller.metric("mailidentity_ready", here) == 1, "the identity was looked at")
    assert calls(identity) == 1
    assert controller.metric("mailidentity_token_requests_total") == 0


def test_a_hundred_identities(testbed, proxies, controller, identity, record_property):
    names = [f"i{number}" for number in range(100)]
    many = [Identity(testbed, identity.namespace, proxies.token_url, name).manifest() for name in names]
    controller.start()
    begin = time.monotonic()
    manifests.apply(testbed, identity.namespace, *many)
    here = f'namespace="{identity.namespace}"'
    until(lambda: controller.metric("mailidentity_ready", here) == len(names), "all are ready", seconds=120)
    seconds = time.monotonic() - begin
    assert calls(identity) == len(names)
    resident = controller.resident() // KIB
    record_property("controller_rss_kib", resident)
    print(f"controller with {len(names)} identities: {resident} KiB resident, all ready after {seconds:.1f} s")
    assert resident < 64 * KIB
