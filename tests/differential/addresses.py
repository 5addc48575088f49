#!/usr/bin/env python3
"""Texts of addresses, interfaces and what only looks like them: their numbers are those of Python's ipaddress module.
usage: addresses.py ROOT ADDRESS_DRIVER"""
import ipaddress
import pathlib
import random
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(sys.argv[1]) / "tests" / "support"))
import tap  # noqa: E402

FORMS = """1.2.3.4 1.2.3 1.2.3.4.5 01.2.3.4 1.2.3.256 1..3.4 1.2.3.4/0 1.2.3.4/24 1.2.3.4/032 1.2.3.4/33 1.2.3.4/ 1.2.3.4/24/1
10.1.2.3/255.255.0.0 10.1.2.3/0.0.255.255 10.1.2.3/0.255.0.255 10.1.2.3/255.0.255.0 10.1.2.3/255.255.255.255
10.1.2.3/0.0.0.0 10.1.2.3/128.0.0.0 10.1.2.3/127.255.255.255 10.1.2.3/255.255.256.0
:: ::1 1:: :1 1: ::1:: ::: 1:2:3:4:5:6:7:8 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 1:2:3:4:5:6:7:: ::2:3:4:5:6:7:8
1:2:3:4::5:6:7:8 12345:: g:: ::ffff:1.2.3.4 ::1.2.3.4 1.2.3.4:: ::1.2.3 ::1.2.3.256 1:2:3:4:5:6:1.2.3.4
1:2:3:4:5:6:7:1.2.3.4 ::1.2.3.4:5 fe80::1%eth0 fe80::1% fe80::1%a%b fe80::1%a/64 ABCD::ef01 2001:db8::1/0 2001:db8::1/1
2001:db8::1/63 2001:db8::1/64 2001:db8::ffff/65 2001:db8::ffff/127 2001:db8::1/128 2001:db8::1/129 2001:db8::1/ffff::
/ /8 % . x""".split() + ["", " ", "1.2.3.4 ", " ::1"]


def changed(dice):
    form = list(dice.choice(FORMS))
    for _ in range(dice.randint(1, 3)):
        at = dice.randint(0, len(form))
        form[at:at + dice.randint(0, 1)] = dice.choice(["", *"0123456789aAfg:./% "])
    return "".join(form)


def number(text):
    try:
        return int(ipaddress.ip_interface(text).network.network_address)
    except ValueError:
        return None


dice = random.Random(5)
texts = FORMS + [changed(dice) for _ in range(50000)]
run = subprocess.run([sys.argv[2]], input="".join(text + "\n" for text in texts), capture_output=True, text=True, check=False)
wrong, valid = [run.stderr] if run.returncode != 0 else [], 0
lines = run.stdout.splitlines()
for text, line in zip(texts, lines):
    hi, lo = map(int, line.split())
    expected = number(text)
    valid += expected is not None
    if hi << 64 | lo != (expected or 0):
        wrong.append("%r: %d, expected %s" % (text, hi << 64 | lo, expected))
with tap.Plan() as t:
    t.check("%d texts, of which %d are addresses" % (len(texts), valid), wrong[:20])
    t.check("there are enough of both", [] if len(lines) == len(texts) and 5000 < valid < 45000 else ["%d lines" % len(lines)])
