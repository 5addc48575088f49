"""Ctrl-C ends a call that runs or waits, with KeyboardInterrupt, and spoils nothing."""

import os
import signal
import subprocess
import sys
import threading
import time
import unittest

import netfeat
import support

CHILD = r"""
import os, sys, threading
import netfeat, support
%s
try:
    work()
except KeyboardInterrupt:
    print("interrupted")
    after()
else:
    print("finished")
"""

#: An endless capture: a pipe that never runs dry.
BUSY = r"""
read_end, write_end = os.pipe()
packets = support.many_packets(5000)[24:]
def feed():
    os.write(write_end, support.pcap([]))
    sys.stdout.write("ready\n"); sys.stdout.flush()
    while True:
        os.write(write_end, packets)
threading.Thread(target=feed, daemon=True).start()
"""

SILENT = r"""
read_end, write_end = os.pipe()
os.write(write_end, support.many_packets(10))
sys.stdout.write("ready\n"); sys.stdout.flush()
"""

READ = r"""
def work():
    netfeat.read(read_end, columns=["packet_number"], filter="udp")
def after():
    print(len(netfeat.read(support.many_packets(20))))
"""

FIFO = r"""
import tempfile
directory = tempfile.TemporaryDirectory()
fifo = os.path.join(directory.name, "fifo")
os.mkfifo(fifo)
sys.stdout.write("ready\n"); sys.stdout.flush()
def work():
    netfeat.read([fifo, fifo])
def after():
    print("20")
"""

SOURCE = r"""
source = netfeat.Source(read_end)
def work():
    source.read()
def after():
    os.close(write_end)
    print([len(table) for table in source.batches(7)])
"""


class Interrupt(unittest.TestCase):
    def run_child(self, script):
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
        with subprocess.Popen([sys.executable, "-c", CHILD % script], stdout=subprocess.PIPE, text=True,
                              env=environment) as child:
            try:
                self.assertEqual(child.stdout.readline(), "ready\n")
                time.sleep(0.5)
                child.send_signal(signal.SIGINT)
                output, _ = child.communicate(timeout=60)
            finally:
                child.kill()
        self.assertEqual(child.returncode, 0)
        return output.split("\n")[:-1]

    def test_busy(self):
        self.assertEqual(self.run_child(BUSY + READ), ["interrupted", "20"])

    def test_waiting(self):
        self.assertEqual(self.run_child(SILENT + READ), ["interrupted", "20"])

    def test_nobody_writes(self):
        self.assertEqual(self.run_child(FIFO), ["interrupted", "20"])

    def test_rows_read_before_are_kept(self):
        """What a Source had read when it was interrupted is the beginning of its next table."""
        self.assertEqual(self.run_child(SILENT + SOURCE), ["interrupted", "[7, 3]"])

    def test_stale_interrupt(self):
        """An interrupt that came too late for its call does not hurt the next one."""
        source = netfeat.Source(support.many_packets(20))
        source._context.interrupt()
        self.assertEqual(len(source.read(5)), 5)
        source._context.interrupt()
        self.assertEqual(len(source.read()), 15)

    def test_other_threads_read_too(self):
        lengths = []
        threads = [threading.Thread(target=lambda: lengths.append(len(netfeat.read(support.many_packets(500)))))
                   for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(lengths, [500] * 8)


if __name__ == "__main__":
    support.main()
