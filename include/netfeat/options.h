/* options.h - one growable, self-describing bag of settings; a new option is a new number, never a new
   parameter. Numbers, names, bounds, defaults and help come from lib/base/options.def and can be asked for at
   run time. */
#ifndef NETFEAT_OPTIONS_H
#define NETFEAT_OPTIONS_H

#include <netfeat/base.h>

NETFEAT_BEGIN_DECLS

enum {                        /* kinds */
       NETFEAT_KIND_BOOL = 1, /* set_int with 0 or 1 */
       NETFEAT_KIND_INT = 2,  /* set_int */
       NETFEAT_KIND_TEXT = 3  /* set_text */
};

enum { /* keys; netfeat_option_name() gives the name usable from any language, e.g. "source.filter" */
       NETFEAT_OPT_SOURCE_FILTER = 0x0101,
       NETFEAT_OPT_SOURCE_FILE_INDEX = 0x0102,
       NETFEAT_OPT_SOURCE_MAX_PACKET_BYTES = 0x0103,
       NETFEAT_OPT_SOURCE_MAX_INTERFACES = 0x0104,
       NETFEAT_OPT_SOURCE_BUFFER_BYTES = 0x0105,
       NETFEAT_OPT_SOURCE_MAX_WINDOW_BYTES = 0x0106,
       NETFEAT_OPT_SOURCE_MAX_RATIO = 0x0107,
       NETFEAT_OPT_SOURCE_QUEUE_PACKETS = 0x0108,
       NETFEAT_OPT_SOURCE_QUEUE_BYTES = 0x0109,
       NETFEAT_OPT_SOURCE_QUEUE_DROP = 0x010a,
       NETFEAT_OPT_SOURCE_MERGE = 0x010b,
       NETFEAT_OPT_SOURCE_MAX_FILES = 0x010c,
       NETFEAT_OPT_SOURCE_MAX_OPEN_FILES = 0x010d,
       NETFEAT_OPT_SOURCE_SNAPLEN = 0x010e,
       NETFEAT_OPT_SOURCE_PROMISCUOUS = 0x010f,
       NETFEAT_OPT_SOURCE_IMMEDIATE = 0x0110,
       NETFEAT_OPT_SOURCE_KERNEL_BUFFER_BYTES = 0x0111,
       NETFEAT_OPT_SOURCE_KERNEL_TIMEOUT_MS = 0x0112,
       NETFEAT_OPT_SOURCE_WAIT_MS = 0x0113,
       NETFEAT_OPT_SOURCE_MAX_NOTES = 0x0114,
       NETFEAT_OPT_SOURCE_MAX_FILTER_BYTES = 0x0115,

       NETFEAT_OPT_TABLE_COLUMNS = 0x0201,
       NETFEAT_OPT_TABLE_KEEP_PAYLOAD = 0x0202,
       NETFEAT_OPT_TABLE_MAX_ROWS = 0x0203,
       NETFEAT_OPT_TABLE_MAX_LAYERS = 0x0204,
       NETFEAT_OPT_TABLE_TUNNELS = 0x0205,
       NETFEAT_OPT_TABLE_TUNNEL_PORTS = 0x0206,
       NETFEAT_OPT_TABLE_VERIFY_CHECKSUMS = 0x0207,

       NETFEAT_OPT_FEATURE_NULL = 0x0401,
       NETFEAT_OPT_FEATURE_NULL_KEY = 0x0402,
       NETFEAT_OPT_FEATURE_UNKNOWN = 0x0403,
       NETFEAT_OPT_FEATURE_MAX_GROUPS = 0x0404,
       NETFEAT_OPT_FEATURE_ON_FULL = 0x0405,
       NETFEAT_OPT_FEATURE_MAX_CATEGORIES = 0x0406,
       NETFEAT_OPT_FEATURE_IP_MODE = 0x0407,
       NETFEAT_OPT_FEATURE_STATISTIC = 0x0408,
       NETFEAT_OPT_FEATURE_UNIT_NS = 0x0409,
       NETFEAT_OPT_FEATURE_RELATIVE = 0x040a,
       NETFEAT_OPT_FEATURE_SECONDS = 0x040b,
       NETFEAT_OPT_FEATURE_FIRST_ROW = 0x040c,
       NETFEAT_OPT_FEATURE_PORTS = 0x040d,
       NETFEAT_OPT_FEATURE_MAP = 0x040e,
       NETFEAT_OPT_FEATURE_DUPLICATES = 0x040f,
       NETFEAT_OPT_FEATURE_SERVICES_FILE = 0x0410,
       NETFEAT_OPT_FEATURE_BINS = 0x0411,
       NETFEAT_OPT_FEATURE_WINDOW_NS = 0x0412,
       NETFEAT_OPT_FEATURE_LATENESS_NS = 0x0413,
       NETFEAT_OPT_FEATURE_DISTINCT = 0x0414,
       NETFEAT_OPT_FEATURE_DAMPED_COLUMNS = 0x0415,
       NETFEAT_OPT_FEATURE_DAMPED_PROFILE = 0x0416,
       NETFEAT_OPT_FEATURE_DAMPED_STREAMS = 0x0417,

       NETFEAT_OPT_FLOW_PROFILE = 0x0501,
       NETFEAT_OPT_FLOW_COLUMNS = 0x0502,
       NETFEAT_OPT_FLOW_BIDIRECTIONAL = 0x0503,
       NETFEAT_OPT_FLOW_IDLE_NS = 0x0504,
       NETFEAT_OPT_FLOW_ACTIVE_NS = 0x0505,
       NETFEAT_OPT_FLOW_END_ON_FIN_RST = 0x0506,
       NETFEAT_OPT_FLOW_LINGER_NS = 0x0507,
       NETFEAT_OPT_FLOW_MAX_OPEN = 0x0508,
       NETFEAT_OPT_FLOW_MAX_BYTES = 0x0509,
       NETFEAT_OPT_FLOW_KEY_VLAN = 0x050a,
       NETFEAT_OPT_FLOW_KEY_TUNNEL = 0x050b,
       NETFEAT_OPT_FLOW_KEY_LINK = 0x050c,
       NETFEAT_OPT_FLOW_LENGTH_COLUMN = 0x050d,
       NETFEAT_OPT_FLOW_FIRST_PACKETS = 0x050e,
       NETFEAT_OPT_FLOW_ACTIVITY_NS = 0x050f,
       NETFEAT_OPT_FLOW_SUBFLOW_NS = 0x0510,
       NETFEAT_OPT_FLOW_MAX_FRAGMENTS = 0x0511,
       NETFEAT_OPT_FLOW_ORDER = 0x0512,
       NETFEAT_OPT_FLOW_THREADS = 0x0513,

       NETFEAT_OPT_STREAM_POLICY = 0x0601,
       NETFEAT_OPT_STREAM_DELIVER = 0x0602,
       NETFEAT_OPT_STREAM_DEPTH_BYTES = 0x0603,
       NETFEAT_OPT_STREAM_MAX_BUFFERED_BYTES = 0x0604,
       NETFEAT_OPT_STREAM_MAX_SEGMENTS = 0x0605,
       NETFEAT_OPT_STREAM_MAX_TOTAL_BYTES = 0x0606,
       NETFEAT_OPT_STREAM_MAX_STREAMS = 0x0607,
       NETFEAT_OPT_STREAM_MAX_STREAM_BYTES = 0x0608,
       NETFEAT_OPT_STREAM_MAX_HALF_OPEN = 0x0609,
       NETFEAT_OPT_STREAM_HALF_OPEN_NS = 0x060a,
       NETFEAT_OPT_STREAM_HALF_OPEN_PRESSURE_NS = 0x060b,
       NETFEAT_OPT_STREAM_IDLE_NS = 0x060c,
       NETFEAT_OPT_STREAM_IDLE_PRESSURE_NS = 0x060d,
       NETFEAT_OPT_STREAM_LINGER_NS = 0x060e,
       NETFEAT_OPT_STREAM_GAP_TIMEOUT_NS = 0x060f,
       NETFEAT_OPT_STREAM_ACK_GRACE_NS = 0x0610,
       NETFEAT_OPT_STREAM_MIDSTREAM = 0x0611,
       NETFEAT_OPT_STREAM_STRICT = 0x0612,
       NETFEAT_OPT_STREAM_ACK_STRICT = 0x0613,
       NETFEAT_OPT_STREAM_CHECKSUM = 0x0614,
       NETFEAT_OPT_STREAM_URGENT = 0x0615,
       NETFEAT_OPT_STREAM_RESET_GATE = 0x0616,
       NETFEAT_OPT_STREAM_ASYNC_BYTES = 0x0617,
       NETFEAT_OPT_STREAM_TCP = 0x0618,
       NETFEAT_OPT_STREAM_UDP = 0x0619,
       NETFEAT_OPT_STREAM_UDP_IDLE_NS = 0x061a,
       NETFEAT_OPT_STREAM_RECENT_BYTES = 0x061b,
       NETFEAT_OPT_STREAM_HEAD_BYTES = 0x061c,
       NETFEAT_OPT_STREAM_FRAGMENTS = 0x0620,
       NETFEAT_OPT_STREAM_FRAGMENT_POLICY = 0x0621,
       NETFEAT_OPT_STREAM_FRAGMENT_MAX_DATAGRAMS = 0x0622,
       NETFEAT_OPT_STREAM_FRAGMENT_MAX_BYTES = 0x0623,
       NETFEAT_OPT_STREAM_FRAGMENT_MAX_PIECES = 0x0624,
       NETFEAT_OPT_STREAM_FRAGMENT_TIMEOUT4_NS = 0x0625,
       NETFEAT_OPT_STREAM_FRAGMENT_TIMEOUT6_NS = 0x0626,

       NETFEAT_OPT_IO_COMPRESSION = 0x0701,
       NETFEAT_OPT_IO_BATCH_ROWS = 0x0702,
       NETFEAT_OPT_IO_MAX_FILE_BYTES = 0x0703,
       NETFEAT_OPT_IO_MAX_COLUMNS = 0x0704,
       NETFEAT_OPT_IO_MAX_MEMORY_BYTES = 0x0705,
       NETFEAT_OPT_IO_ADDRESSES = 0x0706,
       NETFEAT_OPT_IO_BINARY_VIEW = 0x0707,
       NETFEAT_OPT_IO_LOAD_MODE = 0x0708,
       NETFEAT_OPT_IO_FILE_MODE = 0x0709,
       NETFEAT_OPT_IO_SYNC = 0x070a,
       NETFEAT_OPT_IO_FORMAT = 0x070b,
       NETFEAT_OPT_IO_TIMES = 0x070c
};

/* Empty bag: every option at its default. */
NETFEAT_API int netfeat_options_new(netfeat_ctx *ctx, netfeat_options **ret) NETFEAT_MUST_CHECK;
NETFEAT_API netfeat_options *netfeat_options_ref(netfeat_options *opts);
NETFEAT_API netfeat_options *netfeat_options_unref(netfeat_options *opts);
/* Set a number, checked here: NOTFOUND (no such key), TYPE (key is text), RANGE (outside its bounds). */
NETFEAT_API int netfeat_options_set_int(netfeat_options *opts, int key, int64_t value);
/* Set a text; copied. NOTFOUND, TYPE (key is a number), ARGUMENT (NULL, or not UTF-8), LIMIT (over 1 MiB). */
NETFEAT_API int netfeat_options_set_text(netfeat_options *opts, int key, const char *utf8);
/* Number in force, default included; opts NULL gives the default. NOTFOUND, TYPE, ARGUMENT (ret is NULL). */
NETFEAT_API int netfeat_options_get_int(const netfeat_options *opts, int key, int64_t *ret);
/* Text in force, default included, or NULL if key is no text option. Borrowed: valid until the next set. */
NETFEAT_API const char *netfeat_options_get_text(const netfeat_options *opts, int key);
/* Walk all keys this library knows in ascending order: start with 0, ends with 0. */
NETFEAT_API int netfeat_option_next(int key);
/* Key for "source.filter", or NOTFOUND. */
NETFEAT_API int netfeat_option_by_name(const char *name);
/* Name of a key, or NULL. Static string. */
NETFEAT_API const char *netfeat_option_name(int key);
/* One-line help with unit, or NULL. Static string. */
NETFEAT_API const char *netfeat_option_help(int key);
/* NETFEAT_KIND_* of a key, or NOTFOUND. */
NETFEAT_API int netfeat_option_kind(int key);
/* Inclusive bounds and default of a numeric option; NOTFOUND, TYPE. Each ret may be NULL. */
NETFEAT_API int netfeat_option_range(int key, int64_t *ret_min, int64_t *ret_max, int64_t *ret_default);

NETFEAT_END_DECLS

#endif
