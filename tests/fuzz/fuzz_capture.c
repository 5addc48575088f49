/* Fuzz target: any bytes as a capture, compressed or not, with a look at its comments and names. */
#include "capture_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses how it is read. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= 1 && size <= 1 << 20) {
        check_capture(data + 1, size - 1, data[0]);
    }
    return 0;
}
