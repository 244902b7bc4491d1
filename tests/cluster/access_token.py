"""Access tokens as the testbed's authorization server signs them, taken apart and signed anew."""

import base64
import json
import subprocess
from pathlib import Path

HEADER = {"alg": "RS256", "typ": "JWT", "kid": "k1"}


def encoded(octets: bytes) -> str:
    """As a part of a JWT (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def claims(token: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def signed(said: dict, key: Path) -> str:
    """A token with these claims and the signature of an RSA key in PEM."""
    text = ".".join(encoded(json.dumps(part).encode()) for part in (HEADER, said))
    command = ("openssl", "dgst", "-sha256", "-sign", key)
    signature = subprocess.run(command, input=text.encode(), check=True, capture_output=True).stdout
    return f"{text}.{encoded(signature)}"
