/* Trace headers of a request: W3C traceparent and tracestate, and B3. Values are hostile. */
#ifndef FUNCTRACE_TRACE_HEADERS_H
#define FUNCTRACE_TRACE_HEADERS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "trace_context.h"

enum header { TRACEPARENT, TRACESTATE, B3, B3_TRACE, B3_SPAN, B3_PARENT, B3_SAMPLED, B3_FLAGS, HEADERS };
enum { MAX_VALUE = 4096, MAX_MEMBERS = 32 };

/* Text of a value. */
struct text {
    const char *at;
    size_t size;
};

static inline bool text_equals(struct text text, const char *other) {
    return text.size == strlen(other) && memcmp(text.at, other, text.size) == 0;
}

/* Returns the text without blanks at its ends. */
struct text text_stripped(struct text text);

/* Splits a tracestate into its members, at most MAX_MEMBERS; -1 if it is not valid. */
int tracestate_split(struct text value, struct text *members);

/* Reads the values into a context. Those that are not valid become absent, of size 0 and at NULL. */
void trace_headers_parse(TraceContext *context, struct text *values);

#endif
