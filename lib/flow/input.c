#include "flow/input.h"

#include <assert.h>
#include <string.h>

#include "flow/profile.h"

#define FILE_SHIFT 40 /* position = file index << 40 | packet number */

static const struct {
    const char *name;
    int type;
} inputs[NF_INPUTS] = {
#define INPUT(suffix, name, type) {name, NETFEAT_TYPE_##type},
#include "flow/inputs.def"
#undef INPUT
};

int nf_flow_input_column(netfeat_ctx *ctx, const netfeat_table *packets, int input,
                         const netfeat_column **ret)
{
    int index = netfeat_table_find(packets, inputs[input].name);
    const netfeat_column *col;

    if (index < 0) {
        return nf_error(ctx, NETFEAT_ERR_NOTFOUND, "flows need the packet column %s", inputs[input].name);
    }
    col = packets->cols[index];
    if (col->type != inputs[input].type) {
        return nf_error(ctx, NETFEAT_ERR_TYPE, "packet column %s is of type %s, not %s", inputs[input].name,
                        netfeat_type_name(col->type), netfeat_type_name(inputs[input].type));
    }
    *ret = col;
    return NETFEAT_OK;
}

int nf_flow_length_column(netfeat_ctx *ctx, const netfeat_table *packets, const char *name,
                          const netfeat_column **ret)
{
    int index = netfeat_table_find(packets, name);
    int type;

    if (index < 0) {
        return nf_error(ctx, NETFEAT_ERR_NOTFOUND, "no packet column %s (flow.length_column)", name);
    }
    type = packets->cols[index]->type;
    if (type < NETFEAT_TYPE_U8 || type > NETFEAT_TYPE_I64) {
        return nf_error(ctx, NETFEAT_ERR_TYPE,
                        "packet column %s (flow.length_column) is of type %s, no integer", name,
                        netfeat_type_name(type));
    }
    *ret = packets->cols[index];
    return NETFEAT_OK;
}

int nf_flow_input_open(netfeat_ctx *ctx, const nf_flow_config *config, const netfeat_table *packets,
                       nf_flow_input *ret)
{
    nf_flow_input in = {.rows = packets->rows};
    int code = NETFEAT_OK;

    for (int i = 0; code == 0 && i < NF_INPUTS; i++) {
        bool needed = (config->inputs >> i & 1) != 0;
        bool used = needed || (config->optional >> i & 1) != 0;
        if (needed || (used && netfeat_table_find(packets, inputs[i].name) >= 0)) {
            code = nf_flow_input_column(ctx, packets, i, &in.col[i]);
        }
    }
    if (code == 0 && config->length_column != NULL) {
        code = nf_flow_length_column(ctx, packets, config->length_column, &in.length);
    }
    if (code == 0) {
        *ret = in;
    }
    return code;
}

/* Whether a packet table is asked for the column; optional ones only if packets have such a field. */
static bool is_input(const nf_flow_config *config, int input)
{
    bool optional = (config->optional >> input & 1) != 0 && netfeat_field_by_name(inputs[input].name) >= 0;
    return (config->inputs >> input & 1) != 0 || optional;
}

const char *netfeat_flows_input_name(const netfeat_flows *fl, int index)
{
    bool listed = false;

    if (fl == NULL || index < 0) {
        return NULL;
    }
    for (int i = 0; i < NF_INPUTS; i++) {
        if (is_input(&fl->config, i)) {
            listed = listed || strcmp(inputs[i].name, fl->config.length_column) == 0;
            if (index-- == 0) {
                return inputs[i].name;
            }
        }
    }
    return index == 0 && !listed ? fl->config.length_column : NULL;
}

/* ---- columns into packets ---- */

static uint64_t all_rows(int n)
{
    return n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
}

/* Bit i: row first + i has a value; all of them 0 without a column. first is a multiple of 64, n at most 64. */
static uint64_t presence(const netfeat_column *col, int64_t first, int n)
{
    uint64_t bits = 0;

    assert(first % 64 == 0 && n <= 64);
    if (col == NULL || col->validity == NULL) {
        return col != NULL ? all_rows(n) : 0;
    }
    for (int i = 0; i < (n + 7) / 8; i++) {
        bits |= (uint64_t)col->validity[first / 8 + i] << (8 * i);
    }
    return bits & all_rows(n);
}

static bool is_set(uint64_t bits, int i)
{
    return (bits >> i & 1) != 0;
}

/* member = value of the column, for every packet; NULL rows are made 0 whatever they hold. */
#define COPY(suffix, type, member)                                                                           \
    do {                                                                                                     \
        const netfeat_column *col = in->col[NF_IN_##suffix];                                                 \
        const type *values = col != NULL ? (const type *)(const void *)col->data + first : NULL;             \
        uint64_t there = col != NULL && col->validity != NULL ? presence(col, first, n) : 0;                 \
        for (int i = 0; col != NULL && col->validity == NULL && i < n; i++) {                                \
            p[i].member = values[i];                                                                         \
        }                                                                                                    \
        for (int i = 0; col != NULL && col->validity != NULL && i < n; i++) {                                \
            p[i].member = is_set(there, i) ? values[i] : 0;                                                  \
        }                                                                                                    \
    } while (0)

/* Which rows of a batch have what. */
typedef struct {
    uint64_t key, ports, time, tcp, ttl;
} presences;

/* Key (16 bytes of address a row; a packet without addresses belongs to no flow), and what of a packet is there. `whole`
   is a constant in each copy of this loop: everybody has key, ports and time. */
static inline __attribute__((always_inline)) void copy_keys(const nf_flow_input *in, int64_t first, int n,
                                                            const presences *there, const bool whole,
                                                            nf_flow_packet *p)
{
    const uint8_t *src = in->col[NF_IN_SRC_IP]->data + 16 * first;
    const uint8_t *dst = in->col[NF_IN_DST_IP]->data + 16 * first;
    const uint16_t *from = (const uint16_t *)(const void *)in->col[NF_IN_SRC_PORT]->data + first;
    const uint16_t *to = (const uint16_t *)(const void *)in->col[NF_IN_DST_PORT]->data + first;
    const uint8_t *protocols = in->col[NF_IN_IP_PROTOCOL]->data + first;

    for (int i = 0; i < n; i++) {
        bool ports = whole || is_set(there->ports, i);
        uint64_t word = ports ? nf_key_word(from[i], to[i], protocols[i], NF_KEY_PORTS)
                              : nf_key_word(0, 0, protocols[i], 0);
        memcpy(p[i].key.ip[0], src + 16 * i, 16);
        memcpy(p[i].key.ip[1], dst + 16 * i, 16);
        memcpy((uint8_t *)&p[i].key + offsetof(nf_flow_key, port), &word, sizeof word);
        p[i].left_out = !whole && !is_set(there->key, i);
        p[i].timed = whole || is_set(there->time, i);
        p[i].tcp = protocols[i] == NF_PROTOCOL_TCP && is_set(there->tcp, i);
        p[i].has_ttl = is_set(there->ttl, i);
    }
}

static void read_keys(const nf_flow_input *in, int64_t first, int n, nf_flow_packet *p)
{
    presences there = {
        .key = presence(in->col[NF_IN_SRC_IP], first, n) & presence(in->col[NF_IN_DST_IP], first, n) &
               presence(in->col[NF_IN_IP_PROTOCOL], first, n),
        .ports = presence(in->col[NF_IN_SRC_PORT], first, n) & presence(in->col[NF_IN_DST_PORT], first, n),
        .time = presence(in->col[NF_IN_TIMESTAMP], first, n),
        .tcp = presence(in->col[NF_IN_TCP_FLAGS], first, n),
        .ttl = presence(in->col[NF_IN_IP_TTL], first, n),
    };

    if ((there.key & there.ports & there.time) == all_rows(n)) {
        copy_keys(in, first, n, &there, true, p);
    } else {
        copy_keys(in, first, n, &there, false, p);
    }
}

/* Types and codes, of those who have them. That nobody has is written when it changes. */
static void read_icmp(netfeat_flows *fl, const nf_flow_input *in, int64_t first, int n, nf_flow_packet *p)
{
    const uint8_t *protocols = in->col[NF_IN_IP_PROTOCOL]->data + first;
    uint64_t types = presence(in->col[NF_IN_ICMP_TYPE], first, n);
    unsigned any = 0;

    for (int i = 0; i < n; i++) {
        any |= (unsigned)(protocols[i] == NF_PROTOCOL_ICMP) | (unsigned)(protocols[i] == NF_PROTOCOL_ICMPV6);
    }
    any = types != 0 ? any : 0;
    for (int i = 0; (any != 0 || fl->icmp) && i < NF_FLOW_BATCH; i++) {
        uint8_t protocol = p[i].key.protocol;
        p[i].icmp = (protocol == NF_PROTOCOL_ICMP || protocol == NF_PROTOCOL_ICMPV6) && is_set(types, i);
    }
    if (any != 0) {
        COPY(ICMP_TYPE, uint8_t, icmp_type);
        COPY(ICMP_CODE, uint8_t, icmp_code);
        COPY(ICMP_ID, uint16_t, icmp_id);
    }
    fl->icmp = any != 0;
}

/* Whether one of these rows may be of a datagram in pieces; what NULL rows hold may say so, too. */
static bool any_pieces(const nf_flow_input *in, int64_t first, int n)
{
    const netfeat_column *flags = in->col[NF_IN_IP_FLAGS];
    const netfeat_column *offsets = in->col[NF_IN_FRAGMENT_OFFSET];
    const uint32_t *offset = offsets != NULL ? (const uint32_t *)(const void *)offsets->data + first : NULL;
    uint32_t any = 0;

    for (int i = 0; flags != NULL && i < n; i++) {
        any |= flags->data[first + i] & NETFEAT_IP_MORE_FRAGMENTS;
    }
    for (int i = 0; offset != NULL && i < n; i++) {
        any |= offset[i];
    }
    return any != 0;
}

/* As with ICMP: most often there are none, and nothing is to be written. */
static void read_fragments(netfeat_flows *fl, const nf_flow_input *in, int64_t first, int n,
                           nf_flow_packet *p)
{
    bool any = any_pieces(in, first, n);

    if (any || fl->pieces) {
        for (int i = 0; i < NF_FLOW_BATCH; i++) {
            p[i].ip_flags = 0;
            p[i].fragment_offset = 0;
        }
        COPY(IP_FLAGS, uint8_t, ip_flags);
        COPY(FRAGMENT_OFFSET, uint32_t, fragment_offset);
        COPY(IP_ID, uint32_t, ip_id);
        for (int i = 0; i < NF_FLOW_BATCH; i++) {
            p[i].fragment = p[i].fragment_offset > 0;
        }
    }
    fl->pieces = any;
}

static void read_payload(const nf_flow_input *in, int64_t first, int n, nf_flow_packet *p)
{
    const netfeat_column *col = in->col[NF_IN_PAYLOAD];

    for (int i = 0; col != NULL && i < n; i++) {
        int64_t begin = col->offsets[first + i];
        int64_t size = col->offsets[first + i + 1] - begin;
        p[i].payload = col->data + begin;
        p[i].payload_captured = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
    }
}

static void read_macs(const nf_flow_input *in, int64_t first, int n, nf_flow_packet *p)
{
    for (int end = 0; end < 2; end++) {
        const netfeat_column *col = in->col[end == 0 ? NF_IN_SRC_MAC : NF_IN_DST_MAC];
        for (int i = 0; col != NULL && i < n; i++) {
            p[i].mac[end] = nf_column_present(col, first + i) ? col->data + 6 * (first + i) : NULL;
        }
    }
}

/* The parts of a key that are there by option. */
static void read_extra(const nf_flow_input *in, int64_t first, int n, nf_flow_packet *p)
{
    const struct {
        int input;
        uint8_t bit;
    } parts[] = {{NF_IN_VLAN_ID, NF_KEY_HAS_VLAN},
                 {NF_IN_TUNNEL_TYPE, NF_KEY_HAS_TUNNEL},
                 {NF_IN_TUNNEL_ID, NF_KEY_HAS_TUNNEL_ID},
                 {NF_IN_INTERFACE_ID, NF_KEY_HAS_LINK}};

    COPY(VLAN_ID, uint16_t, key.vlan_id);
    COPY(TUNNEL_TYPE, uint8_t, key.tunnel_type);
    COPY(TUNNEL_ID, uint64_t, key.tunnel_id);
    COPY(INTERFACE_ID, uint32_t, key.interface_id);
    for (int i = 0; i < n; i++) {
        p[i].key.extra = 0;
    }
    for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
        uint64_t there = presence(in->col[parts[k].input], first, n);
        for (int i = 0; i < n; i++) {
            p[i].key.extra |= is_set(there, i) ? parts[k].bit : 0;
        }
    }
}

#define LENGTHS(ctype)                                                                                       \
    do {                                                                                                     \
        const ctype *values = (const ctype *)(const void *)col->data + first;                                \
        for (int i = 0; i < n; i++) {                                                                        \
            ret[i] = (uint64_t)values[i];                                                                    \
        }                                                                                                    \
    } while (0)

int64_t nf_flow_lengths(const netfeat_column *col, int64_t first, int n, uint64_t *ret)
{
    uint64_t there = presence(col, first, n);
    uint64_t any = 0;

    switch (col->type) {
    case NETFEAT_TYPE_U8:
        LENGTHS(uint8_t);
        break;
    case NETFEAT_TYPE_U16:
        LENGTHS(uint16_t);
        break;
    case NETFEAT_TYPE_U32:
        LENGTHS(uint32_t);
        break;
    default:
        LENGTHS(uint64_t);
        break;
    }
    for (int i = 0; col->validity != NULL && i < n; i++) {
        ret[i] = is_set(there, i) ? ret[i] : 0;
    }
    for (int i = 0; i < n; i++) {
        any |= ret[i];
    }
    for (int i = 0; any > INT64_MAX && i < n; i++) {
        if (ret[i] > INT64_MAX) {
            return first + i;
        }
    }
    return -1;
}

int nf_flow_length_error(netfeat_ctx *ctx, int64_t row)
{
    return nf_error(ctx, NETFEAT_ERR_RANGE, "row %lld has a length that is negative or over 2^63",
                    (long long)row);
}

/* Where each packet stands in the input: the numbers of the table, else those of the rows. They must rise. */
static int read_positions(const netfeat_flows *fl, const nf_flow_input *in, int64_t first, int n,
                          nf_flow_packet *p)
{
    const netfeat_column *number = in->col[NF_IN_PACKET_NUMBER];
    const netfeat_column *file = in->col[NF_IN_FILE_INDEX];
    const uint64_t *numbers = number != NULL ? (const uint64_t *)(const void *)number->data + first : NULL;
    const uint32_t *files = file != NULL ? (const uint32_t *)(const void *)file->data + first : NULL;
    uint64_t last = fl->position;

    for (int i = 0; i < n; i++) {
        uint64_t position = numbers != NULL ? numbers[i] : last + 1;
        if (numbers != NULL && files != NULL) {
            if (position >> FILE_SHIFT != 0 || files[i] >> (64 - FILE_SHIFT) != 0) {
                return nf_error(fl->ctx, NETFEAT_ERR_RANGE, "packet number %llu of file %lu is too large",
                                (unsigned long long)position, (unsigned long)files[i]);
            }
            position |= (uint64_t)files[i] << FILE_SHIFT;
        }
        if (position <= last) {
            return nf_error(fl->ctx, NETFEAT_ERR_RANGE,
                            "packet %llu comes after packet %llu: number several inputs by source.file_index",
                            (unsigned long long)position, (unsigned long long)last);
        }
        p[i].position = last = position;
    }
    return NETFEAT_OK;
}

/* Times by the profile's clock: cut to its unit, and in order if it forces them to be. */
static void read_times(netfeat_flows *fl, const nf_flow_input *in, int64_t first, int n, nf_flow_packet *p)
{
    const nf_flow_profile *profile = fl->config.profile;
    int64_t unit = profile->clock_unit;

    COPY(TIMESTAMP, int64_t, time);
    for (int i = 0; unit > 1 && i < n; i++) {
        int64_t part = p[i].time % unit;
        part += part < 0 ? unit : 0;
        p[i].time = p[i].time < INT64_MIN + part ? INT64_MIN : p[i].time - part;
    }
}

int nf_flow_input_read(netfeat_flows *fl, const nf_flow_input *in, int64_t first, int n, nf_flow_packet *p)
{
    uint64_t lengths[NF_FLOW_BATCH];
    int code = read_positions(fl, in, first, n, p);

    if (code == 0 && in->length != NULL) {
        int64_t wrong = nf_flow_lengths(in->length, first, n, lengths);
        code = wrong >= 0 ? nf_flow_length_error(fl->ctx, wrong) : NETFEAT_OK;
        for (int i = 0; code == 0 && i < n; i++) {
            p[i].length = lengths[i];
        }
    }
    if (code != 0) {
        return code;
    }
    read_keys(in, first, n, p);
    read_icmp(fl, in, first, n, p);
    read_fragments(fl, in, first, n, p);
    read_times(fl, in, first, n, p);
    COPY(FRAME_LENGTH, uint32_t, frame_length);
    COPY(IP_LENGTH, uint32_t, ip_length);
    COPY(L4_LENGTH, uint32_t, l4_length);
    COPY(PAYLOAD_LENGTH, uint32_t, payload_length);
    COPY(TCP_FLAGS, uint16_t, tcp_flags);
    COPY(TCP_SEQ, uint32_t, seq);
    COPY(TCP_ACK, uint32_t, ack);
    COPY(TCP_WINDOW, uint16_t, window);
    COPY(TCP_HEADER_LENGTH, uint8_t, tcp_header_length);
    COPY(IP_TTL, uint8_t, ttl);
    COPY(QUALITY, uint32_t, quality);
    read_macs(in, first, n, p);
    read_payload(in, first, n, p);
    if (fl->config.key_bytes > NF_KEY_BYTES_SHORT) {
        read_extra(in, first, n, p);
    }
    return NETFEAT_OK;
}
