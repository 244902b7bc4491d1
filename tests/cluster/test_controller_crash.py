"""The controller killed with SIGKILL at each point of a token's way: it recovers, and pays with one call at most."""

import json
import signal
import time
from pathlib import Path

import pytest
from controller import DOMAIN, Controller, Identity, Proxies, reached, until
from relay_login import GRANTED, log_in

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
    made = Controller(testbed, proxies, tmp_path)
    yield made
    if made.running():
        made.kill()


@pytest.fixture
def identity(testbed, proxies, make_namespace):
    made = Identity(testbed, proxies, make_namespace("crash"))
    yield made
    made.delete()


def assert_token_works(identity: Identity) -> None:
    """The relay checks the token's signature."""
    assert log_in(identity.bed, f"{identity.name}@{DOMAIN}", identity.token()) == GRANTED


def kill_at(point: str, proxies: Proxies, controller: Controller, identity: Identity, begin) -> None:
    """Begins something and kills the controller at the point."""
    server, moment, request, _ = POINTS[point]
    request = request.replace("NAMESPACE", identity.namespace)
    hold = getattr(proxies, server).at(moment, request, controller.kill)
    begin()
    reached(hold, point)
    assert controller.died_of() == -signal.SIGKILL


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_the_first_token_is_fetched(point, proxies, controller, identity):
    controller.start()
    kill_at(point, proxies, controller, identity, identity.apply)
    if identity.secret():
        assert_token_works(identity)

    controller.start()
    until(identity.settled, "the identity is ready")
    assert_token_works(identity)
    assert identity.calls() == 1 + POINTS[point][3]


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_the_token_is_rotated(point, proxies, controller, identity):
    controller.start()
    identity.apply()
    until(identity.settled, "the identity is ready")
    old = identity.token()
    assert identity.calls() == 1

    # Of another life, so that the status changes even where both tokens are of the same second.
    identity.set_life(1800)
    kill_at(point, proxies, controller, identity, lambda: identity.ask_refresh("now"))
    assert_token_works(identity)

    controller.start()
    until(lambda: identity.settled(old), "the new token is in place")
    assert_token_works(identity)
    assert identity.calls() == 2 + POINTS[point][3]


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
    assert identity.calls() == 1
    assert controller.metric("mailidentity_token_requests_total") == 0


def test_a_hundred_identities(testbed, proxies, controller, make_namespace, record_property):
    first = Identity(testbed, proxies, make_namespace("hundred"))
    names = [f"i{number}" for number in range(100)]
    objects = [first.objects()[0]]
    for name in names:
        first.name = name
        objects.append(first.objects()[1])
    controller.start()
    begin = time.monotonic()
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    testbed.kubectl("create", "--namespace", first.namespace, "-f", "-", input=listed)
    here = f'namespace="{first.namespace}"'
    until(lambda: controller.metric("mailidentity_ready", here) == len(names), "all are ready", limit=120)
    seconds = time.monotonic() - begin
    assert first.calls() == len(names)
    status = Path(f"/proc/{controller.pid}/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    record_property("controller_rss_kib", resident)
    print(f"controller with {len(names)} identities: {resident} KiB resident, all ready after {seconds:.1f} s")
    testbed.kubectl("delete", "mid", "--all", "--namespace", first.namespace)
    assert resident < 64 * 1024
