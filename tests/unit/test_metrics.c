/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "postfix-policy/protocol/metrics.h"

static struct mum_host_stats hosts[2];
static struct mum_stats stats;
static struct metrics metrics;
static struct metrics_now now;

/* One core with two hosts, and nothing counted. */
static void set_up(const char *first, const char *second)
{
	static const struct mum_stats *cores[] = { &stats, &stats, &stats };

	memset(hosts, 0, sizeof(hosts));
	memset(&stats, 0, sizeof(stats));
	memset(&metrics, 0, sizeof(metrics));
	memset(&now, 0, sizeof(now));
	hosts[0].name = first;
	hosts[1].name = second;
	stats.hosts = hosts;
	stats.hosts_count = 2;
	now.cores = cores;
	now.cores_count = 1;
}

static char *page(void)
{
	struct buf out = BUF_INIT(1 << 20);

	metrics_put(&out, &metrics, &now);
	return buf_steal(&out);
}

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);
	const char *at = text;

	while ((at = strstr(at, line)) != NULL) {
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return true;
		at += len;
	}
	return false;
}

#define WANT_LINE(text, line) \
	do { \
		if (!has_line((text), (line))) \
			WANT((line), false); \
	} while (0)

static size_t count_text(const char *text, const char *what)
{
	size_t count = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		count++;
	return count;
}

static void test_requests_and_decisions(void **state)
{
	char *text;

	(void)state;
	set_up("a", "b");
	metrics.requests[2][SOCKETMAP_NOT_FOUND] = 3;
	metrics.requests[5][SOCKETMAP_BAD_VALUE] = 4;
	metrics.unknown_maps = 5;
	metrics.decisions.checks[CHECK_SENDER][OUTCOME_WOULD_REJECT][REASON_NOT_LOGGED_IN] = 6;
	metrics.decisions.checks[CHECK_RECIPIENT][OUTCOME_DEFER][REASON_NO_ANSWER] = 7;
	metrics.decisions.checks[CHECK_SENDER][OUTCOME_REJECT][REASON_TOO_MANY_READINGS] = 9;
	metrics.decisions.checks[CHECK_SEND][OUTCOME_HOLD][REASON_SEND_LIMIT] = 10;
	metrics.decisions.unchecked = 8;
	text = page();
	WANT_LINE(text, "mumd_requests_total{map=\"aliases\",result=\"not_found\"} 3");
	WANT_LINE(text, "mumd_requests_total{map=\"aliases\",result=\"found\"} 0");
	WANT_LINE(text, "mumd_requests_total{map=\"tls-policies\",result=\"bad_value\"} 4");
	WANT_LINE(text, "mumd_requests_total{map=\"unknown\",result=\"no_such_map\"} 5");
	WANT_LINE(text, "mumd_policy_decisions_total{check=\"sender\","
			"action=\"would_reject\",reason=\"not_logged_in\"} 6");
	WANT_LINE(text, "mumd_policy_decisions_total{check=\"recipient\",action=\"defer\","
			"reason=\"no_answer\"} 7");
	WANT_LINE(text, "mumd_policy_decisions_total{check=\"sender\",action=\"reject\","
			"reason=\"too_many_readings\"} 9");
	WANT_LINE(text, "mumd_policy_decisions_total{check=\"recipient\","
			"action=\"would_reject\",reason=\"too_many_readings\"} 0");
	WANT_LINE(text, "mumd_policy_decisions_total{check=\"send\",action=\"hold\","
			"reason=\"send_limit\"} 10");
	WANT_LINE(text, "mumd_policy_decisions_total{check=\"send\",action=\"reject\","
			"reason=\"send_limit_mail\"} 0");
	WANT_LINE(text, "mumd_policy_decisions_total{check=\"none\",action=\"dunno\","
			"reason=\"not_checked\"} 8");
	free(text);
}

static void test_senders(void **state)
{
	char *text;

	(void)state;
	set_up("a", "b");
	metrics.send = (struct send_counts){ { 1, 2, 3 }, 4, 5 };
	now.senders.logins = 6;
	now.senders.limited = 7;
	now.senders.evicted = 8;
	text = page();
	WANT_LINE(text, "mumd_send_recipients_total{result=\"taken\"} 1");
	WANT_LINE(text, "mumd_send_recipients_total{result=\"over\"} 2");
	WANT_LINE(text, "mumd_send_recipients_total{result=\"exempt\"} 3");
	WANT_LINE(text, "mumd_send_requests_total{state=\"rcpt\"} 4");
	WANT_LINE(text, "mumd_send_requests_total{state=\"data\"} 5");
	WANT_LINE(text, "mumd_send_logins 6");
	WANT_LINE(text, "mumd_send_logins_limited 7");
	WANT_LINE(text, "mumd_send_logins_evicted_total 8");
	WANT_LINE(text, "mumd_send_state_saved 0");
	free(text);
}

static void test_questions_and_the_database(void **state)
{
	char *text;

	(void)state;
	set_up("unix:/run/a.sock", "b:3306");
	stats.questions[MUM_TLS].hits = 11;
	stats.questions[MUM_OWNERS].misses = 12;
	stats.questions[MUM_DOMAIN].joined = 13;
	stats.stale = 14;
	stats.timeouts = 15;
	stats.in_flight = 16;
	stats.cached = 17;
	hosts[1].connections[MUM_BUSY] = 18;
	hosts[1].connects = 19;
	hosts[0].errors[ERROR_CROWDED] = 20;
	now.database_up = true;
	text = page();
	WANT_LINE(text, "mumd_cache_hits_total{question=\"tls\"} 11");
	WANT_LINE(text, "mumd_cache_misses_total{question=\"owners\"} 12");
	WANT_LINE(text, "mumd_questions_joined_total{question=\"domain\"} 13");
	WANT_LINE(text, "mumd_stale_answers_total 14");
	WANT_LINE(text, "mumd_lookup_timeouts_total 15");
	WANT_LINE(text, "mumd_lookups_in_flight 16");
	WANT_LINE(text, "mumd_cache_entries 17");
	WANT_LINE(text, "mumd_database_connections{host=\"b:3306\",state=\"busy\"} 18");
	WANT_LINE(text, "mumd_database_connects_total{host=\"b:3306\"} 19");
	WANT_LINE(text, "mumd_database_errors_total{host=\"unix:/run/a.sock\","
			"class=\"crowded\"} 20");
	WANT_LINE(text, "mumd_database_up 1");
	free(text);
}

static void test_quota(void **state)
{
	char *text;

	(void)state;
	set_up("a", "b");
	metrics.decisions.checks[CHECK_QUOTA][OUTCOME_REJECT][REASON_OVER_QUOTA] = 1;
	metrics.decisions.checks[CHECK_QUOTA][OUTCOME_WOULD_REJECT][REASON_OVER_QUOTA] = 2;
	metrics.decisions.checks[CHECK_QUOTA][OUTCOME_DUNNO][REASON_NO_ANSWER] = 3;
	now.quota = (struct quota_counts){
		.answers = { [QUOTA_NO_ANSWER] = 4, [QUOTA_TROUBLE] = 5, [QUOTA_UNKNOWN] = 6,
			     [QUOTA_ROOM] = 7, [QUOTA_FULL] = 8 },
		.remembered = 12, .skipped = 9, .up = true, .idle = 10, .busy = 11,
	};
	mum_histogram_add(&now.quota.duration, 1000);
	text = page();
#define QUOTA_DECISION(rest) "mumd_policy_decisions_total{check=\"quota\"," rest
	WANT_LINE(text, QUOTA_DECISION("action=\"reject\",reason=\"over_quota\"} 1"));
	WANT_LINE(text, QUOTA_DECISION("action=\"would_reject\",reason=\"over_quota\"} 2"));
	WANT_LINE(text, QUOTA_DECISION("action=\"dunno\",reason=\"no_answer\"} 3"));
	WANT_LINE(text, "mumd_quota_questions_total{result=\"no_answer\"} 4");
	WANT_LINE(text, "mumd_quota_questions_total{result=\"unknown\"} 11");
	WANT_LINE(text, "mumd_quota_questions_total{result=\"room\"} 7");
	WANT_LINE(text, "mumd_quota_questions_total{result=\"full\"} 8");
	WANT_LINE(text, "mumd_quota_questions_total{result=\"skipped\"} 9");
	WANT_LINE(text, "mumd_quota_questions_total{result=\"remembered\"} 12");
	WANT_LINE(text, "mumd_quota_up 1");
	WANT_LINE(text, "mumd_quota_connections{state=\"idle\"} 10");
	WANT_LINE(text, "mumd_quota_connections{state=\"busy\"} 11");
	WANT_LINE(text, "mumd_quota_question_duration_seconds_bucket{le=\"0.0005\"} 0");
	WANT_LINE(text, "mumd_quota_question_duration_seconds_bucket{le=\"0.001\"} 1");
	WANT_LINE(text, "mumd_quota_question_duration_seconds_bucket{le=\"+Inf\"} 1");
	WANT_LINE(text, "mumd_quota_question_duration_seconds_sum 0.001000");
	WANT_LINE(text, "mumd_quota_question_duration_seconds_count 1");
	free(text);
}

static void test_mumd_itself(void **state)
{
	char *text;

	(void)state;
	set_up("a", "b");
	metrics.reloads = 9;
	metrics.failed_reloads = 10;
	metrics.last_reload_failed = true;
	now.clients = (struct client_counts){ 21, 22, 23, 24, 25, 26 };
	now.process = (struct metrics_process){ 27.5, 28, 29, 30, 31, 32 };
	text = page();
	WANT_LINE(text, "mumd_build_info{version=\"" PACKAGE_VERSION "\"} 1");
	WANT_LINE(text, "mumd_reloads_total{result=\"success\"} 9");
	WANT_LINE(text, "mumd_reloads_total{result=\"failure\"} 10");
	WANT_LINE(text, "mumd_last_reload_successful 0");
	WANT_LINE(text, "mumd_database_up 0");
	WANT_LINE(text, "mumd_clients 21");
	WANT_LINE(text, "mumd_clients_max 22");
	WANT_LINE(text, "mumd_clients_accepted_total 23");
	WANT_LINE(text, "mumd_clients_closed_total{reason=\"idle\"} 24");
	WANT_LINE(text, "mumd_clients_closed_total{reason=\"no_room\"} 25");
	WANT_LINE(text, "mumd_clients_closed_total{reason=\"bad_request\"} 26");
	WANT_LINE(text, "process_cpu_seconds_total 27.500000");
	WANT_LINE(text, "process_virtual_memory_bytes 28");
	WANT_LINE(text, "process_resident_memory_bytes 29");
	WANT_LINE(text, "process_open_fds 30");
	WANT_LINE(text, "process_max_fds 31");
	WANT_LINE(text, "process_start_time_seconds 32.000000");
	free(text);
}

static void test_buckets_hold_all_below_them(void **state)
{
	static const unsigned us[] = { 100, 250, 251, 3000, 6000000 };
	char *text;

	(void)state;
	set_up("a", "b");
	FOR_EACH_ROW(value, us)
		mum_histogram_add(&stats.questions[MUM_DELIVERY].duration, *value);
	text = page();
#define BUCKET(le) "mumd_question_duration_seconds_bucket{question=\"delivery\",le=\"" le "\"} "
	WANT_LINE(text, BUCKET("0.00025") "2");
	WANT_LINE(text, BUCKET("0.0005") "3");
	WANT_LINE(text, BUCKET("0.0025") "3");
	WANT_LINE(text, BUCKET("0.005") "4");
	WANT_LINE(text, BUCKET("5") "4");
	WANT_LINE(text, BUCKET("+Inf") "5");
	WANT_LINE(text, "mumd_question_duration_seconds_sum{question=\"delivery\"} 6.003601");
	WANT_LINE(text, "mumd_question_duration_seconds_count{question=\"delivery\"} 5");
	free(text);
}

/* Hosts' names in mum.conf must not break the format, and must not repeat a series. */
static void test_host_names_as_labels(void **state)
{
	static const struct {
		const char *name, *host, *label;
	} rows[] = {
		{ "plain", "db.example.org:3306", "db.example.org:3306" },
		{ "a quote ends no label", "a\"} 1\nx{y=\"", "a\\\"} 1?x{y=\\\"" },
		{ "a quote", "a\"b", "a\\\"b" },
		{ "a backslash", "a\\", "a\\\\" },
		{ "a newline", "a\nb", "a?b" },
		{ "UTF-8", "b\xc3\xbc", "b\xc3\xbc" },
		{ "invalid UTF-8", "b\xff", "b?" },
		{ "nothing", "", "" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char line[200], *text;

		set_up(row->host, "other");
		hosts[0].connects = 7;
		text = page();
		snprintf(line, sizeof(line), "mumd_database_connects_total{host=\"%s\"} 7",
			 row->label);
		WANT(row->name, has_line(text, line));
		free(text);
	}
}

static void test_equal_hosts_are_one(void **state)
{
	static const struct {
		const char *name, *first, *second, *line;
	} rows[] = {
		{ "named twice", "a", "a", "mumd_database_connects_total{host=\"a\"} 3" },
		{ "equal as labels", "a\x01", "a\x02",
		  "mumd_database_connects_total{host=\"a?\"} 3" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *text;

		set_up(row->first, row->second);
		hosts[0].connects = 1;
		hosts[1].connects = 2;
		text = page();
		WANT(row->name, has_line(text, row->line));
		WANT_NUMBER(row->name, count_text(text, "mumd_database_connects_total{"), 1);
		free(text);
	}
}

/* Adds the same number to all counts. */
static void fill(unsigned by)
{
	stats.stale = stats.timeouts = by;
	stats.in_flight = stats.cached = by;
	stats.questions[MUM_DELIVERY].hits = by;
	mum_histogram_add(&stats.questions[MUM_DELIVERY].duration, by);
	hosts[0].connects = hosts[0].errors[ERROR_LOST] = hosts[0].connections[MUM_IDLE] = by;
}

static void want_sums(const char *name, unsigned counted, unsigned present)
{
	const struct {
		const char *format;
		unsigned value;
	} lines[] = {
		{ "mumd_stale_answers_total %u", counted },
		{ "mumd_lookup_timeouts_total %u", counted },
		{ "mumd_cache_hits_total{question=\"delivery\"} %u", counted },
		{ "mumd_database_connects_total{host=\"a\\\\\"} %u", counted },
		{ "mumd_database_errors_total{host=\"a\\\\\",class=\"lost\"} %u", counted },
		{ "mumd_lookups_in_flight %u", present },
		{ "mumd_cache_entries %u", present },
		{ "mumd_database_connections{host=\"a\\\\\",state=\"idle\"} %u", present },
	};
	char *text = page();

	FOR_EACH_ROW(row, lines) {
		char line[200];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(line, sizeof(line), row->format, row->value);
#pragma GCC diagnostic pop
		if (!has_line(text, line))
			print_error("no line: %s\n", line);
		WANT(name, has_line(text, line));
	}
	free(text);
}

/* A reload replaces the core; the old one still counts until it is gone. */
static void test_totals_never_go_back(void **state)
{
	(void)state;
	set_up("a\\", "b");
	fill(10);
	want_sums("one core", 10, 10);
	now.cores_count = 3;
	want_sums("three", 30, 30);
	now.cores_count = 2;
	metrics_retire(&metrics, &stats);
	want_sums("one of them is gone", 30, 20);
	now.cores_count = 1;
	metrics_retire(&metrics, &stats);
	want_sums("two of them", 30, 10);
	memset(&stats.questions, 0, sizeof(stats.questions));
	fill(0);
	stats.hosts_count = 0;
	want_sums("the last names other hosts", 20, 0);
	metrics_clear(&metrics);
}

/* Each line is a comment of a family, or a sample of the family that has just begun. */
static void test_each_family_is_in_one_piece(void **state)
{
	char *text, *rest, *line, family[100] = "", seen[20000] = "\n";

	(void)state;
	set_up("a", "b");
	rest = text = page();
	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
		if (strncmp(line, "# HELP ", 7) == 0) {
			char mark[120];

			snprintf(family, sizeof(family), "%.*s",
				 (int)strcspn(line + 7, " "), line + 7);
			snprintf(mark, sizeof(mark), "\n%s\n", family);
			WANT(family, strstr(seen, mark) == NULL);
			strcat(seen, mark + 1);
		} else if (strncmp(line, "# TYPE ", 7) == 0) {
			WANT(line, strncmp(line + 7, family, strlen(family)) == 0);
		} else {
			WANT(line, strncmp(line, family, strlen(family)) == 0);
			WANT(line, strrchr(line, ' ') != NULL);
		}
	}
	WANT_TEXT("ends with a newline", line, "");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_requests_and_decisions),
		UNIT_TEST(test_senders),
		UNIT_TEST(test_questions_and_the_database),
		UNIT_TEST(test_quota),
		UNIT_TEST(test_mumd_itself),
		UNIT_TEST(test_buckets_hold_all_below_them),
		UNIT_TEST(test_host_names_as_labels),
		UNIT_TEST(test_equal_hosts_are_one),
		UNIT_TEST(test_totals_never_go_back),
		UNIT_TEST(test_each_family_is_in_one_piece),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
