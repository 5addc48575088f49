#!/usr/bin/env python3
"""Random packet scripts through the library, through the naive reassembler of the tests, and through the executable
specification: the driver compares the first two, this program them with the third.

usage: stream_model.py SOURCE_ROOT STREAM_DRIVER [SCRIPTS [FIRST_SEED]]
The specification is $NETFEAT_SHARED/model/refmodel.py or SOURCE_ROOT/../shared/model/refmodel.py; without it the test
is skipped (77). Its segment store is replaced by one that joins segments as its text says (a new segment continues
one that ends, and whose arrival extent ends, where it starts: also what a live kernel does in 99.2 % of all triples),
where its code joins neighbours both ways (96.9 %)."""
import os
import pathlib
import random
import subprocess
import sys

ROOT, DRIVER = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
SCRIPTS = int(sys.argv[3]) if len(sys.argv) > 3 else 2000
FIRST = int(sys.argv[4]) if len(sys.argv) > 4 else 1
MODEL = pathlib.Path(os.environ.get("NETFEAT_SHARED", ROOT.parent / "shared")) / "model"
if not (MODEL / "refmodel.py").is_file():
    print("no executable specification in", MODEL)
    sys.exit(77)
sys.path.insert(0, str(MODEL))
import refmodel  # noqa: E402

M32 = 0xffffffff
POLICIES = {"first": 1, "last": 2, "bsd": 3, "linux": 4, "oldlinux": 5, "solaris": 6, "windows": 7}
OPTIONS = {"max_seg": "stream.max_segments", "max_buf": "stream.max_buffered_bytes", "depth": "stream.depth_bytes",
           "async_bytes": "stream.async_bytes"}
TICK = 1 / 512  # exact in binary and in nanoseconds


class Store(refmodel.Store):
    """As the text of the specification says."""

    def put(self, s, data, os_, oe, pol):
        conflict = overlap = 0
        e, keep, out = s + len(data), [True] * len(data), []
        for g in self.L:
            a, b = max(g.s, s), min(g.e, e)
            if a >= b:
                out.append(g)
                continue
            overlap += b - a
            conflict += sum(x != y for x, y in zip(g.b[a - g.s:b - g.s], data[a - s:b - s]))
            if refmodel.wins(pol, os_, oe, g.os, g.oe):
                if g.s < a:
                    out.append(refmodel.Node(g.s, g.b[:a - g.s], g.os, g.oe))
                if b < g.e:
                    out.append(refmodel.Node(b, g.b[b - g.s:], g.os, g.oe))
            else:
                out.append(g)
                keep[a - s:b - s] = [False] * (b - a)
        fresh, i = set(), 0
        while i < len(data):
            j = i
            while j < len(data) and keep[j]:
                j += 1
            if j > i:
                node = refmodel.Node(s + i, bytes(data[i:j]), os_, oe)
                fresh.add(id(node))
                out.append(node)
            i = max(j, i + 1)
        out.sort(key=lambda g: g.s)
        everything, joined = pol in ("first", "last"), []
        for g in out:
            last = joined[-1] if joined else None
            continues = last and last.e == g.s and (everything or (id(g) in fresh and last.oe == g.s == g.os))
            if continues:
                last.b += g.b
                last.e, last.oe = g.e, g.oe
            else:
                joined.append(g)
        self.L = joined
        self.bytes = sum(len(g.b) for g in joined)
        return overlap, conflict


refmodel.Store = Store


class Reasm(refmodel.Reasm):
    """Timestamps as the kernel's sockets take them: a segment of nothing but acknowledged bytes is not looked at."""

    def pkt(self, src, fl, seq, ack=0, data=b"", *rest, **more):
        x = self.d[self.map[src]] if self.d is not None and not self.ended else None
        known = (x.tsrec, x.tstime, x.acked) if x is not None else None
        super().pkt(src, fl, seq, ack, data, *rest, **more)
        if known is not None and x in self.d and not set("SR") & set(fl) and self.off(x, seq) + len(data) < known[2]:
            x.tsrec, x.tstime = known[:2]


def one(seed):
    """A script: (settings, packets as keyword arguments of the model)."""
    r = random.Random(seed)
    size = r.randrange(1, 300)
    data = bytes(r.randrange(256) for _ in range(size))
    isn = [r.getrandbits(32), r.getrandbits(32)]
    cfg = dict(policy=r.choice(list(POLICIES)), max_seg=r.choice([3, 3072]), max_buf=r.choice([20, 1 << 20]),
               depth=r.choice([0, 0, 50]), deliver=r.choice(["contig", "ack"]), async_bytes=r.choice([40, 16384]))
    t, packets = 0.0, []
    stamps = r.random() < .2

    def add(src, fl, seq, ack=0, payload=b"", **more):
        nonlocal t
        t += r.choice([0, 1, 1, 100, 1500]) * TICK
        if stamps:
            more.setdefault("ts", (1000 + len(packets), 0))
        packets.append(dict(src=src, fl=fl, seq=(isn[src] + seq) & M32, ack=(isn[1 - src] + ack) & M32 if "A" in fl else 0,
                            data=payload, t=t, **more))

    start = r.random()
    if start < .9:
        for _ in range(r.choice([1, 1, 1, 2])):
            add(0, "S", 0)
        if start < .85:
            add(1, "SA", 0, 1)
            add(0, "A", 1, 1)
    segments, at = [], 0
    while at < size:
        end = min(size, at + r.randrange(1, 40))
        segments.append((at, end))
        at = end
    events = segments + [tuple(sorted((r.randrange(size + 1), r.randrange(size + 1)))) for _ in range(r.randrange(6))]
    for i in range(len(events)):
        j = min(len(events) - 1, max(0, i + r.randrange(-4, 5)))
        events[i], events[j] = events[j], events[i]
    if r.random() < .4:
        events = [ev for ev in events if r.random() > .2]
    top = 0
    for a, b in events:
        if a == b:
            continue
        payload = bytearray(data[a:b])
        more = {}
        if r.random() < .1:
            payload[r.randrange(len(payload))] ^= 0x55
        if r.random() < .05:
            more = dict(urg=r.randrange(len(payload) + 3))
        if r.random() < .05:
            more["caplen"] = r.randrange(len(payload))
        add(0, "UA" if "urg" in more else "A", 1 + a, 1, bytes(payload), **more)
        top = max(top, b)
        if r.random() < .3:
            add(1, "A", 1, 1 + r.randrange(top + 1))
        # no byte behind the FIN: held ones would come out after the end of the direction there, and are dropped here
        odd, evil = r.random(), b"EVIL"[:size - a]
        if odd < .02:
            add(0, "R", 1 + r.choice([top, top + 1, a]))
        elif odd < .04:
            add(0, "A", 1 + a, 1, evil, csum=False)
        elif odd < .06:
            add(0, "A", 1 + a, 1, evil, md5=True)
        elif odd < .08:
            add(0, "A", 1 + a, 100000, evil)
        elif odd < .10:
            add(1, "A", 1, 1 + top, win=r.choice([0, 300, 65535]))
    add(0, "FA", 1 + size, 1)
    add(1, "A", 1, 2 + size)
    return cfg, packets


def script_of(seed, cfg, packets):
    lines = ["case %d" % seed, "isn 0 0", "set stream.policy %d" % POLICIES[cfg["policy"]],
             "set stream.checksum 1", "set stream.deliver %d" % (2 if cfg["deliver"] == "ack" else 1)]
    lines += ["set %s %d" % (OPTIONS[k], cfg[k]) for k in OPTIONS]
    for p in packets:
        words = ["<" if p["src"] else ">", p["fl"], "%d/%d" % (p["seq"], p["ack"])]
        if p["data"]:
            words.append("#" + p["data"].hex())
        words.append("@%.9f" % p["t"])
        words += ["w=%d" % p.get("win", 65535), "urg=%d" % p.get("urg", 0)]
        if "ts" in p:
            words.append("ts=%d/%d" % p["ts"])
        if "caplen" in p:
            words.append("cap=%d" % p["caplen"])
        words += [w for w, k in (("md5", "md5"),) if p.get(k)] + ([] if p.get("csum", True) else ["badsum"])
        lines.append(" ".join(words))
    return "\n".join(lines) + "\n"


def shown(data):
    plain = all(0x20 <= c < 0x7f and c != 0x22 for c in data)
    return '"%s"' % data.decode() if plain else "#" + data.hex()


def text_of(events):
    out = []
    for ev in events:
        kind = ev[0]
        if kind == "DATA" and out and out[-1][0] == "DATA" and out[-1][1] == ev[1] and out[-1][2] + len(out[-1][3]) == ev[2]:
            out[-1] = ("DATA", ev[1], out[-1][2], out[-1][3] + ev[3])
        else:
            out.append(ev)
    lines = []
    for ev in out:
        kind, side = ev[0], "><"[ev[1]] if ev[0] not in ("FLOW", "END", "RST_IGNORED") else ""
        if kind == "DATA":
            lines.append("%s data %d %s" % (side, ev[2], shown(ev[3])))
        elif kind == "GAP":
            lines.append("%s gap %d %d %s" % (side, ev[2], ev[3], {"RST": "reset"}.get(ev[4], ev[4].lower())))
        elif kind == "URG":
            lines.append("%s urgent %d %s" % (side, ev[2], shown(bytes([ev[3]]))))
        elif kind in ("EOF", "TRUNC"):
            lines.append("%s %s %d" % (side, {"EOF": "eof", "TRUNC": "truncated"}[kind], ev[2]))
        elif kind == "CONFLICT":
            lines.append("%s conflict %d" % (side, ev[2]))
        elif kind == "END":
            lines.append("close %s" % {"RST": "reset"}.get(ev[2], ev[2].lower()))
        else:
            lines.append({"FLOW": "open", "RST": side + " reset", "RST_IGNORED": "reset_ignored"}[kind])
    return lines


def main():
    different = 0
    for first in range(FIRST, FIRST + SCRIPTS, 1000):
        scripts = {s: one(s) for s in range(first, min(first + 1000, FIRST + SCRIPTS))}
        run = subprocess.run([DRIVER], input="".join(script_of(s, *scripts[s]) for s in scripts), text=True,
                             capture_output=True, check=False)
        if run.returncode != 0:
            print(run.stderr)
            print("library and naive reassembler differ, seed %d to %d" % (first, first + len(scripts) - 1))
            return 1
        # what was held and is given up at the end is no event of the specification
        got = {int(lines[0]): [x for x in lines[1:] if " dropped " not in x]
               for lines in (block.split("\n") for block in run.stdout.split("\n\n") if block)}
        for seed, (cfg, packets) in scripts.items():
            model = Reasm(**cfg)
            for p in packets:
                model.pkt(**p)
            model.finish()
            if text_of(model.ev) != got[seed]:
                different += 1
                if different <= 3:
                    print(script_of(seed, cfg, packets), "model  ", text_of(model.ev), "\nlibrary", got[seed])
    print("%d scripts, %d differences between library, naive reassembler and specification" % (SCRIPTS, different))
    return 1 if different else 0


sys.exit(main())
