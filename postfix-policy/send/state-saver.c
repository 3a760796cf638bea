/* SPDX-License-Identifier: MIT */
#include "postfix-policy/send/state-saver.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/threads.h"
#include "common/xalloc.h"
#include "postfix-policy/send/state-file.h"

struct state_saver {
	const struct mum_host *host;
	const char *option;
	bool good;
	struct thread *thread;	/* NULL: none; else the thread's own: */
	int done_fd;		/* eventfd; readable when the thread is done */
	char *path;
	struct buf text;
	char *why;		/* NULL: it is written */

	struct mum_watch *watch;
};

struct state_saver *state_saver_new(const struct mum_host *host, const char *option)
{
	struct state_saver *saver = xcalloc(1, sizeof(*saver));

	saver->host = host;
	saver->option = option;
	saver->good = true;
	return saver;
}

bool state_saver_is_good(const struct state_saver *saver)
{
	return saver->good;
}

/* Takes over why. */
static void conclude(struct state_saver *saver, char *why)
{
	if (why != NULL && saver->good)
		host_log(saver->host, MUM_LOG_WARNING,
			 "%s: %s; it is not kept over a restart until that works again",
			 saver->option, why);
	if (why == NULL && !saver->good)
		host_log(saver->host, MUM_LOG_INFO, "%s: written again", saver->option);
	saver->good = why == NULL;
	free(why);
}

/* ---- in the thread ---- */

static void *write_text(void *arg)
{
	struct state_saver *saver = arg;

	state_file_write(saver->path, saver->text.data, saver->text.len, &saver->why);
	/* This cannot fail: an eventfd always takes a 1, and nobody else writes to this one. */
	(void)!write(saver->done_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	return NULL;
}

/* ---- in the loop ---- */

static void end(struct state_saver *saver)
{
	if (saver->thread == NULL)
		return;
	thread_join(saver->host->threads, saver->thread);
	saver->thread = NULL;
	host_unwatch(saver->host, &saver->watch);
	close(saver->done_fd);
	buf_free(&saver->text);
	free(saver->path);
	conclude(saver, saver->why);
	saver->why = NULL;
}

static void on_done(unsigned events, void *arg)
{
	(void)events;
	end(arg);
}

/* Half a text would replace a good file. */
static bool is_whole(struct state_saver *saver, const char *path, const struct buf *text)
{
	if (text->failed)
		conclude(saver, xasprintf("%s: the file would be larger than %zu bytes", path,
					  text->limit));
	return !text->failed;
}

bool state_saver_start(struct state_saver *saver, const char *path, struct buf *text)
{
	const struct mum_host *host = saver->host;

	if (!is_whole(saver, path, text))
		return false;
	if (saver->thread != NULL) {
		conclude(saver, xasprintf("%s: the disk takes too long", path));
		return false;
	}
	saver->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	saver->path = xstrdup(path);
	saver->text = *text;
	if (saver->done_fd >= 0)
		saver->thread = thread_start(host->threads, write_text, saver);
	if (saver->thread == NULL) {
		if (saver->done_fd >= 0)
			close(saver->done_fd);
		free(saver->path);
		conclude(saver, xasprintf("%s: no thread or descriptor left", path));
		return false;
	}
	*text = (struct buf)BUF_INIT(text->limit);
	saver->watch = host->ops->watch(host->ctx, saver->done_fd, MUM_READ, on_done, saver);
	return true;
}

void state_saver_finish(struct state_saver *saver, const char *path, struct buf *text)
{
	char *why = NULL;

	end(saver);
	if (is_whole(saver, path, text)) {
		state_file_write(path, text->data, text->len, &why);
		conclude(saver, why);
	}
	buf_free(text);
}

void state_saver_free(struct state_saver **_saver)
{
	struct state_saver *saver = *_saver;

	*_saver = NULL;
	if (saver == NULL)
		return;
	end(saver);
	free(saver);
}
