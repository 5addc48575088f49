#!/usr/bin/env python3
"""The packet scripts of the tests are the golden tables of the specification, row by row; a kernel's answers, too.

usage: golden.py SOURCE_ROOT
Reads $NETFEAT_SHARED/model or SOURCE_ROOT/../shared/model: golden_tcp.json, golden_frag.md and
linux618_triples_N5.json; exit code 77 without them. test_stream_script, _frag and _model run what they say."""
import json
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1]).resolve()
MODEL = pathlib.Path(os.environ.get("NETFEAT_SHARED", ROOT.parent / "shared")) / "model"
HANDSHAKE = "C S 0; S SA 0/1; C A 1/1"
POLICIES = {"first": 1, "last": 2, "bsd": 3, "linux": 4, "oldlinux": 5, "solaris": 6, "windows": 7}
SETTINGS = {"max_buf": "stream.max_buffered_bytes", "max_seg": "stream.max_segments", "depth": "stream.depth_bytes",
            "async_bytes": "stream.async_bytes", "midstream": "stream.midstream", "policy": "stream.policy",
            "deliver": "stream.deliver", "urg": "stream.urgent"}
VALUES = {"ack": 2, "inline": 2, True: 1, False: 0, **POLICIES}
EVENTS = (  # the specification's notation, ours
    (r'([CS])@(\d+)"([^"]*)"', '%s data %s "%s"'),
    (r"([CS])@(\d+) gap\+(\d+)/(\w+)", "%s gap %s %s %s"),
    (r'([CS])@(\d+) urg"(.)"', '%s urgent %s "%s"'),
    (r"([CS]) eof@(\d+)", "%s eof %s"),
    (r"([CS]) trunc@(\d+)", "%s truncated %s"),
    (r"([CS]) conflict\((\d+)\)", "%s conflict %s"),
    (r"([CS]) rst", "%s reset"),
    (r"rst_ignored", "reset_ignored"),
    (r"flow\d+", "open"),
    (r"end:(\w+)", "close %s"),
)


def events_of(text):
    out = []
    while text:
        for pattern, ours in EVENTS:
            found = re.match(pattern + r"(?: |$)", text)
            if found:
                words = [{"C": ">", "S": "<"}.get(w, {"RST": "reset"}.get(w, w)) for w in found.groups()]
                if ours.startswith(("%s gap", "close")):
                    words[-1] = words[-1].lower()
                out.append(ours % tuple(words))
                text = text[found.end():]
                break
        else:
            sys.exit("not understood: " + text)
    return out


def packets_of(text):
    out = []
    for packet in re.sub(r"\bHS\b", HANDSHAKE, text).split(";"):
        words = packet.strip().replace("!csum", "badsum")
        out.append({"C": ">", "S": "<"}[words[0]] + words[1:])
    return out


def golden_cases():
    cases = {}
    for i, row in enumerate(json.loads((MODEL / "golden_tcp.json").read_text())):
        name = row["name"].split()
        case = {"packets": packets_of(row["packets"]), "isn": (1000, 5000), "set": {}, "events": [], "bytes": {}}
        if len(name) > 1:
            case["isn"] = (int(name[1].split("=")[1]), 5000)
        if "per_policy" in row:
            case["bytes"] = {(p, row["expect_bytes_after"]): text for p, text in row["per_policy"].items()}
        else:
            case["set"] = {SETTINGS[k]: VALUES.get(v, v) if not isinstance(v, int) or isinstance(v, bool) else v
                           for k, v in row["cfg"].items()}
            case["events"] = events_of(row["expect"])
        case["count"] = row.get("counters", {})
        cases["T%02d-%s" % (i + 1, name[0])] = case
    return cases


def our_cases():
    cases, case = {}, None
    for path in sorted((ROOT / "tests" / "stream" / "cases").glob("*.txt")):
        for line in path.read_text().splitlines():
            word, _, rest = line.partition(" ")
            if word == "case":
                case = cases[rest] = {"packets": [], "isn": (1000, 5000), "set": {}, "events": [], "bytes": {}, "count": {}}
            elif word == "hs":
                case["packets"] += packets_of("HS")
            elif word in (">", "<"):
                case["packets"].append(line)
            elif word == "=":
                if " dropped " not in rest:  # what is discarded is no event of the specification
                    case["events"].append(rest)
            elif word == "isn":
                case["isn"] = tuple(map(int, rest.split()))
            elif word in ("set", "count"):
                name, value = rest.split()
                case[word][name] = int(value)
            elif word == "bytes":
                policy, at, text = rest.split(" ", 2)
                case["bytes"][policy, int(at)] = text.strip('"')
    return cases


def fragment_rows(text, separator):
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip(" `") for cell in line.strip("| ").split(separator)]
        if re.match(r"F\d\d", cells[0]):
            name = cells[0] if len(cells) == 3 else cells[0] + " " + cells[1]
            rows[name] = (cells[-2], dict(word.split("=") for word in cells[-1].split()))
    return rows


def main():
    if not (MODEL / "golden_tcp.json").is_file():
        print("no golden tables in", MODEL)
        return 77
    wrong, golden, ours = 0, golden_cases(), our_cases()
    for name, case in golden.items():
        mine = ours.get(name, {})
        for part, value in case.items():
            same = mine.get(part) == value if part != "count" else value.items() <= mine.get(part, {}).items()
            if not same:
                wrong += 1
                print("%s: %s: %s, here %s" % (name, part, value, mine.get(part)))
    fragments = fragment_rows((MODEL / "golden_frag.md").read_text(), "|")
    mine = fragment_rows((ROOT / "tests" / "stream" / "fragments.txt").read_text(), "|")
    for name, (packets, out) in fragments.items():
        if name not in mine or mine[name][0] != packets or not out.items() <= mine[name][1].items():
            wrong += 1
            print("%s: %s, here %s" % (name, (packets, out), mine.get(name)))
    kernel = [answer for _, answer in json.loads((MODEL / "linux618_triples_N5.json").read_text())]
    lines = (ROOT / "tests" / "stream" / "linux_triples.txt").read_text().splitlines()
    if " ".join(line for line in lines if not line.startswith("#")).split() != kernel:
        wrong += 1
        print("linux_triples.txt is not what the kernel answered")
    print("%d TCP rows, %d fragment rows, %d triples, %d differences" % (len(golden), len(fragments), len(kernel), wrong))
    return 1 if wrong or len(golden) < 89 else 0


sys.exit(main())
