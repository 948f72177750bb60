"""The request to a child process, and how it measures time.

Every peer module has the same interface:

* ``PRECISIONS``: the precisions that it supports;
* ``prepare(request)``: creates its files in the cache folder (optional);
* ``measure(request)``: a dictionary of milliseconds under the names in ``COLUMNS``.

Heavy packages are imported inside these functions, so that a machine without one of them can
still run the others.
"""

import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

#: The measured quantities, in the order of the table.
COLUMNS = ("encode_1", "encode_8", "rows_1", "rows_4", "rows_16")

#: Rows of the decoder in each decoding column.
DECODING_ROWS = {"rows_1": 1, "rows_4": 4, "rows_16": 16}

#: Images in each encoding column.
ENCODING_IMAGES = {"encode_1": 1, "encode_8": 8}

#: Length of the cache before the first measured step: the start token and the language code.
FIRST_PAST_LENGTH = 2


@dataclass(frozen=True)
class Request:
    """One configuration of one peer."""

    peer: str
    precision: str
    size: str
    threads: int
    #: Repetitions of every measured run; one more run goes before them as a warm-up.
    runs: int
    #: New tokens in one run.
    tokens: int
    cache: str
    throughput: str

    @property
    def folder(self) -> Path:
        """The part of the cache that holds models of this size."""
        return Path(self.cache) / self.size

    def as_arguments(self) -> dict:
        return asdict(self)


def median_of_calls(call, runs: int) -> float:
    """Median duration of ``call()`` in milliseconds, after one warm-up."""
    call()
    durations = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        durations.append(1000.0 * (time.perf_counter() - start))
    return statistics.median(durations)


def median_of_steps(begin, step, request: Request) -> float:
    """Median duration in milliseconds over all steps of all runs.

    ``begin()`` makes a fresh state that ``step(state, index)`` advances by one token. The median
    over single steps is hardly moved by a step that another process disturbed.
    """
    durations = []
    for run in range(request.runs + 1):
        state = begin()
        for index in range(request.tokens):
            start = time.perf_counter()
            step(state, index)
            if run > 0:
                durations.append(1000.0 * (time.perf_counter() - start))
    return statistics.median(durations)


def peak_resident_bytes() -> int | None:
    """Highest resident memory of this process so far, loading included."""
    try:
        import resource
    except ImportError:  # Windows has no such module.
        return None
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
