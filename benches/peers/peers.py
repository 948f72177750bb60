"""Runs ours and what a user would pick instead, in turn on this machine, and prints one table.

    python peers.py --size tiny --rounds 1        a trial of everything in a minute or two
    python peers.py --json results.json           the real thing
    python peers.py --training                    training, ours and PyTorch's

Everything slow (random weights, exports, compression) is made once, before the rounds, and kept
in the cache folder.
"""

import argparse
import json
import os
import platform
import sys
from importlib import import_module, metadata
from pathlib import Path

import table
import training
from child import MODULES
from machine import Disturbance, description, wait_until_quiet
from measurement import Request
from processes import answer

HERE = Path(__file__).resolve().parent

PACKAGES = ("torch", "transformers", "ctranslate2", "onnxruntime", "openvino", "nncf", "numpy")


def main() -> None:
    options = arguments()
    if options.training:
        rounds = training.compare(options, progress)
        if options.json:
            write_json(options, rounds)
        print("\n".join([conditions(options), "", training.table(rounds), ""]))
        print("\n".join(f"- {note}" for note in training.notes(rounds)))
        return
    order = configurations(options.only)
    requests = {key: request(key, options) for key in order}
    failed = prepare(requests, options)
    rounds: list[dict] = []
    for number in range(options.rounds):
        rounds.append({})
        for key in order:
            name = ":".join(key)
            progress(f"round {number + 1} of {options.rounds}: {name}")
            result = failed.get(key) or measure(requests[key], options)
            rounds[-1][name] = result
            progress("  " + summary(result))
            if options.json:
                # Written again after every run: an interrupted comparison is not lost.
                write_json(options, rounds)
    print("\n".join([conditions(options), "", table.table(rounds, order), ""]))
    print("\n".join(f"- {note}" for note in table.notes(rounds, order)))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=("full", "tiny"), default="full")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3, help="each runs every configuration once")
    parser.add_argument("--runs", type=int, default=3, help="repetitions within one measurement")
    parser.add_argument("--tokens", type=int, default=32, help="measured steps of a run")
    parser.add_argument(
        "--only", help="such as ours,transformers,onnxruntime:int8 (default: everything)"
    )
    parser.add_argument("--cache", type=Path, default=HERE / "cache", help="folder for models")
    parser.add_argument(
        "--throughput", type=Path, default=HERE / "../../target/release/throughput"
    )
    parser.add_argument(
        "--training", action="store_true", help="compare training instead of captioning"
    )
    parser.add_argument("--updates", type=int, default=10, help="measured updates of a training")
    parser.add_argument(
        "--training-speed", type=Path, default=HERE / "../../target/release/training-speed"
    )
    parser.add_argument("--json", type=Path, help="file for all raw numbers")
    parser.add_argument(
        "--quiet",
        type=int,
        default=0,
        metavar="SECONDS",
        help="wait up to so long before each measurement for other processes to rest",
    )
    parser.add_argument("--timeout", type=int, default=1800, help="seconds for one configuration")
    return parser.parse_args()


def configurations(only: str | None) -> list[tuple[str, str]]:
    """(peer, precision) pairs, ordered so that equal precisions run one after the other."""
    modules = {peer: import_module(module) for peer, module in MODULES.items()}
    known = [
        (peer, precision)
        for precision in modules["ours"].PRECISIONS
        for peer, module in modules.items()
        if precision in module.PRECISIONS
    ]
    if only is None:
        return known
    chosen = set(only.split(","))
    order = [key for key in known if key[0] in chosen or ":".join(key) in chosen]
    unknown = chosen - {key[0] for key in order} - {":".join(key) for key in order}
    if unknown:
        sys.exit(f"--only: expected {', '.join(':'.join(key) for key in known)}; found {unknown}")
    return order


def request(key: tuple[str, str], options: argparse.Namespace) -> Request:
    peer, precision = key
    return Request(
        peer=peer,
        precision=precision,
        size=options.size,
        threads=options.threads,
        runs=options.runs,
        tokens=options.tokens,
        cache=str(options.cache.resolve()),
        throughput=str(options.throughput.resolve()),
    )


def prepare(requests: dict, options: argparse.Namespace) -> dict:
    """Fills the cache; returns the configurations that can't be run, with the reason."""
    failed = {}
    for key, one in requests.items():
        progress(f"preparing {':'.join(key)}")
        result = child("prepare", one.as_arguments(), options)
        if "error" in result:
            progress("  " + summary(result))
            failed[key] = result
    return failed


def measure(one: Request, options: argparse.Namespace) -> dict:
    wait_until_quiet(options.quiet)
    bandwidth = child("bandwidth", {"threads": options.threads}, options)
    disturbance = Disturbance()
    result = child("measure", one.as_arguments(), options)
    result["others_busy"] = disturbance.processors()
    # Where NumPy is missing, our own program's measurement stands in.
    own = result.get("details", {}).get("rows_1", {}).get("bandwidth_gb_s")
    result["bandwidth_gb_s"] = bandwidth.get("gb_s", own)
    return result


def child(action: str, arguments: dict, options: argparse.Namespace) -> dict:
    """One process of `child.py`, and its answer."""
    # Nothing here needs the network, nor should the packages report their use.
    return answer(
        [sys.executable, str(HERE / "child.py")],
        options,
        request=json.dumps({"action": action, "request": arguments}),
        variables={"HF_HUB_OFFLINE": "1", "CI": "true"},
    )


def progress(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def summary(result: dict) -> str:
    if "error" in result:
        return f"not run: {result['error']}"
    times = [
        f"{column} {table.digits(result[column])}"
        for column in (*table.COLUMNS, "rows_64")
        if column in result
    ]
    if result.get("bandwidth_gb_s"):
        times.append(f"{result['bandwidth_gb_s']:.0f} GB/s before")
    if result.get("others_busy") is not None:
        times.append(f"others busy {result['others_busy']:.2f}")
    return ", ".join(times)


def conditions(options: argparse.Namespace) -> str:
    measured = f"Size {options.size}, {options.threads} threads, {options.rounds} rounds of "
    measured += f"{options.runs} runs, {options.tokens} tokens"
    if options.training:
        measured = f"{options.threads} threads, {options.rounds} rounds of {options.updates} updates"
    return (
        f"{measured}; "
        f"{description()}, {os.cpu_count()} processors; Python {platform.python_version()}, "
        + ", ".join(f"{name} {version}" for name, version in versions().items())
        + "."
    )


def versions() -> dict:
    installed = {}
    for package in PACKAGES:
        try:
            installed[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return installed


def write_json(options: argparse.Namespace, rounds: list[dict]) -> None:
    content = {
        "size": options.size,
        "threads": options.threads,
        "runs": options.runs,
        "tokens": options.tokens,
        "processor": description(),
        "versions": versions(),
        "rounds": rounds,
    }
    options.json.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
