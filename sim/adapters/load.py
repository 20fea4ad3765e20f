"""A load test: tens of thousands of sensors publish at a steady rate, and the report says who was too slow.

One thread, a few connections, one write per connection and tick: the generator must cost little beside the broker
and the gateway that it is to load, often on the same machine.
"""

from __future__ import annotations

import math
import selectors
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from sim.adapters.mqtt_publisher import MAX_WINDOW, BrokerAddress, BrokerError, MqttPublisher
from sim.load.load_messages import LoadMessages
from sim.load.load_report import LoadReport, Tally

TICK_S = 0.02
# What is overdue for longer is given up and counted: a generator that makes up for a minute's silence lies.
CATCH_UP_S = 1.0

_DRAIN_WITHIN_S = 10.0
_REPORT_EVERY_S = 1.0
# A sensor's messages differ in their milliseconds.
_MAX_PER_SENSOR_AND_S = 100


class LoadError(Exception):
    """An option of the load test that cannot be used: its name, what is wrong, what would be right."""

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(f"{option} {problem}")
        self.option = option
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """What to load a broker with; LoadError for what cannot be.

    rate:    messages a second in all
    seconds: None goes on until it is told to stop
    window:  messages of a connection that may wait for their acknowledgement
    """

    broker: BrokerAddress
    topic_root: str
    site: str
    sensors: int = 58_000
    rate: float = 12_000.0
    seconds: float | None = 60.0
    connections: int = 8
    qos: int = 1
    window: int = 2000
    seed: int = 7

    def __post_init__(self) -> None:
        _check("sensors", self.sensors, 1, 10_000_000)
        _check("rate", self.rate, 0.1, _MAX_PER_SENSOR_AND_S * self.sensors)
        _check("seconds", 1.0 if self.seconds is None else self.seconds, 0.1, 1e9)
        _check("connections", self.connections, 1, min(1000, self.sensors))
        _check("qos", self.qos, 0, 1)
        _check("window", self.window, 1, MAX_WINDOW)


class _Line:
    """One connection with its share of the sensors and of the rate.

    is_blocked: the broker did not take all that was due when it was offered last
    """

    def __init__(self, options: LoadOptions, index: int) -> None:
        self.publisher = MqttPublisher(
            options.broker,
            client_id=f"load-{options.seed}-{index}-{time.time_ns() % 10**9}",
            qos=options.qos,
            window=options.window,
            seed=options.seed,
        )
        self._messages = LoadMessages(
            range(1 + index, options.sensors + 1, options.connections),
            topic_prefix=f"{options.topic_root}/{options.site}/sensors",
            qos=options.qos,
            seed=options.seed,
        )
        self._rate = options.rate / options.connections
        self.is_blocked = False
        self.late_broker = self.late_generator = 0

    @property
    def settled(self) -> int:
        """Messages sent or given up."""
        return self.publisher.sent + self.late_broker + self.late_generator

    def offer(self, elapsed_s: float, *, began_epoch_s: float, now_s: float) -> None:
        """Send what is due and fits."""
        due = math.floor(elapsed_s * self._rate) - self.settled
        self._give_up(due - max(1, math.ceil(CATCH_UP_S * self._rate)))
        due = math.floor(elapsed_s * self._rate) - self.settled
        count = max(0, min(due, self.publisher.room))
        self.is_blocked = count < due
        if count:
            due_s = began_epoch_s + (self.settled + np.arange(count)) / self._rate
            heads, bodies = self._messages.draw((due_s * 1000).astype(np.int64))
            self.publisher.send(heads, bodies, now_s)

    def end(self, elapsed_s: float) -> None:
        """Give up what is due and was not sent."""
        self._give_up(math.floor(elapsed_s * self._rate) - self.settled)

    def _give_up(self, count: int) -> None:
        if count > 0 and self.is_blocked:
            self.late_broker += count
        elif count > 0:
            self.late_generator += count


@dataclass(slots=True, kw_only=True)
class _Run:
    """The lines of one load test and the loop that serves them."""

    options: LoadOptions
    stop: threading.Event
    on_progress: Callable[[LoadReport], None] | None
    lines: list[_Line] = field(init=False)
    blocked_s: float = 0.0
    began_s: float = 0.0
    began_cpu_s: float = 0.0

    def __post_init__(self) -> None:
        self.lines = [_Line(self.options, index) for index in range(self.options.connections)]

    def live(self) -> LoadReport:
        """Connect, send, wait for the last acknowledgements."""
        try:
            self._serve_until(lambda: self.stop.is_set() or all(line.publisher.is_up for line in self.lines))
            self.began_s, self.began_cpu_s = time.monotonic(), time.process_time()
            elapsed_s = self._send()
            report = self._report(elapsed_s)
            until_s = time.monotonic() + _DRAIN_WITHIN_S
            self._serve_until(lambda: self._is_drained() or time.monotonic() > until_s)
            return self._report(elapsed_s, cpu_s=report.cpu_s)
        finally:
            for line in self.lines:
                line.publisher.close()

    def _send(self) -> float:
        """Offer what is due, tick by tick; return for how many seconds."""
        began_epoch_s = time.time()
        seconds = math.inf if self.options.seconds is None else self.options.seconds
        elapsed_s, reported_s = 0.0, 0.0
        while elapsed_s < seconds and not self.stop.is_set():
            now_s = time.monotonic()
            last_s, elapsed_s = elapsed_s, min(seconds, now_s - self.began_s)
            self.blocked_s += (elapsed_s - last_s) * sum(line.is_blocked for line in self.lines) / len(self.lines)
            for line in self.lines:
                line.publisher.tick(now_s)
                line.offer(elapsed_s, began_epoch_s=began_epoch_s, now_s=now_s)
            if self.on_progress is not None and elapsed_s >= reported_s + _REPORT_EVERY_S:
                reported_s = elapsed_s
                self.on_progress(self._report(elapsed_s))
            self._serve(now_s + TICK_S)
        for line in self.lines:
            line.end(elapsed_s)
        return elapsed_s

    def _serve_until(self, is_done: Callable[[], bool]) -> None:
        while not is_done():
            now_s = time.monotonic()
            for line in self.lines:
                line.publisher.tick(now_s)
            self._serve(now_s + TICK_S)

    def _is_drained(self) -> bool:
        return all(not line.publisher.in_flight.count and not line.publisher.wants_to_write for line in self.lines)

    def _serve(self, until_s: float) -> None:
        """Read and write whatever sockets are ready until the next tick."""
        with selectors.DefaultSelector() as selector:
            for line in self.lines:
                if (connection := line.publisher.connection) is not None:
                    selector.register(connection, _events_of(line.publisher), line.publisher)
            while (left_s := until_s - time.monotonic()) > 0:
                if not selector.get_map():
                    time.sleep(left_s)
                    return
                for key, _ in selector.select(left_s):
                    publisher: MqttPublisher = key.data
                    publisher.serve(time.monotonic())
                    if publisher.connection is not key.fileobj:
                        selector.unregister(key.fileobj)
                    elif key.events != _events_of(publisher):
                        selector.modify(key.fileobj, _events_of(publisher), publisher)

    def _report(self, elapsed_s: float, *, cpu_s: float | None = None) -> LoadReport:
        publishers = [line.publisher for line in self.lines]
        return LoadReport.of(
            Tally(
                seconds=elapsed_s,
                cpu_s=time.process_time() - self.began_cpu_s if cpu_s is None else cpu_s,
                blocked_s=self.blocked_s,
                asked_rate=self.options.rate,
                sent=sum(publisher.sent for publisher in publishers),
                acknowledged=sum(publisher.acknowledged for publisher in publishers),
                late_broker=sum(line.late_broker for line in self.lines),
                late_generator=sum(line.late_generator for line in self.lines),
                resent=sum(publisher.resent for publisher in publishers),
                reconnects=sum(publisher.reconnects for publisher in publishers),
            ),
            latencies_s=np.concatenate([np.array(publisher.in_flight.latencies_s) for publisher in publishers]),
            slowest_s=max(publisher.in_flight.slowest_s for publisher in publishers),
        )


def run_load(
    options: LoadOptions, stop: threading.Event, *, on_progress: Callable[[LoadReport], None] | None = None
) -> LoadReport:
    """Publish until the time is over or `stop` is set; BrokerError when the broker cannot be used at all.

    on_progress: called about once a second with the report so far
    """
    return _Run(options=options, stop=stop, on_progress=on_progress).live()


def _events_of(publisher: MqttPublisher) -> int:
    return selectors.EVENT_READ | (selectors.EVENT_WRITE if publisher.wants_to_write else 0)


def _check(option: str, value: float, lowest: float, highest: float) -> None:
    if not lowest <= value <= highest:
        raise LoadError(option, f"is {value:g}, expected {lowest:g} to {highest:g}")


__all__ = ["BrokerAddress", "BrokerError", "LoadError", "LoadOptions", "LoadReport", "run_load"]
