"""From raw rounds to one Markdown table: medians over rounds, and ratios to ours.

A ratio is taken within a round, where ours and the peer ran next to each other, and only then the
median over rounds: the machine's memory gets faster and slower within minutes.
"""

import statistics

from machine import busy_notes
from measurement import COLUMNS

TITLES = {
    "encode_1": "encode 1",
    "encode_8": "encode 8",
    "rows_1": "greedy/token",
    "rows_4": "4 beams/step",
    "rows_16": "16 rows/step",
}

PROGRAMS = {
    "ours": "ours",
    "transformers": "transformers",
    "ctranslate2": "CTranslate2",
    "onnxruntime": "ONNX Runtime (step alone)",
    "openvino": "OpenVINO (step alone)",
}


def table(rounds: list[dict], order: list[tuple[str, str]]) -> str:
    """`rounds` holds, for every round, a result for each "peer:precision"."""
    lines = [row(["program", "precision"] + [TITLES[column] for column in COLUMNS])]
    lines.append(row(["---", "---"] + ["---:"] * len(COLUMNS)))
    for peer, precision in order:
        cells = [PROGRAMS[peer], precision]
        reason = failure(rounds, peer, precision)
        if reason is None:
            cells += [cell(rounds, peer, precision, column) for column in COLUMNS]
        else:
            cells += [f"not run: {reason}".replace("|", "/")] + [""] * (len(COLUMNS) - 1)
        lines.append(row(cells))
    return "\n".join(lines)


def row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def failure(rounds: list[dict], peer: str, precision: str) -> str | None:
    """Why there is no result at all, if there is none."""
    results = [one[f"{peer}:{precision}"] for one in rounds if f"{peer}:{precision}" in one]
    errors = [result["error"] for result in results if "error" in result]
    return errors[0] if errors and len(errors) == len(results) else None


def values(rounds: list[dict], peer: str, precision: str, column: str) -> list[float | None]:
    return [one.get(f"{peer}:{precision}", {}).get(column) for one in rounds]


def cell(rounds: list[dict], peer: str, precision: str, column: str) -> str:
    measured = values(rounds, peer, precision, column)
    present = [value for value in measured if value is not None]
    if not present:
        return "-"
    text = digits(statistics.median(present))
    if peer == "ours":
        return text
    ratios = [
        theirs / own
        for theirs, own in zip(measured, values(rounds, "ours", precision, column))
        if theirs is not None and own
    ]
    return f"{text} ({statistics.median(ratios):.2f})" if ratios else text


def digits(milliseconds: float) -> str:
    """Three significant digits; more would be noise."""
    if milliseconds >= 100:
        return f"{milliseconds:.0f}"
    return f"{milliseconds:.1f}" if milliseconds >= 10 else f"{milliseconds:.2f}"


def notes(rounds: list[dict], order: list[tuple[str, str]]) -> list[str]:
    """What stands under the table: conditions, and what only ours reports."""
    lines = ["Milliseconds; in brackets the peer's time divided by ours (above 1: ours is faster)."]
    results = [result for one in rounds for result in one.values()]
    bandwidths = [result["bandwidth_gb_s"] for result in results if result.get("bandwidth_gb_s")]
    if bandwidths:
        low, middle, high = min(bandwidths), statistics.median(bandwidths), max(bandwidths)
        lines.append(
            f"Read bandwidth before each run: median {middle:.0f} GB/s, "
            f"from {low:.0f} to {high:.0f}."
        )
    lines += busy_notes(results)
    for peer, precision in order:
        if peer == "ours" and failure(rounds, peer, precision) is None:
            lines.append(own_note(rounds, precision))
    return lines


def own_note(rounds: list[dict], precision: str) -> str:
    text = f"Ours {precision}"
    last = next(
        one[f"ours:{precision}"]
        for one in reversed(rounds)
        if "details" in one.get(f"ours:{precision}", {})
    )
    greedy = last["details"]["rows_1"]
    text += f": kernel {greedy['kernel']}"
    wide = [value for value in values(rounds, "ours", precision, "rows_64") if value is not None]
    if wide:
        text += f"; 16 images with 4 beams (64 rows) {digits(statistics.median(wide))} per step"
    if greedy["weight_bytes_per_step"]:
        read = greedy["weight_bytes_per_step"]
        rate = read / last["rows_1"] / 1e6
        text += f"; greedy reads {read / 1e9:.2f} GB of weights per token, {rate:.0f} GB/s"
    return text + "."
