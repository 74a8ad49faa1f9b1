"""A stand-in province for demonstrations, tests and benchmarks: synthetic data, calibrated totals."""
