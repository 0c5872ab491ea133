/* SPDX-License-Identifier: Apache-2.0 */
/*
 * users.h - who may look: accounts, passwords, sessions
 *
 * Shape:   passwords are crypt(3) hashes (yescrypt); a session is a random token of which only SHA-256 is kept. The first start
 *          makes "admin"; a password given by flag or environment is applied as long as nobody changed it in the page.
 * Threads: any; one lock. users_login, users_check and users_change_password hash (tens of ms) and write: jobs only.
 *          users_session and users_cached are fast: a loop may call them.
 * Limits:  5 wrong passwords in 5 minutes block the name for 5 minutes; 10,000 sessions, the oldest goes.
 */
#ifndef DASH_USERS_H
#define DASH_USERS_H

#include "base/secret.h"
#include "dash/store.h"

struct users;

struct user {
    int64_t id;
    struct str login, email, name;
    bool default_password; /* still admin/admin */
};

enum { SESSION_TOKEN_CHARS = 64 }; /* hexadecimal */

/* password: empty keeps what is stored, or "admin" at the first start. */
enum err users_open(struct dash_store *store, struct str admin, struct secret password,
                    struct users **out, struct diag *d);
void users_close(struct users *u);

/*
 * Checks the password and begins a session.
 * Errors: ERR_DENIED wrong name or password; ERR_LIMIT too many wrong ones lately; ERR_SYS the database
 */
enum err users_login(struct users *u, struct str login, struct secret password, int64_t now_ms,
                     char token[SESSION_TOKEN_CHARS + 1], struct diag *d);
void users_logout(struct users *u, struct str token);

/* The user of a session that is neither idle for 7 days nor older than 30. False: none. Strings live as long as users. */
bool users_session(struct users *u, struct str token, int64_t now_ms, struct user *out);

/* HTTP basic: the slow check, whose success users_cached then remembers for 10 minutes. */
enum err users_check(struct users *u, struct str login, struct secret password, int64_t now_ms,
                     struct user *out);
bool users_cached(struct users *u, struct str login, struct secret password, int64_t now_ms,
                  struct user *out);

/* Ends all other sessions of the user. Errors: ERR_DENIED the old one is wrong; ERR_RANGE the new one is too short or "admin"; ERR_SYS */
enum err users_change_password(struct users *u, int64_t id, struct secret old, struct secret fresh,
                               int64_t now_ms, struct diag *d);

/* May a peer with this address use the page while the password is the default? */
enum address_kind { ADDRESS_LOOPBACK, ADDRESS_PRIVATE, ADDRESS_PUBLIC };
enum address_kind users_address_kind(struct str address);

#endif
