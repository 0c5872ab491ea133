/* SPDX-License-Identifier: Apache-2.0 */
#include "io/proc.h"

#include "codec/expowrite.h"
#include "codec/num.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static struct str read_small(const char *path, char *to, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, to, room) : 0;
    if (fd >= 0) (void)close(fd);
    return str_make(to, n > 0 ? (size_t)n : 0);
}

/* Field `at` (from 0, behind the command's closing parenthesis) of /proc/self/stat. */
static double stat_field(struct str stat, unsigned at)
{
    size_t end = stat.n;
    while (end && stat.p[end - 1] != ')') end--;
    struct str rest = str_from(stat, end + 1), field = { 0 };
    for (unsigned i = 0; i <= at; i++) (void)str_cut(rest, ' ', &field, &rest);
    uint64_t v = 0;
    return num_parse_u64(field, &v) == OK ? (double)v : 0;
}

static double open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    double n = -3; /* ".", ".." and the descriptor that reads */
    if (!dir) return 0;
    while (readdir(dir)) n++;
    (void)closedir(dir);
    return n;
}

static double start_seconds(double ticks_since_boot, double hz)
{
    struct timespec now, up;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)clock_gettime(CLOCK_BOOTTIME, &up);
    double boot = (double)(now.tv_sec - up.tv_sec) + (double)(now.tv_nsec - up.tv_nsec) / 1e9;
    return boot + ticks_since_boot / hz;
}

static void one(struct buf *b, const char *name, const char *help, const char *type, double v)
{
    expo_family(b, str_c(name), str_c(help), type);
    expo_sample(b, str_c(name), NULL, 0, v);
}

void proc_write_metrics(struct buf *b)
{
    char text[1024];
    struct str stat = read_small("/proc/self/stat", text, sizeof(text));
    double hz = (double)sysconf(_SC_CLK_TCK), page = (double)sysconf(_SC_PAGESIZE);
    struct rlimit fds = { 0 };
    (void)getrlimit(RLIMIT_NOFILE, &fds);
    one(b, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
        "counter", (stat_field(stat, 11) + stat_field(stat, 12)) / hz);
    one(b, "process_max_fds", "Maximum number of open file descriptors.", "gauge",
        (double)fds.rlim_cur);
    one(b, "process_open_fds", "Number of open file descriptors.", "gauge", open_fds());
    one(b, "process_resident_memory_bytes", "Resident memory size in bytes.", "gauge",
        stat_field(stat, 21) * page);
    one(b, "process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
        "gauge", start_seconds(stat_field(stat, 19), hz));
    one(b, "process_virtual_memory_bytes", "Virtual memory size in bytes.", "gauge",
        stat_field(stat, 20));
}

const char *proc_hostname(void)
{
    static char name[256];
    if (!name[0] && gethostname(name, sizeof(name) - 1) != 0) {
        (void)strncpy(name, "localhost", sizeof(name) - 1);
    }
    return name;
}
