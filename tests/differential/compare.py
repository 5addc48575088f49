"""What the comparisons have in common: which captures, the list of known differences, the final account."""

import argparse
import collections
import csv
import multiprocessing
import os
import pathlib
import sys
import time

SKIPPED = 77
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SAMPLES = ROOT / "examples" / "data"

Difference = collections.namedtuple("Difference", "packet column theirs ours rule")
#: Of one capture: how many packets were compared, and how they differ. skipped: packets left out, by reason.
Result = collections.namedtuple("Result", "path packets differences skipped problem")


def shared():
    """The shared collection: captures/ and oracle/; None without one."""
    path = pathlib.Path(os.environ.get("NETFEAT_SHARED", ROOT.parent / "shared"))
    return path if (path / "captures" / "MANIFEST.tsv").is_file() else None


def captures():
    """name -> path of every uncompressed capture of the shared collection and of our own samples."""
    found = {}
    collection = shared()
    if collection is not None:
        with open(collection / "captures" / "MANIFEST.tsv", encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                if not line["format"].startswith(("gz:", "zst:")):
                    found[line["path"]] = collection / "captures" / line["path"]
    for path in sorted(SAMPLES.glob("*.pcap*")):
        found["examples/" + path.name] = path
    return found


class Known:
    """The lines of differences.tsv for one tool: a rule by name, or packets of one capture."""

    def __init__(self, tool):
        self.lines = {}
        with open(HERE / "differences.tsv", encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                line = line.rstrip("\n")
                if not line or line.startswith("#"):
                    continue
                parts = line.split("\t")
                if len(parts) != 5 or not parts[4].strip():
                    raise SystemExit("differences.tsv:%d: tool, where, packets, columns, reason" % number)
                if parts[0] == tool:
                    self.lines[number] = parts[1:]
        self.used = collections.Counter()

    def rules(self):
        """Names of the rules that are explained."""
        return {line[0][len("rule:"):] for line in self.lines.values() if line[0].startswith("rule:")}

    def explains(self, path, difference):
        """Whether a line names this difference; the line counts as used."""
        for number, (where, packets, columns, _) in self.lines.items():
            if where.startswith("rule:"):
                hit = difference.rule == where[len("rule:"):]
            else:
                hit = where == path and _within(difference.packet, packets) and (
                    columns == "*" or difference.column in columns.split(","))
            if hit:
                self.used[number] += 1
                return True
        return False

    def stale(self):
        """Lines that explained nothing."""
        return [number for number in self.lines if number not in self.used]


def _within(packet, packets):
    if packets == "*":
        return True
    for part in packets.split(","):
        low, _, high = part.partition("-")
        if int(low) <= packet <= int(high or low):
            return True
    return False


def arguments(description, limit):
    """The command line of a comparison."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("captures", nargs="*", help="names in the manifest; default: all")
    parser.add_argument("--full", action="store_true", help="every packet; also fail on lines that explain nothing")
    parser.add_argument("--limit", type=int, default=limit, help="packets per capture (default %(default)s)")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--show", type=int, default=20, help="differences printed (default %(default)s)")
    options = parser.parse_args()
    if options.full:
        options.limit = None
    return options


def run(tool, compare, options, names):
    """compare(name, limit) over all names on several processes; the exit code."""
    start = time.monotonic()
    known = Known(tool)
    paths = captures()
    names = sorted(names, key=lambda name: -paths[name].stat().st_size)
    results = []
    if options.jobs > 1:
        with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
            results = pool.starmap(compare, [(name, options.limit) for name in names], 1)
    else:
        results = [compare(name, options.limit) for name in names]
    unexplained = []
    rules, skipped, problems = collections.Counter(), collections.Counter(), 0
    for result in results:
        skipped.update(result.skipped)
        if result.problem is not None:
            problems += 1
            difference = Difference(0, "unreadable", "", result.problem, None)
            if not known.explains(result.path, difference):
                unexplained.append((result.path, difference))
        for difference in result.differences:
            if known.explains(result.path, difference):
                rules[difference.rule or "listed packets"] += 1
            else:
                unexplained.append((result.path, difference))
    print("%s: %d captures, %d packets compared in %.0f s, %d captures that %s does not read" % (
        tool, len(results), sum(result.packets for result in results), time.monotonic() - start, problems, tool))
    for reason, count in sorted(skipped.items()):
        print("  %7d packets left out: %s" % (count, reason))
    for rule, count in rules.most_common():
        print("  %7d values differ as explained: %s" % (count, rule))
    for path, difference in unexplained[:options.show]:
        print("DIFFERENT %s packet %d, %s: %s says %r, netfeat %r%s" % (
            path, difference.packet, difference.column, tool, difference.theirs, difference.ours,
            " (rule:%s)" % difference.rule if difference.rule else ""))
    if len(unexplained) > options.show:
        print("... and %d more" % (len(unexplained) - options.show))
    stale = known.stale() if options.full and not options.captures and shared() else []
    for number in stale:
        print("STALE differences.tsv:%d explains nothing" % number)
    print("%d unexplained differences" % len(unexplained))
    return 1 if unexplained or stale or not results else 0


def skip(reason):
    """There is nothing to compare with."""
    print("skipped: " + reason)
    sys.exit(SKIPPED)
