"""Calibrates the simulator by real runs, proves its error, and plans with it."""
