#include "files/sha256.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 64, ROUNDS = 64 };

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes (section 4.2.2). */
static const uint32_t constants[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

typedef struct digest {
    uint32_t state[8];
    uint64_t bytes;
} digest;

static uint32_t right(uint32_t x, int by)
{
    return x >> by | x << (32 - by);
}

static void expand(uint32_t *w, const unsigned char *block)
{
    for (int t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
               (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
    for (int t = 16; t < ROUNDS; t++)
        w[t] = w[t - 16] + (right(w[t - 15], 7) ^ right(w[t - 15], 18) ^ w[t - 15] >> 3) +
               w[t - 7] + (right(w[t - 2], 17) ^ right(w[t - 2], 19) ^ w[t - 2] >> 10);
}

/* One round: of eight words a .. h, h becomes the next a, and d the next e; who calls turns the names. */
static inline void turn(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e, uint32_t f,
                        uint32_t g, uint32_t *h, uint32_t word)
{
    uint32_t sum = *h + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + ((e & f) ^ (~e & g)) + word;
    *d += sum;
    *h = sum + (right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
}

/* One block (section 6.2.2). */
static void mix(uint32_t *state, const unsigned char *block)
{
    uint32_t w[ROUNDS];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5],
             g = state[6], h = state[7];
    expand(w, block);
    for (int t = 0; t < ROUNDS; t += 8) {
        const uint32_t *k = constants + t, *x = w + t;
        turn(a, b, c, &d, e, f, g, &h, k[0] + x[0]);
        turn(h, a, b, &c, d, e, f, &g, k[1] + x[1]);
        turn(g, h, a, &b, c, d, e, &f, k[2] + x[2]);
        turn(f, g, h, &a, b, c, d, &e, k[3] + x[3]);
        turn(e, f, g, &h, a, b, c, &d, k[4] + x[4]);
        turn(d, e, f, &g, h, a, b, &c, k[5] + x[5]);
        turn(c, d, e, &f, g, h, a, &b, k[6] + x[6]);
        turn(b, c, d, &e, f, g, h, &a, k[7] + x[7]);
    }
    const uint32_t s[8] = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

/* What is left of the file, a one, zeros, and how many bits it had: one block or two. */
static void end(digest *self, const unsigned char *rest, size_t n)
{
    unsigned char last[2 * BLOCK] = {0};
    size_t size = n + 9 > BLOCK ? 2 * BLOCK : BLOCK;
    memcpy(last, rest, n);
    last[n] = 0x80;
    for (int i = 0; i < 8; i++)
        last[size - 1 - (size_t)i] = (unsigned char)(8 * self->bytes >> 8 * i);
    for (size_t at = 0; at < size; at += BLOCK)
        mix(self->state, last + at);
}

static const digest begun = {.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                       0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};

static void take(digest *self, const unsigned char *bytes, size_t n)
{
    self->bytes += n;
    for (size_t at = 0; at + BLOCK <= n; at += BLOCK)
        mix(self->state, bytes + at);
}

static void tell(char out[FILE_SHA256], const digest *self)
{
    for (int i = 0; i < 8; i++)
        snprintf(out + 8 * i, 9, "%08x", (unsigned)self->state[i]);
}

/* A multiple of the block at a time; what is shorter is the end. */
static void take_file(digest *self, FILE *in)
{
    unsigned char bytes[1024 * BLOCK];
    size_t n;
    do {
        n = fread(bytes, 1, sizeof bytes, in);
        take(self, bytes, n);
    } while (n == sizeof bytes);
    end(self, bytes + n / BLOCK * BLOCK, n % BLOCK);
}

int file_sha256(char out[FILE_SHA256], const char *path, flow_err *err)
{
    digest d = begun;
    FILE *in = fopen(path, "rb");
    if (!in)
        return flow_fail(err, FLOW_ENOINPUT, "%s: %s", path, strerror(errno));
    errno = 0;
    take_file(&d, in);
    int bad = ferror(in);
    fclose(in);
    if (bad)
        return flow_fail(err, FLOW_ENOINPUT, "%s: %s", path, strerror(errno));
    tell(out, &d);
    return 0;
}

void file_sha256_bytes(char out[FILE_SHA256], const void *bytes, size_t n)
{
    digest d = begun;
    take(&d, bytes, n);
    end(&d, (const unsigned char *)bytes + n / BLOCK * BLOCK, n % BLOCK);
    tell(out, &d);
}
