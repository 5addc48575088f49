#!/bin/sh
# Everything that a change must pass, on a bare Debian 12: installs what is missing by apt (sudo when not root),
# builds, runs all suites, builds again with sanitizers and runs what they can watch.
#   tests/run.sh [--no-install]
# The last line says N passed, N failed, N skipped; exit code 0 when none failed. With the folder `shared` beside the
# clone (or NETFEAT_SHARED), the captures in there are tested, too. tests/deep.sh is what takes longer.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
exec </dev/null
. tests/support/packages.sh
. tests/support/suites.sh

test_packages="g++ binutils iproute2 tcpreplay util-linux libcriterion-dev abigail-tools clang-format-14 tshark python3-numpy python3-pandas python3-scapy python3-sklearn python3-matplotlib python3-nbconvert python3-ipykernel"
if [ "${1-}" != --no-install ]; then
    need_build_tools
    if command -v apt-get >/dev/null 2>&1; then
        # shellcheck disable=SC2086 # a list of words
        want_packages $test_packages
    fi
fi
start_counting

say "Release build: all suites"
if build_in build-test -Ddebug=true -Dwerror=true; then
    run_suites build-test
else
    count_failure "release build"
fi

say "Address and undefined-behaviour sanitizers: programs of our own"
if build_in build-asan --buildtype=debugoptimized -Dwerror=true -Db_sanitize=address,undefined -Db_lundef=false; then
    run_suites build-asan --setup sanitize
    count_sanitizer_reports build-asan
else
    count_failure "sanitizer build"
fi

finish_counting
