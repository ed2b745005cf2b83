#include "student/repeats.h"

#include "flow/sort.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Multiply and rotate, as the mixer of MurmurHash3 (Appleby 2011) does; + 0.0 makes one zero of two. */
static uint64_t mix(uint64_t hash, const double *x, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        double value = x[j] + 0.0;
        uint64_t bits;
        memcpy(&bits, &value, sizeof bits);
        hash = (hash ^ bits) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 33;
    }
    return hash;
}

/* row (D + C): to work in */
static uint64_t hash_row(double *row, const data_part *part, size_t i)
{
    size_t d = part->x.width, c = part->context.at ? part->context.width : 0;
    data_numbers_copy(row, &part->x, i, 1);
    if (c)
        data_numbers_copy(row + d, &part->context, i, 1);
    return mix(1, row, d + c);
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The first entry that is not below hash. */
static size_t lower_bound(const uint64_t *hashes, size_t n, uint64_t hash)
{
    size_t lo = 0;
    while (n > 0) {
        size_t half = n / 2;
        if (hashes[lo + half] < hash) {
            lo += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return lo;
}

static size_t count_seen(unsigned char *seen, const uint64_t *hashes, size_t n, double *row,
                         const data_part *train)
{
    size_t count = 0;
    for (size_t r = 0; r < train->n; r++) {
        uint64_t hash = hash_row(row, train, r);
        for (size_t i = lower_bound(hashes, n, hash); i < n && hashes[i] == hash && !seen[i]; i++) {
            seen[i] = 1;
            count++;
        }
    }
    return count;
}

/* ---- whether a row could be the only one of its kind */

static size_t distinct(double *scratch, const data_part *part, size_t column)
{
    size_t n = part->n, count = n > 0;
    for (size_t i = 0; i < n; i++)
        scratch[i] = data_number(&part->x, i, column);
    flow_sort_numbers(scratch, n);
    for (size_t i = 1; i < n; i++)
        count += scratch[i] != scratch[i - 1];
    return count;
}

/* Ten times as many different rows as there are training rows could be made of the values that the columns have. */
static int rows_could_differ(int *yes, const data_set *data, flow_err *err)
{
    double *scratch = malloc((data->test.n + 1) * sizeof *scratch), rows = 1;
    if (!scratch)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu test rows", data->test.n);
    for (size_t j = 0; j < data->dim && rows <= 10 * (double)data->train.n; j++)
        rows *= (double)distinct(scratch, &data->test, j);
    *yes = rows > 10 * (double)data->train.n;
    free(scratch);
    return 0;
}

/* ---- the share */

static int share_seen(double *share, const data_set *data, flow_err *err)
{
    enum { MOST = 20000 };
    const size_t all = data->test.n, n = all < MOST ? all : MOST;
    uint64_t *hashes = malloc(n * sizeof *hashes);
    unsigned char *seen = calloc(n, 1);
    double *row = malloc((data->dim + data->n_context) * sizeof *row);
    int made = hashes && seen && row;
    if (made) {
        for (size_t i = 0; i < n; i++)
            hashes[i] = hash_row(row, &data->test, i * (all / n) + i * (all % n) / n);
        qsort(hashes, n, sizeof *hashes, by_hash);
        *share = (double)count_seen(seen, hashes, n, row, &data->train) / (double)n;
    }
    free(hashes);
    free(seen);
    free(row);
    return made ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory for %zu test rows", n);
}

int student_repeats(double *share, const data_set *data, flow_err *err)
{
    int differ = 0;
    *share = NAN;
    int code = rows_could_differ(&differ, data, err);
    return code || !differ ? code : share_seen(share, data, err);
}
