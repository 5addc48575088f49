"""Test Anything Protocol for test scripts: one line per check, reasons below it.

    with tap.Plan() as t:
        t.check("name", problems)      problems: a list of lines; empty means passed
        t.skip("name", "why")

A script that cannot run at all calls tap.skip_all("why"): meson counts it as skipped.
"""
import sys
import traceback


class Plan:
    def __init__(self):
        self.number = 0
        self.failed = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and kind is not SystemExit:
            self.check("the test script itself", traceback.format_exception(kind, value, trace))
        print("1..%d" % self.number, flush=True)
        if kind is not SystemExit:
            sys.exit(1 if self.failed else 0)

    def _line(self, text):
        self.number += 1
        print(text % self.number, flush=True)

    def check(self, name, problems):
        name = name.replace("#", "").replace("%", "%%")
        problems = list(problems)
        self._line(("not ok %d - " if problems else "ok %d - ") + name)
        self.failed += bool(problems)
        for problem in problems:
            for line in str(problem).rstrip().splitlines():
                print("# " + line, flush=True)

    def skip(self, name, reason):
        self._line("ok %d - " + name.replace("%", "%%") + " # SKIP " + reason.replace("%", "%%"))


def skip_all(reason):
    print("1..0 # SKIP " + reason, flush=True)
    sys.exit(0)
