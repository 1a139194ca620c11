"""What processes cost, from /proc: processor time, memory; and slowing a whole browser down."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


def cpu_seconds(pid: int) -> float:
    """Processor time of the process's living threads so far, in seconds, to the nanosecond."""
    total = 0
    for task in (PROC / str(pid) / "task").iterdir():
        with contextlib.suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def tree(pid: int) -> list[int]:
    """The process and all under it."""
    parents: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                after = (entry / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(after[1]), []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        todo += parents.get(one, [])
    return found


def memory(pid: int) -> dict[str, int]:
    """Bytes of one process: `Rss`, `Pss`, and `Own`, which is its share of what no file backs; zeros once it is gone."""
    sums = {"Rss": 0, "Pss": 0, "Own": 0}
    with contextlib.suppress(OSError):
        for row in (PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]:
            name, value = row.split()[:2]
            key = "Own" if name in ("Pss_Anon:", "Pss_Shmem:") else name.rstrip(":")
            if key in sums:
                sums[key] += int(value) * 1024
    return sums


def command_line(pid: int) -> str:
    with contextlib.suppress(OSError):
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


class MemoryWatch:
    """Samples the memory of `pid` and all under it in a thread; `peak` holds the largest sums seen since `reset`."""

    def __init__(self, pid: int, every: float = 0.05, only: str = "") -> None:
        self._pid, self._every, self._only = pid, every, only
        self._stopped = threading.Event()
        self.peak: dict[str, int] = {}
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def reset(self) -> dict[str, int]:
        """The peaks so far; counting begins anew."""
        seen, self.peak = self.peak, {}
        return seen

    def now(self) -> dict[str, int]:
        sums = {"Rss": 0, "Pss": 0, "Own": 0, "processes": 0}
        for pid in tree(self._pid):
            if self._only and self._only not in command_line(pid):
                continue
            used = memory(pid)
            sums["processes"] += used["Rss"] > 0
            for name, value in used.items():
                sums[name] += value
        return sums

    def _run(self) -> None:
        while not self._stopped.wait(self._every):
            for name, value in self.now().items():
                self.peak[name] = max(self.peak.get(name, 0), value)


def preferred(pid: int) -> bool:
    """Asks for the processor before others' work on a shared machine: nicer times, not other ones. False where refused."""
    done = False
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, -15)
        done = True
    with contextlib.suppress(OSError):
        (PROC / str(pid) / "autogroup").write_text("-15")
    return done


@contextlib.contextmanager
def slowed(group: int, times: float) -> Iterator[None]:
    """Every thread of the process group runs one part in `times`: stopped and continued by signals in short turns.

    The developer tools' throttle slows only the page's main thread; this slows workers, decoding, storage and the
    browser's own process as well. It is done from a process of its own, so that this one's work does not disturb it.
    """
    run = [sys.executable, "-m", "bench.processes", str(group), str(times)]
    with subprocess.Popen(run, stdin=subprocess.PIPE) as helper:
        try:
            yield
        finally:
            helper.terminate()
            helper.wait()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGCONT)


def _turns(group: int, times: float, run_s: float = 0.004) -> None:
    while True:
        os.killpg(group, signal.SIGCONT)
        began = time.monotonic()
        time.sleep(run_s)
        os.killpg(group, signal.SIGSTOP)
        ran = time.monotonic() - began
        time.sleep(ran * (times - 1))


if __name__ == "__main__":
    with contextlib.suppress(ProcessLookupError):
        _turns(int(sys.argv[1]), float(sys.argv[2]))
