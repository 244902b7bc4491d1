"""CoreDNS: the cluster's names and the testbed's, nothing else."""

from . import pki, tools
from .namespace import Namespace, connect
from .place import API, NAMES, NODE
from .progress import step


def corefile(namespace: Namespace) -> str:
    zones = " ".join(f"{name}:53" for name in NAMES)
    hosts = "\n".join(f"    {address} {name}" for name, address in NAMES.items())
    return f"""cluster.local:53 {{
  bind {NODE}
  errors
  kubernetes {{
    kubeconfig {namespace.place.state}/coredns.kubeconfig
    ttl 1
  }}
}}
{zones} {{
  bind {NODE}
  errors
  hosts {{
{hosts}
    ttl 5
    no_reverse
  }}
}}
.:53 {{
  bind {NODE}
  errors
  template ANY ANY {{
    rcode NXDOMAIN
  }}
}}
"""


def ready(namespace: Namespace) -> bool:
    try:
        connect(namespace.place, NODE, 53).close()
    except OSError:
        return False
    return True


def up(namespace: Namespace) -> None:
    if namespace.running("coredns"):
        return
    with step("CoreDNS"):
        state = namespace.place.state
        (state / "coredns.kubeconfig").write_text(pki.kubeconfig(namespace.place, "coredns", API))
        (state / "Corefile").write_text(corefile(namespace))
        namespace.start("coredns", tools.coredns(), "-conf", state / "Corefile")
        namespace.wait("coredns", lambda: ready(namespace), 30)
