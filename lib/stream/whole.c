/* Whole datagrams for the packet table. */
#include "stream/feed.h"
#include "table/table.h"

#define CALL "streams_append_whole"

/* The record, or the datagram that it completes in its place: 1; 0: it is a fragment that waits for others. */
static int make_whole(netfeat_streams *st, nf_record *r)
{
    nf_stream_input *in = st->input;
    nf_packet *pkt = &in->packet;

    st->totals[NF_TOTAL_PACKETS]++;
    nf_feed_clock(st, r->number, !(r->flags & NF_RECORD_NO_TIME), r->time_ns);
    if (in->frags == NULL) {
        return 1;
    }
    nf_feed_decode(in, r);
    for (int level = 0; level < NF_FRAG_LEVELS && nf_is_fragment(pkt); level++) {
        const uint8_t *data;
        uint32_t size;
        int code = nf_frags_add(in->frags, pkt, r->data, st->now, level, &data, &size);

        if (code <= 0) {
            return code;
        }
        r->data = data;
        r->captured_length = r->wire_length = size;
        r->link_type = NF_LINK_RAW;
        nf_feed_decode(in, r);
    }
    st->totals[NF_TOTAL_FRAGMENT_NESTED] += nf_is_fragment(pkt);
    return 1;
}

static int check(netfeat_streams *st, const netfeat_source *src, const netfeat_table *tab)
{
    if (src == NULL || tab == NULL) {
        return nf_error(st->ctx, NETFEAT_ERR_ARGUMENT, CALL ": the %s is NULL",
                        src == NULL ? "source" : "table");
    }
    if (st->busy || st->ending || st->n_events > 0 || nf_feed_pending(st)) {
        return nf_error(st->ctx, NETFEAT_ERR_STATE, CALL ": the handle has other input");
    }
    return NETFEAT_OK;
}

int64_t netfeat_streams_append_whole(netfeat_streams *st, netfeat_source *src, int64_t max_packets,
                                     netfeat_table *tab)
{
    int64_t done = 0;
    int code;

    if (st == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    code = check(st, src, tab);
    while (code == 0 && (max_packets < 0 || done < max_packets)) {
        nf_record r;
        int n = nf_source_next(src, &r, 1);

        if (n <= 0) {
            return n < 0 ? n : done;
        }
        done++;
        code = make_whole(st, &r);
        if (code > 0) {
            code = nf_table_append_record(tab, &r, CALL);
        }
    }
    return code != 0 ? code : done;
}
