"""The wire between a camera and a matcher: MPEG-TS, its sockets, and their troubles."""
