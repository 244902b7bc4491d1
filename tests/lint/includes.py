"""Holds every include to the table in ARCHITECTURE.md: rooms, and third-party headers in their rooms."""

import re
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"(?P<own>[^"]+)"|<(?P<system>[^>]+)>)', re.MULTILINE)
HEADING = "## What may include what"
GENERATED = {"mailid_version.hpp"}
# Header paths that begin like this are somebody else's; whatever has no entry is the language's or the system's.
THIRD_PARTY = ("boost/beast", "boost/asio", "boost/", "openssl/", "nlohmann/", "yaml-cpp/", "cpprest/", "pplx/", "fmt/")


@dataclass
class Room:
    """One row of the table."""

    may_include: list[str] = field(default_factory=list)
    third_party: list[tuple[str, str]] = field(default_factory=list)  # (header path begins with, file pattern)


def read_table(text: str) -> dict[str, Room]:
    """The rows of the table behind the heading; names are in backquotes, `x in y` limits headers to files."""
    rooms = {}
    section = text.split(HEADING, 1)[1].split("\n## ", 1)[0]
    for line in section.splitlines():
        cells = [re.findall(r"`([^`]+)`", cell) for cell in line.strip().strip("|").split("|")]
        if not line.startswith("| `") or len(cells) != 3:
            continue
        third_party = [tuple(name.split(" in ", 1)) if " in " in name else (name, "*") for name in cells[2]]
        rooms[cells[0][0]] = Room(cells[1], third_party)
    return rooms


def room_of(path: Path) -> str:
    """`sidecar/delivery` of sidecar/delivery/x.hpp, `sidecar` of sidecar/main.cpp."""
    return "/".join(path.parts[:-1][:2])


def third_party_of(header: str) -> str | None:
    return next((prefix for prefix in THIRD_PARTY if header.startswith(prefix)), None)


def findings(path: Path, text: str, rooms: dict[str, Room], exists) -> list[str]:
    """What is wrong with the includes of one file; `exists` says whether a path from the root is a file."""
    name = room_of(path)
    room = rooms.get(name)
    if room is None:
        return [f"{path}: the room {name} has no row in ARCHITECTURE.md, '{HEADING[3:]}'"]
    wrong = []
    for match in INCLUDE.finditer(text):
        at = f"{path}:{text.count(chr(10), 0, match.start('own') if match['own'] else match.start('system')) + 1}"
        if match["own"] in GENERATED:
            continue
        if match["own"]:
            target = room_of(Path(match["own"]))
            if not exists(match["own"]):
                wrong.append(f'{at}: "{match["own"]}" is no path from the root of the repository')
            elif target != name and not any(fnmatch(target, allowed) for allowed in room.may_include):
                wrong.append(f"{at}: {name} may not include {target} (ARCHITECTURE.md)")
            continue
        prefix = third_party_of(match["system"])
        if prefix and not any(
            match["system"].startswith(begin) and fnmatch(path.name, pattern) for begin, pattern in room.third_party
        ):
            wrong.append(f"{at}: <{match['system']}> is not for {path.name} in {name} (ARCHITECTURE.md)")
    return wrong
