"""What the tests of the product rest upon: whom the testbed's relay lets in, and whom it doesn't."""

import secrets
import subprocess
import time

import pytest
from access_token import claims, encoded, signed
from manifests import DOMAIN
from relay_login import GRANTED, REFUSED, WORDS, log_in
from waiting import until

MAILBOX = f"billing@{DOMAIN}"


@pytest.fixture
def client(testbed):
    """An app of the test's own."""
    name = f"app-{secrets.token_hex(4)}"
    testbed.authorization.put_client(name, secret="right", domain=DOMAIN)
    yield name
    testbed.authorization.delete_client(name)


@pytest.fixture
def token(testbed, client) -> str:
    """A good one, as the authorization server gave it."""
    return testbed.authorization.token(client, "right")


@pytest.fixture
def key(testbed):
    """What the authorization server signs with."""
    return testbed.place.pki / "tokens.key"


@pytest.mark.parametrize("host", ["smtp.office365.com", "relay.testbed.test"])
@pytest.mark.parametrize("mechanism", WORDS)
def test_a_good_token_is_taken(testbed, token, mechanism, host):
    assert log_in(testbed, MAILBOX, token, mechanism, host) == GRANTED
    until(lambda: claims(token)["jti"] in testbed.relay.logged_in_tokens(), "the login is in the relay's log")


def test_a_good_token_is_as_long_as_microsofts(token):
    assert 1500 < len(token) < 2500


@pytest.mark.parametrize("mechanism", WORDS)
def test_a_changed_signature_is_refused(testbed, token, mechanism):
    text, _, signature = token.rpartition(".")
    changed = ("B" if signature[0] == "A" else "A") + signature[1:]
    assert log_in(testbed, MAILBOX, f"{text}.{changed}", mechanism) == REFUSED


def test_the_signature_of_another_key_is_refused(testbed, token, tmp_path):
    stranger = tmp_path / "stranger.key"
    subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-out", stranger], check=True)
    assert log_in(testbed, MAILBOX, signed(claims(token), stranger)) == REFUSED


def test_no_signature_is_refused(testbed, token):
    nobodys = encoded(b'{"alg": "none", "typ": "JWT", "kid": "k1"}')
    assert log_in(testbed, MAILBOX, f"{nobodys}.{token.split('.')[1]}.") == REFUSED


@pytest.mark.parametrize("mechanism", WORDS)
def test_a_token_that_this_test_signs_is_taken(testbed, token, key, mechanism):
    assert log_in(testbed, MAILBOX, signed(claims(token), key), mechanism) == GRANTED


REFUSED_CLAIMS = {
    "expired": {"iat": -7200, "exp": -3600},
    "another audience": {"aud": "https://graph.microsoft.com"},
    "another issuer": {"iss": "https://login.microsoftonline.com/another-tenant/v2.0"},
    "another domain": {"domain": "fabrikam.test"},
}


@pytest.mark.parametrize("mechanism", WORDS)
@pytest.mark.parametrize("case", REFUSED_CLAIMS)
def test_a_token_for_something_else_is_refused(testbed, token, key, mechanism, case):
    """Its signature is right, and it differs in nothing else from one that is taken."""
    now = int(time.time())
    changes = {name: now + value if isinstance(value, int) else value for name, value in REFUSED_CLAIMS[case].items()}
    assert log_in(testbed, MAILBOX, signed(claims(token) | changes, key), mechanism) == REFUSED


def test_a_client_sends_for_its_own_domain_only(testbed, client):
    testbed.authorization.put_client(client, domain="fabrikam.test")
    token = testbed.authorization.token(client, "right")
    assert log_in(testbed, MAILBOX, token) == REFUSED
    assert log_in(testbed, "billing@fabrikam.test", token) == GRANTED


def test_a_refusal_makes_nobody_wait(testbed, token):
    """Dovecot's own way is that every refusal makes the next login from its address wait longer, up to 15 seconds."""
    begin = time.monotonic()
    for _ in range(4):
        assert log_in(testbed, MAILBOX, secrets.token_urlsafe()) == REFUSED
    assert log_in(testbed, MAILBOX, token) == GRANTED
    assert time.monotonic() - begin < 6
