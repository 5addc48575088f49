/* From packets to segments: decoding, fragments, checksums. */
#include "stream/feed.h"

#include <assert.h>
#include <string.h>

#include "table/table.h"

#define NF_LINK_RAW 101
#define OPTION_END  0
#define OPTION_NOP  1
#define OPTION_MD5  19
/* How far apart the steps of fetching ahead are, in segments: far enough for the step before to be done, and not so far
   that more waits than the processor can keep in mind. */
#define RECORD_LATER 16 /* behind the slot of the index */
#define CONN_BEFORE  12 /* before the segment is worked on */

/* What a segment is made of; options of the TCP header are searched for these. */
#define WANT                                                                                                 \
    (NF_BIT(IP_VERSION) | NF_BIT(SRC_IP) | NF_BIT(DST_IP) | NF_BIT(IP_PROTOCOL) | NF_BIT(IP_ID) |            \
     NF_BIT(IP_LENGTH) | NF_BIT(IP_HEADER_LENGTH) | NF_BIT(IP_FLAGS) | NF_BIT(FRAGMENT_OFFSET) |             \
     NF_BIT(SRC_PORT) | NF_BIT(DST_PORT) | NF_BIT(TCP_FLAGS) | NF_BIT(TCP_SEQ) | NF_BIT(TCP_ACK) |           \
     NF_BIT(TCP_WINDOW) | NF_BIT(TCP_URGENT_POINTER) | NF_BIT(TCP_HEADER_LENGTH) |                           \
     NF_BIT(TCP_WINDOW_SCALE) | NF_BIT(TCP_TIMESTAMP) | NF_BIT(L4_LENGTH) | NF_BIT(L4_OFFSET) |              \
     NF_BIT(PAYLOAD_LENGTH) | NF_BIT(VLAN_ID) | NF_BIT(VLAN_OUTER_ID) | NF_BIT(TUNNEL_ID) |                  \
     NF_BIT(TUNNEL_TYPE))
#define ENDPOINTS                                                                                            \
    (NF_BIT(IP_VERSION) | NF_BIT(SRC_IP) | NF_BIT(DST_IP) | NF_BIT(IP_PROTOCOL) | NF_BIT(SRC_PORT) |         \
     NF_BIT(DST_PORT) | NF_BIT(PAYLOAD_LENGTH))
#define TCP_FIELDS                                                                                           \
    (NF_BIT(TCP_FLAGS) | NF_BIT(TCP_SEQ) | NF_BIT(TCP_ACK) | NF_BIT(TCP_WINDOW) |                            \
     NF_BIT(TCP_URGENT_POINTER) | NF_BIT(TCP_HEADER_LENGTH))

/* ---- open and close ---- */

int nf_feed_open(netfeat_streams *st, const netfeat_options *opts)
{
    nf_stream_input *in = nf_alloc_zero(st->ctx, sizeof *in);
    int code = NETFEAT_OK;

    if (in == NULL) {
        return nf_ctx_code(st->ctx);
    }
    st->input = in;
    in->decode.want = WANT;
    code = nf_table_decoding(st->ctx, opts, &in->decode);
    in->decode.verify_checksums = false; /* by stream.checksum, and only where it counts */
    in->decode.whole_tunnels = true;     /* a fragment is put together before what is in it is looked at */
    if (code == 0 && st->config.fragments) {
        code = nf_frags_new(st->ctx, opts, st->totals, &in->frags);
    }
    if (code == 0 && st->config.checksum == NETFEAT_CHECKSUM_AUTO) {
        code = nf_offload_new(st->ctx, st->totals, &in->offload);
    }
    return code;
}

void nf_feed_close(netfeat_streams *st)
{
    nf_stream_input *in = st->input;

    if (in == NULL) {
        return;
    }
    nf_frags_free(in->frags);
    nf_offload_free(in->offload);
    netfeat_source_unref(in->source);
    nf_table_input_close(&in->table);
    nf_free(st->ctx, in, sizeof *in);
}

bool nf_feed_pending(const netfeat_streams *st)
{
    const nf_stream_input *in = st->input;

    return in->pushed || in->source != NULL || in->table.table != NULL;
}

/* ---- a segment ---- */

void nf_feed_clock(netfeat_streams *st, uint64_t number, bool has_time, int64_t time)
{
    st->packet = number;
    if (!has_time) {
        st->packet_time = st->now;
        return;
    }
    if (!st->started || time > st->now) {
        st->now = time;
        st->started = true;
    } else if (time < st->now) {
        st->totals[NF_TOTAL_TIME_BACKWARDS]++;
    }
    st->packet_time = time;
}

void nf_feed_segment(netfeat_streams *st, nf_segment *seg, int checksum)
{
    nf_stream_input *in = st->input;
    bool bad = checksum != NF_CHECKSUM_GOOD && st->config.checksum != NETFEAT_CHECKSUM_OFF;

    /* an RST without a connection is not left to the card: it says nothing */
    if (in->offload != NULL && (bad || !(seg->flags & NETFEAT_TCP_RST))) {
        int taken = nf_offload_note(in->offload, seg->key.ip[seg->swapped], bad);
        if (taken < 0) {
            nf_fail(st, taken);
            return;
        }
        bad = bad && taken == 0 && checksum != NF_CHECKSUM_PARTIAL;
    }
    seg->bad_checksum = bad;
    if (seg->key.protocol == NF_PROTOCOL_TCP) {
        st->totals[NF_TOTAL_SEGMENTS]++;
        if (st->config.tcp) {
            nf_tcp_segment(st, seg);
        }
    } else if (seg->key.protocol == NF_PROTOCOL_UDP) {
        st->totals[NF_TOTAL_DATAGRAMS]++;
        if (st->config.udp) {
            nf_udp_datagram(st, seg);
        }
    } else {
        st->totals[NF_TOTAL_OTHER]++;
    }
}

/* Is there an MD5 signature (RFC 2385) among the `size` bytes of TCP options at p? */
static bool has_md5(const uint8_t *p, size_t size)
{
    size_t at = 0;

    while (at < size && p[at] != OPTION_END) {
        if (p[at] == OPTION_NOP) {
            at++;
        } else if (size - at < 2 || p[at + 1] < 2 || p[at + 1] > size - at) {
            return false;
        } else if (p[at] == OPTION_MD5) {
            return true;
        } else {
            at += p[at + 1];
        }
    }
    return false;
}

static void tcp_fields(const nf_packet *pkt, const uint8_t *data, nf_segment *seg)
{
    size_t header = pkt->tcp_header_length;
    size_t there = pkt->captured_length - pkt->l4_offset;

    header = header < there ? header : there;
    seg->flags = pkt->tcp_flags;
    seg->window = pkt->tcp_window;
    seg->urgent = pkt->tcp_urgent_pointer;
    seg->seq = pkt->tcp_seq;
    seg->ack = pkt->tcp_ack;
    seg->has_tsval = (pkt->present & NF_BIT(TCP_TIMESTAMP)) != 0;
    seg->tsval = pkt->tcp_timestamp;
    seg->scale = pkt->present & NF_BIT(TCP_WINDOW_SCALE) ? (int8_t)(pkt->tcp_window_scale & 0x7f) : -1;
    seg->md5 = header > 20 && has_md5(data + pkt->l4_offset + 20, header - 20);
}

/* A decoded packet that is no fragment. */
static void prepare(const netfeat_streams *st, const nf_packet *pkt, const uint8_t *data, nf_prepared *p)
{
    nf_segment *seg = &p->segment;
    bool tcp = pkt->ip_protocol == NF_PROTOCOL_TCP;

    p->kind = NF_RECORD_OTHER;
    if ((pkt->present & ENDPOINTS) != ENDPOINTS || (tcp && (pkt->present & TCP_FIELDS) != TCP_FIELDS) ||
        (tcp ? !st->config.tcp : !st->config.udp || pkt->ip_protocol != NF_PROTOCOL_UDP)) {
        return;
    }
    p->kind = NF_RECORD_SEGMENT;
    seg->flags = 0;
    nf_segment_key(st, seg, pkt->ip_protocol, pkt->src_ip, pkt->dst_ip, pkt->src_port, pkt->dst_port);
    seg->data = pkt->payload;
    seg->len = pkt->payload_length;
    seg->captured = pkt->payload_captured;
    if (tcp) {
        tcp_fields(pkt, data, seg);
    }
    p->checksum = (uint8_t)(st->config.checksum != NETFEAT_CHECKSUM_OFF ? nf_transport_checksum(pkt, data)
                                                                        : NF_CHECKSUM_GOOD);
}

static void work_on(netfeat_streams *st, nf_prepared *p)
{
    if (p->kind == NF_RECORD_SEGMENT) {
        p->segment.packet = st->packet;
        nf_feed_segment(st, &p->segment, p->checksum);
    } else {
        st->totals[NF_TOTAL_OTHER]++;
    }
}

/* ---- a packet ---- */

void nf_feed_decode(nf_stream_input *in, const nf_record *r)
{
    nf_decode(&in->decode, r->link_type, r->data, r->captured_length, r->wire_length, &in->packet);
}

/* A fragment, decoded now; and what it completes, if anything. */
static void fragment(netfeat_streams *st, const nf_record *r)
{
    nf_stream_input *in = st->input;
    nf_packet *pkt = &in->packet;
    nf_record whole = *r;
    nf_prepared p;

    nf_feed_decode(in, r);
    for (int level = 0; nf_is_fragment(pkt); level++) {
        int code;

        if (in->frags == NULL) {
            st->totals[NF_TOTAL_FRAGMENTS]++;
            st->totals[NF_TOTAL_FRAGMENTS_SKIPPED]++;
            return;
        }
        if (level == NF_FRAG_LEVELS) {
            st->totals[NF_TOTAL_FRAGMENT_NESTED]++;
            return;
        }
        code = nf_frags_add(in->frags, pkt, whole.data, st->now, level, &whole.data, &whole.captured_length);
        if (code < 0) {
            nf_fail(st, code);
        }
        if (code <= 0) {
            return;
        }
        whole.wire_length = whole.captured_length;
        whole.link_type = NF_LINK_RAW;
        nf_feed_decode(in, &whole);
    }
    prepare(st, pkt, whole.data, &p);
    work_on(st, &p);
}

/* What can be known of a record before its turn comes. */
static void look_at(netfeat_streams *st, const nf_record *r, nf_prepared *p)
{
    nf_stream_input *in = st->input;

    nf_feed_decode(in, r);
    if (nf_is_fragment(&in->packet)) {
        p->kind = NF_RECORD_FRAGMENT;
    } else {
        prepare(st, &in->packet, r->data, p);
    }
}

static void record(netfeat_streams *st, const nf_record *r, nf_prepared *p)
{
    st->totals[NF_TOTAL_PACKETS]++;
    nf_feed_clock(st, r->number, !(r->flags & NF_RECORD_NO_TIME), r->time_ns);
    if (p->kind == NF_RECORD_FRAGMENT) {
        fragment(st, r);
    } else {
        work_on(st, p);
    }
}

static nf_segment *segment_at(nf_stream_input *in, int i)
{
    return i >= 0 && i < in->n_records && in->prepared[i].kind == NF_RECORD_SEGMENT ? &in->prepared[i].segment
                                                                                    : NULL;
}

/* Look at all records of a batch before the first is worked on: the memory that their streams lie in comes while the
   others are looked at, and worked on. */
static void look_ahead(netfeat_streams *st)
{
    nf_stream_input *in = st->input;

    for (int i = 0; i < in->n_records + RECORD_LATER; i++) {
        nf_segment *earlier = segment_at(in, i - RECORD_LATER);

        if (i < in->n_records) {
            look_at(st, &in->records[i], &in->prepared[i]);
            if (in->prepared[i].kind == NF_RECORD_SEGMENT) {
                nf_prefetch_slot(st, &in->prepared[i].segment);
            }
        }
        if (earlier != NULL) {
            nf_prefetch_record(st, earlier);
        }
    }
    for (int i = 0; i < CONN_BEFORE; i++) {
        nf_segment *seg = segment_at(in, i);

        if (seg != NULL) {
            nf_prefetch_conn(seg);
        }
    }
}

static void next_record(netfeat_streams *st)
{
    nf_stream_input *in = st->input;
    int i = in->at_record++;
    const nf_segment *later = segment_at(in, i + CONN_BEFORE);

    if (later != NULL) {
        nf_prefetch_conn(later);
    }
    record(st, &in->records[i], &in->prepared[i]);
}

/* A source that failed gives the same error for ever: it is used up, and what it gave counts. */
static int source_failed(netfeat_streams *st, int code)
{
    netfeat_source *src = st->input->source;
    netfeat_ctx *other = nf_source_ctx(src);

    if (other != st->ctx) {
        nf_error_at(st->ctx, code, netfeat_ctx_error_packet(other), netfeat_ctx_error_offset(other), "%s",
                    netfeat_ctx_error_message(other));
    }
    if (code != NETFEAT_ERR_CANCELLED) {
        st->input->source = netfeat_source_unref(src);
    }
    return code;
}

static int source_step(netfeat_streams *st)
{
    nf_stream_input *in = st->input;
    int n;

    if (in->at_record < in->n_records) {
        next_record(st);
        return 1;
    }
    in->n_records = in->at_record = 0;
    n = nf_source_next(in->source, in->records, NF_BATCH);
    if (n < 0) {
        return source_failed(st, n);
    }
    if (n == 0) {
        if (netfeat_source_ended(in->source)) {
            in->source = netfeat_source_unref(in->source);
        }
        return 0;
    }
    in->n_records = n;
    look_ahead(st);
    next_record(st);
    return 1;
}

int nf_feed_step(netfeat_streams *st)
{
    nf_stream_input *in = st->input;

    if (in->pushed) {
        in->pushed = false;
        look_at(st, &in->records[0], &in->prepared[0]);
        record(st, &in->records[0], &in->prepared[0]);
        return 1;
    }
    if (in->table.table != NULL) {
        return nf_table_input_step(st, &in->table);
    }
    return in->source != NULL ? source_step(st) : 0;
}
