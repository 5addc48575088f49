"""tests/cases: a capture per link type and tunnel, every field as the script that made them says."""

import collections
import re
import unittest

import netfeat
import support

CASES = support.ROOT / "tests" / "cases"


def expected():
    """capture -> [{column: text or None} of each packet]"""
    found = collections.defaultdict(list)
    for line in (CASES / "expected.tsv").read_text().splitlines():
        if line.startswith("#"):
            continue
        name, number, *fields = line.split("\t")
        found[name].append({column: value or None for column, value in (field.split("=", 1) for field in fields)})
        if int(number) != len(found[name]):
            raise AssertionError("packets of %s are not in order" % name)
    return dict(found)


class Cases(unittest.TestCase):
    def test_fields(self):
        cases = expected()
        self.assertGreater(len(cases), 70)
        self.assertEqual(sorted(cases), sorted(path.stem for path in CASES.glob("*.pcap")))
        for name, packets in cases.items():
            columns = sorted(set().union(*packets))
            table = netfeat.read(CASES / (name + ".pcap"), columns=",".join(columns))
            self.assertEqual(len(table), len(packets), name)
            for row, fields in enumerate(packets):
                got = {column: table[column].text(row) for column in fields}
                self.assertEqual(got, fields, "%s, packet %d" % (name, row + 1))

    def test_checksums(self):
        """scapy computes them all; quality stays what it is without."""
        for name, packets in expected().items():
            table = netfeat.read(CASES / (name + ".pcap"), columns="quality", verify_checksums=True)
            self.assertEqual([table["quality"].text(row) for row in range(len(table))],
                             [fields["quality"] for fields in packets], name)

    def test_outermost(self):
        columns = "src_ip,dst_ip,outer_src_ip,tunnel_depth,outer_dst_ip"
        for name, packets in expected().items():
            table = netfeat.read(CASES / (name + ".pcap"), columns=columns, outer=True)
            for row, fields in enumerate(packets):
                where = "%s, packet %d" % (name, row + 1)
                self.assertIsNone(table["outer_src_ip"].text(row), where)
                if fields.get("outer_src_ip") is not None:
                    self.assertEqual(table["src_ip"].text(row), fields["outer_src_ip"], where)
                    self.assertEqual(table["dst_ip"].text(row), fields["outer_dst_ip"], where)
                    self.assertEqual(table["tunnel_depth"].text(row), "0", where)
                else:
                    self.assertEqual(table["src_ip"].text(row), fields["src_ip"], where)

    def test_every_link_type_has_a_case(self):
        listed = re.findall(r"^LINK\((\d+),", (support.ROOT / "lib" / "decode" / "links.def").read_text(), re.M)
        cases = {int(match.group(1)) for match in (re.match(r"link_(\d+)_", path.name) for path in CASES.glob("*.pcap")) if match}
        self.assertEqual({int(number) for number in listed} - cases, set())

    def test_every_tunnel_has_a_case(self):
        header = (support.ROOT / "include" / "netfeat" / "field.h").read_text()
        numbers = set(re.findall(r"NETFEAT_TUNNEL_\w+ = (\d+)", header))
        self.assertEqual({fields.get("tunnel_type") for packets in expected().values() for fields in packets} - {None}, numbers)

    def test_named_ports(self):
        path = CASES / "tunnel_vxlan.pcap"
        data = path.read_bytes().replace(b"\xc3\x50\x12\xb5", b"\xc3\x50\x21\x19")  # to port 8473
        self.assertEqual(netfeat.read(data, columns="tunnel_depth")["tunnel_depth"].to_list(), [0, 0])
        table = netfeat.read(data, columns="tunnel_depth", tunnel_ports="vxlan=8473")
        self.assertEqual(table["tunnel_depth"].to_list(), [1, 1])

    def test_bad_options(self):
        path = CASES / "tunnel_vxlan.pcap"
        with self.assertRaises(TypeError):
            netfeat.read(path, tunnels="innermost", outer=True)
        for options in ({"tunnels": "outer"}, {"tunnel_ports": "vxlan"}, {"tunnel_ports": "vxlan=0"}):
            with self.assertRaises(netfeat.ArgumentError, msg=options):
                netfeat.read(path, **options)

    def test_all_columns(self):
        table = netfeat.read(CASES / "icmp_errors.pcap", columns="*,icmp_src_ip")
        self.assertEqual(table.columns[-1], "icmp_src_ip")
        self.assertEqual(table.columns[:-1], netfeat.read(CASES / "icmp_errors.pcap").columns)


if __name__ == "__main__":
    support.main()
