/* SPDX-License-Identifier: MIT */
/*
 * A mailbox may be slow to count, or crash the process that counts it, so a question
 * without an answer does not prove that the service is down. Halfway to its deadline we
 * send a probe, a question about a name that cannot exist. When that gets no answer
 * either, the service is down.
 *
 * A new connection begins with a probe: at Dovecot's process_limit the kernel takes it and
 * nobody answers, while the older ones work. The probe is pending then: nobody waits for it.
 *
 * Probes are answered although every mailbox hangs: late.h says what is made of that.
 */
#include "postfix-policy/quota/client-parts.h"

void quota_probe_start(struct quota_client *client, bool on_new)
{
	unsigned deadline = client->settings.deadline;
	struct quota_question *probe;
	char name[QUOTA_MAILBOX_MAX];
	const char *why;

	quota_put_probe(name, host_now(client->host), ++client->probes);
	probe = quota_question_new(client, name, 0);
	probe->is_probe = true;
	client->probe = probe;
	if (on_new || !quota_send_on_idle(probe)) {
		probe->on_new = true;
		probe->conn = quota_conns_ask_new(&client->conns, client->settings.path, probe,
						  probe->mailbox, probe->size, &why);
		if (probe->conn == NULL) {
			quota_question_free(probe);
			quota_mark_down(client, why);
			return;
		}
	}
	/* If the service is up, it ends with the question that called for it. */
	quota_start_timer(probe, client->breaker.down ? deadline : deadline / 2, 0);
}

void quota_probe_again(void *arg)
{
	struct quota_client *client = arg;

	if (quota_late_is_service(&client->late))
		return;
	if (client->probe != NULL)
		quota_question_free(client->probe);
	quota_probe_start(client, true);
}

void quota_suspect(struct quota_client *client)
{
	if (!client->breaker.down && client->probe == NULL)
		quota_probe_start(client, false);
}

bool quota_probe_is_excused(const struct quota_question *probe)
{
	return probe->on_new && probe->client->answered_us > probe->since_us;
}

void quota_probe_failed(struct quota_question *probe, const char *why)
{
	struct quota_client *client = probe->client;
	bool excused = quota_probe_is_excused(probe);

	quota_question_free(probe);
	if (!excused)
		quota_mark_down(client, why);
}

void quota_probe_wait(struct quota_question *probe)
{
	struct quota_client *client = probe->client;

	/* One such connection is enough to hear when Dovecot takes new ones again. */
	if (client->pending != NULL) {
		quota_question_free(probe);
		return;
	}
	client->probe = NULL;
	client->pending = probe;
}
