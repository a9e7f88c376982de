#include "tools/student.h"

#include <float.h>
#include <math.h>

/* Continued fraction of the incomplete beta function; converges fast for x < (a + 1) / (a + b + 2).
 */
static double beta_fraction(double a, double b, double x)
{
    double c = 1.0;
    double d = 1.0 - (a + b) * x / (a + 1.0);
    d = 1.0 / (fabs(d) < DBL_MIN ? DBL_MIN : d);
    double fraction = d;
    for (int m = 1; m <= 300; m++) {
        double even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 + even * d;
        c = 1.0 + even / c;
        d = 1.0 / (fabs(d) < DBL_MIN ? DBL_MIN : d);
        fraction *= d * c;
        double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 + odd * d;
        c = 1.0 + odd / c;
        d = 1.0 / (fabs(d) < DBL_MIN ? DBL_MIN : d);
        double step = d * c;
        fraction *= step;
        if (fabs(step - 1.0) < 1e-15) break;
    }
    return fraction;
}

/* Regularised incomplete beta function I_x(a, b). */
static double beta_regularised(double a, double b, double x)
{
    if (x <= 0.0) return 0.0;
    if (x >= 1.0) return 1.0;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1.0) / (a + b + 2.0)) return front * beta_fraction(a, b, x) / a;
    return 1.0 - front * beta_fraction(b, a, 1.0 - x) / b;
}

double student_t_cumulative(double t, double degrees)
{
    double tail = 0.5 * beta_regularised(degrees / 2.0, 0.5, degrees / (degrees + t * t));
    return t > 0.0 ? 1.0 - tail : tail;
}

/* The root of an increasing function of x >= 0 by bisection, to the last bits. */
static double invert(double wanted, double degrees, double cumulative(double x, double degrees))
{
    double low = 0.0;
    double high = 1.0;
    while (cumulative(high, degrees) < wanted && high < 1e12)
        high *= 2.0;
    for (int i = 0; i < 200 && high - low > 1e-14 * high; i++) {
        double middle = 0.5 * (low + high);
        if (cumulative(middle, degrees) < wanted) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return 0.5 * (low + high);
}

double student_t_two_sided(double confidence, double degrees)
{
    return invert(0.5 + confidence / 2.0, degrees, student_t_cumulative);
}

static double normal_cumulative(double z, double unused)
{
    (void)unused;
    return 0.5 * erfc(-z / sqrt(2.0));
}

double normal_two_sided(double confidence)
{
    return invert(0.5 + confidence / 2.0, 0.0, normal_cumulative);
}
