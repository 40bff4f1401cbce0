#include "guard.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Mapped memory. Items are added and never removed, so that a signal handler can read the list. */
struct range {
    char *begin, *end;
    struct range *next;
};

static struct range *ranges;
static struct sigaction replaced_action; /* the action of SIGBUS that ours has replaced */
static void (*on_fault)(void);
static bool is_installed;
/* Another handler was installed over ours and may call it: installing ours again would loop. */
static bool is_chained;

bool guard_add(void *memory, size_t bytes) {
    struct range *range = malloc(sizeof *range);
    if (!range) return false;
    *range = (struct range){memory, (char *)memory + bytes, ranges};
    __atomic_store_n(&ranges, range, __ATOMIC_RELEASE);
    return true;
}

/* Replaces the range that contains the address by anonymous memory, so that stores succeed. */
static bool replace_range(const char *address) {
    const struct range *range = __atomic_load_n(&ranges, __ATOMIC_ACQUIRE);
    while (range && !(address >= range->begin && address < range->end)) range = range->next;
    return range && mmap(range->begin, (size_t)(range->end - range->begin), PROT_READ | PROT_WRITE,
                         MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool has_plain_handler(const struct sigaction *action, void (*handler)(int)) {
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == handler;
}

/* Performs the action that the signal would have without us. With the default action restored, a
 * failed store fails again when this handler returns, and ends the process. */
static void forward(int number, siginfo_t *info, void *context) {
    struct sigaction action = replaced_action;
    bool is_default = has_plain_handler(&action, SIG_DFL);
    if (is_default || action.sa_flags & SA_RESETHAND) {
        struct sigaction plain = {.sa_handler = SIG_DFL};
        sigaction(number, &plain, NULL);
    }
    if (is_default) {
        if (info->si_code <= 0) raise(number); /* sent by a process */
    } else if (action.sa_flags & SA_SIGINFO) {
        action.sa_sigaction(number, info, context);
    } else {
        action.sa_handler(number);
    }
}

static void handle(int number, siginfo_t *info, void *context) {
    int error = errno;
    bool is_fault = info->si_code > 0; /* not sent by a process */
    if (is_fault && replace_range(info->si_addr)) {
        on_fault();
        errno = error;
        return;
    }
    errno = error;
    forward(number, info, context);
}

static bool is_ours(const struct sigaction *action) {
    return action->sa_flags & SA_SIGINFO && action->sa_sigaction == handle;
}

void guard_begin(void (*after_fault)(void)) {
    struct sigaction current;
    on_fault = after_fault;
    if (is_chained || sigaction(SIGBUS, NULL, &current) != 0) return;
    /* An ignored signal stays ignored: programs that this one executes inherit that. */
    if (is_ours(&current) || has_plain_handler(&current, SIG_IGN)) return;
    replaced_action = current;
    /* A signal that is passed on needs the mask and the flags of the action that is replaced. */
    struct sigaction action = current;
    action.sa_sigaction = handle;
    action.sa_flags = (current.sa_flags & ~SA_RESETHAND) | SA_SIGINFO;
    if (has_plain_handler(&current, SIG_DFL)) action.sa_flags |= SA_ONSTACK;
    sigaction(SIGBUS, &action, NULL);
    is_installed = true;
}

void guard_end(void) {
    struct sigaction current;
    if (!is_installed || sigaction(SIGBUS, NULL, &current) != 0) return;
    is_chained = !is_ours(&current);
    if (!is_chained) sigaction(SIGBUS, &replaced_action, NULL);
    is_installed = false;
}
