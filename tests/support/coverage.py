#!/usr/bin/env python3
"""The files of a gcovr summary (--json-summary) that are covered least.
usage: coverage.py SUMMARY_JSON COUNT"""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    summary = json.load(file)
files = sorted(summary["files"], key=lambda one: one["line_total"] and one["line_covered"] / one["line_total"])
print("lines          branches       file")
for one in files[:int(sys.argv[2])]:
    print("%4d of %4d   %4d of %4d   %s" % (one["line_covered"], one["line_total"], one["branch_covered"], one["branch_total"],
                                          one["filename"]))
