"""Does one thing for `peers.py` in a process of its own, so that memory and threads end with it.

Reads a JSON object from standard input, `{"action": .., "request": {..}}`, and writes one to
standard output: the result, or `{"error": reason}`.
"""

import importlib
import json
import os
import sys

from measurement import Request, peak_resident_bytes

#: The module of each peer.
MODULES = {
    "ours": "ours",
    "transformers": "transformers_peer",
    "ctranslate2": "ctranslate2_peer",
    "onnxruntime": "onnxruntime_peer",
    "openvino": "openvino_peer",
}


def perform(action: str, request: dict) -> dict:
    if action == "bandwidth":
        from machine import read_bandwidth

        return {"gb_s": read_bandwidth(request["threads"])}
    peer = importlib.import_module(MODULES[request["peer"]])
    request = Request(**request)
    if action == "prepare":
        if hasattr(peer, "prepare"):
            peer.prepare(request)
        return {}
    result = peer.measure(request)
    result["peak_resident_bytes"] = peak_resident_bytes()
    return result


def main() -> None:
    order = json.load(sys.stdin)
    # The packages print what they like: send that to standard error.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        result = perform(order["action"], order["request"])
    except ModuleNotFoundError as error:
        result = {"error": f"the package {error.name} is not installed"}
    except Exception as error:
        message = (str(error).strip().splitlines() or [""])[0]
        result = {"error": f"{type(error).__name__}: {message}"[:300]}
    answer.write(json.dumps(result))
    answer.close()


if __name__ == "__main__":
    main()
