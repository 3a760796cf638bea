/* SPDX-License-Identifier: MIT */
#include "tests/fakes/fake-store.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/xalloc.h"

struct store_request {
	struct question question;	/* owns a reference to its address */
	store_done_fn *fn;
	void *arg;
	struct store_request *prev, *next;
};

static struct store_request *find(const struct fake_store *fake, size_t index)
{
	struct store_request *request = fake->requests;

	while (request != NULL && index-- > 0)
		request = request->next;
	return request;
}

static void request_free(struct fake_store *fake, struct store_request *request)
{
	DL_DELETE(fake->requests, request);
	address_unref(&request->question.address);
	free(request);
}

/* Those that wait now; their callbacks may ask again, which is the next turn's. */
static void on_turn(void *arg)
{
	struct fake_store *fake = arg;
	size_t count = fake_store_pending(fake);

	fake->turn = NULL;
	while (count-- > 0 && fake->requests != NULL) {
		struct facts *facts =
			fake->respond(&fake->requests->question, fake->respond_arg);

		fake_store_answer(fake, 0, facts != NULL ? MUM_FOUND : MUM_TEMPFAIL, facts,
				  facts != NULL ? NULL : "fake trouble");
		facts_unref(&facts);
	}
	if (fake->requests != NULL && fake->turn == NULL)
		fake->turn = fake->host->ops->timer(fake->host->ctx, 0, on_turn, fake);
}

/* ---- store.h ---- */

static struct store_request *fake_submit(struct store *store,
					 const struct question *question,
					 store_done_fn *fn, void *arg)
{
	struct fake_store *fake = (struct fake_store *)store;
	struct store_request *request = xcalloc(1, sizeof(*request));

	request->question = *question;
	if (question->address != NULL)
		address_ref(question->address);
	request->fn = fn;
	request->arg = arg;
	DL_APPEND(fake->requests, request);
	fake->submitted++;
	if (fake->respond != NULL && fake->turn == NULL)
		fake->turn = fake->host->ops->timer(fake->host->ctx, 0, on_turn, fake);
	return request;
}

static void fake_withdraw(struct store *store, struct store_request *request)
{
	struct fake_store *fake = (struct fake_store *)store;

	fake->withdrawn++;
	request_free(fake, request);
}

static void fake_close(struct store *store)
{
	fake_store_free((struct fake_store *)store);
}

static const struct store_ops ops = {
	.submit = fake_submit,
	.withdraw = fake_withdraw,
	.close = fake_close,
};

/* ---- the test's side ---- */

void fake_store_init(struct fake_store *fake, const struct mum_host *host)
{
	memset(fake, 0, sizeof(*fake));
	fake->store.ops = &ops;
	fake->store.up = true;
	fake->host = host;
}

void fake_store_respond(struct fake_store *fake, fake_respond_fn *fn, void *arg)
{
	fake->respond = fn;
	fake->respond_arg = arg;
}

bool fake_store_free(struct fake_store *fake)
{
	bool clean = fake->requests == NULL;

	while (fake->requests != NULL)
		request_free(fake, fake->requests);
	host_untimer(fake->host, &fake->turn);
	return clean;
}

size_t fake_store_pending(const struct fake_store *fake)
{
	struct store_request *request;
	size_t count;

	DL_COUNT(fake->requests, request, count);
	return count;
}

const struct question *fake_store_question(const struct fake_store *fake, size_t index)
{
	const struct store_request *request = find(fake, index);

	return request != NULL ? &request->question : NULL;
}

void fake_store_answer(struct fake_store *fake, size_t index, enum mum_status status,
		       struct facts *facts, const char *reason)
{
	struct store_request *request = find(fake, index);
	store_done_fn *fn;
	void *arg;

	if (request == NULL || (status == MUM_FOUND) != (facts != NULL))
		abort();	/* the test is wrong */
	fn = request->fn;
	arg = request->arg;
	fake->answered++;
	request_free(fake, request);
	fn(status, facts, reason, arg);
}
