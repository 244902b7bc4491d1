"""Finding a credential in octets, in whatever wrapping a program sends one."""

import base64
import re
from collections.abc import Iterator
from urllib.parse import quote

# So many octets of a credential in a row give it away, and don't meet by chance.
PIECE = 24
# Fewer different ones are padding, which every token of a server has in common.
TELLING = 8
# What raw, URL-encoded and base64 credentials consist of; TLS hardly ever has so many of these in a row.
WORDS = re.compile(rb"[a-z0-9+/=_.~%%-]{%d,}" % PIECE, re.IGNORECASE)


def shapes(credential: str) -> Iterator[bytes]:
    """A credential as it is, URL-encoded, and either in base64 whatever stands before and behind it.

    So a token is found in XOAUTH2's response, and a secret in an Authorization header. PEM is looked for by its lines.
    """
    for text in {credential, quote(credential, safe="")}:
        for word in WORDS.findall(text.encode()):
            yield word
            for shift in range(3):
                for encode in (base64.b64encode, base64.urlsafe_b64encode):
                    # The first group mixes in what stands before the word and the last one what follows it.
                    yield encode(b"\0" * shift + word)[4:-4]


def pieces(word: bytes) -> Iterator[bytes]:
    return (word[begin : begin + PIECE] for begin in range(len(word) - PIECE + 1))


class Credentials:
    """Credentials by the names that a test gives them."""

    def __init__(self, **credentials: str):
        self._owners: dict[bytes, set[str]] = {}
        for name, credential in credentials.items():
            telling = {
                piece for shape in shapes(credential) for piece in pieces(shape.lower()) if len(set(piece)) >= TELLING
            }
            assert telling, f"{name} is too short to be told from anything else"
            for piece in telling:
                self._owners.setdefault(piece, set()).add(name)

    def found_in(self, octets: bytes) -> set[str]:
        """The names of those of which any 24 characters in a row are there, in upper or lower case."""
        words = WORDS.findall(octets.lower())
        return {name for word in words for piece in pieces(word) for name in self._owners.get(piece, ())}
