/* UDP conversations: every datagram is an event of its stream. */
#include "stream/streams.h"

void nf_udp_datagram(netfeat_streams *st, const nf_segment *seg)
{
    int side = 0;
    nf_stream *flow = nf_stream_find(st, seg, &side);
    nf_event *ev;

    if (nf_reserve_packet(st, flow, seg->captured) != 0) {
        nf_fail(st, nf_ctx_code(st->ctx));
        return;
    }
    if (flow != NULL) {
        nf_timers_stream(st, flow);
        flow = flow->alive ? flow : NULL;
    }
    nf_timers_run(st);
    flow = flow != NULL && flow->alive ? flow : NULL;
    if (st->n_events > 0 && nf_reserve_packet(st, flow, seg->captured) != 0) {
        nf_fail(st, nf_ctx_code(st->ctx));
        return;
    }
    if (seg->bad_checksum) {
        st->totals[NF_TOTAL_BAD_CSUM]++;
        return;
    }
    if (flow == NULL) {
        side = 0;
        flow = nf_stream_add(st, seg, NF_CLASS_UDP);
        if (flow == NULL) {
            return;
        }
    }
    flow->last = st->now;
    if (!flow->skip) {
        ev = nf_event_add(st, flow, NETFEAT_STREAM_DATAGRAM, side, (int64_t)flow->udp_bytes[side]);
        ev->data = seg->data;
        ev->size = seg->len;
        ev->captured = seg->captured;
    }
    flow->udp_bytes[side] += seg->len;
    flow->udp_segs[side] += flow->udp_segs[side] < UINT32_MAX;
    nf_stream_touch(st, flow, NF_CLASS_UDP);
}
