/* The table of the requests of a trace: calls behind whose entry a request record comes. */
#ifndef FUNCTRACE_REQUESTS_H
#define FUNCTRACE_REQUESTS_H

#include "track.h"

enum { INBOUND = 1, OUTBOUND = 2 };
enum { /* of the value of a request record */
    REQUEST_DIRECTION = 3,
    REQUEST_PROTOCOL_AT = 2,
    REQUEST_PROTOCOL = 0xF,
    REQUEST_HAS_IDS = 1 << 8,
    REQUEST_SAMPLED = 1 << 9,
    REQUEST_HAS_CALLER = 1 << 10,
    REQUEST_OWN_IDS = 1 << 11,
    REQUEST_FLAGS = 0xF00
};
enum { STATUS_CODE = 0xFFFF, STATUS_GRPC = 1 << 16, STATUS_ROUTE_AT = 20 }; /* of a status record */

/* Times are ticks. If the entry was overwritten, function, node and call are -1, and start and end are the record's
 * time. flags: those of the record, and STATUS_GRPC. ancestor: of an outbound call, the row of the inbound call
 * inside which it was made according to the tracks, or -1. */
struct request {
    uint64_t number, inbound, span_id, ft_process, ft_number;
    uint8_t trace_id[16];
    int64_t start, end, call;
    int32_t track, function, node, route, status, ancestor;
    uint32_t flags;
    uint8_t direction, protocol, failed, unfinished;
};

/* depth: the index of its frame; inbound: the row of the innermost inbound call that is open, this one included,
 * or -1 */
struct open_request {
    uint64_t depth, row;
    int32_t inbound, padding;
};

struct requests {
    struct request *items;
    uint64_t count, capacity;
    struct open_request *open; /* of the track, outer before inner */
    uint64_t open_count, open_capacity;
    int64_t invalid; /* records that are those of no request */
};

/* Fill in what a record contains, and the rest as unknown. Return 0 if the record is invalid. */
int functrace_read_request(uint64_t word, const uint8_t *payload, struct request *out);

/* Add a request; if its call is known, it is open until functrace_end_request. Return NULL where memory has run
 * out. The pointer is valid until the next one is added. */
struct request *functrace_add_request(struct requests *requests, const struct request *row);
int functrace_open_request(struct requests *requests, uint64_t depth);
/* End the innermost open request with the failure and the status at hand, and return it. */
struct request *functrace_end_request(struct requests *requests, const struct position *at, int64_t end);

/* Return the index of the innermost open request's frame, plus 1; 0 without one. */
static inline uint64_t depth_of_request(const struct requests *requests) {
    return requests->open_count ? requests->open[requests->open_count - 1].depth + 1 : 0;
}

/* Return the row of the innermost open inbound call of the track, or -1. */
static inline int32_t open_inbound(const struct requests *requests) {
    return requests->open_count ? requests->open[requests->open_count - 1].inbound : -1;
}

void functrace_release_requests(struct requests *requests);

#endif
