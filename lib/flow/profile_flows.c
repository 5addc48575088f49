/* The library's own profile, and the notebook's streams. */
#include "flow/getters.h"
#include "flow/input.h"

#define SECOND INT64_C(1000000000)

#define COLUMN(name, type, unit, groups, flags, get, argument, null_rule, help)                              \
    {name, NETFEAT_TYPE_##type, unit, groups, flags, get, argument, NULL, null_rule, help, "flow." name "@1"},
#define LIST(name, type, unit, groups, flags, get, argument, count, null_rule, help)                         \
    {name,  NETFEAT_TYPE_##type, unit, groups,           flags, get, argument,                               \
     count, null_rule,           help, "flow." name "@1"},
static const nf_flow_column flow_columns[] = {
#include "flow/columns.def"
    {.name = NULL},
};
#undef COLUMN
#undef LIST

const nf_flow_profile nf_profile_flows = {
    .name = "flows",
    .columns = flow_columns,
    .clock_unit = 1,
    .idle_tcp = 120 * SECOND,
    .idle_other = 120 * SECOND,
    .active = 1800 * SECOND,
    .keys = NF_KEYS_TYPED,
    .source = NF_SOURCE_EVIDENCE,
    .close = NF_CLOSE_LINGER,
    .by_options = true,
    .keep_source = true,
};

#define STREAM(name, type, unit, get, argument, null_rule, help, definition)                                 \
    {name, NETFEAT_TYPE_##type, unit, 0, NF_COL_USUAL, get, argument, NULL, null_rule, help, definition},
static const nf_flow_column stream_columns[] = {
    STREAM("Source IP", BYTES16, "", nf_get_ip, 0, "never", "source address", "notebook.source_ip@1")
        STREAM("Destination IP", BYTES16, "", nf_get_ip, 1, "never", "destination address",
               "notebook.destination_ip@1") STREAM("Source Port", U16, "", nf_get_port, 0, "never",
                                                   "source port", "notebook.source_port@1")
            STREAM("Destination Port", U16, "", nf_get_port, 1, "never", "destination port",
                   "notebook.destination_port@1")
                STREAM("Protocol", U8, "", nf_get_protocol, 0, "never", "protocol behind the IP header",
                       "notebook.protocol@1") STREAM("Number of Packets", U64, "packets", nf_get_packets, 0,
                                                     "never", "packets", "notebook.number_of_packets@1")
                    STREAM("Total Length", U64, "bytes", nf_get_bytes, 0, "never",
                           "sum of flow.length_column", "notebook.total_length@1")
                        STREAM("Duration", F64, "s", nf_get_duration_seconds, 0, "no packet has a time",
                               "highest minus lowest timestamp", "notebook.duration@1"){.name = NULL},
};

const nf_flow_profile nf_profile_notebook = {
    .name = "notebook",
    .columns = stream_columns,
    .clock_unit = 1,
    .idle_tcp = NF_NEVER,
    .idle_other = NF_NEVER,
    .active = NF_NEVER,
    .keys = NF_KEYS_COMPLETE,
    .source = NF_SOURCE_FIRST,
    .one_way = true,
    .by_key = true,
};
