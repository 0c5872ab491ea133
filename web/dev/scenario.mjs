// SPDX-License-Identifier: Apache-2.0
// An invented cluster for the development server: samples as OpenMetrics text, alerts, rules, targets and silences, busy or calm.
const TOPICS = { 'orders.events': [6, 720], 'payments.events': [6, 90], 'catalog.changes': [12, 123], 'notifications.outbound': [3, 30], 'payments.settled': [3, 18], 'audit.log': [3, 110] };
const GROUPS = { shipping: ['orders.events', 0.4], 'search-indexer': ['catalog.changes', 1.1], 'analytics-sink': ['orders.events', 6], emails: ['notifications.outbound', 2.1], 'fraud-scoring': ['payments.events', 0.9], billing: ['payments.settled', 0.8], invoicing: ['orders.events', 0.3],
  'audit-archive': ['audit.log', 0.2], 'risk-model': ['payments.events', 0.2], loyalty: ['orders.events', 0.1], 'tax-export': ['payments.settled', 0.2], mirror: ['catalog.changes', 0.15] };
const STEP = 15, BACK = 100 * 60, AHEAD = 50 * 60, INCIDENT = 866;

function random(seed) { let s = 0; for (const c of seed) s = (s * 31 + c.charCodeAt(0)) | 0; return () => ((s = (s * 1664525 + 1013904223) | 0), (s >>> 0) / 4294967296); }
function wander(seed, amp) { const r = random(seed); let w = 0; return () => { w = w * 0.8 + (r() - 0.5) * 0.6; return 1 + amp * w; }; }

export function scenario(state, nowMs) {
  const now = Math.floor(nowMs / 1000 / STEP) * STEP, start = now - BACK, incident = now - INCIDENT, busy = state !== 'calm', families = new Map();
  const put = (name, labels, t, v) => { if (!families.has(name)) families.set(name, new Map()); const key = JSON.stringify(labels), f = families.get(name); if (!f.has(key)) f.set(key, []); f.get(key).push([t, v]); };
  const brokers = ['1', '2', '3'], address = (b) => `kafka-${b}:9092`, jmx = { job: 'kafka-jmx', instance: 'localhost:5556' }, exp = { job: 'kafka-exporter', instance: 'localhost:9308' };
  const noise = {}, n = (k, amp = 0.08) => (noise[k] ??= wander(k, amp))(), count = {};
  const counter = (k, by) => (count[k] = (count[k] ?? 1e6) + by);
  for (let t = start; t <= now + AHEAD; t += STEP) {
    const late = busy && t > incident ? t - incident : 0;
    for (const j of [jmx, exp, { job: 'prometheus', instance: 'localhost:9090' }, { job: 'alertmanager', instance: 'localhost:9093' }]) put('up', j, t, 1);
    put('kafka_brokers', exp, t, 3);
    let out = 0;
    for (const [topic, [parts, rate]] of Object.entries(TOPICS)) {
      put('kafka_topic_partitions', { ...exp, topic }, t, parts);
      for (let p = 0; p < parts; p++) {
        const l = { ...exp, topic, partition: String(p) };
        put('kafka_topic_partition_current_offset', l, t, Math.round(counter(`o${topic}${p}`, (rate / parts) * STEP * n(`o${topic}`, 0.05))));
        put('kafka_topic_partition_leader', l, t, (p % 3) + 1);
        put('kafka_topic_partition_under_replicated_partition', l, t, 0);
      }
    }
    for (const [group, [topic, lagS]] of Object.entries(GROUPS)) {
      const [parts, rate] = TOPICS[topic];
      let sum = 0;
      for (let p = 0; p < parts; p++) {
        let lag = Math.max(0, (rate / parts) * lagS * (1 + 6 * (n(`l${group}${p}`, 0.12) - 1)));
        if (group === 'shipping' && p > 2) lag += late * (rate / parts);
        if (busy && group === 'search-indexer') lag += Math.max(0, t > now - 2600 && t < now + 1e5 ? 9 - (t - (now - 2600)) * 0.0024 : 0) * (rate / parts) * 8;
        lag = Math.round(lag);
        sum += lag;
        const l = { ...exp, consumergroup: group, topic, partition: String(p) };
        put('kafka_consumergroup_lag', l, t, lag);
        put('kafka_consumergroup_current_offset', l, t, Math.round(count[`o${topic}${p}`]) - lag);
      }
      put('kafka_consumergroup_lag_sum', { ...exp, consumergroup: group, topic }, t, sum);
      put('kafka_consumergroup_members', { ...exp, consumergroup: group }, t, group === 'shipping' ? (late ? 1 : 2) : Math.min(parts, 3));
      out += group === 'shipping' && late ? rate / 2 : rate;
    }
    for (const b of brokers) {
      const l = { ...jmx, broker: b };
      put('kafka_broker_info', { ...exp, id: b, address: address(b) }, t, 1);
      for (const [d, share, full] of [['data-1', 0.58 + b / 200, 1], ['data-2', b === '3' && busy ? 0.814 : 0.6 + b / 300, 1]]) { put('kafka_log_size_bytes', { ...exp, broker: b, log_dir: `/var/lib/kafka/${d}` }, t, Math.round(5e11 * share * full)); put('kafka_log_size_limit_bytes', { ...exp, broker: b, log_dir: `/var/lib/kafka/${d}` }, t, 5e11); }
      put('kafka_server_brokertopicmetrics_messagesin_total', l, t, Math.round(counter(`m${b}`, 363 * STEP * n(`m${b}`, 0.12))));
      put('kafka_server_brokertopicmetrics_bytesin_total', l, t, Math.round(counter(`bi${b}`, 1.31e6 * STEP * n(`bi${b}`, 0.1))));
      put('kafka_server_brokertopicmetrics_bytesout_total', l, t, Math.round(counter(`bo${b}`, (3.19e6 - (late ? 2.9e5 : 0)) * STEP * n(`bo${b}`, 0.08))));
      put('kafka_server_replicamanager_underreplicatedpartitions', l, t, 0);
      put('kafka_server_replicamanager_leadercount', l, t, 71 + (b === '1'));
      put('kafka_controller_kafkacontroller_offlinepartitionscount', l, t, 0);
      put('kafka_controller_kafkacontroller_activecontrollercount', l, t, b === '2' ? 1 : 0);
      for (const [request, rate, p99] of [['Produce', 240, { 1: 8.1, 2: 7.4, 3: 11.9 }[b]], ['Fetch', 610, 503], ['FetchConsumer', 380, 502], ['FetchFollower', 230, 501], ['Metadata', 14, 1.2], ['OffsetCommit', 60, 3.1], ['Heartbeat', 22, 0.4], ['ApiVersions', 3, 0.3]]) {
        put('kafka_network_requestmetrics_requests_total', { ...l, request, version: '12' }, t, Math.round(counter(`r${b}${request}`, rate * STEP * n(`r${b}${request}`, 0.1))));
        put('kafka_network_requestmetrics_99percentile', { ...l, request }, t, Number((p99 * n(`p${b}${request}`, request.startsWith('Fetch') ? 0.02 : 0.3)).toFixed(2)));
      }
    }
    const fire = busy ? (late > 326 ? 8 : late > 200 ? 4 : 1) : 0;
    if (fire) put('ALERTS', { alertname: 'KafkaDiskUsageHigh', alertstate: 'firing', severity: 'warning' }, t, 1);
    for (let i = 1; i < fire; i++) put('ALERTS', { alertname: i < 4 ? 'KafkaConsumerLagHigh' : 'KafkaConsumerLagCritical', alertstate: 'firing', severity: i < 4 ? 'warning' : 'critical', partition: String(i) }, t, 1);
  }
  return { text: render(families), ...alerting(busy, now, incident) };
}
function render(families) {
  const esc = (s) => s.replace(/\\/g, '\\\\').replace(/"/g, '\\"'), out = [];
  for (const [name, series] of families) {
    out.push(`# TYPE ${name.replace(/_total$/, '')} ${name.endsWith('_total') ? 'counter' : 'gauge'}`);
    for (const [key, samples] of series) { const labels = Object.entries(JSON.parse(key)).map(([k, v]) => `${k}="${esc(v)}"`).join(','); for (const [t, v] of samples) out.push(`${name}{${labels}} ${v} ${t}`); }
  }
  return `${out.join('\n')}\n# EOF\n`;
}

const iso = (s) => new Date(s * 1000).toISOString();
const RULES = [['Kafka Availability', 'KafkaBrokerDown', 'up{job="kafka-exporter"} == 0', 120, 'critical'], ['Kafka Availability', 'KafkaJMXExporterDown', 'up{job="kafka-jmx"} == 0', 120, 'warning'], ['Kafka Performance', 'KafkaConsumerLagHigh', 'kafka_consumergroup_lag > 1000', 300, 'warning'], ['Kafka Performance', 'KafkaConsumerLagCritical', 'kafka_consumergroup_lag > 10000', 300, 'critical'],
  ['Kafka Performance', 'KafkaUnderReplicatedPartitions', 'kafka_server_replicamanager_underreplicatedpartitions > 0', 300, 'warning'], ['Kafka Performance', 'KafkaOfflinePartitions', 'kafka_controller_kafkacontroller_offlinepartitionscount > 0', 60, 'critical'], ['Kafka Throughput', 'KafkaHighRequestRate', 'sum by (broker) (rate(kafka_network_requestmetrics_requests_total[5m])) > 1000', 600, 'warning'],
  ['Kafka Throughput', 'KafkaLowMessagesInRate', 'sum(rate(kafka_server_brokertopicmetrics_messagesin_total[5m])) < 1', 900, 'info'], ['Kafka Errors', 'KafkaFailedProduceRequests', 'rate(kafka_server_brokertopicmetrics_failedproducerequests_total[5m]) > 0', 300, 'warning'], ['Kafka Errors', 'KafkaISRShrinks', 'rate(kafka_server_replicamanager_isrshrinks_total[5m]) > 0', 300, 'warning'],
  ['Kafka Disk', 'KafkaDiskUsageHigh', 'kafka_log_size_bytes / kafka_log_size_limit_bytes > 0.8', 300, 'warning'], ['Kafka Disk', 'KafkaDiskUsageCritical', 'kafka_log_size_bytes / kafka_log_size_limit_bytes > 0.95', 120, 'critical']];
const NOTE = { KafkaConsumerLagCritical: ['Le groupe shipping a 104 000 messages de retard sur orders.events', 'ACTION IMMÉDIATE: Scaler consumers'], KafkaConsumerLagHigh: ['Retard élevé', 'Vérifier la santé des consumers, scaler si besoin'], KafkaDiskUsageHigh: ['Disque à 81,4 %', 'Augmenter fréquence cleanup, réduire rétention'], KafkaHighRequestRate: ['Charge élevée, latence possible', ''] };

function alerting(busy, now, incident) {
  const one = (alertname, severity, more, state, at, value) => ({ labels: { alertname, severity, component: 'kafka', ...more }, annotations: { summary: NOTE[alertname]?.[0] ?? '', description: NOTE[alertname]?.[0] ?? '', ...(NOTE[alertname]?.[1] ? { action: NOTE[alertname][1] } : {}) }, state, activeAt: iso(at), value: String(value) });
  const lag = (name, sev, at) => [3, 4, 5].map((p) => one(name, sev, { consumergroup: 'shipping', topic: 'orders.events', partition: String(p), instance: 'localhost:9308', job: 'kafka-exporter' }, 'firing', at, 103900));
  const alerts = !busy ? [] : [...lag('KafkaConsumerLagCritical', 'critical', incident + 86), ...lag('KafkaConsumerLagHigh', 'warning', incident + 26), one('KafkaDiskUsageHigh', 'warning', { broker: '3', log_dir: '/var/lib/kafka/data-2', instance: 'localhost:9308', job: 'kafka-exporter' }, 'firing', now - 31260, 0.814), one('KafkaHighRequestRate', 'warning', { broker: 'kafka-1' }, 'pending', now - 240, 1043)];
  alerts.push(one('Watchdog', 'none', {}, 'firing', now - 40000, 1));
  const names = [...new Set(RULES.map((r) => r[0]))];
  const rules = names.map((name) => ({ name, file: 'rules/kafka-alerts.yaml', interval: 30, limit: 0, lastEvaluation: iso(now), evaluationTime: 0.001, rules: RULES.filter((r) => r[0] === name).map(([, n, query, duration, severity]) => { const mine = alerts.filter((a) => a.labels.alertname === n); return { state: mine.some((a) => a.state === 'firing') ? 'firing' : mine.length ? 'pending' : 'inactive', name: n, query, duration, keepFiringFor: 0, labels: { severity, component: 'kafka' }, annotations: {}, alerts: mine, health: 'ok', evaluationTime: 0.0002, lastEvaluation: iso(now), type: 'alerting' }; }) }));
  const silence = { id: 'b3b1a3a4-0c1f-4f5e-9d2c-1f6d3a1f7a01', status: { state: 'active' }, updatedAt: iso(now - 30000), startsAt: iso(now - 30000), endsAt: iso(now + 16000), createdBy: 'ops', comment: '« extension prévue mardi matin »', matchers: [{ name: 'alertname', value: 'KafkaDiskUsageHigh', isRegex: false, isEqual: true }, { name: 'broker', value: '3', isRegex: false, isEqual: true }] };
  const am = alerts.filter((a) => a.state === 'firing').map((a, i) => ({ labels: a.labels, annotations: a.annotations, startsAt: a.activeAt, updatedAt: iso(now), endsAt: iso(now + 240), fingerprint: `f00d${i}`, generatorURL: '', receivers: [{ name: 'default-receiver' }], status: { state: /LagHigh|Disk/.test(a.labels.alertname) ? 'suppressed' : 'active', silencedBy: /Disk/.test(a.labels.alertname) ? [silence.id] : [], inhibitedBy: /LagHigh/.test(a.labels.alertname) ? ['f00d0'] : [], mutedBy: [] } }));
  const target = (job, port) => ({ discoveredLabels: {}, labels: { job, instance: `localhost:${port}` }, scrapePool: job, scrapeUrl: `http://localhost:${port}/metrics`, globalUrl: `http://localhost:${port}/metrics`, lastError: '', lastScrape: iso(now - 4), lastScrapeDuration: 0.012, health: 'up', scrapeInterval: '15s', scrapeTimeout: '10s' });
  return { alerts, rules, am, silences: busy ? [silence] : [], targets: [target('kafka-exporter', 9308), target('kafka-jmx', 5556), target('prometheus', 9090), target('alertmanager', 9093)] };
}
