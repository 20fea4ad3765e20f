"""Incidents with truth: small streets on purpose, their boxes by geometry, and what three ways of judging make of them.

In:  the catalogue of scenarios (`catalogue.py` and its parts), each a camera, zones, rules, things that come and go,
     a detector's mistakes and a camera's
Out: for each of them and in total, how many incidents were found, told twice, made up, misplaced, mistimed
Never: draws a picture or runs a network; reads or writes a file except where `--write` asks for it.
"""
