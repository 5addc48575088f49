"""Byte streams: TCP payload put back in order, UDP conversations, within fixed memory.

Options are keyword arguments (netfeat.options(), section stream): streams(path, policy=4, depth_bytes=4096, udp=1).
"""

import collections
import ctypes
import ipaddress

from . import _options
from ._ffi import C, Handle, i32, size, strings
from ._source import Source
from ._table import Table

SECTIONS = ("stream",)
KINDS = (None, "open", "data", "gap", "close", "dropped", "urgent", "eof", "reset", "reset_ignored", "conflict",
         "truncated", "datagram")  # NETFEAT_STREAM_*
GAP_REASONS = (None, "ack", "timeout", "limit", "memory", "reset", "end")  # NETFEAT_GAP_*
END_REASONS = (None, "fin", "reset", "timeout", "reused", "evicted", "capture")  # NETFEAT_END_*
_WITH_BYTES = frozenset(("data", "urgent", "datagram"))

StreamEvent = collections.namedtuple("StreamEvent", "kind stream side offset size data time_ns packet reason")
Gap = collections.namedtuple("Gap", "side offset length reason")


class Endpoint(collections.namedtuple("Endpoint", "address port")):
    """Address as text, and port; str() gives 10.0.0.1:80 or [2001:db8::1]:80."""

    __slots__ = ()

    def __str__(self):
        return ("[%s]:%d" if ":" in self.address else "%s:%d") % self


class Stream:  # pylint: disable=too-many-instance-attributes,too-few-public-methods
    """One stream.

    id, first_packet                 its number; number of its first packet: the key to packet and flow tables
    protocol                         6 or 17
    client, server                   Endpoint; the client opened it, or sent its first packet when no SYN was seen
    client_data, server_data         bytes that each of them sent, without those that are missing: see gaps
    gaps                             list of Gap(side, offset, length, reason), side "client" or "server"
    anomalies                        {"client": {counter: value}, "server": ...}: what is not 0
    start_ns, end_ns, reason, state, history
    """

    def __init__(self, handle):
        self._chunks = {"client": [], "server": []}
        self._swapped = C.streams_initiator(handle) == 1
        self.id = C.streams_id(handle)
        self.first_packet = C.streams_first_packet(handle)
        self.protocol = C.streams_protocol(handle)
        self.client = self._endpoint(handle, int(self._swapped))
        self.server = self._endpoint(handle, int(not self._swapped))
        self.start_ns = C.streams_first_time_ns(handle)
        self.client_data = self.server_data = b""
        self.gaps = []
        self.anomalies = {}
        self.end_ns = self.reason = self.state = self.history = None

    @staticmethod
    def _endpoint(handle, which):
        packed, port = ctypes.create_string_buffer(16), i32()
        C.streams_endpoint(handle, which, packed, ctypes.byref(port))
        address = ipaddress.IPv6Address(packed.raw)
        return Endpoint(str(address.ipv4_mapped or address), port.value)

    def _side(self, direction):
        return "server" if direction == int(not self._swapped) else "client"

    def _note(self, event):
        if event.data:
            self._chunks[event.side].append(event.data)
        elif event.kind == "gap":
            self.gaps.append(Gap(event.side, event.offset, event.size, event.reason))

    def _look_who_opened(self, handle):
        """A SYN may come after packets that it overtook; before any data are handed out."""
        swapped = C.streams_initiator(handle) == 1
        if swapped != self._swapped:
            self._swapped = swapped
            self.client, self.server = self.server, self.client
            self._chunks = {"client": self._chunks["server"], "server": self._chunks["client"]}
            other = {"client": "server", "server": "client"}
            self.gaps = [gap._replace(side=other[gap.side]) for gap in self.gaps]

    def _close(self, handle, event):
        self._look_who_opened(handle)
        self.end_ns = C.streams_last_time_ns(handle)
        self.reason = event.reason
        self.state = strings(C.streams_state, handle)
        self.history = strings(C.streams_history, handle)
        for direction in (0, 1):
            counters = ((name, C.streams_counter(handle, direction, i)) for i, name in _counter_names())
            self.anomalies[self._side(direction)] = {name: value for name, value in counters if value}
        self.client_data = b"".join(self._chunks.pop("client"))
        self.server_data = b"".join(self._chunks.pop("server"))

    def __repr__(self):
        return "<netfeat.Stream %d: %s > %s, %s>" % (self.id, self.client, self.server, self.reason or "open")


def _counter_names():
    which = 1
    while True:
        name = strings(C.stream_counter_name, which)
        if name is None:
            return
        yield which, name
        which += 1


def _read(source, options):
    """(handle, stream, event) for every event of an input, in order."""
    if not isinstance(source, Source):
        source = Source(source)
    context = source._context
    bag = _options.build(context, options, SECTIONS)
    handle = context.make(C.streams_new, context, bag, wrap=lambda pointer: Handle(pointer, C.streams_unref))
    context.check(C.streams_feed_source(handle, source._open_handle()))
    live = {}
    ended = False
    while True:
        if context.check(C.streams_step(handle)) == 0:
            if ended:
                return
            context.check(C.streams_end(handle))
            ended = True
            continue
        kind = KINDS[C.streams_event(handle)]
        number = C.streams_id(handle)
        if number not in live:
            live[number] = Stream(handle)
        stream = live[number]
        stream._look_who_opened(handle)
        data = b""
        if kind in _WITH_BYTES:
            length = size()
            address = C.streams_data(handle, ctypes.byref(length))
            data = ctypes.string_at(address, length.value) if length.value else b""
        reason = C.streams_reason(handle)
        event = StreamEvent(kind, stream, stream._side(C.streams_direction(handle)), C.streams_offset(handle),
                            C.streams_size(handle), data, C.streams_time_ns(handle), C.streams_packet(handle),
                            (END_REASONS if kind == "close" else GAP_REASONS)[reason])
        if kind == "close":
            del live[number]
        yield handle, stream, event


def stream_events(source, **options):
    """Events of all streams as they happen, in bounded memory: StreamEvent(kind, stream, side, offset, size, data,
    time_ns, packet, reason). kind: "open", "data", "gap", "close", "dropped", "urgent", "eof", "reset",
    "reset_ignored", "conflict", "truncated" or (udp=1) "datagram". The stream's own data stays empty here."""
    for handle, stream, event in _read(source, options):
        if event.kind == "close":
            stream._close(handle, event)
        yield event


def streams(source, **options):
    """Every stream of an input when it has ended, with all its bytes; depth_bytes=... bounds them."""
    for handle, stream, event in _read(source, options):
        if event.kind in _WITH_BYTES or event.kind == "gap":
            stream._note(event)
        elif event.kind == "close":
            stream._close(handle, event)
            yield stream


def stream_table(source, **options):
    """Table with one row per stream: bytes, gaps, conflicts, retransmissions, first bytes, entropy."""
    if not isinstance(source, Source):
        source = Source(source)
    context = source._context
    bag = _options.build(context, options, SECTIONS)
    return context.make(C.stream_table, context, source._open_handle(), bag, wrap=Table)
