"""What Locust's master and workers say to each other beside Locust's own words.

Owns names and shapes; msgpack carries them, so they are plain lists and maps. Knows
nothing of Locust.

    worker                    master
      ◄─────────────── PUSH     post to the null service, as fast as it answers
      PUSHED ────────────────►  how fast that was
      SEAT ──────────────────►  a user has come and asks which camera it is
      ◄─────────────── SEATED   this one, and when the run starts; or none is left
      (report) ──────────────►  Locust's report of every few seconds: our requests, too
"""

from __future__ import annotations

from typing import TypeAlias

__all__ = ["FRAME", "PROBE", "PUSH", "PUSHED", "REPORT", "SEAT", "SEATED", "Row"]

PUSH, PUSHED, SEAT, SEATED = "lfr_push", "lfr_pushed", "lfr_seat", "lfr_seated"
# The key of ours in Locust's report.
REPORT = "lfr"

# Kinds of requests, and of seats.
FRAME, PROBE = "frame", "probe"

# Kind, row of its plan, when it was sent and answered, HTTP status, why there was no
# answer, and its body.
Row: TypeAlias = tuple[str, int, int, int, int, str, bytes]
