/* tools/student.h: quantiles of Student's t and of the normal distribution.
 *
 * For reports only: floating point after the run. The t quantile inverts the regularised incomplete
 * beta function (continued fraction, Lentz's method) by bisection; tests compare it with the
 * published tables. */
#ifndef TOOLS_STUDENT_H
#define TOOLS_STUDENT_H

/* P(|T| <= result) = confidence for T with `degrees` > 0 degrees of freedom. */
double student_t_two_sided(double confidence, double degrees);
/* P(T <= t). */
double student_t_cumulative(double t, double degrees);
/* P(|Z| <= result) = confidence for a standard normal Z. */
double normal_two_sided(double confidence);

#endif
