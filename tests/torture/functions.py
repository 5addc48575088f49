#!/usr/bin/env python3
"""Every function of other libraries that lib/ calls is one of those that the torture makes fail, or is named here as one
that cannot fail, or that has its own test.
usage: functions.py STATIC_LIBRARY WRAPPED..."""
import re
import subprocess
import sys

# Default mutexes, and threads that are there to be joined, have no way to fail. pcap_* beside the filter: live capture,
# see tests/unit/test_live.c and tests/live. malloc, realloc: torture heap.
KNOWN = re.compile(
    r"(ZSTD|LZ4F|BZ2|lzma|nettle|pcap|mem|str|nf|netfeat)_?\w+$|inflate\w*$|__(udiv|udivmod|div|mod|umod)ti[34]$"
    r"|__float(un)?tidf$|__popcountdi2$|__\w*(mem|snprintf|vsnprintf|explicit_bzero)\w*_chk$|__stack_chk_\w+$"
    r"|_GLOBAL_OFFSET_TABLE_$|__errno_location$|__assert_fail$|explicit_bzero$|clock_gettime$|dirfd$|fileno$|free$|malloc$"
    r"|realloc$|pthread_(join|mutex_\w+|sigmask)$|sigfillset$|__cpu_model$|frexp$|ldexp$|log2$|sqrt$|getpid$|qsort$|v?snprintf$")


def main():
    wrapped = set(sys.argv[2:])
    lines = subprocess.run(["nm", "-u", sys.argv[1]], check=True, capture_output=True, text=True).stdout.split("\n")
    called = {line.split()[-1] for line in lines if line.strip().startswith("U ")}
    unknown = sorted(name for name in called - wrapped if not KNOWN.match(name))
    for name in unknown:
        print("# %s may fail, and no test makes it fail: tests/torture/faults.c" % name)
    print("%s 1 - functions that lib/ calls (%d)" % ("not ok" if unknown or not called else "ok", len(called)))
    print("1..1")
    return bool(unknown or not called)


sys.exit(main())
