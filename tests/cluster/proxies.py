"""The API server and the authorization server, each behind a proxy that sees every request."""

import json
import ssl
from pathlib import Path

from api import controller_token, install_crds
from fakes.authority import Authority
from fakes.holding_proxy import HoldingProxy
from testbed.place import NODE

HERE = "127.0.0.1"
AUTHORIZATION = "auth.testbed.test"


class Proxies:
    """Both proxies, and the kubeconfig that leads the controller's account to the first."""

    def __init__(self, bed, folder: Path):
        authority = Authority(folder / "authority")
        certificate = authority.issue(HERE)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)

        def proxy(host: str, port: int, roots: Path) -> HoldingProxy:
            upstream = ssl.create_default_context(cafile=str(roots))
            return HoldingProxy(bed.listen(HERE), context, lambda: bed.connect(host, port, None), upstream, host)

        self.api = proxy(NODE, 6443, bed.place.pki / "kubernetes-ca.crt")
        self.authorization = proxy(AUTHORIZATION, 443, bed.place.ca)
        self.token_url = f"https://{HERE}:{self.authorization.port}/token"
        self.ca = authority.file
        self.kubeconfig = folder / "kubeconfig"
        install_crds(bed)
        self.kubeconfig.write_text(json.dumps(self._config(controller_token(bed))))
        self.kubeconfig.chmod(0o600)

    def _config(self, token: str) -> dict:
        server = {"server": f"https://{HERE}:{self.api.port}", "certificate-authority": str(self.ca)}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "proxy",
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "controller"}}],
            "clusters": [{"name": "proxy", "cluster": server}],
            "users": [{"name": "controller", "user": {"token": token}}],
        }

    def close(self) -> None:
        self.api.close()
        self.authorization.close()
