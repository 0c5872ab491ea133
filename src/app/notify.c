/* SPDX-License-Identifier: Apache-2.0 */
#include "app/notify.h"

#include "base/str.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un manager = { .sun_family = AF_UNIX };
static socklen_t manager_size; /* 0: nobody */

void notify_keep_from_children(void)
{
    struct str path = str_c(getenv("NOTIFY_SOCKET")); /* NOLINT(concurrency-mt-unsafe): at start */
    (void)unsetenv("NOTIFY_SOCKET");                  /* NOLINT(concurrency-mt-unsafe): likewise */
    bool usable = path.n > 1 && (path.p[0] == '/' || path.p[0] == '@');
    if (!usable || path.n >= sizeof(manager.sun_path)) return;
    memcpy(manager.sun_path, path.p, path.n);
    if (path.p[0] == '@') manager.sun_path[0] = '\0';
    manager_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n);
}

void notify_service(const char *state)
{
    if (!manager_size) return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    (void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&manager,
                  manager_size);
    (void)close(fd);
}
