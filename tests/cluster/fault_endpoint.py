"""A token endpoint for the controller that can misbehave."""

import json
import subprocess
import sys
from pathlib import Path

from fakes.authority import Authority
from testbed.place import NODE

TESTS = Path(__file__).resolve().parents[1]


class FaultEndpoint:
    """fakes/fault_token_endpoint.py on the node's address, where a test's process may listen, until close()."""

    def __init__(self, bed, folder: Path):
        authority = Authority(folder)
        own, other = authority.issue(NODE), authority.issue("evil.test")
        files = (own.chain, own.key, other.chain, other.key)
        command = bed.command(sys.executable, "-B", "-m", "fakes.fault_token_endpoint", NODE, *files)
        self.ca = authority.file
        self.process = subprocess.Popen(command, cwd=TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = self._answer()["port"]
        self.url = f"https://{NODE}:{self.port}/token"

    def _answer(self) -> dict:
        line = self.process.stdout.readline()
        assert line, "the fault endpoint has ended"
        return json.loads(line)

    def now(self, behaviour: str, **settings) -> None:
        """What it does from now on."""
        self._order({"behaviour": behaviour, **settings})

    def calls(self, client: str) -> list[dict]:
        """The POSTs of this client so far."""
        return [call for call in self._order({})["calls"] if call["client"] == client]

    def _order(self, order: dict) -> dict:
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()
