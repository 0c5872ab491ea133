/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.h - every sentence the doctor says, in every language it speaks
 *
 * Shape:  one row a word: its name for machines, then a template a language. {0}..{5} stand for arguments, which are names,
 *         numbers and texts of peers and are never translated. "one|many" chooses by the argument {0}.
 *         French rows are written with plain spaces; word_write() sets the no-break ones that French wants.
 */
#ifndef COMMANDS_DOCTOR_WORDS_H
#define COMMANDS_DOCTOR_WORDS_H

#include "base/buf.h"

enum lang { LANG_EN, LANG_FR, LANG_MAX_ };

enum severity { SEV_OK, SEV_NOTE, SEV_WARNING, SEV_ERROR, SEV_MAX_ };

/* What is looked at, in the order in which a message flows; the numbers that people see begin with 1. */
enum check {
    CHECK_FILES,
    CHECK_KAFKA,
    CHECK_LISTENERS,
    CHECK_JMX,
    CHECK_ROLES,
    CHECK_TARGETS,
    CHECK_RULES,
    CHECK_RECEIVERS,
    CHECK_PANELS,
    CHECK_MACHINE,
    CHECK_MAX_
};

enum word {
    W_NONE,
    /* frame */
    W_SEV_OK,
    W_SEV_NOTE,
    W_SEV_WARNING,
    W_SEV_ERROR,
    W_SUMMARY,
    W_SUMMARY_OPEN,
    W_N_CHECKS,
    W_N_ERRORS,
    W_N_WARNINGS,
    W_N_PASSED,
    W_N_OPEN,
    W_NOT_EXAMINED,
    W_ONLY_NOTES,
    W_NAME_FILES,
    W_NAME_KAFKA,
    W_NAME_LISTENERS,
    W_NAME_JMX,
    W_NAME_ROLES,
    W_NAME_TARGETS,
    W_NAME_RULES,
    W_NAME_RECEIVERS,
    W_NAME_PANELS,
    W_NAME_MACHINE,
    W_TOOK,
    W_CHECK_N,
    W_ALSO,
    W_MORE,
    W_MEND,
    W_WORKING,
    W_NOT_FINISHED,
    W_NOT_FINISHED_WHY,
    W_FIX_TIMEOUT,
    /* what is well, one a check and its figure */
    W_OK_FILES,
    W_OK_KAFKA,
    W_OK_LISTENERS,
    W_OK_JMX,
    W_OK_ROLES,
    W_OK_TARGETS,
    W_OK_RULES,
    W_OK_RECEIVERS,
    W_OK_PANELS,
    W_OK_MACHINE,
    W_FIG_FILES,
    W_FIG_KAFKA,
    W_FIG_LISTENERS,
    W_FIG_JMX,
    W_FIG_ROLES,
    W_FIG_OF,
    W_FIG_RULES,
    W_FIG_NAMES,
    W_FIG_PANELS,
    W_FIG_MACHINE,
    /* why a host and a port are not reached, whoever lives there */
    W_NAME_UNKNOWN,
    W_REFUSED,
    W_SILENT,
    W_NO_ROUTE,
    W_FIX_HOSTS,
    W_FIX_LISTENING,
    W_FIX_WAY,
    /* files */
    W_FILE_BAD,
    W_FILE_BAD_WHY,
    W_FILE_MISSING_WHY,
    W_FILE_ODD,
    W_FILE_ODD_WHY,
    W_FIX_CHECK,
    /* kafka */
    W_KAFKA_UNREACHED,
    W_KAFKA_TLS,
    W_KAFKA_TLS_WHY,
    W_FIX_PLAINTEXT,
    W_KAFKA_SASL,
    W_KAFKA_SASL_WHY,
    W_KAFKA_OTHER,
    W_KAFKA_OTHER_WHY,
    W_KAFKA_MUTE,
    W_KAFKA_MUTE_WHY,
    W_FIX_KAFKA_LOG,
    W_ACL_CLUSTER,
    W_ACL_CLUSTER_WHY,
    W_FIX_ACL_CLUSTER,
    W_ACL_TOPIC,
    W_ACL_TOPIC_WHY,
    W_FIX_ACL_TOPIC,
    W_ACL_GROUP,
    W_ACL_GROUP_WHY,
    W_FIX_ACL_GROUP,
    /* advertised listeners */
    W_LISTENER_UNREACHED,
    W_LISTENER_LOOPBACK_WHY,
    W_LISTENER_NOT_KAFKA_WHY,
    W_FIX_ADVERTISED,
    /* jmx */
    W_JMX_UNREACHED,
    W_JMX_NOWHERE,
    W_JMX_NOWHERE_WHY,
    W_FIX_JMX_PORT,
    W_JMX_STUB,
    W_JMX_STUB_WHY,
    W_FIX_JMX_STUB,
    W_JMX_RMI_PORT,
    W_JMX_RMI_PORT_WHY,
    W_FIX_JMX_RMI_PORT,
    W_JMX_LOGIN,
    W_JMX_LOGIN_WHY,
    W_JMX_TLS,
    W_JMX_TLS_WHY,
    W_FIX_JMX_PLAIN,
    W_JMX_OTHER,
    W_JMX_OTHER_WHY,
    /* roles and their ports */
    W_ROLES_NONE,
    W_ROLES_NONE_WHY,
    W_FIX_RUN,
    W_ROLE_DOWN,
    W_ROLE_DOWN_WHY,
    W_FIX_ROLE,
    W_PORT_TAKEN,
    W_PORT_TAKEN_WHY,
    W_FIX_PORT,
    /* targets */
    W_TARGET_UNREACHED,
    W_FIX_TARGET,
    W_TARGET_STATUS,
    W_TARGET_STATUS_WHY,
    W_TARGET_LOGIN_WHY,
    W_FIX_CURL,
    W_TARGET_JSON,
    W_TARGET_JSON_WHY,
    W_TARGET_HTML_WHY,
    W_FIX_PATH,
    W_FIX_PATH_UNKNOWN,
    W_TARGET_EMPTY,
    W_TARGET_EMPTY_WHY,
    W_TARGET_WANTS_TLS,
    W_TARGET_WANTS_TLS_WHY,
    W_FIX_HTTPS,
    W_TARGET_NO_TLS,
    W_TARGET_NO_TLS_WHY,
    W_FIX_HTTP,
    W_TARGET_CERT,
    W_CERT_WHY,
    W_FIX_CERT,
    W_TARGET_MUTE,
    W_TARGET_MUTE_WHY,
    W_TARGET_BAD,
    W_TARGET_BAD_WHY,
    /* rules and panels, against the running Prometheus */
    W_NO_PROM,
    W_NO_PROM_WHY,
    W_FIX_PROM,
    W_TOO_EARLY,
    W_TOO_EARLY_WHY,
    W_RULE_DEAD,
    W_RULE_FAILS,
    W_RULE_FAILS_WHY,
    W_PANEL_EMPTY,
    W_PANEL_PART,
    W_PANEL_BAD,
    W_PANEL_BAD_WHY,
    W_METRIC_UNKNOWN_WHY,
    W_METRIC_NEAR_WHY,
    W_METRIC_DOWN_WHY,
    W_METRIC_NOT_YET_WHY,
    W_LABEL_WHY,
    W_LABEL_NEAR_WHY,
    W_LABEL_ABSENT_WHY,
    W_FIX_SED,
    W_FIX_QUERY,
    W_NOT_ALL,
    W_NOT_ALL_WHY,
    W_SOURCE_UNREACHED,
    W_SOURCE_STATUS,
    W_SOURCE_STATUS_WHY,
    W_FIX_SOURCE,
    /* receivers */
    W_RECEIVER_UNSET,
    W_RECEIVER_UNSET_WHY,
    W_FIX_ENV,
    W_RECEIVER_NOBODY,
    W_RECEIVER_NOBODY_WHY,
    W_FIX_RECEIVER,
    W_MAIL_UNREACHED,
    W_MAIL_NO_STARTTLS,
    W_MAIL_NO_STARTTLS_WHY,
    W_FIX_NO_TLS,
    W_MAIL_NO_AUTH,
    W_MAIL_NO_AUTH_WHY,
    W_FIX_NO_AUTH,
    W_MAIL_CERT,
    W_MAIL_MUTE,
    W_MAIL_MUTE_WHY,
    W_FIX_MAIL_PORT,
    W_HOOK_UNREACHED,
    W_HOOK_CERT,
    W_HOOK_NO_TLS,
    W_HOOK_NO_TLS_WHY,
    W_FIX_HOOK,
    /* the machine */
    W_DISK,
    W_DISK_WHY,
    W_FIX_DISK,
    W_BROKER_DISK,
    W_BROKER_DISK_WHY,
    W_FIX_BROKER_DISK,
    W_CLOCK,
    W_CLOCK_WHY,
    W_FIX_CLOCK,
    W_MAX_
};

enum { WORD_ARGS_MAX = 6 };

/* A word with what it is about. */
struct saying {
    enum word word;
    struct str args[WORD_ARGS_MAX];
};
#define SAY(w, ...) ((struct saying){ .word = (w), .args = { __VA_ARGS__ } })

const char *word_name(enum word w); /* "kafka-unreached" */
const char *word_template(enum word w, enum lang l);

void say(struct buf *b, const struct saying *s, enum lang l);

/* "en", "fr", "fr_FR.UTF-8"; false: another one. */
bool lang_of(struct str text, enum lang *out);

#endif
