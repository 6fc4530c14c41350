"""Requests a second and latency of exported models on loopback, at 1, 8 and 64 clients.

python benchmarks/serving.py --models=served --output=results/serving.json [--seconds=8] [--address=host:8500]

It starts `keras3dgan serve` in a process of its own, which is a development server, not TensorFlow Serving; --address measures a
server that runs already. Each client is a thread with a connection of its own that sends shapes one by one.
"""

import argparse
import shlex
import statistics
import subprocess
import sys
import threading
import time

import numpy as np

from keras3dgan.provenance import write_result
from keras3dgan.serving import Client
from keras3dgan.voxels.grid import pack

CLIENTS = (1, 8, 64)


def start(models: str) -> tuple[subprocess.Popen, str, str]:
    """A server and its gRPC and REST addresses."""
    command = [sys.executable, "-m", "keras3dgan", "serve", f"--models={models}", "--port=0", "--rest_port=0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    line = process.stdout.readline()
    return process, line.split("gRPC on ")[1].split(",")[0], line.split("REST on ")[1].strip()


def load(address: str, signature: str, clients: int, seconds: float) -> dict[str, float]:
    """Requests a second and the latencies in milliseconds."""
    resolution, size = 32, Client(address).coder.size
    rng = np.random.default_rng(0)
    grid = np.zeros((1, resolution, resolution, resolution), np.uint8)
    grid[:, 8:24, 8:24, 4:20] = 1
    asked = {
        "compress": ("encoder", {"packed": pack(grid)}, "symbols"),
        "decompress": ("decoder", {"symbols": rng.integers(-1, 2, (1, size)).astype(np.int32)}, "packed"),
    }[signature]
    latencies: list[list[float]] = [[] for _ in range(clients)]
    end = time.perf_counter() + seconds

    def run(mine: list[float]) -> None:
        client = Client(address, timeout=60)
        while time.perf_counter() < end:
            begin = time.perf_counter()
            client._predict(asked[0], signature, asked[1], asked[2])
            mine.append(1000 * (time.perf_counter() - begin))
        client.close()

    threads = [threading.Thread(target=run, args=(mine,)) for mine in latencies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # The first of each client makes its connection.
    values = sorted(value for mine in latencies for value in (mine[1:] or mine))
    cuts = statistics.quantiles(values, n=100) if len(values) > 1 else values * 99
    return {
        "requests_per_second": round(len(values) / seconds, 1),
        "p50_ms": round(cuts[49], 1),
        "p99_ms": round(cuts[98], 1),
    }


def main() -> None:
    """Runs everything and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", help="folder that export_models wrote to")
    parser.add_argument("--address", help="of a server that runs, in place of --models")
    parser.add_argument("--output", required=True, help="JSON file to write")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement")
    arguments = parser.parse_args()
    if (arguments.models is None) == (arguments.address is None):
        parser.error("give --models or --address")
    process, grpc_address, rest_address = None, arguments.address, None
    if arguments.models:
        process, grpc_address, rest_address = start(arguments.models)
    rows = []
    for transport, address in (("gRPC", grpc_address), ("REST", rest_address)):
        for signature in ("compress", "decompress") if address else ():
            for clients in CLIENTS:
                row = {"transport": transport, "signature": signature, "clients": clients}
                rows.append({**row, **load(address, signature, clients, arguments.seconds)})
                print(rows[-1], flush=True)
    if process:
        process.kill()
        process.wait()
    server = arguments.address or "keras3dgan serve, a development server"
    write_result(arguments.output, shlex.join(sys.argv), {"server": server, "load": rows})
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
