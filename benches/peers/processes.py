"""One measurement in a process of its own."""

import argparse
import json
import os
import subprocess


def answer(
    command: list[str],
    options: argparse.Namespace,
    *,
    request: str | None = None,
    variables: dict[str, str] | None = None,
) -> dict:
    """What a program prints as JSON, or an "error". All libraries get the same threads."""
    threads = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
    environment = os.environ | dict.fromkeys(threads, str(options.threads)) | (variables or {})
    try:
        finished = subprocess.run(
            command,
            input=request,
            capture_output=True,
            text=True,
            env=environment,
            timeout=options.timeout,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"longer than {options.timeout} s"}
    if finished.returncode != 0:
        last = (finished.stderr.strip().splitlines() or ["no message"])[-1]
        return {"error": f"the process ended with {finished.returncode}: {last}"[:300]}
    return json.loads(finished.stdout)
