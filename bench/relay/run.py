"""The sidecar against `direct`: the same load, the same relay, interleaved, medians. And what the controller costs."""

import json
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/cluster"), str(ROOT / "bench/relay")]

import banner  # noqa: E402
import identities  # noqa: E402
from testbed import Testbed  # noqa: E402

from sidecar import BINARY, Sidecar  # noqa: E402

LOAD = ROOT / "build/release/bench/bench-load"
RESULTS = ROOT / "bench/results"
RELAY = "relay.testbed.test"
SINK_PORT = 10587
BYTES = 10_000
PAIRS = 5
MESSAGES = {1: 500, 10: 2_000}
# A relay that is 20 ms of round trip away.
FAR_MESSAGES = {1: 50, 10: 400}
FAR_PORT = 10589
DELAY = 10


def load(bed, *arguments) -> dict:
    done = bed.run(LOAD, *map(str, arguments))
    return json.loads(done.stdout)


@contextmanager
def far_away(bed):
    """A way to the relay that takes the delay in each direction."""
    relay = bed.environment()["addresses"][RELAY]
    command = bed.command("/usr/bin/python3", "-B", ROOT / "bench/relay/far.py", relay, FAR_PORT, SINK_PORT, DELAY)
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as passing:
        assert passing.stdout.readline() == "ready\n"
        try:
            yield
        finally:
            passing.kill()


def compare(bed, token_file: Path, port: int, clients: int, messages: int) -> dict:
    """Five interleaved pairs of runs; medians of each side and of the ratio."""
    runs = {"direct": [], "sidecar": []}
    cpu = []
    direct = (RELAY, port, clients, messages, BYTES, bed.place.ca, "billing@contoso.test", token_file)
    with Sidecar(bed, token_file.read_text(), RELAY, port, connections=clients) as sidecar:
        load(bed, "plain", "127.0.0.1", 2525, clients, clients, BYTES)
        for _ in range(PAIRS):
            runs["direct"].append(load(bed, "direct", *direct))
            before = sidecar.cpu_seconds()
            run = load(bed, "plain", "127.0.0.1", 2525, clients, messages, BYTES)
            cpu.append((sidecar.cpu_seconds() - before) * 1000 / run["delivered"])
            runs["sidecar"].append(run)
    for run in [*runs["direct"], *runs["sidecar"]]:
        assert run["delivered"] == messages and run["failed"] == 0, run
    rate = {side: [run["delivered"] / run["seconds"] for run in done] for side, done in runs.items()}
    median = statistics.median
    return {
        "clients": clients,
        **{f"{side} delivered/s": round(median(rates), 1) for side, rates in rate.items()},
        "ratio": round(median(ours / theirs for theirs, ours in zip(rate["direct"], rate["sidecar"], strict=True)), 3),
        **{
            f"{side} {percentile} ms": round(median(run[percentile] for run in done), 2)
            for side, done in runs.items()
            for percentile in ("p50", "p99")
        },
        "CPU ms/message": round(median(cpu), 3),
    }


def footprint(bed, token: str) -> dict:
    with Sidecar(bed, token, RELAY, SINK_PORT, connections=3) as sidecar:
        before = sidecar.pss_megabytes()
        load(bed, "plain", "127.0.0.1", 2525, 1, 1, BYTES)
        after = sidecar.pss_megabytes()
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(["strip", "--strip-all", "-o", stripped.name, BINARY], check=True)
        size = Path(stripped.name).stat().st_size
    return {
        "PSS before the first mail, MB": round(before, 2),
        "PSS after it, MB": round(after, 2),
        "exec to banner, ms": round(banner.milliseconds(bed), 2),
        "binary, MB": round(size / 1e6, 2),
    }


def table(rows: list[dict]) -> str:
    head = list(rows[0])
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(row[name]) for name in head) + " |" for row in rows])


def main() -> None:
    bed = Testbed()
    token = bed.authorization.token()
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(token)
        file.flush()
        near = [compare(bed, Path(file.name), SINK_PORT, *load) for load in MESSAGES.items()]
        with far_away(bed):
            far = [compare(bed, Path(file.name), FAR_PORT, *load) for load in FAR_MESSAGES.items()]
    small = footprint(bed, token)
    controller = identities.footprint(bed)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "relay.json").write_text(
        json.dumps({"near": near, "20 ms away": far, "footprint": small, "controller": controller}, indent=1) + "\n"
    )
    page = (
        "# The sidecar against an app that does STARTTLS and XOAUTH2 itself\n\n"
        f"10 kB messages, kept connections, medians of {PAIRS} interleaved pairs; `bin/bench` makes this page.\n\n"
        f"The relay on the same machine:\n\n{table(near)}\n\n"
        f"The relay 20 ms away:\n\n{table(far)}\n\n"
        f"The process itself:\n\n{table([small])}\n\n"
        f"The controller, with the same testbed's authorization server and relay:\n\n{table([controller])}\n"
    )
    (RESULTS / "relay.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
