"""Wall-clock time: load, measurement, verdict; where the three pillars meet."""
