"""Fixtures for tests that start the real sidecar against relays that go wrong."""

import secrets
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fakes.authority import Authority
from fakes.fault_relay import FaultRelay
from sidecar_process import IDENTITY, IdentityFolder, Sidecar, identity_settings


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Authority:
    """The CA that identities believe."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def make_token():
    """make_token() gives a new one, of the length that real ones have; all of them are in make_token.made."""

    def make() -> str:
        make.made.append("eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9." + secrets.token_urlsafe(1500))
        return make.made[-1]

    make.made = []
    return make


@pytest.fixture
def identities(tmp_path) -> IdentityFolder:
    """The pod's mounted identities, none at first."""
    return IdentityFolder(tmp_path / "identities")


@pytest.fixture
def start_sidecar(tmp_path, identities):
    """start_sidecar(identity=, environment=) starts one that is ended after the test, and must end well."""
    started = []

    def start(**arguments) -> Sidecar:
        started.append(Sidecar(tmp_path / f"sidecar-{len(started)}", identities.base, **arguments))
        return started[-1]

    yield start
    for sidecar in started:
        assert sidecar.stop() == 0, sidecar.log()


@pytest.fixture
def relay(authority):
    """A relay that is good until it is told otherwise."""
    relay = FaultRelay(authority.issue("localhost"))
    yield relay
    relay.close()


@pytest.fixture
def settings(relay, authority) -> dict:
    """identity.v1.json for the relay, with time enough for a busy machine."""
    return identity_settings(relay.port, authority.pem, deadline=20)


@pytest.fixture
def sidecar(identities, settings, make_token, start_sidecar) -> Sidecar:
    """One that can send."""
    identities.put(IDENTITY, settings, make_token())
    return start_sidecar()
