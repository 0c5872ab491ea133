/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peers.h - the few words of other protocols that no engine of ours speaks, and texts that several probes need
 *
 * Source: Kafka SaslHandshakeRequest/Response version 1; RFC 5321, 3207, 4954 (SMTP).
 */
#ifndef COMMANDS_DOCTOR_PEERS_H
#define COMMANDS_DOCTOR_PEERS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "commands/doctor/words.h"

/* Asks a broker which mechanisms it takes, by naming one that nobody has. */
void sasl_handshake_write(struct buf *b);

/*
 * From a frame without its length: "PLAIN, SCRAM-SHA-256"; empty when the listener wants no login.
 * Errors: ERR_SHORT, ERR_SYNTAX
 */
enum err sasl_mechanisms_read(struct str frame, struct arena *a, struct str *out);

/* One whole reply of a mail server: 250-a CRLF 250 b CRLF. */
struct smtp_reply {
    int code;
    struct str text; /* of all its lines, as they came */
};

/* Takes it off the front of *in. Errors: ERR_SHORT not whole yet; ERR_SYNTAX */
enum err smtp_reply_take(struct str *in, struct smtp_reply *out);

/* Is a keyword ("STARTTLS", "AUTH") among the lines of an EHLO's reply? *rest is what stands behind it. */
bool smtp_offers(const struct smtp_reply *r, struct str keyword, struct str *rest);

/* 41 GiB, 1.9 GiB, 512 MiB; in French 1,9 Gio */
struct str bytes_text(struct arena *a, int64_t bytes, enum lang l);

/* How many single changes (a letter put in, left out, replaced) lie between the two; stops counting at max. */
size_t edit_distance(struct str x, struct str y, size_t max);

/* The candidate that is nearest to name, or an empty str when none is near. */
struct str nearest(struct str name, const struct str *v, size_t n);

#endif
