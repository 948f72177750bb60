"""Our own program, `throughput`: real search on a model of the same size with random weights.

It runs once for each shape and prints a JSON object.
"""

import json
import subprocess
from pathlib import Path

from measurement import Request

PRECISIONS = ("f32", "bf16", "int8", "int4")

#: Images, languages, and rows (beams) of each caption, for every decoding column.
SHAPES = {
    "rows_1": (1, 1, 1),
    "rows_4": (1, 1, 4),
    "rows_16": (1, 4, 4),
    "rows_64": (16, 1, 4),
}

#: Values of each answer that are kept for the JSON file and the notes below the table.
KEPT = (
    "load_s",
    "peak_rss_bytes",
    "weight_bytes_per_step",
    "kernel",
    "bandwidth_gb_s",
    "ms_per_token",
    "encode_ms",
)


def measure(request: Request) -> dict:
    program = Path(request.throughput)
    if not program.exists():
        raise FileNotFoundError(f"no program {program.name}: build it, or give --throughput")
    result, answers = {}, {}
    model = packed_model(program, request)
    for column, (images, languages, rows) in SHAPES.items():
        answers[column] = run(program, request, model, images, languages, rows, request.tokens)
        result[column] = float(answers[column]["ms_per_token"])
    result["encode_1"] = float(answers["rows_1"]["encode_ms"])
    # Only the encoder counts here: two tokens are enough.
    answers["encode_8"] = run(program, request, model, 8, 1, 1, 2)
    result["encode_8"] = float(answers["encode_8"]["encode_ms"])
    result["details"] = {
        column: {key: answer.get(key) for key in KEPT} for column, answer in answers.items()
    }
    return result


def packed_model(program: Path, request: Request) -> Path:
    """A folder of packed random weights, which a run maps instead of creating its own."""
    folder = Path(request.cache) / request.size / f"ours-{request.precision}"
    if not folder.exists():
        convert = program.with_name("convert")
        command = [convert, "--random", request.size, folder]
        command += ["--precision", request.precision, "--packed"]
        subprocess.run([str(part) for part in command], check=True, capture_output=True)
    return folder


def run(
    program: Path,
    request: Request,
    model: Path,
    images: int,
    languages: int,
    rows: int,
    tokens: int,
) -> dict:
    options = {
        "--model": model,
        "--precision": request.precision,
        "--rows-per-image": rows,
        "--tokens": tokens,
        "--images": images,
        "--languages": languages,
        "--threads": request.threads,
    }
    command = [str(program)] + [str(part) for option in options.items() for part in option]
    finished = subprocess.run(command + ["--json"], capture_output=True, text=True)
    if finished.returncode != 0:
        last = (finished.stderr.strip().splitlines() or ["no message"])[-1]
        raise RuntimeError(f"throughput ended with {finished.returncode}: {last}")
    return json.loads(finished.stdout)
