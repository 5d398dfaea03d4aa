"""Many runs that answer one question: most cameras, errors over load and watchlist."""
