"""bin/testbed's commands."""

import argparse
import json
import os
import subprocess
import sys

from . import lifecycle, tools
from .bed import Testbed
from .namespace import Namespace, command
from .place import HERE, Place, Trouble
from .relay import LIMITS


def become(*argv: str) -> None:
    """Ends this program by becoming another."""
    sys.stdout.flush()
    os.execvp(argv[0], [str(part) for part in argv])


def up(place: Place, arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/testbed up")
    parser.add_argument("--only", choices=lifecycle.LEVELS[:-1], default=lifecycle.LEVELS[-1])
    lifecycle.up(place, parser.parse_args(arguments).only)
    return 0


def down(place: Place, arguments: list[str]) -> int:
    lifecycle.down(place)
    return 0


def status(place: Place, arguments: list[str]) -> int:
    return 0 if lifecycle.status(place) else 1


def client(name: str, place: Place, arguments: list[str]) -> int:
    program = [tools.client(name), *arguments]
    os.environ.update(tools.client_environment(place))
    if Namespace(place).alive():
        become(*command(place, *program))
    done = subprocess.run(program, check=False)
    if done.returncode:
        print("bin/testbed: that was without a cluster, as the testbed is not up", file=sys.stderr)
    return done.returncode


def kubectl(place: Place, arguments: list[str]) -> int:
    return client("kubectl", place, arguments)


def helm(place: Place, arguments: list[str]) -> int:
    return client("helm", place, arguments)


def run(place: Place, arguments: list[str]) -> int:
    become(*Testbed().command(*arguments))
    return 0


def shell(place: Place, arguments: list[str]) -> int:
    Testbed()
    os.environ.update(tools.client_environment(place))
    os.environ["PATH"] = f"{tools.client('kubectl').parent}:{tools.client('helm').parent}:{os.environ['PATH']}"
    become(*command(place, os.environ.get("SHELL", "/bin/sh")))
    return 0


def env(place: Place, arguments: list[str]) -> int:
    print(json.dumps(Testbed().environment(), indent=2))
    return 0


def logs(place: Place, arguments: list[str]) -> int:
    for name in arguments:
        become("cat", place.logs / f"{name}.log")
    print(*sorted(place.logs.glob("*.log")), sep="\n")
    return 0


def fetch(place: Place, arguments: list[str]) -> int:
    lifecycle.fetch()
    return 0


def relay(place: Place, arguments: list[str]) -> int:
    bed = Testbed()
    match arguments:
        case ["stop"]:
            bed.relay.stop()
        case ["start"]:
            bed.relay.start()
        case ["limit", *limits] if limits:
            try:
                bed.relay.limit(**{name: int(number) for name, number in (limit.split("=") for limit in limits)})
            except (KeyError, ValueError) as wrong:
                raise Trouble(f"bin/testbed relay limit: {wrong} is none of {', '.join(LIMITS)}=NUMBER") from wrong
        case _:
            raise Trouble("bin/testbed relay stop, start, or limit NAME=NUMBER ...")
    return 0


COMMANDS = {
    "up": up,
    "down": down,
    "status": status,
    "shell": shell,
    "kubectl": kubectl,
    "helm": helm,
    "run": run,
    "env": env,
    "relay": relay,
    "fetch": fetch,
    "logs": logs,
}


def main(arguments: list[str]) -> int:
    name, *rest = arguments or ["--help"]
    if name not in COMMANDS:
        asked = name in ("-h", "--help")
        table = (HERE / "README.md").read_text().split("## Commands\n")[1].split("\n\n")[0]
        print(table, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    try:
        return COMMANDS[name](Place.chosen(), rest)
    except Trouble as trouble:
        print(f"bin/testbed: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bin/testbed: interrupted; up goes on from here, down removes it", file=sys.stderr)
        return 130
