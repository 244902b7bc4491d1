"""What bin/quickstart does once everything is built: install, apply, wait for the mail and show it."""

import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/cluster")]

import product  # noqa: E402
from testbed import Testbed  # noqa: E402

NAMESPACE = "shop"
RECIPIENT = "ada@contoso.test"


def step(words: str):
    """Says what is done now; call the result when it is done, to say how long it took."""
    begin = time.monotonic()
    print(f"{words:44}", end="", flush=True)
    return lambda: print(f"{time.monotonic() - begin:4.0f} s", flush=True)


def apply(bed: Testbed) -> None:
    # Gone first, so that a second quickstart sends a second mail.
    bed.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=60s")
    bed.kubectl("create", "namespace", NAMESPACE)
    bed.kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
    bed.kubectl("apply", "--namespace", NAMESPACE, "-f", ROOT / "examples/quickstart")


def delivery(bed: Testbed) -> dict:
    """What the sidecar logged of the mail."""
    said = bed.kubectl("logs", "--namespace", NAMESPACE, "job/shop", "-c", "mail-sidecar").stdout
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    return next((line for line in lines if line["message"] == "message accepted"), {})


def show(bed: Testbed, mail: bytes) -> None:
    identity = json.loads(bed.kubectl("get", "mailidentity", "billing", "--namespace", NAMESPACE, "-o", "json").stdout)
    ready = next(found for found in identity["status"]["conditions"] if found["type"] == "Ready")
    sent = delivery(bed)
    print("\nThe mail, as it lies in the mailbox:\n")
    print("\n".join("  | " + line for line in mail.decode(errors="replace").splitlines()))
    rows = {
        "identity": f"{identity['metadata']['name']} ({identity['spec']['mailbox']})",
        "Ready": f"{ready['status']} ({ready['reason']})",
        "token expires": identity["status"]["token"]["expirationTime"],
        "the relay's reply": sent.get("reply", "not logged"),
        "milliseconds": round(sent.get("milliseconds", 0), 1),
    }
    print()
    print("\n".join(f"  {name:20}{value}" for name, value in rows.items()))


LOOK_AROUND = f"""
Look around; all of it is still up:
  bin/testbed kubectl get mailidentities -n {NAMESPACE}
  bin/testbed kubectl describe mailidentity billing -n {NAMESPACE}
  bin/testbed kubectl logs job/shop -c mail-sidecar -n {NAMESPACE}
  bin/testbed shell
  bin/testbed down         ends and removes everything"""


def explain(bed: Testbed) -> None:
    """Where no mail came: what a user would look at next."""
    print("\n")
    for question in (
        ("get", "pods", "--all-namespaces", "--output=wide"),
        ("describe", "mailidentities", "--namespace", NAMESPACE),
        ("logs", "job/shop", "--all-containers", "--namespace", NAMESPACE),
    ):
        answer = bed.kubectl(*question, check=False)
        print(f"$ kubectl {' '.join(question)}\n{answer.stdout}{answer.stderr}")


def deliver(bed: Testbed) -> bytes:
    """Installs the product and the example; the mail that the example's pod sent."""
    done = step("helm install mail-identity-operator")
    product.install(bed)
    done()
    before = len(bed.mails(RECIPIENT))
    done = step("kubectl apply -f examples/quickstart")
    apply(bed)
    done()
    done = step("Wait for the mail")
    mails = product.Installed(bed).mails(RECIPIENT, count=before + 1)
    bed.kubectl("wait", "--for=condition=Complete", "job/shop", "--namespace", NAMESPACE, "--timeout=60s")
    done()
    return mails[-1]


def main() -> int:
    keep = "--keep" in sys.argv[1:]
    bed = None
    try:
        subprocess.run([ROOT / "bin/testbed", "up"], check=True)
        bed = Testbed()
        show(bed, deliver(bed))
        print(LOOK_AROUND if keep else "\nRun bin/quickstart --keep to look around.")
    except subprocess.CalledProcessError:
        return 1  # bin/testbed has said why
    except AssertionError as failure:
        explain(bed)
        print(f"bin/quickstart: no mail arrived: {failure}", file=sys.stderr)
        return 1
    finally:
        if not keep:
            subprocess.run([ROOT / "bin/testbed", "down"], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
