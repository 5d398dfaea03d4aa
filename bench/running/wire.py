"""Runs whose frames travel: the network's settings, and which runs may have one.

Owns the checks, and the step from a rig to cameras that publish. Knows nothing of
sockets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.driving.pacing import Pacing
from bench.driving.targets import TargetKind
from bench.driving.wire_target import Cameras
from bench.errors import BenchError
from bench.wire.station import Transport

if TYPE_CHECKING:
    from bench.running.rig import Rig
    from bench.wire.settings import NetworkConfig

__all__ = ["cameras_on", "check_network"]


def check_network(
    network: NetworkConfig, target: TargetKind, *, pacing: Pacing
) -> None:
    """See that a network is asked for only where it can act and be judged.

    Raises:
        BenchError: If it is not.
    """
    if not target.is_on_a_wire:
        if not network.is_default:
            message = (
                "[network] must go with a target that frames travel to, got "
                f"'{target}'; run with --target {TargetKind.MPEGTS} or leave it out"
            )
            raise BenchError(message)
        return
    if pacing is Pacing.OPEN:
        return
    # Elsewhere the next frame waits for the last one to end: a lost one, for ever.
    if target is TargetKind.MPEGTS_UDP:
        message = (
            "a load that waits for its frames must not lose any, got target "
            f"'{target}'; run with --target {TargetKind.MPEGTS}, or timed"
        )
        raise BenchError(message)
    wires = (network, *network.cameras.values())
    if not all(wire.is_perfect for wire in wires):
        message = (
            "[network] must be perfect where frames wait for each other, got delays, "
            "losses or outages; leave them out, or run a timed load of cameras"
        )
        raise BenchError(message)


def cameras_on(
    rig: Rig, network: NetworkConfig, target: TargetKind, *, seed: int, pacing: Pacing
) -> Cameras:
    """Let a rig's cameras publish.

    Args:
        rig: Its plan and packets.
        network: What befalls their streams.
        target: What they are sent to, on a wire.
        seed: Of the network's luck.
        pacing: Unhurried, capture times are the plan's own.
    """
    is_udp = target is TargetKind.MPEGTS_UDP
    return Cameras(
        plan=rig.plan,
        packets=rig.packets,
        transport=Transport.UDP if is_udp else Transport.TCP,
        network=network,
        seed=seed,
        is_timed=pacing is not Pacing.UNHURRIED,
    )
