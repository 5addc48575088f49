"""What a capture says beside its packets: interfaces, comments, names of addresses."""

import collections
import ctypes
import ipaddress

from ._ffi import C, i64, strings

Interface = collections.namedtuple("Interface", "name description link_type snaplen received dropped")
Note = collections.namedtuple("Note", "kind text packet interface address")

#: NETFEAT_NOTE_*
KINDS = {1: "section comment", 2: "interface comment", 3: "packet comment", 4: "name", 5: "hardware", 6: "system",
         7: "application"}


def _number(function, handle, interface):
    value = i64()
    return value.value if function(handle, interface, ctypes.byref(value)) == 1 else None


def list_interfaces(handle):
    """Interface of each that a source described so far; None is what nobody said."""
    return [Interface(strings(C.source_interface_name, handle, i), strings(C.source_interface_description, handle, i),
                      C.source_interface_link_type(handle, i), C.source_interface_snaplen(handle, i) or None,
                      _number(C.source_interface_received, handle, i), _number(C.source_interface_dropped, handle, i))
            for i in range(C.source_interface_count(handle))]


def _address(pointer):
    if pointer is None:
        return None
    address = ipaddress.IPv6Address(ctypes.string_at(pointer, 16))
    return str(address.ipv4_mapped or address)


def take_notes(handle):
    """Note after Note, each of them once."""
    while C.source_note_next(handle) == 1:
        kind = C.source_note_kind(handle)
        yield Note(KINDS.get(kind, str(kind)), strings(C.source_note_text, handle),
                   C.source_note_packet(handle) or None, C.source_note_interface(handle),
                   _address(C.source_note_address(handle)))
