"""From frames to files: clips with their truth, watchlists, the cache."""
