/* sim/check.h: stop at our own bugs, in every build.
 *
 * CHECK guards what must hold if Cohort itself is right. Bad input is never a CHECK: it is reported
 * to the user. A failed CHECK calls the handler (which may keep the trace so far), then aborts. */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

typedef void check_handler(const char *file, int line, const char *expression);

/* Called once before abort(). The handler may end the process itself (exit code 3). */
void check_set_handler(check_handler *handler);

_Noreturn void check_failed(const char *file, int line, const char *expression);

#define CHECK(expression) ((expression) ? (void)0 : check_failed(__FILE__, __LINE__, #expression))

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#endif
