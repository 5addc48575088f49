"""Packets that the program itself hands over: netfeat.PushSource."""

import ctypes

from . import _context, _input
from ._ffi import C
from ._source import Source, _keywords


class PushSource(Source):
    """A source into which packets are put one by one, or many at a time: from a socket, a ring or a broker.

    Tables come out with read() and batches(), packets by iterating, as far as there are any. The queue between the two
    ends is bounded by the options queue_packets and queue_bytes; a full one refuses packets with LimitError, or drops
    them with queue_drop=True. Times are nanoseconds since 1970, link_type is a LINKTYPE_ number (1: Ethernet).
    """

    def __init__(self, link_type=1, *, columns=None, filter=None, payload=None, outer=False, anonymize=None, **options):
        # pylint: disable=redefined-builtin,super-init-not-called
        self._setup(_input.Pushed(link_type), _context.Context(),
                    _keywords(columns, filter, payload, options, outer=outer), anonymize)

    def push(self, time_ns, data, wire_length=None):
        """Put one packet, bytes or what is like it; wire_length is that of data when not given. False: dropped."""
        data = bytes(data)
        wire_length = len(data) if wire_length is None else wire_length
        with self._lock:
            return self._context.check(C.source_push(self._open_handle(), time_ns, wire_length, data, len(data))) == 1

    def push_batch(self, times_ns, packets, wire_lengths=None):
        """Put packets, a list of bytes: how many were taken (or dropped), counted from the first."""
        packets = [bytes(packet) for packet in packets]
        n = len(packets)
        lengths = [len(packet) for packet in packets]
        times_ns, wire_lengths = list(times_ns), list(lengths if wire_lengths is None else wire_lengths)
        if len(times_ns) != n or len(wire_lengths) != n:
            raise ValueError("as many times and lengths as packets")
        pointers = (ctypes.c_void_p * n)(*(ctypes.cast(packet, ctypes.c_void_p) for packet in packets))
        with self._lock:
            return self._context.check(C.source_push_batch(
                self._open_handle(), (ctypes.c_int64 * n)(*times_ns), (ctypes.c_uint32 * n)(*wire_lengths), pointers,
                (ctypes.c_uint32 * n)(*lengths), n))

    def end(self):
        """No more packets will come."""
        with self._lock:
            self._context.check(C.source_push_end(self._open_handle()))
