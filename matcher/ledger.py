"""What a worker owes, and what its successor must know.

Owns the account of frames that went to one worker and have not ended, and, camera by
camera, what has to be handed on if the worker dies. Pure bookkeeping: knows nothing of
processes or pipes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from matcher.ingest import is_key_frame
from matcher.messages import CameraMemory
from matcher.records import FrameOutcome, FrameResult, Outcome

if TYPE_CHECKING:
    from matcher.messages import Parcel, Routed
    from matcher.records import CameraId, EncodedFrame

__all__ = ["FrameKey", "Ledger"]

# One frame of one camera.
FrameKey = tuple["CameraId", int]

# Packets kept of one camera, beyond which a successor waits for the next key frame.
# Cameras send one every one to four seconds; that is a megabyte or two.
_MOST_BYTES = 16 * 1024 * 1024


@dataclass(slots=True)
class _Camera:
    memory: CameraMemory
    since_key_frame: list[EncodedFrame] = field(default_factory=list)
    n_bytes: int = 0


class Ledger:
    """The account of one worker, which outlives the worker's process."""

    def __init__(self) -> None:
        self._cameras: dict[CameraId, _Camera] = {}
        self._owed: dict[FrameKey, Routed] = {}

    @property
    def cameras(self) -> tuple[CameraId, ...]:
        """The cameras that the worker carries, in order of their first frame."""
        return tuple(self._cameras)

    @property
    def owed(self) -> frozenset[FrameKey]:
        """Frames that went to the worker and have not ended."""
        return frozenset(self._owed)

    def take_on(self, camera_id: CameraId) -> None:
        """Give the worker one camera more."""
        memory = CameraMemory(camera_id=camera_id, next_track_id=0, alerted=())
        self._cameras[camera_id] = _Camera(memory=memory)

    def sent(self, routed: Routed) -> None:
        """Note a frame that goes to the worker; its camera must have been taken on."""
        frame = routed.frame
        self._owed[frame.camera_id, frame.index] = routed
        camera = self._cameras[frame.camera_id]
        if is_key_frame(frame.packet):
            camera.since_key_frame, camera.n_bytes = [frame], len(frame.packet)
        elif camera.since_key_frame:
            camera.n_bytes += len(frame.packet)
            camera.since_key_frame.append(frame)
            if camera.n_bytes > _MOST_BYTES:
                camera.since_key_frame = []

    def heard(self, parcel: Parcel) -> None:
        """Note the frames that have ended."""
        for key in parcel.ended:
            self._owed.pop(key, None)
        for memory in parcel.memories:
            self._cameras[memory.camera_id].memory = memory

    def lose(self, *, cause: str, now_ns: int) -> tuple[FrameResult, ...]:
        """Write off what the worker owes: each frame has failed, for this cause."""
        lost = tuple(
            FrameResult(
                outcome=FrameOutcome(
                    camera_id=routed.frame.camera_id,
                    frame_index=routed.frame.index,
                    capture_time_ns=routed.frame.capture_time_ns,
                    received_ns=routed.received_ns,
                    done_ns=now_ns,
                    outcome=Outcome.FAILED,
                    cause=cause,
                    n_faces=0,
                ),
                events=(),
                boxes=(),
                probes=(),
                alerts=(),
            )
            for routed in self._owed.values()
        )
        self._owed.clear()
        return lost

    def legacy(self) -> tuple[tuple[CameraMemory, ...], tuple[EncodedFrame, ...]]:
        """Say what a successor needs.

        Returns:
            What to remember of each camera; and the frames since each camera's last
            key frame, lost ones included, without which its decoder shows nothing.
        """
        cameras = self._cameras.values()
        return (
            tuple(camera.memory for camera in cameras),
            tuple(frame for camera in cameras for frame in camera.since_key_frame),
        )
