"""The one console script, `street721`: results go to stdout, logs and progress to stderr.

Exit status: 0 done, 1 failed (one line says why), 2 wrong usage.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import typer

from bench.errors import BenchError
from detectors.errors import DetectorError
from dispatcher.errors import DispatcherError
from gateway.commands import bench, calibrate, daemons, data, demo, detect, evaluate, judge, simulate, train
from gateway.errors import GatewayError
from geofence.errors import GeofenceError, grouped
from ingest.errors import IngestError
from sim.adapters.load import LoadError
from sim.adapters.mqtt_publisher import BrokerError
from sim.scenario import ScenarioError
from sim.scoring.recognition import RecognitionError

_SIM_ERRORS = (ScenarioError, RecognitionError, LoadError, BrokerError)
KNOWN_ERRORS = (IngestError, DetectorError, GeofenceError, DispatcherError, GatewayError, BenchError, *_SIM_ERRORS)

app = typer.Typer(
    name="street721",
    help="From a street sensor or camera to a closed work order (721 工作法).",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

_COMMANDS: dict[str, Callable[..., Any]] = {
    "demo": demo.demo,
    "gateway": daemons.gateway,
    "centre": daemons.centre,
    "replay": simulate.replay,
    "detect": detect.detect,
    "judge": judge.judge,
    "check-config": judge.check_config,
    "calibrate": calibrate.calibrate,
    "train": train.train,
    "export": train.export,
    "eval": evaluate.evaluate,
}
for _name, _function in _COMMANDS.items():
    app.command(_name)(_function)
app.add_typer(data.data_app, name="data")
app.add_typer(simulate.sim_app, name="sim")
app.add_typer(bench.bench_app, name="bench")


def main() -> None:
    """Run the command line; a known error is one line on stderr, each fault of a site one, and exit status 1."""
    try:
        app()
    except KNOWN_ERRORS as error:
        found = grouped(map(str, error.every)) if isinstance(error, GeofenceError) else [str(error)]
        sys.stderr.write("".join(f"street721: {line}\n" for line in found))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
