/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netcat.h - `vigie nc -zv HOST PORT`, also by a link named nc: is there somebody behind that port?
 *
 * For images that hold nothing but Vigie, in which `docker exec dreamscape-kafka-exporter nc -zv kafka 9092` must work.
 * Looking (-z) is all it does. Source: BusyBox nc, which is in the original's image: its texts and exit codes.
 */
#ifndef APP_NETCAT_H
#define APP_NETCAT_H

int netcat_run(int argc, char **argv);

#endif
