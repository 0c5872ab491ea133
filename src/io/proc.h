/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc.h - what the kernel says of this process, as the process_* metrics of every original
 */
#ifndef IO_PROC_H
#define IO_PROC_H

#include "base/buf.h"

/* process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes, process_open_fds, process_max_fds, process_start_time_seconds. */
void proc_write_metrics(struct buf *b);
const char *proc_hostname(void);

#endif
