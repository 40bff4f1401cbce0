#include "trace_headers.h"

enum { MAX_KEY = 256, MAX_MEMBER_VALUE = 256 }; /* bytes */
enum { TRACE_DIGITS = 32, SPAN_DIGITS = 16, TRACEPARENT_SIZE = 55, FT_SIZE = 3 + 16 + 1 };

static const struct text absent;

static bool is_printable(struct text text) {
    for (size_t i = 0; i < text.size; i++)
        if ((text.at[i] < ' ' && text.at[i] != '\t') || text.at[i] > '~') return false;
    return true;
}

static bool is_sendable(struct text text) { return text.size <= MAX_VALUE && is_printable(text); }

static struct text part(struct text text, size_t begin, size_t size) {
    return (struct text){text.at + begin, size};
}

struct text text_stripped(struct text text) {
    while (text.size && (text.at[0] == ' ' || text.at[0] == '\t')) text.at++, text.size--;
    while (text.size && (text.at[text.size - 1] == ' ' || text.at[text.size - 1] == '\t')) text.size--;
    return text;
}

static int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool are_digits(struct text text) {
    for (size_t i = 0; i < text.size; i++)
        if (digit_of(text.at[i]) < 0) return false;
    return true;
}

/* Returns whether a text is an id of that many digits, not all of them zero. */
static bool is_id(struct text text, size_t digits) {
    if (text.size != digits || !are_digits(text)) return false;
    for (size_t i = 0; i < digits; i++)
        if (text.at[i] != '0') return true;
    return false;
}

static uint64_t number_of(struct text digits) {
    uint64_t number = 0;
    for (size_t i = 0; i < digits.size; i++) number = number << 4 | (uint64_t)digit_of(digits.at[i]);
    return number;
}

/* Sets the ids, unless a header that comes first has done so. */
static void set_ids(TraceContext *context, struct text trace, struct text span, bool is_sampled) {
    if (context->has_ids) return;
    char digits[TRACE_DIGITS + SPAN_DIGITS];
    memset(digits, '0', TRACE_DIGITS);
    memcpy(digits + TRACE_DIGITS - trace.size, trace.at, trace.size);
    memcpy(digits + TRACE_DIGITS, span.at, SPAN_DIGITS);
    for (int i = 0; i < REQUEST_ID_BYTES; i++)
        context->ids[i] = (char)(digit_of(digits[2 * i]) << 4 | digit_of(digits[2 * i + 1]));
    context->has_ids = true;
    context->is_sampled = is_sampled;
}

/* Returns whether the value is valid. Version 00 ends behind the flags. */
static bool parse_traceparent(TraceContext *context, struct text value) {
    if (value.size < TRACEPARENT_SIZE || value.size > MAX_VALUE) return false;
    struct text version = part(value, 0, 2), trace = part(value, 3, TRACE_DIGITS);
    struct text span = part(value, 36, SPAN_DIGITS), flags = part(value, 53, 2);
    bool are_apart = value.at[2] == '-' && value.at[35] == '-' && value.at[52] == '-';
    if (!are_apart || !are_digits(version) || text_equals(version, "ff") || !are_digits(flags)) return false;
    if (!is_id(trace, TRACE_DIGITS) || !is_id(span, SPAN_DIGITS)) return false;
    struct text more = part(value, TRACEPARENT_SIZE, value.size - TRACEPARENT_SIZE);
    if (more.size && (text_equals(version, "00") || more.at[0] != '-' || !is_printable(more))) return false;
    set_ids(context, trace, span, digit_of(flags.at[1]) & 1);
    return true;
}

static bool is_key_start(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

static bool is_in_key(char c) { return is_key_start(c) || (c && strchr("_-*/@", c)); }

static bool is_member(struct text text) {
    size_t key = 0;
    while (key < text.size && is_in_key(text.at[key])) key++;
    if (key == 0 || key > MAX_KEY || !is_key_start(text.at[0])) return false;
    if (key == text.size || text.at[key] != '=') return false;
    struct text value = part(text, key + 1, text.size - key - 1);
    if (value.size == 0 || value.size > MAX_MEMBER_VALUE) return false;
    for (size_t i = 0; i < value.size; i++)
        if (value.at[i] < ' ' || value.at[i] > '~' || value.at[i] == '=') return false;
    return value.at[value.size - 1] != ' ';
}

int tracestate_split(struct text value, struct text *members) {
    int count = 0;
    for (size_t begin = 0; begin <= value.size;) {
        const char *comma = memchr(value.at + begin, ',', value.size - begin);
        size_t size = (comma ? (size_t)(comma - value.at) : value.size) - begin;
        struct text member = text_stripped(part(value, begin, size));
        begin += size + 1;
        if (member.size == 0) continue;
        if (count == MAX_MEMBERS || !is_member(member)) return -1;
        members[count++] = member;
    }
    return count;
}

static bool is_own(struct text member) { return member.size >= 3 && memcmp(member.at, "ft=", 3) == 0; }

/* Reads ft=<key of a process>:<number of a request>. */
static bool parse_ft(TraceContext *context, struct text member) {
    if (member.size <= FT_SIZE || !is_own(member) || member.at[FT_SIZE - 1] != ':') return false;
    struct text process = part(member, 3, 16), number = part(member, FT_SIZE, member.size - FT_SIZE);
    if (!is_id(process, 16) || number.size > 16 || !is_id(number, number.size)) return false;
    context->ft[0] = number_of(process);
    context->ft[1] = number_of(number);
    return context->has_ft = true;
}

/* Returns whether the value may be sent on. */
static bool parse_tracestate(TraceContext *context, struct text value) {
    if (parse_ft(context, value)) return true; /* most often it is the only member */
    if (!is_sendable(value)) return false;
    struct text members[MAX_MEMBERS];
    int count = tracestate_split(value, members);
    for (int i = 0; i < count; i++)
        if (is_own(members[i])) {
            parse_ft(context, members[i]);
            break;
        }
    return true;
}

static bool is_true(struct text sampled) {
    return text_equals(sampled, "1") || text_equals(sampled, "true") || text_equals(sampled, "d");
}

/* Reads TRACE-SPAN, TRACE-SPAN-SAMPLED or TRACE-SPAN-SAMPLED-PARENT, or a decision alone. */
static bool parse_b3(TraceContext *context, struct text value) {
    if (text_equals(value, "0") || text_equals(value, "1") || text_equals(value, "d")) {
        if (!context->has_ids) context->is_sampled = is_true(value);
        return true;
    }
    size_t digits = value.size > TRACE_DIGITS && value.at[TRACE_DIGITS] == '-' ? TRACE_DIGITS : SPAN_DIGITS;
    size_t end = digits + 1 + SPAN_DIGITS;
    if (value.size < end || value.at[digits] != '-') return false;
    struct text trace = part(value, 0, digits), span = part(value, digits + 1, SPAN_DIGITS);
    if (!is_id(trace, digits) || !is_id(span, SPAN_DIGITS)) return false;
    struct text sampled = absent, more = part(value, end, value.size - end);
    if (more.size) {
        if (more.size < 2 || more.at[0] != '-' || !strchr("01d", more.at[1]) || !more.at[1]) return false;
        sampled = part(more, 1, 1);
        more = part(more, 2, more.size - 2);
    }
    if (more.size && (more.size != 1 + SPAN_DIGITS || more.at[0] != '-' ||
                      !are_digits(part(more, 1, SPAN_DIGITS))))
        return false;
    set_ids(context, trace, span, is_true(sampled));
    return true;
}

/* Reads B3 with several headers; those that are not valid become absent. */
static void parse_multi(TraceContext *context, struct text *values) {
    for (int i = B3_TRACE; i < HEADERS; i++)
        if (!is_sendable(values[i])) values[i] = absent;
    struct text trace = values[B3_TRACE], span = values[B3_SPAN], sampled = values[B3_SAMPLED];
    bool has_ids = trace.size || span.size;
    bool is_valid = (is_id(trace, TRACE_DIGITS) || is_id(trace, SPAN_DIGITS)) && is_id(span, SPAN_DIGITS);
    if (has_ids && !is_valid) {
        for (int i = B3_TRACE; i < HEADERS; i++) values[i] = absent;
        return;
    }
    bool is_decision = text_equals(sampled, "0") || text_equals(sampled, "false") || text_equals(sampled, "1") ||
                       text_equals(sampled, "true");
    if (!is_decision) values[B3_SAMPLED] = absent;
    if (!text_equals(values[B3_FLAGS], "0") && !text_equals(values[B3_FLAGS], "1")) values[B3_FLAGS] = absent;
    if (!has_ids || !is_id(values[B3_PARENT], SPAN_DIGITS)) values[B3_PARENT] = absent;
    bool is_sampled = text_equals(values[B3_FLAGS], "1") || (is_decision && is_true(sampled));
    if (has_ids) set_ids(context, trace, span, is_sampled);
    else if (!context->has_ids && !values[B3].at) context->is_sampled = is_sampled;
}

void trace_headers_parse(TraceContext *context, struct text *values) {
    bool has_parent = parse_traceparent(context, values[TRACEPARENT]);
    if (!has_parent) values[TRACEPARENT] = absent;
    bool has_state = values[TRACESTATE].at && parse_tracestate(context, values[TRACESTATE]);
    if (!has_state || !has_parent) values[TRACESTATE] = absent;
    if (!parse_b3(context, values[B3])) values[B3] = absent;
    parse_multi(context, values);
}
