/* count_captures - every capture of the shared collection gives as many packets as its manifest says.
   usage: count_captures SOURCE_ROOT EXCEPTIONS.tsv
   The collection is $NETFEAT_SHARED/captures or SOURCE_ROOT/../shared/captures; without one the test is
   skipped (77). EXCEPTIONS.tsv: path, packets, how it ends (OK or an error's name), reason; each line must
   still be true and needed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netfeat/netfeat.h>

#define MAX_COLUMNS    16
#define MAX_EXCEPTIONS 256

typedef struct {
    char path[512];
    long long packets;
    char end[32];
    int used;
} exception;

static exception exceptions[MAX_EXCEPTIONS];
static int n_exceptions;

/* Cut a line at its tabs, in place: how many columns. */
static int split(char *line, char **columns)
{
    int n = 0;

    line[strcspn(line, "\r\n")] = '\0';
    for (char *p = line; p != NULL && n < MAX_COLUMNS; n++) {
        columns[n] = p;
        p = strchr(p, '\t');
        if (p != NULL) {
            *p++ = '\0';
        }
    }
    return n;
}

static int load_exceptions(const char *path)
{
    char line[4096];
    char *column[MAX_COLUMNS];
    FILE *f = fopen(path, "r");

    if (f == NULL) {
        perror(path);
        return -1;
    }
    while (fgets(line, sizeof line, f) != NULL) {
        exception *e = &exceptions[n_exceptions];
        if (line[0] == '#') {
            continue;
        }
        if (n_exceptions == MAX_EXCEPTIONS || split(line, column) < 4 || column[3][0] == '\0') {
            fprintf(stderr, "%s: a line without four columns, or too many lines\n", path);
            fclose(f);
            return -1;
        }
        snprintf(e->path, sizeof e->path, "%s", column[0]);
        e->packets = atoll(column[1]);
        snprintf(e->end, sizeof e->end, "%s", column[2]);
        n_exceptions++;
    }
    fclose(f);
    return 0;
}

static exception *find_exception(const char *path)
{
    for (int i = 0; i < n_exceptions; i++) {
        if (strcmp(exceptions[i].path, path) == 0) {
            return &exceptions[i];
        }
    }
    return NULL;
}

/* Packets of one file, and how it ends. */
static long long count(netfeat_ctx *ctx, const char *path, int *ret_opened, const char **ret_end)
{
    netfeat_source *src = NULL;
    int code = netfeat_source_open_file(ctx, path, NULL, &src);
    long long packets = 0;

    *ret_opened = code == 0;
    while (code == 0) {
        int step = netfeat_source_step(src);
        if (step <= 0) {
            code = step;
            break;
        }
        packets++;
    }
    netfeat_source_unref(src);
    *ret_end = netfeat_error_name(code);
    return packets;
}

/* Is a file compressed in a way ("gz:pcap-le-us") that this build does not read? */
static int lacks_library(const char *format)
{
    return strchr(format, ':') != NULL &&
           !netfeat_build_has(strncmp(format, "zst:", 4) == 0 ? "zstd" : "zlib");
}

/* Does the manifest's figure ("7", "7+" for an error behind them, "unreadable") hold? */
static int agrees(const char *want, const char *format, long long packets, int opened, const char *end)
{
    const char *inside = strchr(format, ':');
    char *rest;
    long long n;

    if (lacks_library(format)) {
        return !opened && strcmp(end, "UNSUPPORTED") == 0;
    }
    format = inside != NULL ? inside + 1 : format;
    if (strcmp(format, "other") == 0 ||
        strcmp(format, "snoop") == 0) { /* neither pcap nor pcapng: refused, whatever capinfos can read */
        return !opened && (strcmp(end, "FORMAT") == 0 || strcmp(end, "UNSUPPORTED") == 0);
    }
    if (strcmp(want, "unreadable") == 0) {
        return packets == 0 && strcmp(end, "FORMAT") == 0;
    }
    n = strtoll(want, &rest, 10);
    if (strcmp(rest, "+") == 0) {
        return opened && packets == n && (strcmp(end, "TRUNCATED") == 0 || strcmp(end, "FORMAT") == 0);
    }
    return opened && packets == n && strcmp(end, "OK") == 0;
}

int main(int argc, char **argv)
{
    const char *shared = getenv("NETFEAT_SHARED");
    char root[3072];
    char path[4096];
    char line[8192];
    char *column[MAX_COLUMNS];
    netfeat_ctx *ctx = NULL;
    int files = 0, wrong = 0, excepted = 0;
    FILE *manifest;

    if (argc != 3 || load_exceptions(argv[2]) != 0 || netfeat_ctx_new(&ctx) != 0) {
        return 2;
    }
    if (shared != NULL) {
        snprintf(root, sizeof root, "%s/captures", shared);
    } else {
        snprintf(root, sizeof root, "%s/../shared/captures", argv[1]);
    }
    snprintf(path, sizeof path, "%s/MANIFEST.tsv", root);
    manifest = fopen(path, "r");
    if (manifest == NULL) {
        netfeat_ctx_unref(ctx);
        return 77;
    }
    while (fgets(line, sizeof line, manifest) != NULL) {
        exception *e;
        const char *end;
        long long packets;
        int opened, good;

        if (split(line, column) < 10 || strcmp(column[0], "path") == 0) {
            continue;
        }
        snprintf(path, sizeof path, "%s/%s", root, column[0]);
        packets = count(ctx, path, &opened, &end);
        good = agrees(column[9], column[7], packets, opened, end);
        e = find_exception(column[0]);
        if (e != NULL && lacks_library(column[7])) {
            e->used = 1;
            e = NULL; /* refused like all of its kind */
        }
        if (e != NULL) {
            e->used = 1;
            excepted++;
        }
        if (e == NULL ? !good : good || e->packets != packets || strcmp(e->end, end) != 0) {
            printf("%s: %lld packets, then %s; the manifest says %s (%s)%s: %s\n", column[0], packets, end,
                   column[9], column[7], e != NULL ? ", the exceptions something else" : "",
                   strcmp(end, "OK") == 0 ? "" : netfeat_ctx_error_message(ctx));
            wrong++;
        }
        files++;
    }
    fclose(manifest);
    for (int i = 0; i < n_exceptions; i++) {
        if (!exceptions[i].used) {
            printf("%s: an exception for a capture that is not there\n", exceptions[i].path);
            wrong++;
        }
    }
    netfeat_ctx_unref(ctx);
    printf("%d captures: %d as the manifest says, %d as the exceptions say, %d wrong\n", files,
           files - excepted - wrong, excepted, wrong);
    return files == 0 || wrong > 0;
}
