"""The search that other tests use to show that no credential is anywhere: it finds one in every wrapping."""

import base64
import json
import random
import secrets
from urllib.parse import urlencode

import pytest
from credentials import PIECE, Credentials

TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9." + secrets.token_urlsafe(1500)
# Of the characters that change in a form.
SECRET = f"{secrets.token_urlsafe(40)}+/=~{secrets.token_urlsafe(40)}"
KEY = f"-----BEGIN PRIVATE KEY-----\n{base64.encodebytes(secrets.token_bytes(138)).decode()}-----END PRIVATE KEY-----\n"
# As TLS looks, and the same each time.
NOISE = random.Random(587).randbytes(1 << 20)


@pytest.fixture(scope="module")
def credentials() -> Credentials:
    return Credentials(token=TOKEN, secret=SECRET, key=KEY)


def amid_noise(octets: bytes) -> bytes:
    return NOISE[:1000] + octets + NOISE[1000:]


def test_nothing_is_found_where_nothing_is(credentials):
    other = secrets.token_urlsafe(1500).encode()
    assert credentials.found_in(NOISE) == set()
    assert credentials.found_in(amid_noise(other + base64.b64encode(other))) == set()


@pytest.mark.parametrize("user", ["a@contoso.test", "ab@contoso.test", "abc@contoso.test"])
def test_a_token_is_found_in_xoauth2_at_every_alignment(credentials, user):
    response = f"user={user}\x01auth=Bearer {TOKEN}\x01\x01".encode()
    assert credentials.found_in(amid_noise(response)) == {"token"}
    assert credentials.found_in(amid_noise(base64.b64encode(response))) == {"token"}
    assert credentials.found_in(amid_noise(base64.encodebytes(response))) == {"token"}


@pytest.mark.parametrize("client", ["a", "ab", "abc"])
def test_a_secret_is_found_in_both_ways_of_client_authentication(credentials, client):
    basic = f"{urlencode({client: SECRET}).replace('=', ':', 1)}"
    assert credentials.found_in(b"Authorization: Basic " + base64.b64encode(basic.encode())) == {"secret"}
    as_it_is = f"{client}:{SECRET}"
    assert credentials.found_in(b"Authorization: Basic " + base64.b64encode(as_it_is.encode())) == {"secret"}
    post = urlencode({"client_id": client, "client_secret": SECRET})
    assert credentials.found_in(post.encode()) == {"secret"}


@pytest.mark.parametrize("indent", range(3))
def test_a_key_is_found_in_an_object_of_the_api(credentials, indent):
    text = " " * indent + KEY
    assert credentials.found_in(json.dumps({"stringData": {"tls.key": text}}).encode()) == {"key"}
    data = {"data": {"tls.key": base64.b64encode(text.encode()).decode()}}
    assert credentials.found_in(json.dumps(data).encode()) == {"key"}


def test_a_part_is_enough_and_case_does_not_matter(credentials):
    part = TOKEN[1000 : 1000 + PIECE].encode()
    assert credentials.found_in(amid_noise(b" " + part.upper() + b" ")) == {"token"}
    assert credentials.found_in(amid_noise(b" " + part[1:] + b" ")) == set()


def test_padding_that_all_tokens_share_is_no_token():
    with pytest.raises(AssertionError, match="too short"):
        Credentials(padding="x" * 900)
    assert Credentials(token=TOKEN + "x" * 900).found_in(b"x" * 900) == set()
