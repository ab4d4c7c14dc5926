"""How much memory it takes to open a study of two million made-up rows and count its scores.

Run it from the repository: ``python benchmarks/two_million_rows.py [--rows N]``. It writes the export into a
temporary folder, opens it in this process, and prints what was measured as JSON; the exit code is 1 if the peak
was above 2 GB. The peak is the largest resident size of the process, as the system counts it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

LIMIT_MB = 2048
_AT_ONCE = 100_000
_STUDY = """name = "Many rows, made up"
made_up = true
[responses]
file = "answers.csv"
columns = { respondent_id = "ID", account_id = "Account", likelihood_to_recommend = "NPS", wave = "Wave", \
invited_at = "Invited", delivered = "Delivered", responded_at = "Responded", comment = "Comment" }
[responses.drivers]
columns = { "Price" = "Price", "Service" = "Service", "Delivery" = "Delivery" }
[responses.segments]
columns = { "Region" = "Region" }
"""


def peak_mb() -> float:
    """Largest resident size so far, in MB."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (1 << 20) if sys.platform == "darwin" else size / (1 << 10)


def write_study(folder: Path, n_rows: int) -> None:
    """Invitations of four waves, of which four in ten are answered, a third of these with a comment."""
    (folder / "study.toml").write_text(_STUDY, encoding="utf-8")
    rng = np.random.default_rng(20261122)
    with (folder / "answers.csv").open("w", encoding="utf-8") as file:
        file.write("ID,Account,NPS,Wave,Invited,Delivered,Responded,Region,Price,Service,Delivery,Comment\n")
        for start in range(0, n_rows, _AT_ONCE):
            n = min(_AT_ONCE, n_rows - start)
            answered = rng.random(n) < 0.4
            score, account = rng.integers(0, 11, n), rng.integers(0, n_rows // 10 + 1, n)
            ratings, region = rng.integers(1, 6, (n, 3)), rng.integers(0, 8, n)
            quarter, day = rng.integers(1, 5, n), rng.integers(1, 29, n)
            for row in range(n):
                date = f"2025-{3 * quarter[row] - 1:02d}-{day[row]:02d}"
                given = answered[row]
                comment = f"made-up words about delivery {start + row}" if given and row % 3 == 0 else ""
                price, service, delivery = ratings[row] if given else ("", "", "")
                says = f"{score[row]}" if given else ""
                when = f"{date}T12:00" if given else ""
                file.write(
                    f"R{start + row:08d},A{account[row]:06d},{says},2025 Q{quarter[row]},{date},1,{when},"
                    f"region {region[row]},{price},{service},{delivery},{comment}\n"
                )


def measure(folder: Path) -> dict[str, float]:
    """Open the study and count it, by wave, and by wave and region clustered by account."""
    import nps_research as nps  # not needed to write

    before, started = peak_mb(), time.perf_counter()
    study = nps.open_study(folder)
    opened = time.perf_counter()
    nps.score_distribution(study, by="wave")
    nps.score_distribution(study, by=["wave", "Region"], cluster="account_id")
    return {
        "rows": len(study.responses) + len(study.quarantine),
        "answers": int((study.responses["response_state"] == "answered").sum()),
        "seconds_open": round(opened - started, 1),
        "seconds_count": round(time.perf_counter() - opened, 1),
        "mb_before": round(before),
        "mb_peak": round(peak_mb()),
    }


def main() -> int:
    """Write in one process, measure in another, so that the writing does not count."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, default=2_000_000)
    options.add_argument("--measure", type=Path)
    chosen = options.parse_args()
    if chosen.measure:
        measured = measure(chosen.measure)
        sys.stdout.write(f"{json.dumps(measured)}\n")
        return int(measured["mb_peak"] > LIMIT_MB)
    with tempfile.TemporaryDirectory() as place:
        write_study(Path(place), chosen.rows)
        return subprocess.run([sys.executable, __file__, "--measure", place], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
