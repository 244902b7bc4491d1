"""Fixtures for tests against the testbed; ctest brings it up, by hand it is `bin/testbed up`."""

import secrets
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import product
from testbed import Testbed


@pytest.fixture(scope="session")
def testbed() -> Testbed:
    """The testbed that is up; Trouble says so where there is none."""
    return Testbed()


@pytest.fixture
def kubectl(testbed):
    """kubectl(*arguments, input=, check=True) as the cluster's administrator; gives what it printed."""
    return testbed.kubectl


@pytest.fixture
def helm(testbed):
    """helm(*arguments, check=True) as the cluster's administrator."""
    return testbed.helm


def namespaces(testbed):
    """make_namespace(name, labels={}) makes a Kubernetes namespace whose name begins so, and gives its name."""
    made = []

    def make(name: str, labels: dict[str, str] | None = None) -> str:
        full = f"{name}-{secrets.token_hex(3)}"
        testbed.kubectl("create", "namespace", full)
        made.append(full)
        if labels:
            testbed.kubectl("label", "namespace", full, *(f"{key}={value}" for key, value in labels.items()))
        # Pods wait for this account, and without a controller manager nobody else makes it.
        done = testbed.kubectl("create", "serviceaccount", "default", "--namespace", full, check=False)
        assert done.returncode == 0 or "AlreadyExists" in done.stderr or "already exists" in done.stderr, done.stderr
        return full

    yield make
    for full in made:
        testbed.kubectl("delete", "namespace", full, "--wait=false")


make_namespace = pytest.fixture(namespaces)
# For what several tests look at.
make_lasting_namespace = pytest.fixture(scope="module")(namespaces)


@pytest.fixture(scope="session")
def installed(testbed) -> product.Installed:
    """The product, installed with its chart as a user does it."""
    product.install(testbed)
    return product.Installed(testbed)


@pytest.fixture(scope="session")
def crds(installed) -> None:
    """The API server knows MailIdentities."""
