"""Measures understudy, the raw limits and its peers in one run: `python -m benchmarks` or `make bench`."""
