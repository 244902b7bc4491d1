"""What the controller costs that looks after many identities, each with a token of the real authorization server."""

import tempfile
import time
from pathlib import Path

import manifests
from controller import ROOT, Controller
from waiting import until

MANY = 100
NAMESPACE = "bench"
HOSTS = "login.microsoftonline.com,smtp.office365.com"


def make_namespace(bed) -> None:
    bed.kubectl("apply", "-f", ROOT / "crds")
    bed.kubectl("wait", "--for=condition=Established", "crd/mailidentities.mailidentity.io", "--timeout=30s")
    bed.kubectl("create", "namespace", NAMESPACE)
    manifests.apply(bed, NAMESPACE, manifests.app_secret())


def footprint(bed) -> dict:
    """Memory before the first identity and with all of them Ready, and the seconds that this took."""
    make_namespace(bed)
    identities = [manifests.identity(f"identity-{number}") for number in range(MANY)]
    with tempfile.TemporaryDirectory() as folder:
        trust = [f"--token-ca-file={bed.place.ca}", f"--smtp-ca-file={bed.place.ca}"]
        log = Path(folder) / "log"
        controller = Controller(bed, log, bed.place.kubeconfig, f"--allowed-hosts={HOSTS}", *trust)
        controller.start()
        try:
            until(lambda: controller.page("/readyz")[0] == 200, "the controller is ready")
            before = controller.resident()
            begin = time.monotonic()
            manifests.apply(bed, NAMESPACE, *identities)
            until(lambda: controller.metric("mailidentity_ready") == MANY, "all identities are ready", seconds=120)
            seconds = time.monotonic() - begin
            after = controller.resident()
        finally:
            controller.terminate()
    return {
        "RSS without identities, MB": round(before / 1e6, 1),
        f"RSS with {MANY}, MB": round(after / 1e6, 1),
        "from `kubectl apply` to all Ready, s": round(seconds, 1),
    }
