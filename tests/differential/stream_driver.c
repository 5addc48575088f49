/* stream_driver - runs the packet scripts on standard input (tests/stream/cases/README) and prints what comes out:
   for each case its name, one event a line, an empty line. The naive reassembler must say the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "naive_reassembler.h"

static char *read_all(FILE *f)
{
    size_t size = 0, cap = 1 << 16, n;
    char *text = malloc(cap);

    while (text != NULL && (n = fread(text + size, 1, cap - size - 1, f)) > 0) {
        size += n;
        if (cap - size < 4096) {
            cap *= 2;
            text = realloc(text, cap);
        }
    }
    if (text == NULL) {
        perror("stream_driver");
        exit(1);
    }
    text[size] = '\0';
    return text;
}

int main(void)
{
    char *text = read_all(stdin);
    netfeat_ctx *ctx = NULL;
    size_t n = 0;
    script_case *cases = script_parse(text, &n);

    if (netfeat_ctx_new(&ctx) != 0) {
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        script_how how = {ctx, SCRIPT_PACKETS, i % 2 == 1, false};
        script_text naive = {NULL, 0, 0};
        script_result r;

        script_run(&cases[i], &how, &r);
        naive_run(&cases[i], &naive);
        if (r.code != 0 || r.broken != NULL) {
            fprintf(stderr, "%s: code %d, %s\n", cases[i].name, r.code, r.broken != NULL ? r.broken : "");
            return 1;
        }
        if (strcmp(naive.p, r.events.p) != 0) {
            fprintf(stderr, "%s: library\n%snaive\n%s", cases[i].name, r.events.p, naive.p);
            return 1;
        }
        printf("%s\n%s\n", cases[i].name, r.events.p);
        script_result_free(&r);
        free(naive.p);
    }
    script_free(cases, n);
    free(text);
    netfeat_ctx_unref(ctx);
    return 0;
}
