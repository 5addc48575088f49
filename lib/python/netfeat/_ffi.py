"""The C functions: one table of prototypes, bound to the library when this module is imported.

The table mirrors include/netfeat/*.h line by line; a test parses the headers and compares. How C types are spelled:
handles, and data that is only read or only pointed to, are `ptr`; text is `text`; results of rule 2 ("ret...") are
`out(type)`.
"""

import ctypes
import weakref

from . import _library

i32 = ctypes.c_int
u32 = ctypes.c_uint32
i64 = ctypes.c_int64
u64 = ctypes.c_uint64
f64 = ctypes.c_double
size = ctypes.c_size_t
ptr = ctypes.c_void_p
text = ctypes.c_char_p
out = ctypes.POINTER

realloc_fn = ctypes.CFUNCTYPE(ptr, ptr, ptr, size, size)
log_fn = ctypes.CFUNCTYPE(None, ptr, i32, text)
progress_fn = ctypes.CFUNCTYPE(i32, ptr, i64, i64, i64)
release_fn = ctypes.CFUNCTYPE(None, ptr)

PROTOTYPES = {
    # version.h
    "netfeat_version_string": (text, []),
    "netfeat_version_number": (u32, []),
    "netfeat_abi_version": (u32, []),
    "netfeat_build_has": (i32, [text]),
    # error.h
    "netfeat_error_name": (text, [i32]),
    "netfeat_error_text": (text, [i32]),
    "netfeat_ctx_error_code": (i32, [ptr]),
    "netfeat_ctx_error_message": (text, [ptr]),
    "netfeat_ctx_error_packet": (i64, [ptr]),
    "netfeat_ctx_error_offset": (i64, [ptr]),
    "netfeat_ctx_error_errno": (i32, [ptr]),
    "netfeat_ctx_error_clear": (None, [ptr]),
    # context.h
    "netfeat_ctx_new": (i32, [out(ptr)]),
    "netfeat_ctx_new_alloc": (i32, [realloc_fn, ptr, out(ptr)]),
    "netfeat_ctx_ref": (ptr, [ptr]),
    "netfeat_ctx_unref": (ptr, [ptr]),
    "netfeat_ctx_set_log": (None, [ptr, log_fn, ptr, i32]),
    "netfeat_ctx_set_progress": (None, [ptr, progress_fn, ptr]),
    "netfeat_ctx_interrupt": (None, [ptr]),
    "netfeat_ctx_set_memory_limit": (i32, [ptr, u64]),
    "netfeat_ctx_memory_used": (u64, [ptr]),
    "netfeat_ctx_memory_peak": (u64, [ptr]),
    # options.h
    "netfeat_options_new": (i32, [ptr, out(ptr)]),
    "netfeat_options_ref": (ptr, [ptr]),
    "netfeat_options_unref": (ptr, [ptr]),
    "netfeat_options_set_int": (i32, [ptr, i32, i64]),
    "netfeat_options_set_text": (i32, [ptr, i32, text]),
    "netfeat_options_get_int": (i32, [ptr, i32, out(i64)]),
    "netfeat_options_get_text": (text, [ptr, i32]),
    "netfeat_option_next": (i32, [i32]),
    "netfeat_option_by_name": (i32, [text]),
    "netfeat_option_name": (text, [i32]),
    "netfeat_option_help": (text, [i32]),
    "netfeat_option_kind": (i32, [i32]),
    "netfeat_option_range": (i32, [i32, out(i64), out(i64), out(i64)]),
    # source.h
    "netfeat_source_open_file": (i32, [ptr, text, ptr, out(ptr)]),
    "netfeat_source_open_fd": (i32, [ptr, i32, ptr, out(ptr)]),
    "netfeat_source_open_memory": (i32, [ptr, ptr, size, ptr, out(ptr)]),
    "netfeat_source_step": (i32, [ptr]),
    "netfeat_source_ended": (i32, [ptr]),
    "netfeat_source_packet_number": (i64, [ptr]),
    "netfeat_source_packet_time": (i32, [ptr, out(i64)]),
    "netfeat_source_packet_wire_length": (u32, [ptr]),
    "netfeat_source_packet_data": (ptr, [ptr, out(u32)]),
    "netfeat_source_packet_link_type": (i32, [ptr]),
    "netfeat_source_packet_interface": (u32, [ptr]),
    "netfeat_source_count": (i64, [ptr, i32]),
    "netfeat_source_count_name": (text, [i32]),
    "netfeat_source_ref": (ptr, [ptr]),
    "netfeat_source_unref": (ptr, [ptr]),
    # column.h
    "netfeat_column_ref": (ptr, [ptr]),
    "netfeat_column_unref": (ptr, [ptr]),
    "netfeat_column_type": (i32, [ptr]),
    "netfeat_column_length": (i64, [ptr]),
    "netfeat_column_nulls": (i64, [ptr]),
    "netfeat_column_unit": (text, [ptr]),
    "netfeat_column_definition": (text, [ptr]),
    "netfeat_column_null_rule": (text, [ptr]),
    "netfeat_column_data": (ptr, [ptr]),
    "netfeat_column_value_bytes": (i32, [ptr]),
    "netfeat_column_validity": (ptr, [ptr]),
    "netfeat_column_offsets": (ptr, [ptr]),
    "netfeat_column_child": (ptr, [ptr]),
    "netfeat_column_is_null": (i32, [ptr, i64]),
    "netfeat_column_get_i64": (i32, [ptr, i64, out(i64)]),
    "netfeat_column_get_u64": (i32, [ptr, i64, out(u64)]),
    "netfeat_column_get_f64": (i32, [ptr, i64, out(f64)]),
    "netfeat_column_get_text": (i32, [ptr, i64, text, size, out(size)]),
    "netfeat_column_wrap": (i32, [ptr, i32, i64, ptr, ptr, release_fn, ptr, out(ptr)]),
    "netfeat_column_dictionary": (i32, [ptr, ptr, out(ptr), out(ptr)]),
    "netfeat_column_to_text": (i32, [ptr, ptr, out(ptr)]),
    "netfeat_type_name": (text, [i32]),
    # field.h
    "netfeat_field_next": (i32, [i32]),
    "netfeat_field_by_name": (i32, [text]),
    "netfeat_field_name": (text, [i32]),
    "netfeat_field_type": (i32, [i32]),
    "netfeat_field_unit": (text, [i32]),
    "netfeat_field_null_rule": (text, [i32]),
    "netfeat_field_help": (text, [i32]),
    # table.h
    "netfeat_table_new": (i32, [ptr, ptr, out(ptr)]),
    "netfeat_table_append_packet": (i32, [ptr, i32, i64, u32, ptr, u32]),
    "netfeat_table_append_source": (i64, [ptr, ptr, i64]),
    "netfeat_table_seal": (i32, [ptr]),
    "netfeat_table_from_source": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_table_from_columns": (i32, [ptr, ptr, ptr, size, out(ptr)]),
    "netfeat_table_ref": (ptr, [ptr]),
    "netfeat_table_unref": (ptr, [ptr]),
    "netfeat_table_rows": (i64, [ptr]),
    "netfeat_table_width": (i32, [ptr]),
    "netfeat_table_name": (text, [ptr, i32]),
    "netfeat_table_find": (i32, [ptr, text]),
    "netfeat_table_column": (ptr, [ptr, i32]),
    "netfeat_table_select": (i32, [ptr, ptr, ptr, size, out(ptr)]),
    "netfeat_table_join": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_table_slice": (i32, [ptr, ptr, i64, i64, out(ptr)]),
    "netfeat_table_complete_rows": (i32, [ptr, ptr, ptr, size, out(ptr)]),
    "netfeat_table_concat": (i32, [ptr, ptr, size, out(ptr)]),
    "netfeat_table_take": (i32, [ptr, ptr, ptr, size, out(ptr)]),
    "netfeat_table_anonymize": (i32, [ptr, ptr, ptr, size, ptr, out(ptr)]),
    # export.h
    "netfeat_table_export_stream": (i32, [ptr, ptr, ptr, ptr]),
    "netfeat_table_export_array": (i32, [ptr, ptr, ptr, ptr, ptr]),
    "netfeat_column_export_array": (i32, [ptr, ptr, ptr, ptr, ptr]),
    "netfeat_table_import_stream": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_table_import_array": (i32, [ptr, ptr, ptr, ptr, out(ptr)]),
    "netfeat_column_import_array": (i32, [ptr, ptr, ptr, ptr, out(ptr)]),
    "netfeat_arrow_struct_bytes": (size, [i32]),
    "netfeat_arrow_stream_release": (None, [ptr]),
    "netfeat_arrow_array_release": (None, [ptr]),
    "netfeat_arrow_schema_release": (None, [ptr]),
    "netfeat_table_save_file": (i32, [ptr, ptr, text, ptr]),
    "netfeat_table_save_fd": (i32, [ptr, ptr, i32, ptr]),
    "netfeat_table_load_file": (i32, [ptr, text, ptr, out(ptr)]),
    "netfeat_table_load_fd": (i32, [ptr, i32, ptr, out(ptr)]),
    "netfeat_table_load_memory": (i32, [ptr, ptr, size, ptr, out(ptr)]),
    "netfeat_writer_open_file": (i32, [ptr, text, ptr, out(ptr)]),
    "netfeat_writer_open_fd": (i32, [ptr, i32, ptr, out(ptr)]),
    "netfeat_writer_write": (i32, [ptr, ptr]),
    "netfeat_writer_end": (i32, [ptr]),
    "netfeat_writer_ref": (ptr, [ptr]),
    "netfeat_writer_unref": (ptr, [ptr]),
    "netfeat_table_meta": (text, [ptr, text]),
    "netfeat_table_kind": (text, [ptr]),
}


class Functions:
    """Every function of PROTOTYPES as an attribute, under its name without the prefix: C.table_rows(table)."""

    def __init__(self, library):
        for name, (result, arguments) in PROTOTYPES.items():
            try:
                function = getattr(library, name)
            except AttributeError as problem:
                raise ImportError("the library lacks %s: it is older than this package" % name) from problem
            function.restype = result
            function.argtypes = arguments
            setattr(self, name[len("netfeat_"):], function)


LIBRARY = _library.load()
C = Functions(LIBRARY)


class Handle:
    """One counted reference to a C object, given back when nobody holds this any more.

    ctypes takes it where a pointer is expected. Nothing is given back at interpreter exit: arrays may still look at
    the memory then.
    """

    def __init__(self, pointer, unref):
        self._as_parameter_ = pointer
        weakref.finalize(self, unref, pointer).atexit = False

    def __reduce__(self):
        raise TypeError("%s refers to memory of this process" % type(self).__name__)


def strings(function, *arguments):
    """Text that a function returns, as str; None for NULL."""
    value = function(*arguments)
    return None if value is None else value.decode()
