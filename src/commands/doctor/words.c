/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/doctor/words.h"

struct row {
    const char *name;
    const char *text[LANG_MAX_];
};

/* Commands are the same in all languages. */
#define BOTH(text)                                                                                 \
    {                                                                                              \
        text, text                                                                                 \
    }

static const struct row ROWS[W_MAX_] = {
    [W_NONE] = { "none", BOTH("") },

    [W_SEV_OK] = { "ok", { "Good", "Bon" } },
    [W_SEV_NOTE] = { "note", { "Note", "Note" } },
    [W_SEV_WARNING] = { "warning", { "Warning", "Attention" } },
    [W_SEV_ERROR] = { "error", { "Error", "Erreur" } },
    [W_SUMMARY] = { "summary", { "{0}: {1}, {2}, {3}.", "{0} : {1}, {2}, {3}." } },
    [W_SUMMARY_OPEN] = { "summary-open",
                         { "{0}: {1}, {2}, {3}, {4}.", "{0} : {1}, {2}, {3}, {4}." } },
    [W_N_CHECKS] = { "checks", { "{0} check|{0} checks", "{0} vérification|{0} vérifications" } },
    [W_N_ERRORS] = { "errors", { "{0} in error", "{0} en erreur" } },
    [W_N_WARNINGS] = { "warnings", { "{0} with warnings", "{0} à surveiller" } },
    [W_N_PASSED] = { "passed", { "{0} passed", "{0} réussie|{0} réussies" } },
    [W_N_OPEN] = { "open", { "{0} not examined in full", "{0} incomplète|{0} incomplètes" } },
    [W_NOT_EXAMINED] = { "not-examined",
                         { "Not examined in full: {0}", "Pas examiné en entier : {0}" } },
    [W_ONLY_NOTES] = { "only-notes", { "Only notes: {0}", "Seulement des notes : {0}" } },
    [W_NAME_FILES] = { "files", { "configuration files", "fichiers de configuration" } },
    [W_NAME_KAFKA] = { "kafka", { "Kafka", "Kafka" } },
    [W_NAME_LISTENERS] = { "listeners", { "advertised addresses", "adresses annoncées" } },
    [W_NAME_JMX] = { "jmx", { "JMX", "JMX" } },
    [W_NAME_ROLES] = { "roles", { "the five roles", "les cinq rôles" } },
    [W_NAME_TARGETS] = { "targets", { "scrape targets", "cibles de Prometheus" } },
    [W_NAME_RULES] = { "rules", { "rules", "règles" } },
    [W_NAME_RECEIVERS] = { "receivers", { "alert receivers", "destinataires d’alertes" } },
    [W_NAME_PANELS] = { "panels", { "data sources and panels", "sources de données et panneaux" } },
    [W_NAME_MACHINE] = { "machine", { "disk and clock", "disque et horloge" } },
    [W_TOOK] = { "took", { "done at {0} in {1} s", "faites à {0} en {1} s" } },
    [W_CHECK_N] = { "check", { "check {0}", "vérif. {0}" } },
    [W_ALSO] = { "also", { "also: {0}", "aussi : {0}" } },
    [W_MORE] = { "more", { "and {0} more", "et {0} de plus" } },
    [W_MEND] = { "mend", { "mend it with:", "pour réparer :" } },
    [W_WORKING] = { "working", { "still asking: {0}", "en attente de : {0}" } },
    [W_NOT_FINISHED] = { "not-finished",
                         { "{0} was not finished", "La vérification de {0} n’a pas abouti" } },
    [W_NOT_FINISHED_WHY] = { "not-finished-why",
                             { "There was no result within {0} s; everything else is complete.",
                               "Pas de résultat en {0} s ; tout le reste est complet." } },
    [W_FIX_TIMEOUT] = { "fix-timeout", BOTH("vigie doctor --timeout=60s") },

    [W_OK_FILES] = { "ok-files",
                     { "Every configuration file can be read",
                       "Tous les fichiers de configuration se lisent" } },
    [W_OK_KAFKA] = { "ok-kafka", { "Kafka answers on {0}", "Kafka répond sur {0}" } },
    [W_OK_LISTENERS] = { "ok-listeners",
                         { "Every broker is reached at the address it advertises",
                           "Chaque broker est joignable à l’adresse qu’il annonce" } },
    [W_OK_JMX] = { "ok-jmx", { "JMX answers", "JMX répond" } },
    [W_OK_ROLES] = { "ok-roles", { "The five roles run", "Les cinq rôles tournent" } },
    [W_OK_TARGETS] = { "ok-targets",
                       { "Every scrape target gives metrics",
                         "Toutes les cibles donnent des métriques" } },
    [W_OK_RULES] = { "ok-rules",
                     { "Every rule reads metrics that exist",
                       "Toutes les règles lisent des métriques qui existent" } },
    [W_OK_RECEIVERS] = { "ok-receivers",
                         { "Every alert receiver can be reached",
                           "Les destinataires d’alertes répondent" } },
    [W_OK_PANELS] = { "ok-panels",
                      { "Every panel finds its metrics",
                        "Tous les panneaux trouvent leurs métriques" } },
    [W_OK_MACHINE] = { "ok-machine",
                       { "Disk and clock are well", "Le disque et l’horloge vont bien" } },
    [W_FIG_FILES] = { "figure-files", { "{0} file|{0} files", "{0} fichier|{0} fichiers" } },
    [W_FIG_KAFKA] = { "figure-kafka",
                      { "{0} broker, {1} ms|{0} brokers, {1} ms",
                        "{0} broker, {1} ms|{0} brokers, {1} ms" } },
    [W_FIG_LISTENERS] = { "figure-listeners",
                          { "{0} address|{0} addresses", "{0} adresse|{0} adresses" } },
    [W_FIG_JMX] = { "figure-jmx", { "{0} port|{0} ports", "{0} port|{0} ports" } },
    [W_FIG_ROLES] = { "figure-roles", { "{0} of {1}", "{0} sur {1}" } },
    [W_FIG_OF] = { "figure-of", { "{0} of {1}", "{0} sur {1}" } },
    [W_FIG_RULES] = { "figure-rules", { "{0} rule|{0} rules", "{0} règle|{0} règles" } },
    [W_FIG_NAMES] = { "figure-names", { "{0}", "{0}" } },
    [W_FIG_PANELS] = { "figure-panels", { "{0} panel|{0} panels", "{0} panneau|{0} panneaux" } },
    [W_FIG_MACHINE] = { "figure-machine", { "{0} free", "{0} libres" } },

    [W_NAME_UNKNOWN] = { "name-unknown",
                         { "No name server and no hosts file of this machine knows the name {0}. Inside a "
                           "container network it may be known; from here it is not.",
                           "Aucun serveur de noms, aucun fichier hosts de cette machine ne connaît le nom {0}. "
                           "Il est peut-être connu dans un réseau de conteneurs, il ne l’est pas d’ici." } },
    [W_REFUSED] = { "refused",
                    { "The machine answers and refuses the connection: the program is not running, or "
                      "listens on another port or another interface.",
                      "La machine répond et refuse la connexion : le programme ne tourne pas, ou écoute "
                      "sur un autre port ou une autre interface." } },
    [W_SILENT] = { "silent",
                   { "No answer at all within {0} s: a firewall drops the packets, the address is wrong, or "
                     "the machine is down.",
                     "Aucune réponse en {0} s : un pare-feu jette les paquets, l’adresse est fausse, ou la "
                     "machine est arrêtée." } },
    [W_NO_ROUTE] = { "no-route",
                     { "There is no way to it from here.", "Aucun chemin n’y mène d’ici." } },
    [W_FIX_HOSTS] = { "fix-hosts",
                      { "echo 'ITS-ADDRESS {0}' | sudo tee -a /etc/hosts",
                        "echo 'SON-ADRESSE {0}' | sudo tee -a /etc/hosts" } },
    [W_FIX_LISTENING] = { "fix-listening", BOTH("ss -ltnp 'sport = :{1}'") },
    [W_FIX_WAY] = { "fix-way", BOTH("nc -zv {0} {1}") },

    [W_FILE_BAD] = { "file-bad", { "{0} cannot be read", "{0} ne se lit pas" } },
    [W_FILE_BAD_WHY] = { "file-bad-why",
                         { "Line {0}, column {1}: {2}. The role that reads it does not start, or keeps "
                           "what it had.",
                           "Ligne {0}, colonne {1} : {2}. Le rôle qui le lit ne démarre pas, ou garde ce "
                           "qu’il avait." } },
    [W_FILE_MISSING_WHY] = { "file-missing-why", { "{0}.", "{0}." } },
    [W_FILE_ODD] = { "file-odd",
                     { "{0} loads, but something in it is odd",
                       "{0} se charge, mais quelque chose y est étrange" } },
    [W_FILE_ODD_WHY] = { "file-odd-why", { "{0}.", "{0}." } },
    [W_FIX_CHECK] = { "fix-check", BOTH("vigie check {0}") },

    [W_KAFKA_UNREACHED] = { "kafka-unreached",
                            { "Kafka cannot be reached on {0}",
                              "Kafka n’est pas joignable sur {0}" } },
    [W_KAFKA_TLS] = { "kafka-tls",
                      { "The Kafka listener {0} wants TLS, and is asked in plain text",
                        "Le listener Kafka {0} veut du TLS, on lui parle en clair" } },
    [W_KAFKA_TLS_WHY] = { "kafka-tls-why",
                          { "It does not answer in plain text, and a TLS handshake succeeds. Name a PLAINTEXT "
                            "listener of the same broker.",
                            "Il ne répond pas en clair, et une négociation TLS réussit. Indiquez un listener "
                            "PLAINTEXT du même broker." } },
    [W_FIX_PLAINTEXT] = { "fix-plaintext",
                          { "grep ^listeners= server.properties   # on the broker: which port is PLAINTEXT\n"
                            "vigie run --kafka {0}:PLAINTEXT-PORT",
                            "grep ^listeners= server.properties   # sur le broker : quel port est PLAINTEXT\n"
                            "vigie run --kafka {0}:PORT-PLAINTEXT" } },
    [W_KAFKA_SASL] = { "kafka-sasl",
                       { "The Kafka listener {0} wants a login (SASL)",
                         "Le listener Kafka {0} demande une authentification (SASL)" } },
    [W_KAFKA_SASL_WHY] = { "kafka-sasl-why",
                           { "It answers who it is and hangs up at the first question: nobody has logged in. It "
                             "offers {0}.",
                             "Il dit qui il est et raccroche à la première question : personne ne s’est "
                             "authentifié. Il propose {0}." } },
    [W_KAFKA_OTHER] = { "kafka-other",
                        { "On {0} answers {1}, not Kafka",
                          "Sur {0}, c’est {1} qui répond, pas Kafka" } },
    [W_KAFKA_OTHER_WHY] = { "kafka-other-why",
                            { "The port belongs to another program; --kafka names a broker’s listener, "
                              "usually 9092.",
                              "Le port appartient à un autre programme ; --kafka désigne le listener d’un "
                              "broker, d’ordinaire 9092." } },
    [W_KAFKA_MUTE] = { "kafka-mute",
                       { "{0} takes connections but does not answer as Kafka",
                         "{0} accepte les connexions mais ne répond pas comme Kafka" } },
    [W_KAFKA_MUTE_WHY] = { "kafka-mute-why",
                           { "The broker may still be starting or be overloaded, or another program holds "
                             "the port.",
                             "Le broker démarre peut-être encore ou est surchargé, ou un autre programme tient "
                             "le port." } },
    [W_FIX_KAFKA_LOG] = { "fix-kafka-log",
                          BOTH("journalctl -u kafka -n 50; ss -ltnp 'sport = :{1}'") },
    [W_ACL_CLUSTER] = { "acl-cluster",
                        { "An ACL is missing: Vigie may not look at the cluster",
                          "Il manque une ACL : Vigie n’a pas le droit de regarder le cluster" } },
    [W_ACL_CLUSTER_WHY] = { "acl-cluster-why",
                            { "{0} has no Describe on the cluster: groups and log directories stay hidden, lag "
                              "and disk panels stay empty.",
                              "{0} n’a pas Describe sur le cluster : les groupes et les répertoires de "
                              "données restent cachés, les panneaux de retard et de disque restent vides." } },
    [W_FIX_ACL_CLUSTER] = { "fix-acl-cluster",
                            BOTH(
                                "kafka-acls.sh --bootstrap-server {1} --add --allow-principal {0} --operation Describe --cluster\n"
                                "kafka-acls.sh --bootstrap-server {1} --add --allow-principal {0} --operation Describe --topic '*' --group '*'") },
    [W_ACL_TOPIC] = { "acl-topic",
                      { "An ACL is missing: topic {0} is hidden from Vigie",
                        "Il manque une ACL : le topic {0} est caché à Vigie" } },
    [W_ACL_TOPIC_WHY] = { "acl-topic-why",
                          { "A broker keeps data of it, but the list of topics does not name it: {0} has no "
                            "Describe on it.",
                            "Un broker en garde des données, mais la liste des topics ne le nomme pas : {0} "
                            "n’a pas Describe dessus." } },
    [W_FIX_ACL_TOPIC] = { "fix-acl-topic",
                          BOTH(
                              "kafka-acls.sh --bootstrap-server {1} --add --allow-principal {0} --operation Describe --topic '*'") },
    [W_ACL_GROUP] = { "acl-group",
                      { "An ACL is missing: the offsets of group {0} are hidden from Vigie",
                        "Il manque une ACL : les positions du groupe {0} sont cachées à Vigie" } },
    [W_ACL_GROUP_WHY] = { "acl-group-why",
                          { "{0} has no Describe on groups: their lag is not known.",
                            "{0} n’a pas Describe sur les groupes : leur retard reste inconnu." } },
    [W_FIX_ACL_GROUP] = { "fix-acl-group",
                          BOTH(
                              "kafka-acls.sh --bootstrap-server {1} --add --allow-principal {0} --operation Describe --group '*'") },

    [W_LISTENER_UNREACHED] = { "listener-unreached",
                               { "Broker {0} advertises {1}, which cannot be reached from here",
                                 "Le broker {0} annonce {1}, injoignable d’ici" } },
    [W_LISTENER_LOOPBACK_WHY] = { "listener-loopback",
                                  { "That address means this very machine, not the broker, which was reached "
                                    "at {0}.",
                                    "Cette adresse désigne la machine même où l’on est, pas le broker, que l’on "
                                    "a joint à {0}." } },
    [W_LISTENER_NOT_KAFKA_WHY] = { "listener-not-kafka",
                                   { "Something listens there, but it does not answer as this listener of Kafka should.",
                                     "Quelque chose y écoute, mais ne répond pas comme ce listener de Kafka le devrait." } },
    [W_FIX_ADVERTISED] = { "fix-advertised",
                           { "# server.properties of broker {0}, then restart it\n"
                             "advertised.listeners=PLAINTEXT://ADDRESS-KNOWN-HERE:{1}",
                             "# server.properties du broker {0}, puis le redémarrer\n"
                             "advertised.listeners=PLAINTEXT://ADRESSE-CONNUE-ICI:{1}" } },

    [W_JMX_UNREACHED] = { "jmx-unreached",
                          { "JMX cannot be reached on {0}", "JMX n’est pas joignable sur {0}" } },
    [W_JMX_NOWHERE] = { "jmx-nowhere",
                        { "JMX was not found on {0}", "JMX est introuvable sur {0}" } },
    [W_JMX_NOWHERE_WHY] = { "jmx-nowhere-why",
                            { "The ports {0} were tried. Without JMX, throughput, latency, under-replicated and "
                              "offline partitions are not known.",
                              "Les ports {0} ont été essayés. Sans JMX, le débit, la latence, les partitions "
                              "sous-répliquées et hors ligne restent inconnus." } },
    [W_FIX_JMX_PORT] = { "fix-jmx-port",
                         { "JMX_PORT=9999 bin/kafka-server-start.sh config/server.properties   # on the broker\n"
                           "vigie run --jmx {0}:9999",
                           "JMX_PORT=9999 bin/kafka-server-start.sh config/server.properties   # sur le broker\n"
                           "vigie run --jmx {0}:9999" } },
    [W_JMX_STUB] = { "jmx-stub",
                     { "JMX on {0} sends its clients to {1}, which leads nowhere",
                       "JMX sur {0} envoie ses clients vers {1}, qui ne mène nulle part" } },
    [W_JMX_STUB_WHY] = { "jmx-stub-why",
                         { "Vigie stays with the address you gave and reads on; jmx_exporter, JConsole and "
                           "every other Java client will fail. The address comes from "
                           "java.rmi.server.hostname.",
                           "Vigie garde l’adresse que vous avez donnée et lit quand même ; jmx_exporter, "
                           "JConsole et tout autre client Java échoueront. L’adresse vient de "
                           "java.rmi.server.hostname." } },
    [W_FIX_JMX_STUB] = { "fix-jmx-stub",
                         BOTH(
                             "KAFKA_JMX_OPTS=\"-Dcom.sun.management.jmxremote -Djava.rmi.server.hostname={0} "
                             "-Dcom.sun.management.jmxremote.rmi.port={1} -Dcom.sun.management.jmxremote.authenticate=false "
                             "-Dcom.sun.management.jmxremote.ssl=false\"") },
    [W_JMX_RMI_PORT] = { "jmx-rmi-port",
                         { "JMX on {0} hands on to port {1}, which cannot be reached",
                           "JMX sur {0} renvoie au port {1}, injoignable" } },
    [W_JMX_RMI_PORT_WHY] = { "jmx-rmi-port-why",
                             { "The registry answers, but the server behind it took a port of its own that a "
                               "firewall or a container does not let through.",
                               "Le registre répond, mais le serveur derrière lui a pris un port à lui, qu’un "
                               "pare-feu ou un conteneur ne laisse pas passer." } },
    [W_FIX_JMX_RMI_PORT] = { "fix-jmx-rmi-port",
                             { "# on the broker: the same port for both\n"
                               "-Dcom.sun.management.jmxremote.rmi.port={0}",
                               "# sur le broker : le même port pour les deux\n"
                               "-Dcom.sun.management.jmxremote.rmi.port={0}" } },
    [W_JMX_LOGIN] = { "jmx-login",
                      { "JMX on {0} wants a login", "JMX sur {0} demande une authentification" } },
    [W_JMX_LOGIN_WHY] = { "jmx-login-why",
                          { "It was started with com.sun.management.jmxremote.authenticate=true.",
                            "Il a été démarré avec com.sun.management.jmxremote.authenticate=true." } },
    [W_JMX_TLS] = { "jmx-tls", { "JMX on {0} wants TLS", "JMX sur {0} veut du TLS" } },
    [W_JMX_TLS_WHY] = { "jmx-tls-why",
                        { "It was started with com.sun.management.jmxremote.ssl=true.",
                          "Il a été démarré avec com.sun.management.jmxremote.ssl=true." } },
    [W_FIX_JMX_PLAIN] = { "fix-jmx-plain",
                          { "# on the broker, with a port that only this machine reaches\n"
                            "-Dcom.sun.management.jmxremote.authenticate=false -Dcom.sun.management.jmxremote.ssl=false",
                            "# sur le broker, avec un port que seule cette machine atteint\n"
                            "-Dcom.sun.management.jmxremote.authenticate=false -Dcom.sun.management.jmxremote.ssl=false" } },
    [W_JMX_OTHER] = { "jmx-other", { "{0} is no JMX port", "{0} n’est pas un port JMX" } },
    [W_JMX_OTHER_WHY] = { "jmx-other-why",
                          { "Something else answers there.", "Autre chose y répond." } },

    [W_ROLES_NONE] = { "roles-none", { "Vigie is not running here", "Vigie ne tourne pas ici" } },
    [W_ROLES_NONE_WHY] = { "roles-none-why",
                           { "None of the five roles answers on {0}; nobody watches, nobody is told.",
                             "Aucun des cinq rôles ne répond sur {0} ; personne ne surveille, personne n’est "
                             "prévenu." } },
    [W_FIX_RUN] = { "fix-run", BOTH("vigie run {0}") },
    [W_ROLE_DOWN] = { "role-down",
                      { "The role {0} does not answer on {1}",
                        "Le rôle {0} ne répond pas sur {1}" } },
    [W_ROLE_DOWN_WHY] = { "role-down-why",
                          { "Other roles of Vigie run, this one does not, or it listens elsewhere.",
                            "D’autres rôles de Vigie tournent, pas celui-ci, ou bien il écoute ailleurs." } },
    [W_FIX_ROLE] = { "fix-role", BOTH("vigie {0} --help") },
    [W_PORT_TAKEN] = { "port-taken",
                       { "The port {1} of {0} is taken by another program",
                         "Le port {1} de {0} est pris par un autre programme" } },
    [W_PORT_TAKEN_WHY] = { "port-taken-why",
                           { "What listens there does not answer as {0}.",
                             "Ce qui y écoute ne répond pas comme {0}." } },
    [W_FIX_PORT] = { "fix-port", BOTH("ss -ltnp 'sport = :{0}'\nvigie run --{1}=:PORT") },

    [W_TARGET_UNREACHED] = { "target-unreached",
                             { "The target {0} of job {1} cannot be reached",
                               "La cible {0} du job {1} n’est pas joignable" } },
    [W_FIX_TARGET] = { "fix-target", BOTH("curl -v {0}") },
    [W_TARGET_STATUS] = { "target-status",
                          { "The target {0} of job {1} answers with status {2}",
                            "La cible {0} du job {1} répond par le statut {2}" } },
    [W_TARGET_STATUS_WHY] = { "target-status-why",
                              { "Prometheus takes only 200; the target counts as down.",
                                "Prometheus n’accepte que 200 ; la cible compte comme en panne." } },
    [W_TARGET_LOGIN_WHY] = { "target-login-why",
                             { "It wants to know who asks: the job has no basic_auth or authorization, or not "
                               "the right one.",
                               "Elle veut savoir qui demande : le job n’a ni basic_auth ni authorization, ou "
                               "pas le bon." } },
    [W_FIX_CURL] = { "fix-curl", BOTH("curl -i {0}") },
    [W_TARGET_JSON] = { "target-json",
                        { "The target {0} of job {1} is no metrics page",
                          "La cible {0} du job {1} n’est pas une page de métriques" } },
    [W_TARGET_JSON_WHY] = { "target-json-why",
                            { "It answers with JSON ({0}), as a health page does; Prometheus cannot read a "
                              "number from it.",
                              "Elle répond en JSON ({0}), comme une page de santé ; Prometheus n’y lit aucun "
                              "nombre." } },
    [W_TARGET_HTML_WHY] = { "target-html-why",
                            { "It answers with a page for people ({0}).",
                              "Elle répond par une page pour les humains ({0})." } },
    [W_FIX_PATH] = { "fix-path",
                     { "# prometheus.yml, job {0}: {1} answers with metrics\nmetrics_path: {1}",
                       "# prometheus.yml, job {0} : {1} répond par des métriques\nmetrics_path: {1}" } },
    [W_FIX_PATH_UNKNOWN] = { "fix-path-unknown",
                             { "# prometheus.yml, job {0}: where the program has its metrics\n"
                               "metrics_path: /metrics",
                               "# prometheus.yml, job {0} : là où le programme a ses métriques\n"
                               "metrics_path: /metrics" } },
    [W_TARGET_EMPTY] = { "target-empty",
                         { "The target {0} of job {1} gives no metric at all",
                           "La cible {0} du job {1} ne donne aucune métrique" } },
    [W_TARGET_EMPTY_WHY] = { "target-empty-why",
                             { "It answers 200 with an empty page.",
                               "Elle répond 200 par une page vide." } },
    [W_TARGET_WANTS_TLS] = { "target-wants-tls",
                             { "The target {0} of job {1} wants TLS, and is asked in plain text",
                               "La cible {0} du job {1} veut du TLS, on lui parle en clair" } },
    [W_TARGET_WANTS_TLS_WHY] = { "target-wants-tls-why",
                                 { "Plain HTTP is not understood there; a TLS handshake succeeds.",
                                   "Le HTTP en clair n’y est pas compris ; une négociation TLS réussit." } },
    [W_FIX_HTTPS] = { "fix-https", BOTH("# prometheus.yml, job {0}\nscheme: https") },
    [W_TARGET_NO_TLS] = { "target-no-tls",
                          { "The target {0} of job {1} speaks plain text, and is asked for TLS",
                            "La cible {0} du job {1} parle en clair, on lui demande du TLS" } },
    [W_TARGET_NO_TLS_WHY] = { "target-no-tls-why",
                              { "The job says scheme: https, but there is no TLS on that port.",
                                "Le job dit scheme: https, mais ce port n’a pas de TLS." } },
    [W_FIX_HTTP] = { "fix-http", BOTH("# prometheus.yml, job {0}\nscheme: http") },
    [W_TARGET_CERT] = { "target-cert",
                        { "The certificate of target {0} of job {1} is not good",
                          "Le certificat de la cible {0} du job {1} n’est pas bon" } },
    [W_CERT_WHY] = { "cert-why",
                     { "Its check fails; whoever sends there hangs up.",
                       "Sa vérification échoue ; qui s’y connecte raccroche." } },
    [W_FIX_CERT] = { "fix-cert",
                     BOTH("openssl s_client -connect {0}:{1} -servername {0} </dev/null") },
    [W_TARGET_MUTE] = { "target-mute",
                        { "The target {0} of job {1} does not answer as HTTP",
                          "La cible {0} du job {1} ne répond pas en HTTP" } },
    [W_TARGET_MUTE_WHY] = { "target-mute-why",
                            { "The connection stands, but no HTTP comes back.",
                              "La connexion s’établit, mais rien n’y répond en HTTP." } },
    [W_TARGET_BAD] = { "target-bad",
                       { "{0} of job {1} is no target", "{0} du job {1} n’est pas une cible" } },
    [W_TARGET_BAD_WHY] = { "target-bad-why", { "{0}.", "{0}." } },

    [W_NO_PROM] = { "no-prometheus",
                    { "Rules and panels were not compared with the metrics there are",
                      "Règles et panneaux n’ont pas été comparés aux métriques présentes" } },
    [W_NO_PROM_WHY] = { "no-prometheus-why",
                        { "Prometheus does not answer on {0}.",
                          "Prometheus ne répond pas sur {0}." } },
    [W_FIX_PROM] = { "fix-prometheus", BOTH("curl {0}/-/ready") },
    [W_TOO_EARLY] = { "too-early",
                      { "It is too early to say what rules and panels will find",
                        "Il est trop tôt pour dire ce que trouveront règles et panneaux" } },
    [W_TOO_EARLY_WHY] = { "too-early-why",
                          { "Prometheus has no metric yet: the first scrape has not ended.",
                            "Prometheus n’a encore aucune métrique : la première collecte n’est pas finie." } },
    [W_RULE_DEAD] = { "rule-dead",
                      { "The rule {0} can never fire",
                        "La règle {0} ne peut jamais se déclencher" } },
    [W_RULE_FAILS] = { "rule-fails", { "The rule {0} fails", "La règle {0} échoue" } },
    [W_RULE_FAILS_WHY] = { "rule-fails-why", { "Prometheus says: {0}.", "Prometheus dit : {0}." } },
    [W_PANEL_EMPTY] = { "panel-empty",
                        { "The panel “{0}” shows nothing", "Le panneau « {0} » ne montre rien" } },
    [W_PANEL_PART] = { "panel-part",
                       { "One of the queries of panel “{0}” finds nothing",
                         "Une des requêtes du panneau « {0} » ne trouve rien" } },
    [W_PANEL_BAD] = { "panel-bad",
                      { "The query of panel “{0}” cannot be read",
                        "La requête du panneau « {0} » ne se lit pas" } },
    [W_PANEL_BAD_WHY] = { "panel-bad-why",
                          { "Dashboard “{0}”: {1}.", "Tableau de bord « {0} » : {1}." } },
    [W_METRIC_UNKNOWN_WHY] = { "metric-unknown",
                               { "No target gives the metric {0}.",
                                 "Aucune cible ne donne la métrique {0}." } },
    [W_METRIC_NEAR_WHY] = { "metric-near",
                            { "No target gives the metric {0}; the nearest there is: {1}.",
                              "Aucune cible ne donne la métrique {0} ; la plus proche : {1}." } },
    [W_METRIC_DOWN_WHY] = { "metric-down",
                            { "No target gives the metric {0} now; these are down: {1}.",
                              "Aucune cible ne donne la métrique {0} en ce moment ; en panne : {1}." } },
    [W_METRIC_NOT_YET_WHY] = { "metric-not-yet",
                               { "The metric {0} comes with the first consumer group; there is none yet.",
                                 "La métrique {0} vient avec le premier groupe de consommateurs ; il n’y en a pas encore." } },
    [W_LABEL_WHY] = { "label-value",
                      { "{0} has series, but none with {1}. The label {2} has: {3}.",
                        "{0} a des séries, mais aucune avec {1}. L’étiquette {2} vaut : {3}." } },
    [W_LABEL_NEAR_WHY] = { "label-near",
                           { "{0} has series, but none with {1}; the nearest value of {2} is {3}.",
                             "{0} a des séries, mais aucune avec {1} ; la valeur la plus proche de {2} est {3}." } },
    [W_LABEL_ABSENT_WHY] = { "label-absent",
                             { "{0} has series, but none with {1}: it has no label {2}.",
                               "{0} a des séries, mais aucune avec {1} : elle n’a pas d’étiquette {2}." } },
    [W_FIX_SED] = { "fix-sed", BOTH("sed -i 's/{0}/{1}/' {2}") },
    [W_FIX_QUERY] = { "fix-query",
                      BOTH("curl -G {0}/api/v1/series --data-urlencode 'match[]={1}'") },
    [W_NOT_ALL] = { "not-all",
                    { "Not every selector was compared with the metrics there are",
                      "Tous les sélecteurs n’ont pas été comparés aux métriques présentes" } },
    [W_NOT_ALL_WHY] = { "not-all-why",
                        { "There was time for {0} of {1}.",
                          "Le temps a suffi pour {0} sur {1}." } },
    [W_SOURCE_UNREACHED] = { "source-unreached",
                             { "The data source {0} cannot be reached on {1}",
                               "La source de données {0} n’est pas joignable sur {1}" } },
    [W_SOURCE_STATUS] = { "source-status",
                          { "The data source {0} on {1} does not answer as {2}",
                            "La source de données {0} sur {1} ne répond pas comme {2}" } },
    [W_SOURCE_STATUS_WHY] = { "source-status-why",
                              { "The connection stands, but the answer is not the one of such a source.",
                                "La connexion s’établit, mais la réponse n’est pas celle d’une telle source." } },
    [W_FIX_SOURCE] = { "fix-source",
                       { "# grafana/provisioning/datasources/*.yml, source {0}\nurl: http://localhost:9090",
                         "# grafana/provisioning/datasources/*.yml, source {0}\nurl: http://localhost:9090" } },

    [W_RECEIVER_UNSET] = { "receiver-unset",
                           { "The receiver {0} is off for {1}: {2} is not set",
                             "Le destinataire {0} est coupé pour {1} : {2} n’est pas défini" } },
    [W_RECEIVER_UNSET_WHY] = { "receiver-unset-why",
                               { "The variable stands neither in the environment of this command nor in a "
                                 ".env file beside alertmanager.yml.",
                                 "La variable n’est ni dans l’environnement de cette commande ni dans un "
                                 "fichier .env à côté de alertmanager.yml." } },
    [W_FIX_ENV] = { "fix-env", BOTH("echo '{0}=...' >> {1}") },
    [W_RECEIVER_NOBODY] = { "receiver-nobody",
                            { "No alert reaches anybody", "Aucune alerte n’arrive à personne" } },
    [W_RECEIVER_NOBODY_WHY] = { "receiver-nobody-why",
                                { "The default receiver {0} of alertmanager.yml has nothing that sends.",
                                  "Le destinataire par défaut {0} de alertmanager.yml n’a rien qui envoie." } },
    [W_FIX_RECEIVER] = { "fix-receiver",
                         BOTH(
                             "# alertmanager.yml\nreceivers:\n  - name: {0}\n    email_configs:\n      - to: ops@example.com") },
    [W_MAIL_UNREACHED] = { "mail-unreached",
                           { "The mail server {0} of receiver {1} cannot be reached",
                             "Le serveur de courrier {0} du destinataire {1} n’est pas joignable" } },
    [W_MAIL_NO_STARTTLS] = { "mail-no-starttls",
                             { "The mail server {0} of receiver {1} offers no STARTTLS",
                               "Le serveur de courrier {0} du destinataire {1} n’offre pas STARTTLS" } },
    [W_MAIL_NO_STARTTLS_WHY] = { "mail-no-starttls-why",
                                 { "require_tls is on, as it is by default: no mail will leave. Switch it off "
                                   "only on a network you trust.",
                                   "require_tls est actif, comme par défaut : aucun courrier ne partira. Ne le "
                                   "coupez que sur un réseau de confiance." } },
    [W_FIX_NO_TLS] = { "fix-no-tls",
                       { "# alertmanager.yml, email_configs of {0}\nrequire_tls: false",
                         "# alertmanager.yml, email_configs de {0}\nrequire_tls: false" } },
    [W_MAIL_NO_AUTH] = { "mail-no-auth",
                         { "The mail server {0} of receiver {1} offers no login",
                           "Le serveur de courrier {0} du destinataire {1} n’offre pas d’authentification" } },
    [W_MAIL_NO_AUTH_WHY] = { "mail-no-auth-why",
                             { "auth_username is set, but the server does not offer AUTH: the mail will be refused.",
                               "auth_username est donné, mais le serveur n’offre pas AUTH : le courrier sera refusé." } },
    [W_FIX_NO_AUTH] = { "fix-no-auth",
                        { "# alertmanager.yml, email_configs of {0}: the submission port, or no auth_username\n"
                          "smarthost: '{1}:587'",
                          "# alertmanager.yml, email_configs de {0} : le port de soumission, ou pas de auth_username\n"
                          "smarthost: '{1}:587'" } },
    [W_MAIL_CERT] = { "mail-cert",
                      { "The certificate of mail server {0} of receiver {1} is not good",
                        "Le certificat du serveur de courrier {0} du destinataire {1} n’est pas bon" } },
    [W_MAIL_MUTE] = { "mail-mute",
                      { "{0} of receiver {1} does not answer as a mail server",
                        "{0} du destinataire {1} ne répond pas comme un serveur de courrier" } },
    [W_MAIL_MUTE_WHY] = { "mail-mute-why",
                          { "The connection stands, but no SMTP comes back. Port 465 begins with TLS, 587 and 25 without.",
                            "La connexion s’établit, mais rien n’y répond en SMTP. Le port 465 commence par TLS, 587 et 25 sans." } },
    [W_FIX_MAIL_PORT] = { "fix-mail-port",
                          BOTH("openssl s_client -connect {0}:{1} -starttls smtp </dev/null") },
    [W_HOOK_UNREACHED] = { "hook-unreached",
                           { "The host {0} of {1}, receiver {2}, cannot be reached",
                             "L’hôte {0} de {1}, destinataire {2}, n’est pas joignable" } },
    [W_HOOK_CERT] = { "hook-cert",
                      { "The certificate of {0} for {1}, receiver {2}, is not good",
                        "Le certificat de {0} pour {1}, destinataire {2}, n’est pas bon" } },
    [W_HOOK_NO_TLS] = { "hook-no-tls",
                        { "The host {0} of {1}, receiver {2}, does not speak TLS",
                          "L’hôte {0} de {1}, destinataire {2}, ne parle pas TLS" } },
    [W_HOOK_NO_TLS_WHY] = { "hook-no-tls-why",
                            { "The address begins with https, but no TLS handshake succeeds.",
                              "L’adresse commence par https, mais aucune négociation TLS ne réussit." } },
    [W_FIX_HOOK] = { "fix-hook", BOTH("curl -sv -o /dev/null {0}://{1}:{2}/") },

    [W_DISK] = { "disk",
                 { "The disk of {0} is {1} % full", "Le disque de {0} est rempli à {1} %" } },
    [W_DISK_WHY] = { "disk-why",
                     { "{0} are free. When it is full, no sample and no silence can be kept.",
                       "Il reste {0}. Plein, ni mesure ni silence ne peut plus être gardé." } },
    [W_FIX_DISK] = { "fix-disk",
                     BOTH(
                         "du -sh {0}/*; vigie run --prometheus.storage.tsdb.retention.size={1}GB") },
    [W_BROKER_DISK] = { "broker-disk",
                        { "The disk {1} of broker {0} is {2} % full",
                          "Le disque {1} du broker {0} est rempli à {2} %" } },
    [W_BROKER_DISK_WHY] = { "broker-disk-why",
                            { "{0} are free. The largest topic there is {1} with {2}.",
                              "Il reste {0}. Le plus gros topic y est {1} avec {2}." } },
    [W_FIX_BROKER_DISK] = { "fix-broker-disk",
                            BOTH("kafka-configs.sh --bootstrap-server {0} --alter --topic {1} \\\n"
                                 "  --add-config retention.ms=604800000") },
    [W_CLOCK] = { "clock",
                  { "The clocks of {0} and of this machine are {1} s apart",
                    "Les horloges de {0} et de cette machine ont {1} s d’écart" } },
    [W_CLOCK_WHY] = { "clock-why",
                      { "Its answer is dated {0}, here it is {1}. Alerts come at the wrong time and samples "
                        "may be refused; one of the two is not set by NTP.",
                        "Sa réponse est datée du {0}, il est ici {1}. Les alertes arrivent à la mauvaise heure "
                        "et des mesures peuvent être refusées ; l’une des deux n’est pas réglée par NTP." } },
    [W_FIX_CLOCK] = { "fix-clock",
                      BOTH("timedatectl; chronyc tracking || timedatectl set-ntp true") },
};

const char *word_name(enum word w) { return ROWS[w].name; }
const char *word_template(enum word w, enum lang l) { return ROWS[w].text[l]; }

#define NBSP  "\xc2\xa0"
#define NNBSP "\xe2\x80\xaf"

/* The space before c (or behind it, for the opening quotation mark) as French wants it; NULL: an ordinary one. */
static const char *french_space(struct str left, struct str right)
{
    char next = right.n ? right.p[0] : '\0';
    if (next == ':' && (right.n == 1 || right.p[1] == ' ' || right.p[1] == '\n')) return NBSP;
    if (next == ';' || next == '!' || next == '?') return NNBSP;
    if (next == '%') return NBSP;
    if (str_starts(right, STR("»")) || str_ends(left, STR("«"))) return NNBSP;
    return NULL;
}

/* The half of "one|many" that the first argument asks for. English has no singular zero. */
static struct str choose(struct str t, const struct saying *s, enum lang l)
{
    struct str one, many;
    if (!str_starts(t, STR("{0}")) || !str_cut(t, '|', &one, &many)) return t;
    bool single = str_eqc(s->args[0], "1") || (l == LANG_FR && str_eqc(s->args[0], "0"));
    return single ? one : many;
}

static bool is_hole(struct str t)
{
    return t.n >= 3 && t.p[0] == '{' && t.p[2] == '}' && t.p[1] >= '0' &&
           t.p[1] < '0' + WORD_ARGS_MAX;
}

void say(struct buf *b, const struct saying *s, enum lang l)
{
    struct str t = choose(str_c(word_template(s->word, l)), s, l);
    bool sentence = l == LANG_FR && !str_starts(str_c(word_name(s->word)), STR("fix-"));
    for (size_t i = 0; i < t.n;) {
        struct str rest = str_from(t, i);
        const char *space = sentence && t.p[i] == ' '
                                ? french_space(str_first(t, i), str_from(t, i + 1))
                                : NULL;
        if (is_hole(rest)) {
            buf_put(b, s->args[rest.p[1] - '0']);
            i += 3;
        } else if (space) {
            buf_putc(b, space);
            i++;
        } else {
            buf_char(b, t.p[i++]);
        }
    }
}

bool lang_of(struct str text, enum lang *out)
{
    if (str_starts(text, STR("fr"))) {
        *out = LANG_FR;
    } else if (str_starts(text, STR("en"))) {
        *out = LANG_EN;
    } else {
        return false;
    }
    return true;
}
