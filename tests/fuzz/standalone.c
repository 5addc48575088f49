/* Runs a fuzz target over files, without a fuzzing engine: corpora as ordinary tests, and findings again.
   usage: PROGRAM [-m COUNT] FILE|FOLDER...
   Each file is given whole, cut at up to COUNT places, and in COUNT damaged versions (fixed seed). Exit code
   77 when there is no file. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static unsigned long inputs;

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* In a block of exactly that size, so that a sanitizer sees the byte behind it. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    if (copy == NULL) {
        perror("malloc");
        exit(1);
    }
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    inputs++;
}

static void damage(uint8_t *data, size_t size, uint64_t *state)
{
    static const uint8_t odd[] = {0, 1, 0x7f, 0x80, 0xff, 0xfe, 4, 60};

    for (unsigned n = 1 + (unsigned)(next_random(state) % 4); n > 0; n--) {
        size_t at = next_random(state) % size;
        if (n % 2 == 0) {
            data[at] = odd[next_random(state) % sizeof odd];
        } else {
            data[at] ^= (uint8_t)(1u << next_random(state) % 8);
        }
    }
}

static void run_file(const char *path, unsigned long count)
{
    FILE *f = fopen(path, "rb");
    long size = -1;
    uint8_t *data;
    uint8_t *bad;
    uint64_t state;

    if (f != NULL && fseek(f, 0, SEEK_END) == 0) {
        size = ftell(f);
        rewind(f);
    }
    data = malloc(size > 0 ? (size_t)size : 1);
    bad = malloc(size > 0 ? (size_t)size : 1);
    if (size < 0 || data == NULL || bad == NULL || fread(data, 1, (size_t)size, f) != (size_t)size) {
        perror(path);
        exit(1);
    }
    fclose(f);
    run(data, (size_t)size);
    state = UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)size;
    for (unsigned long i = 0; size > 0 && i < count; i++) {
        size_t cut = (unsigned long)size <= count ? i : (size_t)(next_random(&state) % (uint64_t)size);
        if (cut < (size_t)size) {
            run(data, cut);
        }
        memcpy(bad, data, (size_t)size);
        damage(bad, (size_t)size, &state);
        run(bad, (size_t)size);
    }
    free(data);
    free(bad);
}

static void run_path(const char *path, unsigned long count)
{
    struct dirent **entries = NULL;
    struct stat info;
    int n;

    if (stat(path, &info) != 0) {
        perror(path);
        exit(1);
    }
    if (!S_ISDIR(info.st_mode)) {
        run_file(path, count);
        return;
    }
    n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char name[4096];
        if (entries[i]->d_name[0] != '.') {
            snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
            run_file(name, count);
        }
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    unsigned long count = 0;
    int first = 1;

    if (LLVMFuzzerInitialize != NULL) {
        LLVMFuzzerInitialize(&argc, &argv);
    }
    if (argc > 2 && strcmp(argv[1], "-m") == 0) {
        count = strtoul(argv[2], NULL, 10);
        first = 3;
    }
    for (int i = first; i < argc; i++) {
        run_path(argv[i], count);
    }
    printf("%lu inputs\n", inputs);
    return inputs > 0 ? 0 : 77;
}
