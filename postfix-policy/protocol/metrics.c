/* SPDX-License-Identifier: MIT */
#include "postfix-policy/protocol/metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/xalloc.h"

/* ---- sums over cores ---- */

/* Makes a label's value of a name in mum.conf, which may hold any bytes. */
static char *label_value(const char *text)
{
	struct buf value = BUF_INIT(SIZE_MAX);
	bool clean = text_is_clean(text, strlen(text));

	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (!clean && (byte < 0x20 || byte >= 0x7f))
			buf_puts(&value, "?");
		else
			buf_printf(&value, "%s%c", *text == '"' || *text == '\\' ? "\\" : "",
				   *text);
	}
	return buf_steal(&value);
}

/* A core has its hosts' names from mum.conf; in a sum they are labels already. */
typedef char *label_fn(const char *name);

/*
 * Hosts with equal labels count as one, because a series must not be on the page twice.
 */
static struct mum_host_stats *find_host(struct mum_stats *sum, char *label)
{
	struct mum_host_stats *host;

	for (size_t i = 0; i < sum->hosts_count; i++) {
		if (strcmp(sum->hosts[i].name, label) == 0) {
			free(label);
			return &sum->hosts[i];
		}
	}
	sum->hosts = xrealloc(sum->hosts, (sum->hosts_count + 1) * sizeof(*sum->hosts));
	host = &sum->hosts[sum->hosts_count++];
	memset(host, 0, sizeof(*host));
	host->name = label;
	return host;
}

static void add_question(struct mum_question_stats *sum,
			 const struct mum_question_stats *stats)
{
	sum->hits += stats->hits;
	sum->misses += stats->misses;
	sum->joined += stats->joined;
	for (size_t i = 0; i <= MUM_BUCKETS; i++)
		sum->duration.counts[i] += stats->duration.counts[i];
	sum->duration.sum_us += stats->duration.sum_us;
}

static void add_host(struct mum_stats *sum, const struct mum_host_stats *stats,
		     label_fn *label)
{
	struct mum_host_stats *host = find_host(sum, label(stats->name));

	host->connects += stats->connects;
	for (size_t i = 0; i < ERROR_CLASSES; i++)
		host->errors[i] += stats->errors[i];
}

/* Adds the numbers that only grow. */
static void add_counts(struct mum_stats *sum, const struct mum_stats *stats,
		       label_fn *label)
{
	for (size_t i = 0; i < MUM_QUESTIONS; i++)
		add_question(&sum->questions[i], &stats->questions[i]);
	sum->stale += stats->stale;
	sum->timeouts += stats->timeouts;
	for (size_t i = 0; i < stats->hosts_count; i++)
		add_host(sum, &stats->hosts[i], label);
}

/* Adds the numbers that rise and fall. */
static void add_gauges(struct mum_stats *sum, const struct mum_stats *stats)
{
	sum->in_flight += stats->in_flight;
	sum->cached += stats->cached;
	for (size_t i = 0; i < stats->hosts_count; i++) {
		struct mum_host_stats *host = find_host(sum, label_value(stats->hosts[i].name));

		for (size_t state = 0; state < MUM_CONNECTION_STATES; state++)
			host->connections[state] += stats->hosts[i].connections[state];
	}
}

static void clear_hosts(struct mum_stats *sum)
{
	for (size_t i = 0; i < sum->hosts_count; i++)
		free((char *)sum->hosts[i].name);
	free(sum->hosts);
	sum->hosts = NULL;
	sum->hosts_count = 0;
}

void metrics_retire(struct metrics *metrics, const struct mum_stats *stats)
{
	add_counts(&metrics->retired, stats, label_value);
}

void metrics_clear(struct metrics *metrics)
{
	clear_hosts(&metrics->retired);
}

/* ---- text ---- */

static void family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A metric without labels. */
static void put_one(struct buf *out, const char *name, const char *type, const char *help,
		    uint64_t value)
{
	family(out, name, type, help);
	buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

static void put_seconds(struct buf *out, const char *name, const char *type,
			const char *help, double seconds)
{
	family(out, name, type, help);
	buf_printf(out, "%s %.6f\n", name, seconds);
}

/* ---- requests and decisions ---- */

static void put_requests(struct buf *out, const struct metrics *metrics)
{
	static const char *const results[SOCKETMAP_RESULTS] = {
		[SOCKETMAP_TEMPFAIL] = "tempfail",
		[SOCKETMAP_FOUND] = "found",
		[SOCKETMAP_NOT_FOUND] = "not_found",
		[SOCKETMAP_MISCONFIGURED] = "misconfigured",
		[SOCKETMAP_BAD_VALUE] = "bad_value",
	};

	family(out, "mumd_requests_total", "counter", "Requests of Postfix to a map.");
	for (enum socketmap_number map = 0; map < SOCKETMAP_MAPS; map++) {
		for (size_t i = 0; i < SOCKETMAP_RESULTS; i++)
			buf_printf(out,
				   "mumd_requests_total{map=\"%s\",result=\"%s\"} %" PRIu64 "\n",
				   socketmap_name(socketmap_by_number(map)), results[i],
				   metrics->requests[map][i]);
	}
	buf_printf(out, "mumd_requests_total{map=\"unknown\",result=\"no_such_map\"} %" PRIu64
			"\n", metrics->unknown_maps);
}

/* What a check can result in; each is a line of the page. */
static const struct decision_row {
	enum check check;
	enum outcome outcome;
	enum reason reason;
} decision_rows[] = {
	{ CHECK_RECIPIENT, OUTCOME_DUNNO, REASON_NONE },
	{ CHECK_RECIPIENT, OUTCOME_REJECT, REASON_SEND_ONLY },
	{ CHECK_RECIPIENT, OUTCOME_REJECT, REASON_DEAD_ALIAS },
	{ CHECK_RECIPIENT, OUTCOME_WOULD_REJECT, REASON_SEND_ONLY },
	{ CHECK_RECIPIENT, OUTCOME_WOULD_REJECT, REASON_DEAD_ALIAS },
	{ CHECK_RECIPIENT, OUTCOME_REJECT, REASON_TOO_MANY_READINGS },
	{ CHECK_RECIPIENT, OUTCOME_WOULD_REJECT, REASON_TOO_MANY_READINGS },
	{ CHECK_RECIPIENT, OUTCOME_DEFER, REASON_NO_ANSWER },
	{ CHECK_RECIPIENT, OUTCOME_WOULD_DEFER, REASON_NO_ANSWER },
	{ CHECK_SENDER, OUTCOME_DUNNO, REASON_NONE },
	{ CHECK_SENDER, OUTCOME_REJECT, REASON_SENDER_NOT_OWNED },
	{ CHECK_SENDER, OUTCOME_REJECT, REASON_NOT_LOGGED_IN },
	{ CHECK_SENDER, OUTCOME_WOULD_REJECT, REASON_SENDER_NOT_OWNED },
	{ CHECK_SENDER, OUTCOME_WOULD_REJECT, REASON_NOT_LOGGED_IN },
	{ CHECK_SENDER, OUTCOME_REJECT, REASON_TOO_MANY_READINGS },
	{ CHECK_SENDER, OUTCOME_WOULD_REJECT, REASON_TOO_MANY_READINGS },
	{ CHECK_SENDER, OUTCOME_DEFER, REASON_NO_ANSWER },
	{ CHECK_SENDER, OUTCOME_WOULD_DEFER, REASON_NO_ANSWER },
	{ CHECK_SEND, OUTCOME_DUNNO, REASON_NONE },
	{ CHECK_SEND, OUTCOME_REJECT, REASON_SEND_LIMIT },
	{ CHECK_SEND, OUTCOME_REJECT, REASON_SEND_LIMIT_MAIL },
	{ CHECK_SEND, OUTCOME_HOLD, REASON_SEND_LIMIT },
	{ CHECK_SEND, OUTCOME_HOLD, REASON_SEND_LIMIT_MAIL },
	{ CHECK_SEND, OUTCOME_WOULD_REJECT, REASON_SEND_LIMIT },
	{ CHECK_SEND, OUTCOME_WOULD_REJECT, REASON_SEND_LIMIT_MAIL },
	{ CHECK_QUOTA, OUTCOME_DUNNO, REASON_NONE },
	{ CHECK_QUOTA, OUTCOME_DUNNO, REASON_NO_ANSWER },
	{ CHECK_QUOTA, OUTCOME_REJECT, REASON_OVER_QUOTA },
	{ CHECK_QUOTA, OUTCOME_WOULD_REJECT, REASON_OVER_QUOTA },
};

static void put_decision(struct buf *out, const char *check, const char *action,
			 const char *reason, uint64_t count)
{
	buf_printf(out, "mumd_policy_decisions_total{check=\"%s\",action=\"%s\","
			"reason=\"%s\"} %" PRIu64 "\n", check, action, reason, count);
}

static void put_decisions(struct buf *out, const struct decision_counts *counts)
{
	static const char *const checks[CHECKS] = { [CHECK_RECIPIENT] = "recipient",
						    [CHECK_SENDER] = "sender",
						    [CHECK_SEND] = "send",
						    [CHECK_QUOTA] = "quota" };
	static const char *const outcomes[OUTCOMES] = {
		[OUTCOME_DUNNO] = "dunno",
		[OUTCOME_REJECT] = "reject",
		[OUTCOME_WOULD_REJECT] = "would_reject",
		[OUTCOME_DEFER] = "defer",
		[OUTCOME_WOULD_DEFER] = "would_defer",
		[OUTCOME_HOLD] = "hold",
	};

	family(out, "mumd_policy_decisions_total", "counter",
	       "What the checks of the policy service came to.");
	for (size_t i = 0; i < sizeof(decision_rows) / sizeof(decision_rows[0]); i++) {
		const struct decision_row *row = &decision_rows[i];

		put_decision(out, checks[row->check], outcomes[row->outcome],
			     reason_name(row->reason),
			     counts->checks[row->check][row->outcome][row->reason]);
	}
	put_decision(out, "none", "dunno", "not_checked", counts->unchecked);
}

/* ---- senders ---- */

static void put_send_counts(struct buf *out, const struct send_counts *counts)
{
	static const char requests[] = "mumd_send_requests_total";
	static const char recipients[] = "mumd_send_recipients_total";
	static const char *const results[SEND_RESULTS] = { [SEND_TAKEN] = "taken",
							   [SEND_OVER] = "over",
							   [SEND_EXEMPT] = "exempt" };

	family(out, requests, "counter", "Requests with a login, while policy.send is on.");
	buf_printf(out, "%s{state=\"rcpt\"} %" PRIu64 "\n", requests, counts->peeks);
	buf_printf(out, "%s{state=\"data\"} %" PRIu64 "\n", requests, counts->takes);
	family(out, recipients, "counter", "Recipients that logins have sent mail to.");
	for (size_t i = 0; i < SEND_RESULTS; i++)
		buf_printf(out, "%s{result=\"%s\"} %" PRIu64 "\n", recipients, results[i],
			   counts->recipients[i]);
}

static void put_senders(struct buf *out, const struct metrics *metrics,
			const struct metrics_now *now)
{
	put_send_counts(out, &metrics->send);
	put_one(out, "mumd_send_logins", "gauge", "Logins that have sent lately.",
		now->senders.logins);
	put_one(out, "mumd_send_logins_limited", "gauge", "Those that may send nothing now.",
		now->senders.limited);
	put_one(out, "mumd_send_logins_evicted_total", "counter",
		"Logins that policy.send_logins had no room for while they counted.",
		now->senders.evicted);
	put_one(out, "mumd_send_state_saved", "gauge",
		"0 while policy.send_state cannot be written.", now->senders.saved);
}

/* ---- questions ---- */

/* labels: "" or with a comma behind each. */
static void put_histogram(struct buf *out, const char *name, const char *labels,
			  const struct mum_histogram *histogram)
{
	/* The labels of a line in which no "le" follows them. */
	char *alone = *labels == '\0' ? xstrdup("")
				      : xasprintf("{%.*s}", (int)strlen(labels) - 1, labels);
	uint64_t count = 0;

	for (size_t i = 0; i < MUM_BUCKETS; i++) {
		count += histogram->counts[i];
		buf_printf(out, "%s_bucket{%sle=\"%g\"} %" PRIu64 "\n", name, labels,
			   mum_bucket_bounds[i] / 1e6, count);
	}
	count += histogram->counts[MUM_BUCKETS];
	buf_printf(out, "%s_bucket{%sle=\"+Inf\"} %" PRIu64 "\n", name, labels, count);
	buf_printf(out, "%s_sum%s %.6f\n", name, alone, (double)histogram->sum_us / 1e6);
	buf_printf(out, "%s_count%s %" PRIu64 "\n", name, alone, count);
	free(alone);
}

static void put_questions(struct buf *out, const struct mum_stats *sum)
{
	static const struct {
		const char *name, *help;
		size_t offset;
	} counters[] = {
		{ "mumd_cache_hits_total", "Questions answered from the cache.",
		  offsetof(struct mum_question_stats, hits) },
		{ "mumd_cache_misses_total", "Questions put to the database.",
		  offsetof(struct mum_question_stats, misses) },
		{ "mumd_questions_joined_total",
		  "Questions that waited for an equal one under way.",
		  offsetof(struct mum_question_stats, joined) },
	};
	static const char duration[] = "mumd_question_duration_seconds";

	family(out, duration, "histogram",
	       "Time from asking the database to its answer, or to giving up.");
	for (enum question_kind asked = 0; asked < MUM_QUESTIONS; asked++) {
		char *label;

		if (!mum_question_is_for_mail(asked))
			continue;
		label = xasprintf("question=\"%s\",", mum_question_name(asked));
		put_histogram(out, duration, label, &sum->questions[asked].duration);
		free(label);
	}
	for (size_t c = 0; c < sizeof(counters) / sizeof(counters[0]); c++) {
		family(out, counters[c].name, "counter", counters[c].help);
		for (enum question_kind asked = 0; asked < MUM_QUESTIONS; asked++) {
			const char *stats = (const char *)&sum->questions[asked];

			if (mum_question_is_for_mail(asked))
				buf_printf(out, "%s{question=\"%s\"} %" PRIu64 "\n",
					   counters[c].name, mum_question_name(asked),
					   *(const uint64_t *)(stats + counters[c].offset));
		}
	}
	put_one(out, "mumd_cache_entries", "gauge", "Answers that the cache holds.",
		sum->cached);
	put_one(out, "mumd_stale_answers_total", "counter",
		"Answers older than cache.ttl, given while the database gave none.",
		sum->stale);
	put_one(out, "mumd_lookup_timeouts_total", "counter",
		"Lookups that the database did not answer by database.deadline.",
		sum->timeouts);
	put_one(out, "mumd_lookups_in_flight", "gauge", "Lookups that wait for an answer.",
		sum->in_flight);
}

/* ---- the database ---- */

static void put_connections(struct buf *out, const struct mum_stats *sum)
{
	static const char *const states[MUM_CONNECTION_STATES] = {
		[MUM_CONNECTING] = "connecting", [MUM_IDLE] = "idle", [MUM_BUSY] = "busy"
	};

	family(out, "mumd_database_connections", "gauge", "Connections to the database.");
	for (size_t i = 0; i < sum->hosts_count; i++) {
		for (size_t state = 0; state < MUM_CONNECTION_STATES; state++)
			buf_printf(out, "mumd_database_connections{host=\"%s\",state=\"%s\"} %zu\n",
				   sum->hosts[i].name, states[state],
				   sum->hosts[i].connections[state]);
	}
	family(out, "mumd_database_connects_total", "counter",
	       "Connections made to the database.");
	for (size_t i = 0; i < sum->hosts_count; i++)
		buf_printf(out, "mumd_database_connects_total{host=\"%s\"} %" PRIu64 "\n",
			   sum->hosts[i].name, sum->hosts[i].connects);
}

static void put_database(struct buf *out, const struct mum_stats *sum, bool up)
{
	static const char *const classes[ERROR_CLASSES] = {
		[ERROR_RETRY] = "statement",	  [ERROR_SLOW] = "slow",
		[ERROR_LOST] = "lost",		  [ERROR_OUTSIDE] = "outside",
		[ERROR_CROWDED] = "crowded",	  [ERROR_MISCONFIGURED] = "misconfigured",
	};

	put_one(out, "mumd_database_up", "gauge",
		"0 while the database is known to give no answers.", up);
	put_connections(out, sum);
	family(out, "mumd_database_errors_total", "counter",
	       "Statements and connections that failed.");
	for (size_t i = 0; i < sum->hosts_count; i++) {
		for (size_t class = 0; class < ERROR_CLASSES; class ++)
			buf_printf(out, "mumd_database_errors_total{host=\"%s\",class=\"%s\"} %" PRIu64
					"\n", sum->hosts[i].name, classes[class],
				   sum->hosts[i].errors[class]);
	}
}

/* ---- Dovecot's quota-status ---- */

static void put_quota(struct buf *out, const struct quota_counts *counts)
{
	static const char questions[] = "mumd_quota_questions_total";
	static const char connections[] = "mumd_quota_connections";
	static const char duration[] = "mumd_quota_question_duration_seconds";
	const uint64_t *answers = counts->answers;

	family(out, questions, "counter", "Questions to Dovecot whether a mailbox is full.");
	buf_printf(out, "%s{result=\"room\"} %" PRIu64 "\n", questions, answers[QUOTA_ROOM]);
	buf_printf(out, "%s{result=\"full\"} %" PRIu64 "\n", questions, answers[QUOTA_FULL]);
	buf_printf(out, "%s{result=\"unknown\"} %" PRIu64 "\n", questions,
		   answers[QUOTA_UNKNOWN] + answers[QUOTA_TROUBLE]);
	buf_printf(out, "%s{result=\"no_answer\"} %" PRIu64 "\n", questions,
		   answers[QUOTA_NO_ANSWER]);
	buf_printf(out, "%s{result=\"remembered\"} %" PRIu64 "\n", questions,
		   counts->remembered);
	buf_printf(out, "%s{result=\"skipped\"} %" PRIu64 "\n", questions, counts->skipped);
	family(out, duration, "histogram", "Time from asking Dovecot to its answer, or to giving up.");
	put_histogram(out, duration, "", &counts->duration);
	put_one(out, "mumd_quota_up", "gauge",
		"0 while Dovecot is known to give no answers about quota.", counts->up);
	family(out, connections, "gauge", "Connections to Dovecot's quota-status.");
	buf_printf(out, "%s{state=\"idle\"} %zu\n", connections, counts->idle);
	buf_printf(out, "%s{state=\"busy\"} %zu\n", connections, counts->busy);
}

/* ---- mumd itself ---- */

static void put_clients(struct buf *out, const struct client_counts *clients)
{
	static const char closed[] = "mumd_clients_closed_total";

	put_one(out, "mumd_clients", "gauge", "Clients that are connected.", clients->now);
	put_one(out, "mumd_clients_max", "gauge", "process.max_clients.", clients->max);
	put_one(out, "mumd_clients_accepted_total", "counter", "Clients that have connected.",
		clients->accepted);
	family(out, closed, "counter", "Clients that mumd closed.");
	buf_printf(out, "%s{reason=\"idle\"} %" PRIu64 "\n", closed, clients->evicted);
	buf_printf(out, "%s{reason=\"no_room\"} %" PRIu64 "\n", closed, clients->refused);
	buf_printf(out, "%s{reason=\"bad_request\"} %" PRIu64 "\n", closed, clients->bad);
}

static void put_mumd(struct buf *out, const struct metrics *metrics)
{
	static const char reloads[] = "mumd_reloads_total";

	family(out, "mumd_build_info", "gauge", "1, with the version as a label.");
	buf_puts(out, "mumd_build_info{version=\"" PACKAGE_VERSION "\"} 1\n");
	family(out, reloads, "counter", "Times that the configuration was read again.");
	buf_printf(out, "%s{result=\"success\"} %" PRIu64 "\n", reloads, metrics->reloads);
	buf_printf(out, "%s{result=\"failure\"} %" PRIu64 "\n", reloads,
		   metrics->failed_reloads);
	put_one(out, "mumd_last_reload_successful", "gauge",
		"0 while an old configuration is in use because the new one is bad.",
		!metrics->last_reload_failed);
}

static void put_process(struct buf *out, const struct metrics_process *process)
{
	put_seconds(out, "process_cpu_seconds_total", "counter",
		    "User and system CPU time spent.", process->cpu_seconds);
	put_one(out, "process_open_fds", "gauge", "Open file descriptors.", process->open_fds);
	put_one(out, "process_max_fds", "gauge", "Limit of open file descriptors.",
		process->max_fds);
	put_one(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.",
		process->virtual_bytes);
	put_one(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
		process->resident_bytes);
	put_seconds(out, "process_start_time_seconds", "gauge",
		    "Start of the process, since the epoch.", process->start_time);
}

void metrics_put(struct buf *out, const struct metrics *metrics,
		 const struct metrics_now *now)
{
	struct mum_stats sum;

	memset(&sum, 0, sizeof(sum));
	add_counts(&sum, &metrics->retired, xstrdup);
	for (size_t i = 0; i < now->cores_count; i++) {
		add_counts(&sum, now->cores[i], label_value);
		add_gauges(&sum, now->cores[i]);
	}
	put_mumd(out, metrics);
	put_requests(out, metrics);
	put_decisions(out, &metrics->decisions);
	put_senders(out, metrics, now);
	put_questions(out, &sum);
	put_database(out, &sum, now->database_up);
	put_quota(out, &now->quota);
	put_clients(out, &now->clients);
	put_process(out, &now->process);
	clear_hosts(&sum);
}
