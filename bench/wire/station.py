"""The cameras' end of the wire: frames are stamped, multiplexed and published.

Owns one transport stream and one socket per camera. Knows nothing of plans, of who
listens or of what becomes of frames. Part of the shell.
"""

from __future__ import annotations

import socket
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from bench.wire.multiplex import TsMultiplexer
from bench.wire.sockets import Pump, TcpLine, UdpLine
from matcher.streams.stamp import CaptureStamp, stamped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.wire.settings import NetworkConfig
    from bench.wire.sockets import Line
    from matcher.records import EncodedFrame

__all__ = ["Station", "Transport", "free_udp_port", "open_station"]

# What a camera's own link carries unless the settings say otherwise: Fast Ethernet.
_UDP_LINK_MBPS = 100.0


class Transport(StrEnum):
    """What carries the transport streams."""

    TCP = "tcp"
    UDP = "udp"


class Station:
    """Cameras that publish live.

    Args:
        lines: Each camera's way out.
        clock_name: Which clock capture times are of; see `CaptureStamp`.
        marks_ends: See `TsMultiplexer`.
    """

    def __init__(
        self, lines: dict[str, Line], *, clock_name: str, marks_ends: bool
    ) -> None:
        self._lines = lines
        self._clock_name = clock_name
        self._streams = {
            camera_id: TsMultiplexer(marks_ends=marks_ends) for camera_id in lines
        }

    @property
    def is_idle(self) -> bool:
        """Whether everything published has left the cameras."""
        return all(line.is_idle for line in self._lines.values())

    def publish(self, frame: EncodedFrame, *, next_time_ns: int | None) -> str:
        """Send one frame on its way.

        Args:
            frame: Of any of the cameras, each camera's in order of capture.
            next_time_ns: Capture time of its camera's next frame, if it is known.

        Returns:
            Why it could not leave; empty if it did.
        """
        stamp = CaptureStamp(
            clock=self._clock_name,
            index=frame.index,
            capture_time_ns=frame.capture_time_ns,
        )
        packets = self._streams[frame.camera_id].multiplex(
            stamped(frame.packet, stamp),
            capture_time_ns=frame.capture_time_ns,
            next_time_ns=next_time_ns,
        )
        return self._lines[frame.camera_id].send(packets)

    def rehearse(self, camera_id: str, key_frame: bytes) -> None:
        """Send a frame that nobody is to look at, to see whether frames arrive."""
        stamp = CaptureStamp(
            clock=self._clock_name, index=0, capture_time_ns=0, is_rehearsal=True
        )
        packets = self._streams[camera_id].rehearse(stamped(key_frame, stamp))
        self._lines[camera_id].send(packets)


@contextmanager
def open_station(
    camera_ids: Sequence[str],
    transport: Transport,
    *,
    network: NetworkConfig,
    udp_ports: Sequence[int],
    clock_name: str,
    clock: Callable[[], int],
) -> Iterator[tuple[Station, tuple[int, ...]]]:
    """Let cameras publish until the block ends.

    Args:
        camera_ids: Which.
        transport: What carries their streams.
        network: Whether they mark the ends of frames, and how fast their links are.
        udp_ports: UDP: where each camera's datagrams go.
        clock_name: Which clock capture times are of.
        clock: Nanoseconds; paces datagrams.

    Yields:
        The station; and TCP: the port at which each camera is served.
    """
    pump = Pump(clock=clock)
    tcp: list[TcpLine] = []
    udp: list[UdpLine] = []
    try:
        if transport is Transport.TCP:
            tcp.extend(TcpLine(pump) for _ in camera_ids)
        else:
            udp.extend(
                UdpLine(
                    pump,
                    port=port,
                    link_mbps=network.of(camera_id).link_mbps or _UDP_LINK_MBPS,
                )
                for camera_id, port in zip(camera_ids, udp_ports, strict=True)
            )
        lines: Sequence[Line] = tcp or udp
        station = Station(
            dict(zip(camera_ids, lines, strict=True)),
            clock_name=clock_name,
            marks_ends=network.marks_ends,
        )
        yield station, tuple(line.port for line in tcp)
    finally:
        for served in tcp:
            served.close()
        for sending in udp:
            sending.close()
        pump.close()


def free_udp_port() -> int:
    """Find a UDP port that nobody uses at the moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
