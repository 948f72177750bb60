"""The state of the machine while it measures: read bandwidth, and what others do on it."""

import os
import platform
import statistics
import time
from concurrent.futures import ThreadPoolExecutor


def read_bandwidth(threads: int) -> float:
    """Gigabytes that `threads` threads read from memory in a second: the best of several passes.

    A bitwise reduction does next to nothing for each word, and NumPy lets go of the interpreter's
    lock in it.
    """
    import numpy

    # Half a gigabyte is beyond any cache.
    words = numpy.ones(1 << 26, numpy.int64)
    parts = numpy.array_split(words, threads)
    best = 0.0
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(8):
            start = time.perf_counter()
            list(pool.map(numpy.bitwise_or.reduce, parts))
            best = max(best, words.nbytes / (time.perf_counter() - start) / 1e9)
    return best


class Disturbance:
    """Processors that other processes kept busy since this object was made.

    Uses Linux's counters, and children that were waited for. `None` elsewhere.
    """

    def __init__(self):
        self.start, self.busy, self.own = time.perf_counter(), busy_seconds(), own_seconds()

    def processors(self) -> float | None:
        if self.busy is None:
            return None
        others = (busy_seconds() - self.busy) - (own_seconds() - self.own)
        return max(0.0, others / (time.perf_counter() - self.start))


def wait_until_quiet(seconds: int) -> None:
    """Returns when others use less than a tenth of a processor, or after so many seconds."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        disturbance = Disturbance()
        time.sleep(2)
        others = disturbance.processors()
        if others is None or others < 0.1:
            return


def busy_seconds() -> float | None:
    """Processor seconds spent by anyone since the machine started, another guest's included."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, _idle, _wait, interrupt, soft_interrupt, stolen = [
                int(field) for field in file.readline().split()[1:9]
            ]
    except OSError:
        return None
    ticks = user + nice + system + interrupt + soft_interrupt + stolen
    return ticks / os.sysconf("SC_CLK_TCK")


def own_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def description() -> str:
    """The processor's model, as far as the system tells."""
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def busy_notes(results: list[dict]) -> list[str]:
    """How much other processes worked during runs, if that is known."""
    busy = [result["others_busy"] for result in results if result.get("others_busy") is not None]
    if not busy:
        return []
    middle = statistics.median(busy)
    warning = " The machine was not quiet: measure again." if middle > 0.1 else ""
    return [
        f"Other processes kept {middle:.2f} processors busy in the median run, "
        f"at most {max(busy):.2f}.{warning}"
    ]
