"""The NULL rule of every public function, derived from the headers: each pointer parameter is NULL in turn while all the
others are valid. Nothing may crash, and what can fail answers ARGUMENT, unless NULL is a value of its own there.

With --calls: make the calls and print what was answered, one a line.
"""

import ctypes
import os
import re
import subprocess
import sys
import tempfile
import unittest

import support
from netfeat import _ffi
from netfeat._ffi import C
from test_prototypes import headers

ARGUMENT = -2

#: NULL is a value of its own in all functions that have a parameter of this name ...
OPTIONAL = {"opts", "user", "fn", "release"}
#: ... and of these: where something may be absent, or is not asked for, ...
ABSENT = {"netfeat_column_wrap validity", "netfeat_pipeline_add output", "netfeat_table_export_array out_schema",
          "netfeat_table_export_array out_array", "netfeat_column_export_array out_schema", "netfeat_column_export_array out_array",
          "netfeat_flows_feed ret_flow_ids", "netfeat_column_get_text ret_length", "netfeat_option_range ret_min",
          "netfeat_option_range ret_max", "netfeat_option_range ret_default", "netfeat_options_get_int opts"}
#: ... where nothing has no number, as with any other unknown name or index, ...
UNKNOWN = {"netfeat_feature_by_name name", "netfeat_flow_column_type profile", "netfeat_option_by_name name",
           "netfeat_build_has feature", "netfeat_pipeline_step_feature pipe", "netfeat_pipeline_step_inputs pipe"}
#: ... and where the answer cannot be an error: the number or the reason that nothing has.
NEUTRAL = {"netfeat_column_value_bytes", "netfeat_ctx_error_code", "netfeat_ctx_error_packet", "netfeat_ctx_error_offset",
           "netfeat_ctx_error_errno", "netfeat_source_packet_number", "netfeat_source_packet_link_type",
           "netfeat_source_note_kind", "netfeat_source_note_packet", "netfeat_streams_event", "netfeat_streams_first_packet",
           "netfeat_streams_packet", "netfeat_streams_direction", "netfeat_streams_time_ns", "netfeat_streams_reason",
           "netfeat_streams_protocol", "netfeat_streams_first_time_ns", "netfeat_streams_last_time_ns"}

KINDS = ("ctx", "options", "source", "table", "column", "encoder", "accumulator", "pipeline", "flows", "streams", "writer")
CAPTURE = support.pcap([support.ethernet(support.ipv4(support.tcp(b"abc", source=40000 + i), 6)) for i in range(5)])
FEATURES = {"netfeat_accumulator_new": b"cumulative"}
NUMBERS = {"index": 0, "row": 0, "id": 0, "file_index": 0, "input": 0, "value": 0, "distinct": 0, "policy": 1, "type": 3,
           "key_bytes": 32}


def functions():
    """name -> (result, [(type, name)])."""
    pattern = r"NETFEAT_API\s+([\w\s]+?[\s*]+)(netfeat_\w+)\s*\(([^;]*?)\)\s*(?:NETFEAT_MUST_CHECK)?\s*;"
    found = {}
    for _, source in headers():
        for result, name, parameters in re.findall(pattern, source):
            pairs = []
            for parameter in [] if parameters.strip() == "void" else parameters.split(","):
                kind, label = re.fullmatch(r"(.*?)(\w+)(?:\[\])?", parameter.strip(), re.S).groups()
                pairs.append((kind.replace("const", "").replace("struct", "").replace(" ", "") +
                              ("*" if parameter.strip().endswith("]") else ""), label))
            found[name] = (result.strip(), pairs)
    return found


class World:
    """Valid arguments, made anew for each call; `kept` is what must outlive it."""

    def __init__(self, function, folder):
        self.function = function
        self.exported = None
        self.kept = [ctypes.create_string_buffer(CAPTURE)]
        self.folder = folder
        self.ctx = self.made(C.ctx_new)

    def made(self, function, *arguments):
        ret = ctypes.c_void_p()
        code = function(*arguments, ctypes.byref(ret))
        assert code == 0, (function.__name__, code, C.ctx_error_message(self.ctx))
        return ret.value

    def handle(self, kind):
        text = (ctypes.c_char_p * 1)(b"src_port")
        if kind == "ctx":
            return C.ctx_ref(self.ctx)
        if kind == "source":
            if "_push" in self.function:
                return self.made(C.source_open_push, self.ctx, 1, None)
            return self.made(C.source_open_memory, self.ctx, self.kept[0], len(CAPTURE), None)
        if kind == "table":
            return self.made(C.table_from_source, self.ctx, self.handle("source"), None)
        if kind == "column":
            table = self.handle("table")
            return C.column_ref(C.table_column(table, C.table_find(table, b"src_port")))
        if kind == "encoder":
            encoder = self.made(C.encoder_new, self.ctx, C.feature_by_name(b"frequency"), None)
            assert C.encoder_fit(encoder, self.handle("column")) == 0
            return encoder
        if kind == "accumulator":
            return self.made(C.accumulator_new, self.ctx, C.feature_by_name(b"cumulative"), text, 1, None)
        if kind == "pipeline":
            pipeline = self.made(C.pipeline_new, self.ctx)
            assert C.pipeline_add(pipeline, C.feature_by_name(b"frequency"), text, 1, b"share", None) == 0
            return pipeline
        if kind == "writer":
            return self.made(C.writer_open_file, self.ctx, os.path.join(self.folder, "w.csv").encode(), None)
        if kind == "options":
            return self.made(C.options_new, self.ctx)
        return self.made(getattr(C, kind + "_new"), self.ctx, None)

    def keep(self, value):
        self.kept.append(value)
        return ctypes.cast(value, ctypes.c_void_p)

    def argument(self, kind, name):
        base = re.fullmatch(r"netfeat_(\w+)\*", kind)
        if base and base.group(1) in KINDS:
            return self.handle(base.group(1))
        if kind in ("netfeat_table**", "netfeat_column**") and not name.startswith("ret"):
            return self.keep((ctypes.c_void_p * 1)(self.handle(kind[8:-2])))
        if kind == "char**":
            return self.keep((ctypes.c_char_p * 1)(b"src_port"))
        if kind == "char*" and name != "buf":
            return self.text(name)
        if kind == "FILE*":
            return ctypes.CDLL(None).fopen(os.devnull.encode(), b"r")
        if kind.endswith("_fn"):
            return dict(_ffi.__dict__)[kind[len("netfeat_"):]](0)
        if kind == "void**":
            return self.keep((ctypes.c_void_p * 1)(self.keep(ctypes.create_string_buffer(64)).value))
        if kind.startswith("Arrow") and "_import_" in self.function:
            return self.arrow(kind, name)
        if kind.endswith("*"):
            return self.keep(ctypes.create_string_buffer(4096))
        if name == "fd":
            return os.open(os.devnull, os.O_RDWR)
        if name == "feature":
            return C.feature_by_name(FEATURES.get(self.function, b"frequency"))
        if name == "key":
            return C.option_by_name(b"flow.profile" if "text" in self.function else b"table.max_rows")
        return NUMBERS.get(name, 1)

    def arrow(self, kind, name):
        """What can be imported: of the schema and the array of one export, the one asked for."""
        if kind == "ArrowArrayStream*":
            stream = self.keep(ctypes.create_string_buffer(256))
            assert C.table_export_stream(self.ctx, self.handle("table"), None, stream) == 0
            return stream
        if self.exported is None:
            kind = "column" if "_column_" in self.function else "table"
            self.exported = {part: self.keep(ctypes.create_string_buffer(256)) for part in ("schema", "array")}
            export = getattr(C, kind + "_export_array")
            assert export(self.ctx, self.handle(kind), None, self.exported["schema"], self.exported["array"]) == 0
        return self.exported[name]

    def text(self, name):
        if name == "path":
            return os.path.join(self.folder, "t.arrow").encode()
        return {"profile": b"nfstream", "text": b"{}", "device": b"no-such-device", "name": b"src_port"}.get(name, b"x")


def call(function, at, folder):
    """The function with NULL for parameter number `at`; what it answered."""
    world = World(function, folder)
    bound = getattr(C, function[len("netfeat_"):])
    arguments = []
    for i, (kind, name) in enumerate(functions_read[function][1]):
        value = None if i == at else world.argument(kind, name)
        wanted = bound.argtypes[i]
        if value is None and isinstance(wanted, type) and issubclass(wanted, ctypes._CFuncPtr):  # pylint: disable=protected-access
            value = wanted()
        elif isinstance(value, ctypes.c_void_p) and wanted not in (ctypes.c_void_p, ctypes.c_char_p):
            value = ctypes.cast(value, wanted)
        elif isinstance(value, ctypes.c_void_p) and wanted is ctypes.c_char_p:
            value = ctypes.cast(value, ctypes.c_char_p)
        arguments.append(value)
    return bound(*arguments)


functions_read = functions()


def make_calls():
    with tempfile.TemporaryDirectory() as folder:
        for name, (result, pairs) in functions_read.items():
            for i, (kind, label) in enumerate(pairs):
                if kind.endswith("*") or kind.endswith("_fn"):
                    print(name, label, end=" ", flush=True)
                    answer = call(name, i, folder)
                    print(answer if result in ("int", "int64_t") else "-", flush=True)


class Null(unittest.TestCase):
    def test_every_pointer_of_every_function(self):
        done = subprocess.run([sys.executable, __file__, "--calls"], stdout=subprocess.PIPE, universal_newlines=True, check=False)
        lines = [line.rsplit(" ", 1) for line in done.stdout.splitlines()]
        self.assertEqual(done.returncode, 0, "the last call: " + done.stdout.splitlines()[-1])
        self.assertGreater(len(lines), 450)
        answers = {call: answer for call, answer in lines if answer != "-"}
        self.assertLessEqual(ABSENT | UNKNOWN, set(answers))
        self.assertLessEqual(NEUTRAL, {call.split()[0] for call in answers})
        for call, answer in answers.items():
            function, label = call.split()
            with self.subTest(call=call):
                if call in ABSENT:
                    self.assertIn(answer, ("0", "1"))
                elif call in UNKNOWN:
                    self.assertIn(answer, ("0", "-9", "-11"))
                elif function in NEUTRAL:
                    self.assertIn(answer, ("0", "-1"))
                elif label not in OPTIONAL or function.startswith("netfeat_options_"):
                    self.assertEqual(int(answer), ARGUMENT)
                else:
                    self.assertNotEqual(int(answer), ARGUMENT)


if __name__ == "__main__":
    if "--calls" in sys.argv:
        make_calls()
        sys.exit(0)
    unittest.main()
