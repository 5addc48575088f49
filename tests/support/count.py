#!/usr/bin/env python3
"""Passed, failed and skipped test cases in the JUnit files of meson test. A skipped one is named on standard error.
usage: count.py JUNIT_XML..."""
import sys
import xml.etree.ElementTree

passed = failed = skipped = 0
for path in sys.argv[1:]:
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            failed += 1
            print("failed: %s %s" % (case.get("classname"), case.get("name")), file=sys.stderr)
        elif "skipped" in kinds:
            skipped += 1
            print("skipped: %s %s" % (case.get("classname"), case.get("name")), file=sys.stderr)
        else:
            passed += 1
print(passed, failed, skipped)
