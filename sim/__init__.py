"""Virtual time: arrivals, stations, service times. Knows nothing of pixels."""
