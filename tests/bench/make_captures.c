/* Makes captures for the benchmarks; the same bytes for the same arguments.
   usage: make_captures KIND MIB OUTPUT      KIND: mix | talk | scan, with the suffix -ng for pcapng
   mix:  an internet mix of about 700 bytes a packet over 100,000 flows, TCP and UDP, IPv4 and some IPv6
   talk: the same, with a handshake in front of each TCP flow
   scan: as a Mirai-like bot sends: SYNs of 64 to 100 bytes, nearly each with a 5-tuple of its own */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLOWS      100000
#define FRAME_MAX  1514
#define NOISE_SIZE (1 << 16)

typedef struct {
    uint8_t header[74]; /* Ethernet, IP, TCP or UDP */
    uint32_t seq;
    uint8_t header_length, is_tcp, is_ip6, is_open;
} flow;

typedef struct {
    FILE *out;
    int is_ng, is_talk;
    uint64_t state;
    uint64_t time_ns;
    uint64_t written;
    uint8_t noise[NOISE_SIZE];
    flow *flows;
} maker;

static uint64_t next_random(maker *m)
{
    uint64_t z = (m->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static void put32(uint8_t *p, uint32_t value)
{
    put16(p, value >> 16);
    put16(p + 2, value & 0xffff);
}

static void write_all(maker *m, const void *data, size_t size)
{
    if (fwrite(data, 1, size, m->out) != size) {
        perror("make_captures");
        exit(1);
    }
    m->written += size;
}

static void write_file_header(maker *m)
{
    static const uint32_t pcap[] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, 1};
    static const uint32_t section[] = {0x0a0d0d0a, 28, 0x1a2b3c4d, 1, UINT32_MAX, UINT32_MAX, 28};
    static const uint32_t interface[] = {1, 32, 1, 262144, 9 | 1 << 16, 9, 0, 32};

    if (m->is_ng) {
        write_all(m, section, sizeof section);
        write_all(m, interface, sizeof interface);
    } else {
        write_all(m, pcap, sizeof pcap);
    }
}

static void write_packet(maker *m, const uint8_t *frame, uint32_t length)
{
    static const uint8_t padding[3];
    uint32_t total = 32 + ((length + 3) & ~3U);

    if (m->is_ng) {
        uint32_t head[] = {6, total, 0, (uint32_t)(m->time_ns >> 32), (uint32_t)m->time_ns, length, length};
        write_all(m, head, sizeof head);
        write_all(m, frame, length);
        write_all(m, padding, (0 - length) & 3);
        write_all(m, &total, sizeof total);
    } else {
        uint32_t head[] = {(uint32_t)(m->time_ns / 1000000000), (uint32_t)(m->time_ns / 1000 % 1000000),
                           length, length};
        write_all(m, head, sizeof head);
        write_all(m, frame, length);
    }
}

/* Ethernet and IPv4 header of a frame; lengths are filled in for each packet. */
static void put_ipv4(uint8_t *p, uint32_t src, uint32_t dst, unsigned protocol, unsigned ttl)
{
    static const uint8_t start[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 0, 0, 1, 0x40, 0};

    memcpy(p, start, sizeof start);
    p[22] = (uint8_t)ttl;
    p[23] = (uint8_t)protocol;
    put16(p + 24, 0);
    put32(p + 26, src);
    put32(p + 30, dst);
}

static void put_transport(uint8_t *p, int is_tcp, unsigned src_port, unsigned dst_port)
{
    put16(p, src_port);
    put16(p + 2, dst_port);
    if (is_tcp) {
        put32(p + 8, 1);
        p[12] = 5 << 4;
        p[13] = 0x10;
        put16(p + 14, 501);
    }
}

static void make_flow(maker *m, flow *f)
{
    static const unsigned ports[] = {443, 443, 443, 80, 53, 8080, 993, 22, 123, 3478};
    uint64_t r = next_random(m);
    uint8_t *l4 = f->header + 34;

    memset(f, 0, sizeof *f);
    f->is_tcp = r % 100 < 80;
    f->is_ip6 = r / 100 % 100 < 12;
    f->seq = (uint32_t)(r >> 32);
    put_ipv4(f->header, 0x0a000000 | (next_random(m) & 0xffff), (uint32_t)next_random(m) | 0x40000000,
             f->is_tcp ? 6 : 17, 64);
    if (f->is_ip6) {
        put16(f->header + 12, 0x86dd);
        put32(f->header + 14, 0x60000000);
        f->header[20] = f->is_tcp ? 6 : 17;
        f->header[21] = 64;
        put32(f->header + 22, 0x20010db8);
        for (int i = 26; i < 54; i += 4) {
            put32(f->header + i, i == 38 ? 0x20010db8 : (uint32_t)next_random(m));
        }
        l4 = f->header + 54;
    }
    put_transport(l4, f->is_tcp, 1024 + next_random(m) % 60000, ports[next_random(m) % 10]);
    f->header_length = (uint8_t)(l4 - f->header + (f->is_tcp ? 20 : 8));
}

/* About 700 bytes on average: acknowledgements, full segments, and what lies between. */
static uint32_t mix_length(maker *m, unsigned least)
{
    uint64_t r = next_random(m);
    uint32_t length = r % 100 < 42   ? least + (uint32_t)(r >> 32) % 20
                      : r % 100 < 58 ? 100 + (uint32_t)(r >> 32) % 900
                                     : 1300 + (uint32_t)(r >> 32) % 215;
    return length < least ? least : length;
}

static void swap_bytes(uint8_t *a, uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t t = a[i];
        a[i] = b[i];
        b[i] = t;
    }
}

/* SYN, SYN|ACK, ACK. */
static void handshake(maker *m, flow *f)
{
    unsigned address = f->is_ip6 ? 22 : 26, size = f->is_ip6 ? 16 : 4, l4 = f->is_ip6 ? 54 : 34;

    for (int i = 0; i < 3; i++) {
        uint8_t frame[74];

        memcpy(frame, f->header, f->header_length);
        put16(frame + (f->is_ip6 ? 18 : 16), f->is_ip6 ? 20 : 40);
        put32(frame + l4 + 4, i == 1 ? 0 : f->seq - (i == 0));
        put32(frame + l4 + 8, i == 0 ? 0 : i == 1 ? f->seq : 1);
        frame[l4 + 13] = i == 0 ? 2 : i == 1 ? 0x12 : 0x10;
        put16(frame + l4 + 14, 65535);
        if (i == 1) {
            swap_bytes(frame + address, frame + address + size, size);
            swap_bytes(frame + l4, frame + l4 + 2, 2);
        }
        m->time_ns += next_random(m) % 4000;
        write_packet(m, frame, f->header_length);
    }
    f->is_open = 1;
}

static void mix_packet(maker *m)
{
    uint8_t frame[FRAME_MAX + 1];
    flow *f = &m->flows[next_random(m) % FLOWS];
    uint32_t length = mix_length(m, f->header_length);
    uint8_t *l4 = frame + (f->is_ip6 ? 54 : 34);
    uint32_t payload = length - f->header_length;

    if (m->is_talk && f->is_tcp && !f->is_open) {
        handshake(m, f);
    }
    memcpy(frame, f->header, f->header_length);
    memcpy(frame + f->header_length, m->noise + next_random(m) % (NOISE_SIZE - FRAME_MAX), payload);
    put16(frame + (f->is_ip6 ? 18 : 16), length - (f->is_ip6 ? 54 : 14));
    if (f->is_tcp) {
        put32(l4 + 4, f->seq);
        f->seq += payload;
    } else {
        put16(l4 + 4, length - (uint32_t)(l4 - frame));
    }
    m->time_ns += next_random(m) % 4000;
    write_packet(m, frame, length);
}

static void scan_packet(maker *m)
{
    uint8_t frame[100] = {0};
    uint64_t r = next_random(m);
    uint32_t target = (uint32_t)next_random(m);
    uint32_t length = 64 + (uint32_t)(r % 37);

    put_ipv4(frame, 0x0a000000 | (uint32_t)(r >> 8 & 0x3ff), target, 6, 64);
    put16(frame + 16, length - 14);
    put_transport(frame + 34, 1, 1024 + (uint32_t)(r >> 20) % 64000, (r >> 40) % 10 == 0 ? 2323 : 23);
    put32(frame + 38, target);
    put32(frame + 42, 0);
    frame[47] = 2;
    m->time_ns += r >> 44 & 0x7ff;
    write_packet(m, frame, length);
}

int main(int argc, char **argv)
{
    maker *m = calloc(1, sizeof *m);
    uint64_t bytes;
    int is_mix;

    if (argc != 4 || m == NULL ||
        (strncmp(argv[1], "mix", 3) != 0 && strncmp(argv[1], "talk", 4) != 0 &&
         strncmp(argv[1], "scan", 4) != 0)) {
        fprintf(stderr, "usage: make_captures mix|talk|scan|mix-ng|talk-ng|scan-ng MIB OUTPUT\n");
        return 2;
    }
    m->is_talk = argv[1][0] == 't';
    is_mix = argv[1][0] == 'm' || m->is_talk;
    m->is_ng = strstr(argv[1], "-ng") != NULL;
    m->state = 20161021;
    m->time_ns = UINT64_C(1700000000) * 1000000000;
    m->flows = malloc(FLOWS * sizeof *m->flows);
    m->out = fopen(argv[3], "wb");
    bytes = strtoull(argv[2], NULL, 10) << 20;
    if (m->out == NULL || m->flows == NULL || setvbuf(m->out, NULL, _IOFBF, 1 << 20) != 0) {
        perror(argv[3]);
        return 1;
    }
    for (size_t i = 0; i < NOISE_SIZE; i++) {
        m->noise[i] = (uint8_t)next_random(m);
    }
    for (int i = 0; is_mix && i < FLOWS; i++) {
        make_flow(m, &m->flows[i]);
    }
    write_file_header(m);
    while (m->written < bytes) {
        if (is_mix) {
            mix_packet(m);
        } else {
            scan_packet(m);
        }
    }
    if (fclose(m->out) != 0) {
        perror(argv[3]);
        return 1;
    }
    free(m->flows);
    free(m);
    return 0;
}
