/* script.h - for tests: packet scripts (tests/stream/cases/README), read, made into packets, and run through a
   reassembler; what comes out is text, one event a line. */
#ifndef TESTS_SCRIPT_H
#define TESTS_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netfeat/netfeat.h>

#define SCRIPT_OPTIONS 12
#define SCRIPT_CHECKS  12

typedef struct {
    int side; /* 0 sends first */
    unsigned flags;
    uint32_t seq, ack, tsval, tsecr;
    int64_t time_ns;
    uint8_t *data; /* owned */
    uint32_t len, captured;
    int window, scale; /* scale -1: none */
    int urgent;
    bool has_ts, md5, bad_sum;
} script_packet;

typedef struct {
    char name[48];
    int64_t value;
} script_number;

typedef struct {
    int key; /* NETFEAT_OPT_* */
    int64_t value;
} script_option;

typedef struct {
    char policy[16];
    int from;
    char text[64];
} script_bytes;

typedef struct {
    char name[64];
    script_packet *packets;
    size_t n_packets, packets_cap;
    char *expected; /* one event a line; NULL: none given */
    size_t expected_size, expected_cap;
    script_option options[SCRIPT_OPTIONS];
    script_number counts[SCRIPT_CHECKS];
    script_bytes bytes[SCRIPT_CHECKS];
    int n_options, n_counts, n_bytes;
    uint32_t isn[2];
    int64_t time_ns;
} script_case;

/* All cases of a text; *ret_n of them, to be freed with script_free(). On a mistake in it, prints the line and ends
   the program. */
script_case *script_parse(const char *text, size_t *ret_n);
/* The same from all files of a folder that end in .txt. */
script_case *script_load(const char *folder, size_t *ret_n);
void script_free(script_case *cases, size_t n);
script_packet *script_add(script_case *c);
/* One option more; of several settings of one, the last counts. */
void script_set(script_case *c, int key, int64_t value);
/* Exchange the sides behind the handshake: what one sends, the other one does now. False: the case does not start with
   a whole handshake. */
bool script_mirror(script_case *c);

/* A growing text. */
typedef struct {
    char *p;
    size_t size, cap;
} script_text;
void script_print(script_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void script_print_bytes(script_text *t, const uint8_t *data, size_t size);

/* An Ethernet frame of at most SCRIPT_HEADERS bytes and the payload, SCRIPT_FRAME for any; returns its length on the
   wire, *ret_captured what of it is there. swap: the side that sends first has the larger address. */
#define SCRIPT_HEADERS 94
#define SCRIPT_FRAME   66000
uint32_t script_frame(const script_packet *p, bool swap, uint8_t *frame, uint32_t *ret_captured);

enum { SCRIPT_PACKETS, SCRIPT_SOURCE, SCRIPT_TABLE, SCRIPT_MODES };
/* ... or sources, tables of n packets each. */
#define SCRIPT_SOURCES(n) (SCRIPT_MODES + 2 * (int)(n))
#define SCRIPT_TABLES(n)  (SCRIPT_MODES + 2 * (int)(n) + 1)

typedef struct {
    netfeat_ctx *ctx;
    int mode; /* one packet a call, one source, a table */
    bool swap;
    bool keep_going;                      /* NOMEM and LIMIT are no end */
    void (*prepare)(netfeat_streams *st); /* called before the first packet; NULL: nothing */
} script_how;

/* What came out. Events are checked on the way: per direction they tile, nothing follows the end. */
typedef struct {
    script_text events;
    script_text bytes[2];              /* delivered, by direction, of all streams */
    char state[8], history[32];        /* of the stream that was closed last */
    uint64_t counters[64], totals[64]; /* by number */
    int code;                          /* first error */
    const char *broken;                /* an invariant that does not hold */
} script_result;

void script_run(const script_case *c, const script_how *how, script_result *ret);
void script_result_free(script_result *r);
/* A counter by name: of the streams, else of the handle; -1 unknown. */
int64_t script_count(const script_result *r, const char *name);

#endif
