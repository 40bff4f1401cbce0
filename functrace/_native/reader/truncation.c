/* Survive reads of mapped files that were truncated in place. */
#ifndef _WIN32
#define _DEFAULT_SOURCE
#include <signal.h>
#include <sys/mman.h>
#endif

#include <stdlib.h>

#include "truncation.h"

#ifndef _WIN32

/* Mapped memory. Items are added and never removed, so that a signal handler can read the list. */
struct range {
    char *begin, *end;
    const struct range *next;
};

static const struct range *ranges;
static struct sigaction replaced;
static int is_installed, fault_count;

/* Whether a file was mapped at the address; its memory is now zeros that are no file's. */
static int fill_with_zeros(const char *address) {
    const struct range *range = __atomic_load_n(&ranges, __ATOMIC_ACQUIRE);
    while (range && !(address >= range->begin && address < range->end)) range = range->next;
    return range && mmap(range->begin, (size_t)(range->end - range->begin), PROT_READ,
                         MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

/* Any other fault occurs again on return, with the effect that it has without us. */
static void on_fault(int number, siginfo_t *info, void *context) {
    (void)context;
    int is_fault = info->si_code > 0; /* not sent by a process */
    if (is_fault && fill_with_zeros(info->si_addr)) {
        __atomic_fetch_add(&fault_count, 1, __ATOMIC_RELAXED);
        return;
    }
    sigaction(number, &replaced, NULL);
    if (!is_fault) raise(number);
}

static void install(void) {
    struct sigaction action = {0};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    is_installed = sigaction(SIGBUS, &action, &replaced) == 0;
}

int functrace_guard(void *begin, uint64_t size) {
    struct range *range = malloc(sizeof *range);
    if (!range) return 0;
    range->begin = begin;
    range->end = range->begin + size;
    range->next = ranges;
    __atomic_store_n(&ranges, range, __ATOMIC_RELEASE);
    if (!is_installed) install();
    return 1;
}

int functrace_truncated(void) { return __atomic_load_n(&fault_count, __ATOMIC_RELAXED); }

#else

/* A mapped file cannot be truncated. */
int functrace_guard(void *begin, uint64_t size) {
    (void)begin, (void)size;
    return 1;
}

int functrace_truncated(void) { return 0; }

#endif
