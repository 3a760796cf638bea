/* SPDX-License-Identifier: MIT */
#include "postfix-policy/send/limits.h"

#include <stdlib.h>
#include <string.h>

#include "common/address-fold.h"
#include "common/log-text.h"
#include "common/send-limit.h"
#include "common/text.h"
#include "common/xalloc.h"

/* One login, or one domain as "@domain". */
struct rule {
	char *name;
	size_t at;		/* in the list of mum.conf: the first of equal names counts */
	struct gcra gcra;	/* of a limit of its own */
};

struct rules {
	size_t count;
	struct rule *items;	/* by name */
};

struct send_limits {
	struct gcra all;
	struct rules own, exempt;
};

char *send_login(const char *text, size_t len)
{
	char *copy = xstrndup(text, len), *folded = NULL;
	char name[SEND_LOGIN_SIZE];

	if (text_is_clean(copy, strlen(copy)))
		folded = address_fold(copy);
	log_escape(name, sizeof(name), folded != NULL ? folded : copy, "");
	free(folded);
	free(copy);
	return xstrdup(*name != '\0' ? name : "-");
}

/* ---- rules ---- */

static int compare_rules(const void *_a, const void *_b)
{
	const struct rule *a = _a, *b = _b;
	int order = strcmp(a->name, b->name);

	if (order != 0)
		return order;
	return a->at < b->at ? -1 : a->at > b->at;
}

static void sort_rules(struct rules *rules)
{
	if (rules->count > 0)
		qsort(rules->items, rules->count, sizeof(*rules->items), compare_rules);
}

/* The rule with this name, the first one of several; NULL if there is none. */
static const struct rule *find_rule(const struct rules *rules, const char *name)
{
	size_t low = 0, high = rules->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(rules->items[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < rules->count && strcmp(rules->items[low].name, name) == 0
		       ? &rules->items[low] : NULL;
}

static void free_rules(struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		free(rules->items[i].name);
	free(rules->items);
}

static void read_own(struct rules *rules, const struct mum_list *list)
{
	rules->items = xcalloc(list->count, sizeof(*rules->items));
	for (size_t i = 0; i < list->count; i++) {
		struct send_limit limit;
		const char *why;

		if (!send_limit_parse(list->items[i], &limit, &why))
			continue;	/* config-check.c refuses those */
		rules->items[rules->count++] = (struct rule){
			send_login(limit.login, limit.login_len), i,
			gcra_new(limit.rate, limit.period, limit.burst)
		};
	}
	sort_rules(rules);
}

static void read_exempt(struct rules *rules, const struct mum_list *list)
{
	rules->items = xcalloc(list->count, sizeof(*rules->items));
	for (size_t i = 0; i < list->count; i++)
		rules->items[rules->count++] = (struct rule){
			.name = send_login(list->items[i], strlen(list->items[i])), .at = i
		};
	sort_rules(rules);
}

struct send_limits *send_limits_new(const struct mum_config *config)
{
	struct send_limits *limits = xcalloc(1, sizeof(*limits));

	limits->all = gcra_new(config->policy.send_rate, config->policy.send_period,
			       config->policy.send_burst);
	read_own(&limits->own, &config->policy.send_limits);
	read_exempt(&limits->exempt, &config->policy.send_exempt);
	return limits;
}

void send_limits_free(struct send_limits **_limits)
{
	struct send_limits *limits = *_limits;

	*_limits = NULL;
	if (limits == NULL)
		return;
	free_rules(&limits->own);
	free_rules(&limits->exempt);
	free(limits);
}

const struct gcra *send_limits_find(const struct send_limits *limits, const char *login)
{
	const char *domain = strrchr(login, '@');
	const struct rule *own = find_rule(&limits->own, login);

	if (own != NULL)
		return &own->gcra;
	if (find_rule(&limits->exempt, login) != NULL ||
	    (domain != NULL && find_rule(&limits->exempt, domain) != NULL))
		return NULL;
	return &limits->all;
}
