/* Read request records, and keep those of calls that are open. */
#include "requests.h"

static uint64_t load64_big(const uint8_t *from) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value = value << 8 | from[i];
    return value;
}

static uint64_t expected_bytes(uint64_t value) {
    uint64_t bytes = (value & REQUEST_DIRECTION) == OUTBOUND ? 16 : 8;
    if (value & REQUEST_HAS_IDS) bytes += 24;
    if (value & REQUEST_HAS_CALLER) bytes += 16;
    return bytes;
}

/* Only an inbound call has a caller. A payload that is longer than expected is one of a later version. */
static int is_valid(uint64_t word) {
    uint64_t value = record_value(word), direction = value & REQUEST_DIRECTION;
    if (direction != INBOUND && direction != OUTBOUND) return 0;
    if (direction == OUTBOUND && value & REQUEST_HAS_CALLER) return 0;
    return record_bytes(word) >= expected_bytes(value);
}

/* An id of zeros is none. */
static const uint8_t *read_ids(const uint8_t *payload, struct request *out) {
    uint64_t span_id = load64_big(payload + 16);
    if (span_id && (load64(payload) || load64(payload + 8))) {
        memcpy(out->trace_id, payload, sizeof out->trace_id);
        out->span_id = span_id;
    } else {
        out->flags &= ~(uint32_t)(REQUEST_HAS_IDS | REQUEST_SAMPLED | REQUEST_OWN_IDS);
    }
    return payload + 24;
}

int functrace_read_request(uint64_t word, const uint8_t *payload, struct request *out) {
    uint64_t value = record_value(word);
    if (!is_valid(word)) return 0;
    memset(out, 0, sizeof *out);
    out->call = out->function = out->node = out->route = out->status = out->ancestor = -1;
    out->unfinished = 1;
    out->direction = value & REQUEST_DIRECTION;
    out->protocol = value >> REQUEST_PROTOCOL_AT & REQUEST_PROTOCOL;
    out->flags = value & REQUEST_FLAGS;
    out->number = load64(payload);
    payload += 8;
    if (out->direction == OUTBOUND) {
        out->inbound = load64(payload);
        payload += 8;
    }
    if (value & REQUEST_HAS_IDS) payload = read_ids(payload, out);
    if (value & REQUEST_HAS_CALLER) {
        out->ft_process = load64(payload);
        out->ft_number = load64(payload + 8);
    }
    return out->number != 0;
}

struct request *functrace_add_request(struct requests *requests, const struct request *row) {
    struct request *items = room(requests->items, requests->count, &requests->capacity, sizeof *items);
    if (!items) return NULL;
    requests->items = items;
    items[requests->count] = *row;
    return &items[requests->count++];
}

int functrace_open_request(struct requests *requests, uint64_t depth) {
    struct open_request *open = room(requests->open, requests->open_count, &requests->open_capacity, sizeof *open);
    if (!open) return 0;
    requests->open = open;
    uint64_t row = requests->count - 1;
    int32_t inbound = requests->items[row].direction == INBOUND ? (int32_t)row : open_inbound(requests);
    struct open_request opened = {depth, row, inbound, 0};
    open[requests->open_count++] = opened;
    return 1;
}

static void read_status(struct request *row, const struct position *at) {
    uint64_t value = at->failure.status;
    if (!(value & STATUS_KNOWN)) return;
    uint64_t route = (value & ~STATUS_KNOWN) >> STATUS_ROUTE_AT & FUNCTION_MASK;
    row->status = (int32_t)(value & STATUS_CODE);
    row->flags |= value & STATUS_GRPC;
    if (route && route < (uint64_t)at->source->number_count) row->route = at->source->function_of[route];
}

struct request *functrace_end_request(struct requests *requests, const struct position *at, int64_t end) {
    struct request *row = &requests->items[requests->open[--requests->open_count].row];
    row->end = end;
    row->unfinished = (at->failure.flags & CALL_UNFINISHED) != 0;
    row->failed = (at->failure.flags & (CALL_ERROR | CALL_PANIC)) != 0;
    read_status(row, at);
    return row;
}

void functrace_release_requests(struct requests *requests) {
    free(requests->items);
    free(requests->open);
}
