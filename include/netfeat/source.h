/* source.h - where packets come from. Times are int64_t nanoseconds since 1970-01-01 UTC. Formats: pcap
   (draft-ietf-opsawg-pcap: both byte orders, microseconds and nanoseconds) and pcapng (draft-ietf-opsawg-pcapng).
   A time that does not fit (before 1677, after 2262) counts as none. */
#ifndef NETFEAT_SOURCE_H
#define NETFEAT_SOURCE_H

#include <stdio.h>

#include <netfeat/base.h>

NETFEAT_BEGIN_DECLS

enum {                                  /* counters of a source; records = delivered + filtered */
       NETFEAT_COUNT_RECORDS = 1,       /* packet records read */
       NETFEAT_COUNT_DELIVERED = 2,     /* of them: handed out */
       NETFEAT_COUNT_FILTERED = 3,      /* of them: did not match the filter */
       NETFEAT_COUNT_BYTES = 4,         /* bytes of input consumed */
       NETFEAT_COUNT_OTHER_BLOCKS = 5,  /* pcapng blocks that hold no packet, skipped by length */
       NETFEAT_COUNT_SECTIONS = 6,      /* pcapng sections; 1 for pcap */
       NETFEAT_COUNT_INTERFACES = 7,    /* pcapng interfaces of all sections; 1 for pcap */
       NETFEAT_COUNT_SNAPPED = 8,       /* delivered with fewer bytes than were on the wire */
       NETFEAT_COUNT_TIME_BACKWARDS = 9 /* records older than the record before them */
};

/* Open a pcap or pcapng file by path; "-" is standard input. NOTFOUND, PERMISSION, IO, FORMAT, TRUNCATED (shorter
   than a header, or empty), UNSUPPORTED (a format that is recognised but not read, or the filter does not work on the
   link type), ARGUMENT (the filter is no expression), NOMEM, LIMIT, CANCELLED. opts may be NULL. */
NETFEAT_API int netfeat_source_open_file(netfeat_ctx *ctx, const char *path, const netfeat_options *opts,
                                         netfeat_source **ret) NETFEAT_MUST_CHECK;
/* Same from a descriptor: file, pipe or socket, read from its present position, where offsets count from. It is
   duplicated: yours stays yours to close, but the two share one position. */
NETFEAT_API int netfeat_source_open_fd(netfeat_ctx *ctx, int fd, const netfeat_options *opts,
                                       netfeat_source **ret) NETFEAT_MUST_CHECK;
/* Same from memory, which is not copied and must outlive the source (tables do not depend on it). */
NETFEAT_API int netfeat_source_open_memory(netfeat_ctx *ctx, const void *data, size_t size,
                                           const netfeat_options *opts,
                                           netfeat_source **ret) NETFEAT_MUST_CHECK;
/* Advance to the next packet: 1 = a packet is current, 0 = no more, <0 error (TRUNCATED, FORMAT, IO, LIMIT, NOMEM,
   UNSUPPORTED (a pcapng version, or a link type that the filter does not work on), CANCELLED; packet number and offset
   are in the context). After an error other than CANCELLED every further step gives it again. */
NETFEAT_API int netfeat_source_step(netfeat_source *src);
/* After step returned 0: 1 if the source is finished, 0 if more may come. ARGUMENT. */
NETFEAT_API int netfeat_source_ended(const netfeat_source *src);
/* Parts of the current packet; 0 or NULL when there is none.
   1-based number of its record in the file, as Wireshark's frame.number. */
NETFEAT_API int64_t netfeat_source_packet_number(const netfeat_source *src);
/* 1 and its time in *ret_ns, 0 if the record has none (pcapng simple packet), STATE (no current packet), ARGUMENT. */
NETFEAT_API int netfeat_source_packet_time(const netfeat_source *src, int64_t *ret_ns);
/* Its length on the wire, in bytes. */
NETFEAT_API uint32_t netfeat_source_packet_wire_length(const netfeat_source *src);
/* Its captured bytes; borrowed until the next step. ret_captured_length may be NULL. More than the wire length if the
   capture says so. */
NETFEAT_API const void *netfeat_source_packet_data(const netfeat_source *src, uint32_t *ret_captured_length);
/* Its link type, a LINKTYPE_ number (1 = Ethernet); pcapng may change it between packets. */
NETFEAT_API int netfeat_source_packet_link_type(const netfeat_source *src);
/* Its interface: 0-based, counted over all sections of the input. */
NETFEAT_API uint32_t netfeat_source_packet_interface(const netfeat_source *src);
/* A NETFEAT_COUNT_* so far; NOTFOUND, ARGUMENT. */
NETFEAT_API int64_t netfeat_source_count(const netfeat_source *src, int which);
/* "delivered" for NETFEAT_COUNT_DELIVERED and so on; NULL past the last. Static string. */
NETFEAT_API const char *netfeat_source_count_name(int which);
NETFEAT_API netfeat_source *netfeat_source_ref(netfeat_source *src);
NETFEAT_API netfeat_source *netfeat_source_unref(netfeat_source *src);

NETFEAT_END_DECLS

#endif
