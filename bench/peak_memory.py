"""How much memory the inference path takes in a process that does nothing else.

python -m bench.peak_memory JSON prints megabytes after the first call and after the last.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from detectors import open_detector


def peak_memory_mb(
    model: str, folder: Path, *, batch: int | None, rounds: int = 3, device: str = "auto", engine: str = "auto"
) -> tuple[float, float]:
    """Peak after the first call and after `rounds` calls over the JPEGs of a folder, in a process of its own."""
    options = {"model": model, "device": device, "engine": engine, "max_batch": batch}
    asked = json.dumps({"folder": str(folder), "rounds": rounds, "options": options})
    words = [sys.executable, "-m", "bench.peak_memory", asked]
    told = subprocess.run(words, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    first_mb, last_mb = json.loads(told.stdout.splitlines()[-1])
    return first_mb, last_mb


def _peak_mb() -> float:
    """The high-water mark of this program; getrusage would also count what its parent took before."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found is not None, "Linux says VmHWM in /proc/self/status"
    return int(found.group(1)) / 1024


def _main(asked: str) -> None:
    task = json.loads(asked)
    jpegs = [path.read_bytes() for path in sorted(Path(task["folder"]).glob("*.jpg"))]
    detector = open_detector(**task["options"])
    peaks_mb = []
    for _ in range(task["rounds"]):
        detector.detect(jpegs)
        peaks_mb.append(_peak_mb())
    print(json.dumps([peaks_mb[0], peaks_mb[-1]]))


if __name__ == "__main__":
    _main(sys.argv[1])
