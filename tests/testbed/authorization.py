"""The authorization server: npm oidc-provider behind Microsoft's paths and a plain one."""

import http.client
import json
import shutil
import ssl
from pathlib import Path
from urllib.parse import quote, urlencode

from . import tools
from .namespace import Namespace, connect
from .place import ADMIN, AUTHORIZATION, CLIENT, HERE, SECRET, TENANT, Place
from .progress import step

ADMIN_PORT = int(ADMIN.rsplit(":", 1)[1])


class Authorization:
    """What a test asks the authorization server, and tells it."""

    def __init__(self, place: Place):
        self._place = place

    def _ask(self, method: str, path: str, body: dict | None = None):
        connection = http.client.HTTPConnection(AUTHORIZATION, ADMIN_PORT)
        connection.sock = connect(self._place, AUTHORIZATION, ADMIN_PORT)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            said = json.loads(answer.read())
        finally:
            connection.close()
        assert answer.status == 200, said
        return said

    def put_client(self, name: str, **change) -> None:
        """Makes or changes a client: secret, authentication, lifetime, domain, roles, secretExpired."""
        self._ask("PUT", f"/clients/{quote(name, safe='')}", change)

    def delete_client(self, name: str) -> None:
        self._ask("DELETE", f"/clients/{quote(name, safe='')}")

    def set_lifetime(self, seconds: int) -> None:
        """Of tokens of clients that have none of their own."""
        self._ask("PUT", "/settings", {"lifetime": seconds})

    def calls(self, after: int = 0) -> list[dict]:
        """Every call of a token endpoint so far, oldest first."""
        return self._ask("GET", f"/calls?after={after}")

    def token(self, client: str = CLIENT, secret: str = SECRET) -> str:
        """An access token, asked for as the operator asks."""
        trust = ssl.create_default_context(cafile=self._place.ca)
        connection = http.client.HTTPSConnection("auth.testbed.test", context=trust)
        plain = connect(self._place, AUTHORIZATION, 443)
        connection.sock = trust.wrap_socket(plain, server_hostname="auth.testbed.test")
        form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request("POST", "/token", urlencode(form), headers)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        assert answer.status == 200, said
        return json.loads(said)["access_token"]


def ready(namespace: Namespace) -> bool:
    try:
        connect(namespace.place, AUTHORIZATION, ADMIN_PORT).close()
    except OSError:
        return False
    return True


def lay_program(folder: Path, packages: Path) -> Path:
    """This checkout's server, with the cache's packages beside it, where Node.js looks for them."""
    folder.mkdir(exist_ok=True)
    modules = folder / "node_modules"
    modules.unlink(missing_ok=True)
    modules.symlink_to(packages / "node_modules")
    return Path(shutil.copy(HERE / "authorization/server.mjs", folder))


def up(namespace: Namespace) -> None:
    if namespace.running("authorization"):
        return
    packages = tools.npm_packages("authorization", "the authorization server")
    with step("authorization server"):
        place = namespace.place
        folder = place.state / "authorization"
        program = lay_program(folder, packages)
        config = folder / "config.json"
        config.write_text(
            json.dumps(
                {
                    "address": AUTHORIZATION,
                    "adminPort": ADMIN_PORT,
                    "tenant": TENANT,
                    "certificate": str(place.pki / "authorization.crt"),
                    "key": str(place.pki / "authorization.key"),
                    "signingKey": str(place.pki / "tokens.key"),
                    "client": {"id": CLIENT, "secret": SECRET},
                }
            )
        )
        namespace.start("authorization", tools.node_program(), program, config)
        namespace.wait("authorization", lambda: ready(namespace), 30)
