"""How long everything took: tables of frames and stages, and percentiles of them."""
