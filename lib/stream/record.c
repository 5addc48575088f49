/* A connection in a word (Zeek's names) and in a few letters. */
#include <string.h>

#include <netfeat/field.h>

#include "stream/streams.h"

static const char *established(const nf_conn *conn, int initiator)
{
    bool fin_i = nf_has(&conn->dirs[initiator], NF_DIR_FIN_SEEN);
    bool fin_r = nf_has(&conn->dirs[!initiator], NF_DIR_FIN_SEEN);

    if (conn->reset_by[initiator]) {
        return "RSTO";
    }
    if (conn->reset_by[!initiator]) {
        return "RSTR";
    }
    return fin_i && fin_r ? "SF" : fin_i ? "S2" : fin_r ? "S3" : "S1";
}

const char *nf_conn_state(const nf_stream *flow)
{
    const nf_conn *conn = nf_conn_of(flow);
    int initiator = flow->initiator > 0;
    bool syn, syn_ack;

    if (flow->key.protocol != NF_PROTOCOL_TCP) {
        return "";
    }
    if (conn == NULL) {
        return "S0";
    }
    syn = nf_has(&conn->dirs[initiator], NF_DIR_PURE_SYN);
    syn_ack =
        nf_has(&conn->dirs[!initiator], NF_DIR_SYN_ACK) || nf_has(&conn->dirs[initiator], NF_DIR_SYN_ACK);
    if (!syn && !syn_ack) {
        return "OTH";
    }
    if (syn && (syn_ack || conn->est)) {
        return established(conn, initiator);
    }
    if (!syn) {
        return conn->reset_by[!initiator]                         ? "RSTRH"
               : nf_has(&conn->dirs[!initiator], NF_DIR_FIN_SEEN) ? "SHR"
                                                                  : "OTH";
    }
    return conn->reset_by[initiator]                         ? "RSTOS0"
           : conn->reset_by[!initiator]                      ? "REJ"
           : nf_has(&conn->dirs[initiator], NF_DIR_FIN_SEEN) ? "SH"
                                                             : "S0";
}

static void add_letter(nf_stream *flow, int side, char letter)
{
    nf_conn *conn = flow->conn;
    bool of_initiator = flow->initiator < 0 ? side == 0 : side == flow->initiator;

    if (conn->history_n < NF_HISTORY - 1) {
        conn->history[conn->history_n++] = (char)(of_initiator ? letter - 'a' + 'A' : letter);
    }
}

/* Letters that come once per side. */
static void once(nf_stream *flow, int side, char letter)
{
    static const char letters[] = "adiq"; /* NF_ONCE_ACK, NF_ONCE_DATA, ... */
    uint16_t bit = (uint16_t)(1U << (strchr(letters, letter) - letters));

    if (!(flow->conn->history_once[side] & bit)) {
        flow->conn->history_once[side] |= bit;
        add_letter(flow, side, letter);
    }
}

/* Letters that come again when the sequence number is another. */
static void numbered(nf_stream *flow, int side, char letter, uint32_t seq)
{
    static const char letters[] = "shfr";
    int i = (int)(strchr(letters, letter) - letters);
    uint16_t bit = (uint16_t)(0x100U << i);
    nf_conn *conn = flow->conn;

    if (!(conn->history_once[side] & bit) || conn->history_seq[side][i] != seq) {
        conn->history_once[side] |= bit;
        conn->history_seq[side][i] = seq;
        add_letter(flow, side, letter);
    }
}

void nf_history_segment(nf_stream *flow, int side, const nf_segment *seg)
{
    uint16_t flags = seg->flags & (NETFEAT_TCP_SYN | NETFEAT_TCP_ACK | NETFEAT_TCP_FIN | NETFEAT_TCP_RST);

    switch (flags & (NETFEAT_TCP_SYN | NETFEAT_TCP_FIN | NETFEAT_TCP_RST)) {
    case NETFEAT_TCP_SYN:
        numbered(flow, side, flags & NETFEAT_TCP_ACK ? 'h' : 's', seg->seq);
        break;
    case NETFEAT_TCP_FIN:
        numbered(flow, side, 'f', seg->seq + seg->len);
        break;
    case NETFEAT_TCP_RST:
        numbered(flow, side, 'r', seg->seq);
        break;
    case NETFEAT_TCP_FIN | NETFEAT_TCP_RST:
        once(flow, side, 'i');
        break;
    default:
        if (flags & (NETFEAT_TCP_SYN | NETFEAT_TCP_FIN | NETFEAT_TCP_RST)) {
            once(flow, side, 'q');
        } else if ((flags & NETFEAT_TCP_ACK) && seg->len == 0) {
            once(flow, side, 'a');
        }
    }
    if (seg->len > 0 && !(flags & NETFEAT_TCP_RST)) {
        once(flow, side, 'd');
    }
}

void nf_history_count(nf_stream *flow, int side, char letter, uint64_t n)
{
    while (n >= 10 && n % 10 == 0) {
        n /= 10;
    }
    if (n == 1) {
        add_letter(flow, side, letter);
    }
}
