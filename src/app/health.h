/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health.h - `vigie healthcheck [ROLE|URL]...`: what a container's health check asks, by the binary itself
 *
 * A role's name stands for its health page on the usual port of this host; nothing stands for all five roles.
 * A line for each on stdout; exit code 0 when all answered 2xx, else 1.
 */
#ifndef APP_HEALTH_H
#define APP_HEALTH_H

int health_run(int argc, char **argv);

#endif
