/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grafana_priv.h - what the files of this role share
 */
#ifndef ROLES_GRAFANA_GRAFANA_PRIV_H
#define ROLES_GRAFANA_GRAFANA_PRIV_H

#include "base/embedded.h"
#include "base/secret.h"
#include "codec/json.h"
#include "dash/catalog.h"
#include "dash/source.h"
#include "dash/users.h"
#include "io/http_client.h"
#include "io/http_server.h"
#include "model/role.h"

struct grafana_config {
    struct str address;
    int64_t port;
    struct str data, provisioning;
    struct str admin_user, admin_password; /* the flag is read once; the text goes on as a secret */
    struct str language;                   /* "", "en", "fr" */
    struct str self_prometheus, self_alertmanager;
    struct flag_strs self_doctor;
    struct str log_level, log_format; /* read by app */
};

struct doctor;

struct grafana {
    struct role_env env;
    struct grafana_config cfg;
    struct dash_store *store;
    struct users *users;
    struct dash_catalog *catalog;
    struct dash_provisioning *provisioning;
    struct http_server *server;
    struct http_client *client;
    struct timer scan_timer;
    struct job scan;
    uint64_t problems; /* what was last said about files, as a hash */
    char page_tag[24]; /* ETag of index.html */
    struct doctor *doctor;
};

/* auth.c: the `before` of the server; puts a struct user in req->user. */
bool grafana_before(struct http_req *req);
void grafana_login(struct http_req *req);
void grafana_logout(struct http_req *req);
void grafana_change_password(struct http_req *req);

/* api.c */
extern const struct http_route GRAFANA_ROUTES[];
void grafana_reply_message(struct http_req *req, int status, const char *fmt, ...) PRINTF(3, 4);
void grafana_reply_json(struct http_req *req, int status, struct buf *b);

/* dashboards.c */
void grafana_get_dashboard(struct http_req *req);
void grafana_save_dashboard(struct http_req *req);
void grafana_import_dashboard(struct http_req *req);
void grafana_delete_dashboard(struct http_req *req);
void grafana_search(struct http_req *req);

/* proxy.c */
void grafana_list_sources(struct http_req *req);
void grafana_get_source(struct http_req *req);
void grafana_proxy_uid(struct http_req *req);
void grafana_proxy_id(struct http_req *req);
void grafana_resources(struct http_req *req);
void grafana_source_health(struct http_req *req);

/* doctor.c */
void grafana_doctor(struct http_req *req);
void grafana_doctor_open(struct grafana *g);
void grafana_doctor_close(struct grafana *g);

/* page.c */
void grafana_asset(struct http_req *req);
void grafana_page(struct http_req *req);
void grafana_page_init(struct grafana *g);

#endif
