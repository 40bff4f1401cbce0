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
static struct sigaction before; /* the action of SIGBUS that ours has replaced */
static void (*notify)(void);
static bool is_installed;
/* Another handler was installed over ours and may call it: installing ours again would make a loop. */
static bool is_covered;

bool guard_add(void *memory, size_t bytes) {
    struct range *range = malloc(sizeof *range);
    if (!range) return false;
    *range = (struct range){memory, (char *)memory + bytes, ranges};
    __atomic_store_n(&ranges, range, __ATOMIC_RELEASE);
    return true;
}

/* Puts memory that belongs to no file in the place of the range, for stores that are under way. */
static bool replace(const char *address) {
    const struct range *range = __atomic_load_n(&ranges, __ATOMIC_ACQUIRE);
    while (range && !(address >= range->begin && address < range->end)) range = range->next;
    return range && mmap(range->begin, (size_t)(range->end - range->begin), PROT_READ | PROT_WRITE,
                         MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool is_plain(const struct sigaction *action, void (*handler)(int)) {
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == handler;
}

/* Has the signal do what it would do without us. With the default action restored, a store that
 * has failed fails again when this handler returns, and ends the process. */
static void pass_on(int number, siginfo_t *info, void *context) {
    struct sigaction action = before;
    bool is_default = is_plain(&action, SIG_DFL);
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
    if (is_fault && replace(info->si_addr)) {
        notify();
        errno = error;
        return;
    }
    errno = error;
    pass_on(number, info, context);
}

static bool is_ours(const struct sigaction *action) {
    return action->sa_flags & SA_SIGINFO && action->sa_sigaction == handle;
}

void guard_begin(void (*after_fault)(void)) {
    struct sigaction current;
    notify = after_fault;
    if (is_covered || sigaction(SIGBUS, NULL, &current) != 0) return;
    /* An ignored signal stays ignored: programs that this one executes inherit that. */
    if (is_ours(&current) || is_plain(&current, SIG_IGN)) return;
    before = current;
    /* A signal that is passed on needs the mask and the flags of the action that is replaced. */
    struct sigaction action = current;
    action.sa_sigaction = handle;
    action.sa_flags = (current.sa_flags & ~SA_RESETHAND) | SA_SIGINFO;
    if (is_plain(&current, SIG_DFL)) action.sa_flags |= SA_ONSTACK;
    sigaction(SIGBUS, &action, NULL);
    is_installed = true;
}

void guard_end(void) {
    struct sigaction current;
    if (!is_installed || sigaction(SIGBUS, NULL, &current) != 0) return;
    is_covered = !is_ours(&current);
    if (!is_covered) sigaction(SIGBUS, &before, NULL);
    is_installed = false;
}
