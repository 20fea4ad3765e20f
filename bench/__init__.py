"""Benchmarks: one file per hot path, each prints a ratio to a reference measured in the same run.

python -m bench            all of them
python -m bench inference  one
"""
