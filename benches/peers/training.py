"""Training of two sizes, ours and PyTorch's in turn: what `peers.py --training` runs and prints."""

import statistics
import sys
from pathlib import Path

from machine import Disturbance, busy_notes, wait_until_quiet
from processes import answer
from training_peer import SIZES

HERE = Path(__file__).resolve().parent

PROGRAMS = {"ours": "ours", "pytorch": "PyTorch"}

COLUMNS = ("forward_s", "backward_s", "optimiser_s", "images_per_s", "peak_rss_bytes")


def compare(options, progress) -> list[dict]:
    """Rounds that hold, for every "program:size", what the program reported."""
    rounds = []
    for number in range(options.rounds):
        rounds.append({})
        for size in SIZES:
            for program in PROGRAMS:
                wait_until_quiet(options.quiet)
                disturbance = Disturbance()
                result = run(program, size, options)
                result["others_busy"] = disturbance.processors()
                rounds[-1][f"{program}:{size}"] = result
                rate = result.get("images_per_s")
                text = f"{rate:.1f} images/s" if rate else result["error"]
                progress(f"round {number + 1} of {options.rounds}: {program}, {size}: {text}")
    return rounds


def run(program: str, size: str, options) -> dict:
    threads = str(options.threads)
    arguments = ["--size", size, "--threads", threads, "--updates", str(options.updates)]
    command = {
        "ours": [str(options.training_speed), *arguments, "--json"],
        "pytorch": [sys.executable, str(HERE / "training_peer.py"), *arguments],
    }[program]
    try:
        return answer(command, options)
    except FileNotFoundError:
        return {"error": f"no program {Path(command[0]).name}: build it, or give --training-speed"}


def table(rounds: list[dict]) -> str:
    """Medians over rounds. Ratios to ours are taken within a round."""
    lines = [
        "| parameters, images × tokens | | forward, s | backward, s | AdamW, s | images/s "
        "| peak memory, MB |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for size, (*_, images, tokens) in SIZES.items():
        for program, title in PROGRAMS.items():
            results = [one[f"{program}:{size}"] for one in rounds]
            measured = [result for result in results if "error" not in result]
            if not measured:
                lines.append(f"| {size} | {title} | not run: {results[0]['error']} | | | | |")
                continue
            millions = measured[0]["parameters"] / 1e6
            cells = [cell(rounds, program, size, column) for column in COLUMNS]
            name = f"{millions:.1f} M, {images} × {tokens}"
            lines.append(f"| {name} | {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def cell(rounds: list[dict], program: str, size: str, column: str) -> str:
    pairs = [(one[f"{program}:{size}"], one[f"ours:{size}"]) for one in rounds]
    values = [theirs[column] for theirs, _ in pairs if theirs.get(column)]
    if not values:
        return "-"
    middle = statistics.median(values)
    text = {
        "images_per_s": f"{middle:.1f}",
        "peak_rss_bytes": f"{middle / 1e6:,.0f}",
    }.get(column, f"{middle:.3f}")
    both = [(theirs.get(column), own.get(column)) for theirs, own in pairs]
    ratios = [theirs / own for theirs, own in both if theirs and own]
    return f"{text} ({statistics.median(ratios):.2f})" if program != "ours" and ratios else text


def notes(rounds: list[dict]) -> list[str]:
    lines = ["In brackets PyTorch's number divided by ours."]
    return lines + busy_notes([result for one in rounds for result in one.values()])
