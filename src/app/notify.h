/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.h - a word to the service manager: what Type=notify of a systemd unit waits for
 *
 * Source: sd_notify(3): one datagram to the AF_UNIX socket that NOTIFY_SOCKET names; '@' begins an abstract name.
 */
#ifndef APP_NOTIFY_H
#define APP_NOTIFY_H

/* "READY=1", "STOPPING=1". Does nothing when nobody listens. */
void notify_service(const char *state);

/* Children are not the service: what they say is not for the manager. Before the first fork. */
void notify_keep_from_children(void);

#endif
