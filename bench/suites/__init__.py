"""Benchmarks of single parts; each asserts its work count, so faster is not less."""
