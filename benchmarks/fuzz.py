"""Damaged and hostile inputs of every kind: each must give a result or a sentence, in bounded time and memory.

    python benchmarks/fuzz.py --output=results/fuzz.json [--count=200000] [--seconds=600] [--kinds=mat,glb]

Files, streams, archives, models, run folders and requests (`fuzzing/`) are real small ones with bytes flipped, cut and spliced,
and with counts, sizes, types and values changed under right checksums. Every block of them runs in a process of its own; an
input that crashes or hangs it is noted, and the others go on. Stopped, it begins the block that it was at again; out of
--seconds, what was done of that block counts until then. Any input can be had again: `--again=mat:1:17` runs number 17 of the
second block of `.mat` files alone.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import pathlib
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from typing import Any

import numpy as np
import tqdm
from fuzzing import KINDS, make
from fuzzing.watch import Watch

from keras3dgan import bounded
from keras3dgan.files import replacing
from keras3dgan.provenance import write_result

_BLOCK = 5500
_SHARES = 200
# What inputs may take, of processors and of the clock, before their process is taken for hung: longer than a reader may, so that
# the reader's own limit shows; and on a busy machine little of the clock's time is theirs.
_HANG_PROCESSOR_SECONDS, _HANG_SECONDS = 60, 900
_SHOWN = 5


def run_block(
    kind: str,
    block: int,
    count: int,
    skipped: set[int],
    only: int | None,
    place: pathlib.Path,
    until: float = float("inf"),
) -> dict:
    """Runs the inputs of a block, after another in this process, until a moment; says at `place` which it is at."""
    with tempfile.TemporaryDirectory(dir=_memory()) as name:
        folder = pathlib.Path(os.path.realpath(name))
        os.chdir(folder)
        os.fsync = lambda number: None  # no power cut matters to files that are removed again
        target = make(kind, folder)
        turns = [only] if only is not None else sorted(set(range(count)) - skipped)
        size = target.batch if only is None else 1
        result: dict[str, Any] = {"outcomes": collections.Counter(), "slowest_seconds": 0.0, "faults": []}
        with open(place, "wb", buffering=0) as at:
            watch = Watch(folder)
            for group in (turns[start : start + size] for start in range(0, len(turns), size)):
                if time.time() > until:
                    break
                os.pwrite(at.fileno(), f"{group[0]:9d}".encode(), 0)
                begin = time.perf_counter()
                for turn, outcome in zip(group, _outcomes(target, kind, block, group), strict=True):
                    result["outcomes"][outcome.partition("\n")[0]] += 1
                    if outcome.startswith("fault"):
                        result["faults"].append({"input": f"{kind}:{block}:{turn}", "what": outcome[-2500:]})
                took = target.slowest_seconds if size > 1 else time.perf_counter() - begin
                result["slowest_seconds"] = max(result["slowest_seconds"], took)
            watch.ended = True
        bounded.close()
        os.chdir("/")
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    outside = [*watch.outside, *getattr(target, "outside", ())]
    return {**result, "written_outside": outside[:_SHOWN], "most_mib": peak // 1024}


def _memory() -> str | None:
    """Where files lie in memory, if the system has such a place: half a million are written and removed."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _outcomes(target: Any, kind: str, block: int, turns: list[int]) -> list[str]:
    """What became of each input; of what nobody foresaw, `fault` and its traceback."""
    rngs = [np.random.default_rng([_seed(kind), block, turn]) for turn in turns]
    try:
        return target.attack_many(rngs) if len(rngs) > 1 else [target.attack(rngs[0])]
    except Exception:
        return [f"fault\n{traceback.format_exc()}"] * len(turns)


def _seed(kind: str) -> int:
    return [*KINDS].index(kind)


def watched(kind: str, block: int, count: int, state: pathlib.Path, until: float) -> dict:
    """Runs a block in a process of its own, again without an input that ended or hung it, until a moment."""
    place, skipped = state / f"{kind}-{block}.at", {}
    while True:
        place.unlink(missing_ok=True)
        words = [f"--block={kind}:{block}:{count}", f"--skipped={','.join(map(str, skipped))}", f"--state={state}"]
        words += [f"--until={until}"]
        process = subprocess.Popen(
            [sys.executable, __file__, "--output=-", *words],
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            out, err = _communicate(process, place)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        if process.returncode == 0:
            result = json.loads(out.splitlines()[-1])
            result["outcomes"] |= collections.Counter(skipped.values())
            result["faults"] += [{"input": f"{kind}:{block}:{turn}", "what": how} for turn, how in skipped.items()]
            return result
        if not place.exists():
            raise SystemExit(f"{kind}: its process does not start:\n{err.decode()[-3000:]}")
        how = "hang" if process.returncode == -signal.SIGKILL else "crash"
        skipped[int(place.read_text())] = how


def _communicate(process: subprocess.Popen, place: pathlib.Path) -> tuple[bytes, bytes]:
    before, since, used = "", time.monotonic(), 0.0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=2)
        now = place.read_text() if place.exists() else ""
        if now != before or not now:
            before, since, used = now, time.monotonic(), _processor_seconds(process.pid)
        elif (
            time.monotonic() - since > _HANG_SECONDS or _processor_seconds(process.pid) - used > _HANG_PROCESSOR_SECONDS
        ):
            os.killpg(process.pid, signal.SIGKILL)


def _processor_seconds(session: int) -> float:
    """What the living processes of a session have had."""
    ticks = 0
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def summary(results: dict[str, list[dict]]) -> dict:
    """Figures of each kind."""
    found = {}
    for kind, blocks in sorted(results.items()):
        outcomes: collections.Counter[str] = collections.Counter()
        for block in blocks:
            outcomes.update(block["outcomes"])
        found[kind] = {
            "inputs": outcomes.total(),
            "errors": outcomes["error"],
            "accepted": outcomes["accepted"],
            "stopped_by_limits": outcomes["error: limit"],
            "crashes_of_the_child": outcomes["error: crashed"],
            "crashes": outcomes["crash"],
            "hangs": outcomes["hang"],
            "faults": outcomes["fault"],
            "slowest_seconds": round(max(block["slowest_seconds"] for block in blocks), 2),
            "most_mib": max(block["most_mib"] for block in blocks),
            "written_outside": sum(len(block["written_outside"]) for block in blocks),
        }
    return found


def _plan(count: int, kinds: list[str]) -> list[tuple[str, int]]:
    """Blocks in an order that has some of each kind early."""
    blocks = [(k, kind) for kind in kinds for k in range(-(-count * KINDS[kind][1] // (_SHARES * _BLOCK)))]
    return [(kind, k) for k, kind in sorted(blocks, key=lambda pair: pair[0] / KINDS[pair[1]][1])]


def main() -> None:
    """Runs what is left, within the time given, and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, help="JSON file to write")
    parser.add_argument("--count", type=int, default=200_000, help="inputs in all")
    parser.add_argument("--kinds", default=",".join(KINDS), help="some of them")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after so many")
    parser.add_argument("--state", default="runs/fuzz", help="folder of what has been done [runs/fuzz]")
    parser.add_argument("--again", help="an input to run alone, in this process")
    parser.add_argument("--block", help=argparse.SUPPRESS)
    parser.add_argument("--skipped", default="", help=argparse.SUPPRESS)
    parser.add_argument("--until", type=float, default=float("inf"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    state = pathlib.Path(arguments.state).resolve()
    state.mkdir(parents=True, exist_ok=True)
    if arguments.again or arguments.block:
        kind, block, number = (arguments.again or arguments.block).split(":")
        skipped = {int(turn) for turn in arguments.skipped.split(",") if turn}
        only = int(number) if arguments.again else None
        place = state / (f"{kind}-{block}.at" if arguments.block else "again.at")
        result = run_block(kind, int(block), int(number), skipped, only, place, arguments.until)
        print(json.dumps(result))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped; run it again to go on"))  # and its block's process too
    until = time.time() + arguments.seconds
    plan = _plan(arguments.count, arguments.kinds.split(","))
    left = [(kind, block) for kind, block in plan if not (state / f"{kind}-{block}.json").exists()]
    for kind, block in tqdm.tqdm(left, desc=f"blocks of {_BLOCK}"):
        if time.time() > until:
            break
        result = watched(kind, block, _BLOCK, state, until)
        whole, part = state / f"{kind}-{block}.json", state / f"{kind}-{block}.part.json"
        with replacing(whole if sum(result["outcomes"].values()) == _BLOCK else part) as temporary:
            temporary.write_text(json.dumps(result))
        if whole.exists():
            part.unlink(missing_ok=True)
    results: dict[str, list[dict]] = collections.defaultdict(list)
    for path in sorted(state.glob("*-*.json")):
        results[path.stem.rpartition("-")[0]].append(json.loads(path.read_text()))
    figures = summary(results)
    total = sum(each["inputs"] for each in figures.values())
    write_result(arguments.output, shlex.join(sys.argv), {"inputs": total, "aim": arguments.count, "fuzzed": figures})
    for fault in [fault for blocks in results.values() for block in blocks for fault in block["faults"]][:_SHOWN]:
        print(f"{fault['input']}: {fault['what']}")
    print(f"{total} of {arguments.count} inputs; wrote {arguments.output}")


if __name__ == "__main__":
    main()
