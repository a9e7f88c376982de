#include "tools/paired.h"

#include "sim/wide.h"
#include "tools/student.h"

#include <math.h>

#define CONFIDENCE 0.95

struct moments {
    double mean;
    double variance; /* of the sample, n - 1 */
    double skewness;
};

/* The mean is exact up to its one division; deviations are taken from the first value, which keeps
 * their digits. */
static struct moments moments_of(const int64_t *values, size_t n)
{
    struct moments moments = {0};
    if (n == 0) return moments;
    int64_t origin = values[0];
    int128 sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i] - origin;
    moments.mean = (double)origin + (double)sum / (double)n;
    if (n < 2) return moments;
    double shift = (double)sum / (double)n;
    double square = 0.0;
    double cube = 0.0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)(values[i] - origin) - shift;
        square += d * d;
        cube += d * d * d;
    }
    moments.variance = square / (double)(n - 1);
    if (square > 0.0) {
        double deviation = sqrt(square / (double)n);
        moments.skewness = cube / (double)n / (deviation * deviation * deviation);
    }
    return moments;
}

static double correlation_of(const int64_t *a, const int64_t *b, size_t n,
                             const struct moments *of_a, const struct moments *of_b)
{
    if (n < 2 || of_a->variance <= 0.0 || of_b->variance <= 0.0) return 0.0;
    double covariance = 0.0;
    for (size_t i = 0; i < n; i++)
        covariance += ((double)a[i] - of_a->mean) * ((double)b[i] - of_b->mean);
    return covariance / (double)(n - 1) / sqrt(of_a->variance * of_b->variance);
}

struct paired paired_compare(const int64_t *a, const int64_t *b, size_t n)
{
    struct paired result = {.n = n};
    struct moments of_a = moments_of(a, n);
    struct moments of_b = moments_of(b, n);
    result.mean_a = of_a.mean;
    result.mean_b = of_b.mean;
    /* The differences are integers too; their moments are taken in one pass without an array. */
    int128 sum = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t d = b[i] - a[i];
        sum += d;
        result.wins += d < 0;
        result.ties += d == 0;
        result.losses += d > 0;
    }
    if (n == 0) return result;
    result.difference = (double)sum / (double)n;
    double square = 0.0;
    double cube = 0.0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)(b[i] - a[i]) - result.difference;
        square += d * d;
        cube += d * d * d;
    }
    if (n < 2) {
        result.interval_is_void = true;
        result.low = result.high = result.difference;
        return result;
    }
    double variance = square / (double)(n - 1);
    result.deviation = sqrt(variance);
    double half = student_t_two_sided(CONFIDENCE, (double)(n - 1)) * sqrt(variance / (double)n);
    result.low = result.difference - half;
    result.high = result.difference + half;
    result.correlation = correlation_of(a, b, n, &of_a, &of_b);
    if (variance > 0.0) {
        result.runs_saved = (of_a.variance + of_b.variance) / variance;
        double deviation = sqrt(square / (double)n);
        result.skewness = cube / (double)n / (deviation * deviation * deviation);
    }
    return result;
}

struct paired unpaired_compare(const int64_t *a, size_t n_a, const int64_t *b, size_t n_b)
{
    struct moments of_a = moments_of(a, n_a);
    struct moments of_b = moments_of(b, n_b);
    struct paired result = {.n = n_a < n_b ? n_a : n_b,
                            .mean_a = of_a.mean,
                            .mean_b = of_b.mean,
                            .difference = of_b.mean - of_a.mean};
    result.low = result.high = result.difference;
    result.interval_is_void = n_a < 2 || n_b < 2;
    if (result.interval_is_void) return result;
    double share_a = of_a.variance / (double)n_a;
    double share_b = of_b.variance / (double)n_b;
    double error = share_a + share_b;
    if (error <= 0.0) return result;
    double degrees =
        error * error /
        (share_a * share_a / (double)(n_a - 1) + share_b * share_b / (double)(n_b - 1));
    double half = student_t_two_sided(CONFIDENCE, degrees) * sqrt(error);
    result.low = result.difference - half;
    result.high = result.difference + half;
    result.deviation = sqrt(of_a.variance + of_b.variance);
    return result;
}

size_t paired_runs_needed(const struct paired *paired, double fraction)
{
    double wanted = fabs(paired->mean_a) * fraction;
    if (wanted <= 0.0 || paired->deviation <= 0.0) return 2;
    double quotient = normal_two_sided(CONFIDENCE) * paired->deviation / wanted;
    return (size_t)ceil(quotient * quotient) + 2;
}
