"""MailIdentities in the testbed's API server without the product's own pods."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from product import CHART, NAMESPACE, RELEASE, ROOT
from testbed import Testbed


def install_crds(bed) -> None:
    bed.kubectl("apply", "-f", ROOT / "crds")
    bed.kubectl("wait", "--for=condition=Established", "crd/mailidentities.mailidentity.io", "--timeout=30s")


def controller_token(bed) -> str:
    """A token of the account that the chart gives the controller, with the rights that the chart gives it."""
    made = bed.kubectl("create", "namespace", NAMESPACE, check=False)
    assert made.returncode == 0 or "AlreadyExists" in made.stderr, made.stderr
    rendered = bed.helm("template", RELEASE, CHART, "--namespace", NAMESPACE).stdout
    # Without the CRD, which is there, and the workloads, which would need a node.
    parts = re.split(r"(?m)^---\n", rendered)
    wanted = [part for part in parts if re.search(r"(?m)^kind: (ServiceAccount|ClusterRole|ClusterRoleBinding)$", part)]
    bed.kubectl("apply", "-f", "-", input="---\n".join(wanted))
    account = f"{RELEASE}-controller"
    return bed.kubectl("create", "token", account, "--namespace", NAMESPACE, "--duration", "1h").stdout.strip()


@contextmanager
def api_server_alone(name: str) -> Iterator[Testbed]:
    """A testbed of its own, with nothing but the API server and our API: where the chart is installed, its controller
    would look after the same identities."""
    chosen = os.environ.get("MAILID_TESTBED", "")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MAILID_TESTBED", f"{chosen}-{name}" if chosen else name)
        subprocess.run([ROOT / "bin/testbed", "up", "--only", "api"], check=True)
        try:
            bed = Testbed()
            install_crds(bed)
            yield bed
        finally:
            subprocess.run([ROOT / "bin/testbed", "down"], check=True)
