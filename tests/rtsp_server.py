"""A real RTSP server, GStreamer's, around one file; run by the system's Python.

    /usr/bin/python3 tests/rtsp_server.py CLIP.mp4

Prints the port on which it serves `/camera`, and leaves when its input closes.
"""

import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402


def main() -> None:
    """Serve until nobody holds our input open."""
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        # Parameter sets are told in the description alone, as many cameras do.
        f"( filesrc location={sys.argv[1]} ! qtdemux ! rtph264pay name=pay0 pt=96 )"
    )
    server.get_mount_points().add_factory("/camera", factory)
    server.attach(None)
    loop = GLib.MainLoop()

    def watch() -> None:
        sys.stdin.read()
        loop.quit()

    threading.Thread(target=watch, daemon=True).start()
    print(server.get_bound_port(), flush=True)  # noqa: T201 - that is its answer
    loop.run()


if __name__ == "__main__":
    main()
