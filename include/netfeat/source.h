/* source.h - where packets come from. Times are int64_t nanoseconds since 1970-01-01 UTC. Formats: pcap
   (draft-ietf-opsawg-pcap: both byte orders, microseconds and nanoseconds) and pcapng (draft-ietf-opsawg-pcapng),
   plain or compressed by gzip (RFC 1952), zstd (RFC 8878), lz4 (frame format), xz or bzip2, which the content tells,
   not the name; several members and zeros behind the last are fine. Compressed data is read as a stream, the memory for
   it is bounded (source.max_window_bytes), and so is its growth (source.max_ratio). Cut or corrupt, it ends in TRUNCATED
   or FORMAT behind every packet that it still gave. Offsets in errors count decompressed bytes; progress and
   NETFEAT_COUNT_BYTES count what was read.
   A time that does not fit (before 1677, after 2262) counts as none. */
#ifndef NETFEAT_SOURCE_H
#define NETFEAT_SOURCE_H

#include <stdio.h>

#include <netfeat/base.h>

NETFEAT_BEGIN_DECLS

enum {                                 /* counters of a source; records = delivered + filtered */
       NETFEAT_COUNT_RECORDS = 1,      /* packet records read */
       NETFEAT_COUNT_DELIVERED = 2,    /* of them: handed out */
       NETFEAT_COUNT_FILTERED = 3,     /* of them: did not match the filter */
       NETFEAT_COUNT_BYTES = 4,        /* bytes of input consumed; compressed ones, where it is compressed */
       NETFEAT_COUNT_OTHER_BLOCKS = 5, /* pcapng blocks that hold no packet, skipped by length */
       NETFEAT_COUNT_SECTIONS = 6,     /* pcapng sections; 1 for pcap */
       NETFEAT_COUNT_INTERFACES = 7,   /* pcapng interfaces of all sections; 1 for pcap */
       NETFEAT_COUNT_SNAPPED = 8,      /* delivered with fewer bytes than were on the wire */
       NETFEAT_COUNT_TIME_BACKWARDS = 9,     /* records older than the record before them in their file */
       NETFEAT_COUNT_KERNEL_RECEIVED = 10,   /* live: packets that the kernel saw for this source */
       NETFEAT_COUNT_KERNEL_DROPPED = 11,    /* live: of them: lost, the buffer was full */
       NETFEAT_COUNT_INTERFACE_DROPPED = 12, /* live: lost by the device or its driver, where it says so */
       NETFEAT_COUNT_QUEUE_DROPPED = 13,     /* push: thrown away, the queue was full (source.queue_drop) */
       NETFEAT_COUNT_NOTES_DROPPED = 14      /* notes not kept: source.max_notes of them were waiting */
};

enum { /* what a note is about */
       NETFEAT_NOTE_SECTION_COMMENT = 1,
       NETFEAT_NOTE_INTERFACE_COMMENT = 2,
       NETFEAT_NOTE_PACKET_COMMENT = 3,
       NETFEAT_NOTE_NAME = 4,       /* a name of an address */
       NETFEAT_NOTE_HARDWARE = 5,   /* of the machine that wrote the section */
       NETFEAT_NOTE_SYSTEM = 6,     /* its operating system */
       NETFEAT_NOTE_APPLICATION = 7 /* its program */
};

/* Open a pcap or pcapng file by path; "-" is standard input. NOTFOUND, PERMISSION, IO, FORMAT, TRUNCATED (shorter
   than a header, or empty), UNSUPPORTED (a format that is recognised but not read, a compression whose library this
   build lacks (netfeat_build_has), or the filter does not work on the link type), ARGUMENT (the filter is no expression), NOMEM, LIMIT, CANCELLED. opts may be NULL. */
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
/* Same from a FILE of the C library, from its present position. Borrowed: it must outlive the source, which does not
   close it. A FILE that waits for bytes (a pipe) notices an interrupt only between reads: use the descriptor. */
NETFEAT_API int netfeat_source_open_stdio(netfeat_ctx *ctx, FILE *file, const netfeat_options *opts,
                                          netfeat_source **ret) NETFEAT_MUST_CHECK;
/* n (>= 1) files as one source, in the order given, or merged by time with option source.merge; the i-th has the
   file_index source.file_index + i, and packet numbers are those of each file. A directory stands for its regular
   files in the order of their names, without hidden ones and directories inside. Paths are copied. A merge takes the
   file with the earliest next record, the first of them when equal; records inside a file keep their order, one without
   time stays behind the one before it. Messages of errors name the file. In order, the source ends with the first
   damaged file; a merge goes on with the others, and the error comes when they are at their end. Errors as for
   source_open_file; LIMIT (source.max_files, source.max_open_files); ARGUMENT (no paths). */
NETFEAT_API int netfeat_source_open_many(netfeat_ctx *ctx, const char *const *paths, size_t n,
                                         const netfeat_options *opts,
                                         netfeat_source **ret) NETFEAT_MUST_CHECK;
/* How many files a source has: 1 unless it was opened with source_open_many. ARGUMENT. */
NETFEAT_API int64_t netfeat_source_file_count(const netfeat_source *src);
/* Path of a file of source_open_many by its file_index; NULL for other sources and indices. Borrowed. */
NETFEAT_API const char *netfeat_source_file_path(const netfeat_source *src, uint32_t file_index);
/* A source into which the caller puts packets of one link type (LINKTYPE_ number), from a ring, a socket or a broker.
   RANGE (link type), UNSUPPORTED (the filter does not work on it), ARGUMENT, NOMEM, LIMIT. */
NETFEAT_API int netfeat_source_open_push(netfeat_ctx *ctx, int link_type, const netfeat_options *opts,
                                         netfeat_source **ret) NETFEAT_MUST_CHECK;
/* Put a packet at the end of the queue; its bytes are copied. time_ns since 1970. 1 = taken, 0 = dropped and counted
   (full, source.queue_drop), LIMIT (full: take packets out, then try again; or the context's memory limit), RANGE (more
   than source.max_packet_bytes), STATE (no push source, or ended), ARGUMENT, NOMEM. Nothing is changed by a failure.
   The current packet stays valid. A step finds the queue empty: 0, and netfeat_source_ended() 0 until push_end. */
NETFEAT_API int netfeat_source_push(netfeat_source *src, int64_t time_ns, uint32_t wire_length,
                                    const void *data, uint32_t captured_length);
/* Put n packets, one per element of the four arrays: how many were taken (or dropped, see above), counted from the
   first; an error only if that is 0. */
NETFEAT_API int64_t netfeat_source_push_batch(netfeat_source *src, const int64_t *times_ns,
                                              const uint32_t *wire_lengths, const void *const *data,
                                              const uint32_t *captured_lengths, size_t n);
/* No more packets will come: when the queue is empty the source is at its end. Again: no change. STATE, ARGUMENT. */
NETFEAT_API int netfeat_source_push_end(netfeat_source *src);
/* Capture from a network device ("eth0"; on Linux "any" for all) through libpcap. Options: source.snaplen, promiscuous,
   immediate, kernel_buffer_bytes, kernel_timeout_ms, wait_ms, and filter, which the kernel applies: what it refuses is
   in no counter. Times have ns where the device can. A step waits for a packet, at most source.wait_ms, then returns 0
   with netfeat_source_ended() 0; an interrupt ends the wait at once when it came by a signal to this thread, else within
   100 ms. The end never comes by itself: IO when the device goes away. UNSUPPORTED (this build has no live capture, or
   the filter does not work on the link type), NOTFOUND (no such device), PERMISSION, IO, ARGUMENT, NOMEM, LIMIT. */
NETFEAT_API int netfeat_source_open_live(netfeat_ctx *ctx, const char *device, const netfeat_options *opts,
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
/* The file it came from: option source.file_index, with source_open_many plus the position in the list of files. */
NETFEAT_API uint32_t netfeat_source_packet_file(const netfeat_source *src);
/* Its interface: 0-based, counted over all sections of its file. */
NETFEAT_API uint32_t netfeat_source_packet_interface(const netfeat_source *src);
/* Interfaces described so far, numbered from 0 over all sections: those of a pcapng capture, one of a pcap capture, push
   or live source, none of a source of several files (open them one by one). ARGUMENT. */
NETFEAT_API int64_t netfeat_source_interface_count(const netfeat_source *src);
/* Its name and its description, UTF-8, or NULL if the capture gives none. Borrowed until the next step. */
NETFEAT_API const char *netfeat_source_interface_name(const netfeat_source *src, uint32_t id);
NETFEAT_API const char *netfeat_source_interface_description(const netfeat_source *src, uint32_t id);
/* Its link type, a LINKTYPE_ number. NOTFOUND, ARGUMENT. */
NETFEAT_API int netfeat_source_interface_link_type(const netfeat_source *src, uint32_t id);
/* Most bytes of a packet that it captured; 0: no bound. NOTFOUND, ARGUMENT. */
NETFEAT_API int64_t netfeat_source_interface_snaplen(const netfeat_source *src, uint32_t id);
/* Packets that it received, and that were lost, by its latest statistics (pcapng statistics block) or by the kernel
   (live): 1 and the number, 0 if nobody says. NOTFOUND, ARGUMENT. */
NETFEAT_API int netfeat_source_interface_received(const netfeat_source *src, uint32_t id,
                                                  int64_t *ret_packets);
NETFEAT_API int netfeat_source_interface_dropped(const netfeat_source *src, uint32_t id,
                                                 int64_t *ret_packets);
/* Take the next note of a pcapng capture (a NETFEAT_NOTE_*) that was met so far: 1 = a note is current, 0 = none waits.
   Only with option source.max_notes; when so many wait, further ones are counted, not kept. ARGUMENT. */
NETFEAT_API int netfeat_source_note_next(netfeat_source *src);
/* Parts of the current note; 0 or NULL when there is none. Texts are UTF-8 (other bytes become '?'), borrowed until the
   next note or step. */
NETFEAT_API int netfeat_source_note_kind(const netfeat_source *src);
NETFEAT_API const char *netfeat_source_note_text(const netfeat_source *src);
/* Number of the packet it is about; 0: none. */
NETFEAT_API int64_t netfeat_source_note_packet(const netfeat_source *src);
/* Interface that it, or its packet, is about. */
NETFEAT_API uint32_t netfeat_source_note_interface(const netfeat_source *src);
/* 16 bytes, the address that has this name, IPv4 as ::ffff:a.b.c.d; NULL: not NETFEAT_NOTE_NAME. Borrowed likewise. */
NETFEAT_API const void *netfeat_source_note_address(const netfeat_source *src);
/* A NETFEAT_COUNT_* so far; NOTFOUND, ARGUMENT. */
NETFEAT_API int64_t netfeat_source_count(const netfeat_source *src, int which);
/* "delivered" for NETFEAT_COUNT_DELIVERED and so on; NULL past the last. Static string. */
NETFEAT_API const char *netfeat_source_count_name(int which);
NETFEAT_API netfeat_source *netfeat_source_ref(netfeat_source *src);
NETFEAT_API netfeat_source *netfeat_source_unref(netfeat_source *src);

NETFEAT_END_DECLS

#endif
