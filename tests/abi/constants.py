#!/usr/bin/env python3
"""The value of every public constant, as the compiler sees it, against the list of what was promised.
usage: constants.py SOURCE_ROOT [--update]

--update adds new constants to the list; a changed or removed one is refused: that would break every program
built before."""
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(sys.argv[1])
LIST = ROOT / "tests" / "abi" / "constants.txt"
sys.path.insert(0, str(ROOT / "tests" / "support"))
sys.path.insert(0, str(ROOT / "tests" / "abi"))
import publicapi  # noqa: E402
import tap  # noqa: E402


def values_now():
    names = publicapi.PublicApi(ROOT).constants()
    lines = "".join('    printf("%%s %%lld\\n", "%s", (long long)%s);\n' % (n, n) for n in names)
    program = "#include <stdio.h>\n#include <netfeat/netfeat.h>\nint main(void)\n{\n%s    return 0;\n}\n" % lines
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "constants.c"
        source.write_text(program)
        exe = str(pathlib.Path(folder) / "constants")
        subprocess.run(["cc", "-I", str(ROOT / "include"), str(source), "-o", exe], check=True)
        out = subprocess.run([exe], capture_output=True, text=True, check=True).stdout
    return dict(line.split() for line in out.splitlines())


def promised():
    return dict(line.split() for line in LIST.read_text().splitlines()) if LIST.exists() else {}


def broken(now, before):
    for name, value in before.items():
        if name not in now:
            yield "%s = %s is gone" % (name, value)
        elif now[name] != value:
            yield "%s was %s and is now %s" % (name, value, now[name])


def main():
    now, before = values_now(), promised()
    changed = list(broken(now, before))
    if sys.argv[2:] == ["--update"]:
        if changed:
            sys.exit("refused:\n" + "\n".join(changed))
        LIST.write_text("".join("%s %s\n" % item for item in now.items()))
        return
    with tap.Plan() as t:
        t.check("no promised constant has changed", changed if before else ["constants.txt is empty"])
        t.check("all constants are promised", ["%s is not in constants.txt: run tests/abi/update.sh" % name
                                               for name in now if name not in before])


main()
