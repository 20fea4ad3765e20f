"""Records one incident event from a process of its own: DATABASE BODY_FILE TIMES."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from dispatcher.adapters.database import open_engine
from dispatcher.adapters.metrics import CentreMetrics
from dispatcher.adapters.queries import OrderQueries
from dispatcher.adapters.store import OrderStore
from dispatcher.config import parse_policy
from dispatcher.intake import IncidentIntake

POLICY = Path(__file__).parents[2] / "one_camera_site" / "policy.toml"


def main(database: str, body_file: str, times: str) -> None:
    policy = parse_policy(POLICY.read_text("utf-8"), "policy.toml")
    engine = open_engine(f"sqlite:///{database}")
    intake = IncidentIntake(OrderStore(engine, policy), CentreMetrics(OrderQueries(engine)))
    for _ in range(int(times)):
        outcome = intake.handle(Path(body_file).read_bytes(), datetime.now(UTC))
        sys.stdout.write(f"{outcome.result.value}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
