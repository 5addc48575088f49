/* Comparing ports with one value in the registers of the processor. */
#include "feature/port_equal.h"

#ifdef NF_PORT_EQUAL
#include <immintrin.h>
#include <string.h>

void nf_port_equal_sse2(const uint16_t *restrict ports, uint16_t value, int64_t n, uint8_t *restrict bits)
{
    __m128i v = _mm_set1_epi16((short)value);

    for (int64_t i = 0; i < n; i += 16) {
        __m128i lo = _mm_cmpeq_epi16(_mm_loadu_si128((const __m128i *)(const void *)(ports + i)), v);
        __m128i hi = _mm_cmpeq_epi16(_mm_loadu_si128((const __m128i *)(const void *)(ports + i + 8)), v);
        uint16_t mask = (uint16_t)_mm_movemask_epi8(_mm_packs_epi16(lo, hi));
        memcpy(bits + (i >> 3), &mask, sizeof mask);
    }
}

__attribute__((target("avx2"))) void nf_port_equal_avx2(const uint16_t *restrict ports, uint16_t value,
                                                        int64_t n, uint8_t *restrict bits)
{
    __m256i v = _mm256_set1_epi16((short)value);

    for (int64_t i = 0; i < n; i += 32) {
        __m256i lo = _mm256_loadu_si256((const __m256i *)(const void *)(ports + i));
        __m256i hi = _mm256_loadu_si256((const __m256i *)(const void *)(ports + i + 16));
        __m256i both = _mm256_packs_epi16(_mm256_cmpeq_epi16(lo, v), _mm256_cmpeq_epi16(hi, v));
        uint32_t mask = (uint32_t)_mm256_movemask_epi8(_mm256_permute4x64_epi64(both, 0xd8)); /* in order */
        memcpy(bits + (i >> 3), &mask, sizeof mask);
    }
}

nf_port_equal_fn *nf_port_equal(void)
{
    return __builtin_cpu_supports("avx2") ? nf_port_equal_avx2 : nf_port_equal_sse2;
}
#endif
