"""netfeat.notebook.pcap_to_dataframe against the same function written with scapy and pandas, all eight columns.

Every uncompressed capture of the shared collection and of examples/data; packets with more than one IP header are left
out, because scapy mixes the outer addresses with the inner ports there.
"""

import collections
import decimal
import math
import sys
import warnings

import compare

try:
    import numpy  # noqa: F401  # pylint: disable=unused-import
    import pandas  # noqa: F401  # pylint: disable=unused-import

    import scapy_reference as reference
except ImportError as missing:
    compare.skip("%s is not installed" % missing.name)

import netfeat
from netfeat.notebook import pcap_to_dataframe

HEADER_CUT, BAD_HEADER = 0x100, 0x200  # NETFEAT_QUALITY_*
PPP_HDLC = 50
LAST_NS = decimal.Decimal(2**63 - 1).scaleb(-9)
BEHIND_IP = {"Source Port", "Destination Port", "Payload", "Packet Length"}
ALL_BUT_TIME = set(reference.COLUMNS) - {"Timestamp"}

#: One packet as both see it: scapy's layers, whether scapy gives back the bytes it read, fields of the packet table.
Seen = collections.namedtuple("Seen", "row layers rebuilt fields")


def _timeless(seen):
    return seen.fields["timestamp"] is None and isinstance(seen.row[0], float)


#: name -> (columns that may differ, when). differences.tsv says why.
RULES = {
    "simple-packet": (set(reference.COLUMNS), _timeless),
    "header-cut": (BEHIND_IP, lambda seen: seen.fields["quality"] & HEADER_CUT),
    "bad-header": (ALL_BUT_TIME, lambda seen: seen.fields["quality"] & BAD_HEADER),
    # a tag was found where scapy knows none, and no tunnel
    "vlan-9100": (ALL_BUT_TIME, lambda seen: seen.fields["vlan_id"] is not None and seen.fields["tunnel_type"] is None
                  and seen.layers[-2:] in (("Ether", "Raw"), ("Dot1Q", "Raw"), ("Dot1AD", "Raw"))),
    "below-ip": (ALL_BUT_TIME, lambda seen: seen.fields["ip_version"] is not None and seen.layers[-1] == "Raw"
                 and not {"IP", "IPv6"}.intersection(seen.layers)
                 and (seen.fields["tunnel_type"] is not None or seen.fields["link_type"] == PPP_HDLC
                      or seen.layers == ("Ether", "Raw"))),
    "loopback-family": (BEHIND_IP, lambda seen: seen.layers[:2] == ("Loopback", "Raw")
                        and seen.fields["ip_version"] == 6),
    "rebuilt": ({"Payload", "Packet Length"}, lambda seen: seen.rebuilt),
    "time-range": ({"Timestamp"}, lambda seen: seen.fields["timestamp"] is None and not _timeless(seen)
                   and seen.row[0] > LAST_NS),
    "gave-up": (ALL_BUT_TIME, lambda seen: seen.layers == ("Raw",)),
    "ah": (BEHIND_IP | {"Protocol"}, lambda seen: "AH" in seen.layers),
}
FIELDS = ["quality", "link_type", "tunnel_type", "ether_type", "vlan_id", "ip_version", "timestamp"]


def plain(value):
    """Missing is None, whatever pandas makes of it."""
    return None if isinstance(value, float) and math.isnan(value) else value


def rule_for(column, seen):
    """Name of the first rule that allows this column to differ, or None."""
    for name, (columns, applies) in RULES.items():
        if column in columns and applies(seen):
            return name
    return None


def ours(path):
    """Rows of the drop-in as tuples, the fields that the rules look at, and the errors in the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = pcap_to_dataframe(path, ipv6=False)
    table = netfeat.read(path, columns=FIELDS, tunnels="outermost", on_error="keep")
    fields = [dict(zip(FIELDS, values)) for values in zip(*[table[name].to_list() for name in FIELDS])]
    return list(zip(*[frame[name].tolist() for name in reference.COLUMNS])), fields, table.errors


def short(value):
    """For messages."""
    return value[:32] if isinstance(value, bytes) else value


def compare_rows(wanted, rows, fields):
    """(packets compared, differences, packets left out)"""
    differences, skipped, compared = [], collections.Counter(), 0
    for number, (theirs, row, field) in enumerate(zip(wanted, rows, fields), 1):
        if theirs.ip_headers > 1:
            skipped["more than one IP header"] += 1
            continue
        compared += 1
        seen = Seen(theirs.values, theirs.layers, theirs.rebuilt, field)
        for column, want, got in zip(reference.COLUMNS, theirs.values, row):
            if want != plain(got):
                differences.append(compare.Difference(number, column, short(want), short(plain(got)),
                                                      rule_for(column, seen)))
    return compared, differences, skipped


def one(name, limit):
    """Result for one capture."""
    path = str(compare.captures()[name])
    rows, fields, errors = ours(path)
    try:
        wanted = reference.rows(path, limit)
    except reference.NotACapture as problem:
        if not rows and errors:
            return compare.Result(name, 0, [], {}, None)  # both refuse it
        return compare.Result(name, 0, [], {}, str(problem))
    compared, differences, skipped = compare_rows(wanted, rows, fields)
    count = len(rows) if limit is None else min(len(rows), limit)
    if len(wanted) != count:
        cut = errors and len(wanted) == count + 1
        differences.append(compare.Difference(count + 1, "rows", len(wanted), count, "cut-packet" if cut else None))
    return compare.Result(name, compared, differences, skipped, None)


def main():
    """The exit code."""
    options = compare.arguments(__doc__, limit=1000)
    names = options.captures or list(compare.captures())
    if not names:
        compare.skip("no captures")
    return compare.run("scapy", one, options, names)


if __name__ == "__main__":
    sys.exit(main())
