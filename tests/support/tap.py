"""Test Anything Protocol for test scripts: one line per check, reasons on standard error.

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

    def _line(self, verdict, text):
        self.number += 1
        print("%s %d - %s" % (verdict, self.number, text), flush=True)

    def check(self, name, problems):
        problems = list(problems)
        self._line("not ok" if problems else "ok", name.replace("#", ""))
        self.failed += bool(problems)
        for problem in problems:
            for line in str(problem).rstrip().splitlines():
                print("# " + line, file=sys.stderr, flush=True)  # meson shows it when the test fails

    def skip(self, name, reason):
        self._line("ok", name + " # SKIP " + reason)


def skip_all(reason):
    print("1..0 # SKIP " + reason, flush=True)
    sys.exit(0)
