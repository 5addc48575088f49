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
stream_fn = ctypes.CFUNCTYPE(i32, ptr, ptr, i32)

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
    "netfeat_source_open_stdio": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_source_open_many": (i32, [ptr, ptr, size, ptr, out(ptr)]),
    "netfeat_source_file_count": (i64, [ptr]),
    "netfeat_source_file_path": (text, [ptr, u32]),
    "netfeat_source_open_push": (i32, [ptr, i32, ptr, out(ptr)]),
    "netfeat_source_push": (i32, [ptr, i64, u32, ptr, u32]),
    "netfeat_source_push_batch": (i64, [ptr, ptr, ptr, ptr, ptr, size]),
    "netfeat_source_push_end": (i32, [ptr]),
    "netfeat_source_open_live": (i32, [ptr, text, ptr, out(ptr)]),
    "netfeat_source_packet_file": (u32, [ptr]),
    "netfeat_source_interface_count": (i64, [ptr]),
    "netfeat_source_interface_name": (text, [ptr, u32]),
    "netfeat_source_interface_description": (text, [ptr, u32]),
    "netfeat_source_interface_link_type": (i32, [ptr, u32]),
    "netfeat_source_interface_snaplen": (i64, [ptr, u32]),
    "netfeat_source_interface_received": (i32, [ptr, u32, out(i64)]),
    "netfeat_source_interface_dropped": (i32, [ptr, u32, out(i64)]),
    "netfeat_source_note_next": (i32, [ptr]),
    "netfeat_source_note_kind": (i32, [ptr]),
    "netfeat_source_note_text": (text, [ptr]),
    "netfeat_source_note_packet": (i64, [ptr]),
    "netfeat_source_note_interface": (u32, [ptr]),
    "netfeat_source_note_address": (ptr, [ptr]),
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
    "netfeat_packets_save_file": (i64, [ptr, ptr, ptr, ptr, size, text, ptr]),
    "netfeat_writer_open_file": (i32, [ptr, text, ptr, out(ptr)]),
    "netfeat_writer_open_fd": (i32, [ptr, i32, ptr, out(ptr)]),
    "netfeat_writer_write": (i32, [ptr, ptr]),
    "netfeat_writer_end": (i32, [ptr]),
    "netfeat_writer_ref": (ptr, [ptr]),
    "netfeat_writer_unref": (ptr, [ptr]),
    "netfeat_table_meta": (text, [ptr, text]),
    "netfeat_table_kind": (text, [ptr]),
    # encoder.h
    "netfeat_encoder_new": (i32, [ptr, i32, ptr, out(ptr)]),
    "netfeat_encoder_fit": (i32, [ptr, ptr]),
    "netfeat_encoder_merge": (i32, [ptr, ptr]),
    "netfeat_encoder_seal": (i32, [ptr]),
    "netfeat_encoder_apply": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_encoder_mapping": (i32, [ptr, ptr, out(ptr)]),
    "netfeat_encoder_to_table": (i32, [ptr, ptr, out(ptr)]),
    "netfeat_encoder_from_table": (i32, [ptr, ptr, out(ptr)]),
    "netfeat_encoder_ref": (ptr, [ptr]),
    "netfeat_encoder_unref": (ptr, [ptr]),
    "netfeat_accumulator_new": (i32, [ptr, i32, ptr, size, ptr, out(ptr)]),
    "netfeat_accumulator_push": (i32, [ptr, ptr, out(ptr)]),
    "netfeat_accumulator_finish": (i32, [ptr, out(ptr)]),
    "netfeat_accumulator_merge": (i32, [ptr, ptr]),
    "netfeat_accumulator_count": (i64, [ptr, i32]),
    "netfeat_accumulator_to_table": (i32, [ptr, ptr, out(ptr)]),
    "netfeat_accumulator_from_table": (i32, [ptr, ptr, out(ptr)]),
    "netfeat_accumulator_ref": (ptr, [ptr]),
    "netfeat_accumulator_unref": (ptr, [ptr]),
    # feature.h
    "netfeat_feature_next": (i32, [i32]),
    "netfeat_feature_by_name": (i32, [text]),
    "netfeat_feature_version": (i32, [i32]),
    "netfeat_feature_name": (text, [i32]),
    "netfeat_feature_inputs": (text, [i32]),
    "netfeat_feature_formula": (text, [i32]),
    "netfeat_feature_unit": (text, [i32]),
    "netfeat_feature_divisor": (text, [i32]),
    "netfeat_feature_null_rule": (text, [i32]),
    "netfeat_feature_options": (text, [i32]),
    "netfeat_feature_cumulative": (i32, [ptr, ptr, i32, ptr, size, ptr, out(ptr)]),
    "netfeat_feature_cumulative_bytes": (i32, [ptr, ptr, ptr, size, ptr, out(ptr)]),
    "netfeat_feature_interarrival": (i32, [ptr, ptr, ptr, size, ptr, out(ptr)]),
    "netfeat_feature_timestamp": (i32, [ptr, ptr, i64, i32, out(ptr)]),
    "netfeat_feature_ip_numeric": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_feature_frequency": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_feature_onehot": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_feature_ordinal": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_feature_standard_scale": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_feature_minmax_scale": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_feature_tcp_flags": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_feature_ip_private": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_feature_direction": (i32, [ptr, ptr, ptr, ptr, out(ptr)]),
    "netfeat_feature_port_class": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_feature_mirai_syn": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_feature_payload_entropy": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_feature_payload_histogram": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_feature_describe": (i32, [ptr, ptr, out(ptr)]),
    "netfeat_feature_value_counts": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_feature_incomplete_rows": (i32, [ptr, ptr, ptr, size, out(ptr)]),
    "netfeat_feature_window": (i32, [ptr, ptr, i32, i32, ptr, size, ptr, out(ptr)]),
    "netfeat_feature_damped": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_feature_ports": (i32, [ptr, i32, ptr, out(ptr)]),
    # pipeline.h
    "netfeat_pipeline_new": (i32, [ptr, out(ptr)]),
    "netfeat_pipeline_add": (i32, [ptr, i32, ptr, size, text, ptr]),
    "netfeat_pipeline_from_json": (i32, [ptr, text, size, out(ptr)]),
    "netfeat_pipeline_fit": (i32, [ptr, ptr]),
    "netfeat_pipeline_merge": (i32, [ptr, ptr]),
    "netfeat_pipeline_seal": (i32, [ptr]),
    "netfeat_pipeline_apply": (i32, [ptr, ptr, out(ptr)]),
    "netfeat_pipeline_reset": (i32, [ptr]),
    "netfeat_pipeline_steps": (i32, [ptr]),
    "netfeat_pipeline_step_feature": (i32, [ptr, i32]),
    "netfeat_pipeline_step_output": (text, [ptr, i32]),
    "netfeat_pipeline_step_inputs": (i32, [ptr, i32]),
    "netfeat_pipeline_step_input": (text, [ptr, i32, i32]),
    "netfeat_pipeline_to_table": (i32, [ptr, ptr, out(ptr)]),
    "netfeat_pipeline_from_table": (i32, [ptr, ptr, out(ptr)]),
    "netfeat_pipeline_ref": (ptr, [ptr]),
    "netfeat_pipeline_unref": (ptr, [ptr]),
    # flow.h
    "netfeat_flows_new": (i32, [ptr, ptr, out(ptr)]),
    "netfeat_flows_feed": (i32, [ptr, ptr, out(ptr)]),
    "netfeat_flows_expire": (i64, [ptr, i64]),
    "netfeat_flows_end": (i32, [ptr]),
    "netfeat_flows_take": (i32, [ptr, out(ptr)]),
    "netfeat_flows_take_all": (i32, [ptr, out(ptr)]),
    "netfeat_flows_count": (i64, [ptr, i32]),
    "netfeat_flows_input_name": (text, [ptr, i32]),
    "netfeat_flows_count_name": (text, [i32]),
    "netfeat_flows_to_table": (i32, [ptr, out(ptr)]),
    "netfeat_flows_from_table": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_flows_merge": (i32, [ptr, ptr]),
    "netfeat_flows_one_way": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_flows_ref": (ptr, [ptr]),
    "netfeat_flows_unref": (ptr, [ptr]),
    "netfeat_flow_end_name": (text, [i32]),
    "netfeat_flow_evidence_name": (text, [i32]),
    "netfeat_flow_profile_name": (text, [i32]),
    "netfeat_flow_column_name": (text, [text, i32]),
    "netfeat_flow_column_type": (i32, [text, i32]),
    "netfeat_flow_column_unit": (text, [text, i32]),
    "netfeat_flow_column_null_rule": (text, [text, i32]),
    "netfeat_flow_column_help": (text, [text, i32]),
    # stream.h
    "netfeat_streams_new": (i32, [ptr, ptr, out(ptr)]),
    "netfeat_streams_set_policy": (i32, [ptr, ptr, i32, i32]),
    "netfeat_streams_feed_table": (i32, [ptr, ptr]),
    "netfeat_streams_feed_source": (i32, [ptr, ptr]),
    "netfeat_streams_feed_packet": (i32, [ptr, i32, i64, u32, ptr, u32]),
    "netfeat_streams_end": (i32, [ptr]),
    "netfeat_streams_step": (i32, [ptr]),
    "netfeat_streams_run": (i32, [ptr, stream_fn, ptr]),
    "netfeat_streams_skip": (i32, [ptr]),
    "netfeat_streams_event": (i32, [ptr]),
    "netfeat_streams_id": (u64, [ptr]),
    "netfeat_streams_first_packet": (i64, [ptr]),
    "netfeat_streams_packet": (i64, [ptr]),
    "netfeat_streams_direction": (i32, [ptr]),
    "netfeat_streams_offset": (u64, [ptr]),
    "netfeat_streams_size": (u64, [ptr]),
    "netfeat_streams_time_ns": (i64, [ptr]),
    "netfeat_streams_data": (ptr, [ptr, out(size)]),
    "netfeat_streams_reason": (i32, [ptr]),
    "netfeat_streams_protocol": (i32, [ptr]),
    "netfeat_streams_endpoint": (i32, [ptr, i32, ptr, out(i32)]),
    "netfeat_streams_initiator": (i32, [ptr]),
    "netfeat_streams_first_time_ns": (i64, [ptr]),
    "netfeat_streams_last_time_ns": (i64, [ptr]),
    "netfeat_streams_state": (text, [ptr]),
    "netfeat_streams_history": (text, [ptr]),
    "netfeat_streams_counter": (u64, [ptr, i32, i32]),
    "netfeat_stream_counter_name": (text, [i32]),
    "netfeat_stream_counter_help": (text, [i32]),
    "netfeat_stream_counter_by_name": (i32, [text]),
    "netfeat_streams_total": (u64, [ptr, i32]),
    "netfeat_stream_total_name": (text, [i32]),
    "netfeat_stream_total_help": (text, [i32]),
    "netfeat_stream_total_by_name": (i32, [text]),
    "netfeat_stream_table": (i32, [ptr, ptr, ptr, out(ptr)]),
    "netfeat_streams_append_whole": (i64, [ptr, ptr, i64, ptr]),
    "netfeat_streams_ref": (ptr, [ptr]),
    "netfeat_streams_unref": (ptr, [ptr]),
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
