/* export.h - tables for every other tool: Arrow in memory (C data and C stream interface), Arrow IPC on disk
   ("Feather v2": the library's own file format), Parquet and CSV to write. Include netfeat/arrow_abi.h for the
   structs if no other Arrow header does.

   Types: BOOL b, U8 C, U16 S, U32 I, U64 L, I64 l, F64 g, TIME_NS tsn: (no zone; it is UTC), BYTES16 w:16,
   BYTES6 w:6, TEXT U, BYTES Z, LIST +L. Unit, definition, NULL rule and type of a column travel in its
   metadata under netfeat.unit, netfeat.definition, netfeat.null_rule and netfeat.type. */
#ifndef NETFEAT_EXPORT_H
#define NETFEAT_EXPORT_H

#include <netfeat/base.h>

NETFEAT_BEGIN_DECLS

struct ArrowSchema;
struct ArrowArray;
struct ArrowArrayStream;

enum { NETFEAT_ARROW_SCHEMA = 1, NETFEAT_ARROW_ARRAY = 2, NETFEAT_ARROW_STREAM = 3 };

/* Fill *out with a stream of record batches that share the table's memory; the consumer releases it, and each
   batch, in any order and from any thread. io.batch_rows cuts it into batches (0: one, or 2048 rows each when
   addresses leave as text: DuckDB's ADBC does not take larger ones with dictionaries), io.addresses chooses
   the form of addresses, io.binary_view that of binary columns. opts may be NULL. STATE (not sealed), NOMEM,
   LIMIT. */
NETFEAT_API int netfeat_table_export_stream(netfeat_ctx *ctx, netfeat_table *tab, const netfeat_options *opts,
                                            struct ArrowArrayStream *out);
/* Same as one struct array with its schema; either may be NULL if not wanted. */
NETFEAT_API int netfeat_table_export_array(netfeat_ctx *ctx, netfeat_table *tab, const netfeat_options *opts,
                                           struct ArrowSchema *out_schema, struct ArrowArray *out_array);
/* One column, under the name "". */
NETFEAT_API int netfeat_column_export_array(netfeat_ctx *ctx, netfeat_column *col,
                                            const netfeat_options *opts, struct ArrowSchema *out_schema,
                                            struct ArrowArray *out_array);
/* Table out of a stream made by somebody else; *in is moved: released in the end whatever happens. A single
   batch is used in place where its types are ours and its buffers aligned, several are copied together. Taken:
   the types above and, converted, int8 to int32 (I64), float32 (F64), timestamps of any unit (TIME_NS), utf8
   and binary with 32-bit offsets or as views, lists with 32-bit offsets, dictionaries (decoded). UNSUPPORTED
   (any other type; the message names column and type), FORMAT (offsets, lengths, UTF-8 or indexes that
   contradict each other), RANGE (a time outside of int64 nanoseconds), LIMIT, NOMEM, IO (the stream failed).
   The memory that buffers point to is the producer's word and cannot be checked. */
NETFEAT_API int netfeat_table_import_stream(netfeat_ctx *ctx, struct ArrowArrayStream *in,
                                            const netfeat_options *opts,
                                            netfeat_table **ret) NETFEAT_MUST_CHECK;
/* Same from one struct array; both structs are moved whatever happens. */
NETFEAT_API int netfeat_table_import_array(netfeat_ctx *ctx, struct ArrowSchema *schema,
                                           struct ArrowArray *array, const netfeat_options *opts,
                                           netfeat_table **ret) NETFEAT_MUST_CHECK;
/* Same for one column. */
NETFEAT_API int netfeat_column_import_array(netfeat_ctx *ctx, struct ArrowSchema *schema,
                                            struct ArrowArray *array, const netfeat_options *opts,
                                            netfeat_column **ret) NETFEAT_MUST_CHECK;
/* sizeof of the struct named by NETFEAT_ARROW_*, so that bindings need no layout; 0 if unknown. */
NETFEAT_API size_t netfeat_arrow_struct_bytes(int which);
/* Call its release callback if it still has one. NULL is fine. */
NETFEAT_API void netfeat_arrow_stream_release(struct ArrowArrayStream *s);
NETFEAT_API void netfeat_arrow_array_release(struct ArrowArray *a);
NETFEAT_API void netfeat_arrow_schema_release(struct ArrowSchema *s);

/* Write a sealed table to a file, in the format that io.format or the name's ending says. It is written under a
   temporary name in the same directory and takes its name when it is complete and on the disk: whatever goes
   wrong, an older file stays as it was. Only an error of the very last step, that the directory is on the disk,
   comes when the new file is complete and in place. opts may be NULL. STATE (not sealed), NOTFOUND, PERMISSION, IO,
   ARGUMENT (path is no regular file, or an option holds an unknown word), UNSUPPORTED (compression not in this
   build or not in this format), CANCELLED, NOMEM, LIMIT. */
NETFEAT_API int netfeat_table_save_file(netfeat_ctx *ctx, const netfeat_table *tab, const char *path,
                                        const netfeat_options *opts);
/* Same to a descriptor, from its present position on: by default as an IPC stream. The descriptor stays open.
   Nothing seeks. Writing to a pipe or socket that nobody reads raises SIGPIPE, which ends a program that does not
   ignore it; ignored, it is IO with errno EPIPE. */
NETFEAT_API int netfeat_table_save_fd(netfeat_ctx *ctx, const netfeat_table *tab, int fd,
                                      const netfeat_options *opts);
/* Read an Arrow IPC file or stream, ours or anybody's (types: see netfeat_table_import_stream). Every offset,
   length, type, bitmap, index and UTF-8 is checked before use; nothing is ever executed. With io.load_mode
   "mapped" (default) columns of a file of one plain batch are used in place: opening does not read the numbers,
   and the file must not be changed or cut while the table lives (saving over it is safe: that makes a new
   file): cut by somebody else, its pages are gone, and the program ends with SIGBUS where it touches them. "read"
   copies it first: whatever happens to the file, the table stays, and a file that is cut meanwhile is an error. It is the
   mode for sensors and for files that somebody else may write. NOTFOUND, PERMISSION, IO,
   FORMAT and TRUNCATED (with the byte offset), UNSUPPORTED, RANGE, LIMIT, NOMEM. opts may be NULL. */
NETFEAT_API int netfeat_table_load_file(netfeat_ctx *ctx, const char *path, const netfeat_options *opts,
                                        netfeat_table **ret) NETFEAT_MUST_CHECK;
/* Same from a descriptor: an IPC stream is read up to its end mark and not a byte further; an IPC file up to
   the end of input. The descriptor stays open. */
NETFEAT_API int netfeat_table_load_fd(netfeat_ctx *ctx, int fd, const netfeat_options *opts,
                                      netfeat_table **ret) NETFEAT_MUST_CHECK;
/* Same from memory, which is copied and may be freed at once. */
NETFEAT_API int netfeat_table_load_memory(netfeat_ctx *ctx, const void *data, size_t size,
                                          const netfeat_options *opts,
                                          netfeat_table **ret) NETFEAT_MUST_CHECK;

/* Cut packets out of a capture: those packets of src, from where it stands to its end, whose id is one of the n
   ids, into a pcap file with nanoseconds. row_ids is a U64 column with one row for each of these packets:
   flow ids of netfeat_flows_feed(), packet numbers, or anything else; NULL is no id. The same packets come from a
   source that is opened again with the same options. How many were written. The file appears when it is
   complete, as with netfeat_table_save_file; opts (io.file_mode, io.sync) may be NULL. RANGE (src has more
   packets or fewer than row_ids has rows, or pcap cannot say a time), UNSUPPORTED (the chosen packets have several link
   types), TYPE, and the errors of netfeat_source_step() and netfeat_table_save_file(); one of src behind the last
   row does no harm. ctx is the context of src. */
NETFEAT_API int64_t netfeat_packets_save_file(netfeat_ctx *ctx, netfeat_source *src,
                                              const netfeat_column *row_ids, const uint64_t *ids, size_t n,
                                              const char *path, const netfeat_options *opts);

/* Several tables into one output: the first fixes names and types, each becomes one or more batches. Errors: see netfeat_table_save_file. */
NETFEAT_API int netfeat_writer_open_file(netfeat_ctx *ctx, const char *path, const netfeat_options *opts,
                                         netfeat_writer **ret) NETFEAT_MUST_CHECK;
NETFEAT_API int netfeat_writer_open_fd(netfeat_ctx *ctx, int fd, const netfeat_options *opts,
                                       netfeat_writer **ret) NETFEAT_MUST_CHECK;
/* Append a sealed table; of an IPC stream nothing stays behind in the library's buffer. TYPE: its names or types are
   not those of the first (nothing was written; the writer goes on). After any other error the writer can only be given
   back. */
NETFEAT_API int netfeat_writer_write(netfeat_writer *w, const netfeat_table *tab);
/* Finish and, for a file, give it its name. STATE: ended already, failed, or no table was written. */
NETFEAT_API int netfeat_writer_end(netfeat_writer *w);
NETFEAT_API netfeat_writer *netfeat_writer_ref(netfeat_writer *w);
/* Without netfeat_writer_end before, the file is discarded. */
NETFEAT_API netfeat_writer *netfeat_writer_unref(netfeat_writer *w);

NETFEAT_END_DECLS

#endif
