/* SPDX-License-Identifier: MIT */
#include "common/myorigin.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/xalloc.h"

enum { DOMAIN_MAX = 255 };	/* bytes; RFC 1035 section 2.3.4 */

/* The first word; such a file has no other. NULL when there is none. */
static char *first_word(const char *text)
{
	static const char blanks[] = " \t\r\n";

	text += strspn(text, blanks);
	return *text != '\0' ? xstrndup(text, strcspn(text, blanks)) : NULL;
}

char *myorigin_read(const char *value)
{
	char text[DOMAIN_MAX + 1];
	struct stat status;
	ssize_t len = -1;
	int fd;

	if (*value != '/')
		return first_word(value);
	fd = open(value, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		len = read(fd, text, DOMAIN_MAX);
	close(fd);
	if (len < 0)
		return NULL;
	text[len] = '\0';
	return first_word(text);
}

char *myorigin_of_host(void)
{
	char name[DOMAIN_MAX + 1] = "";

	if (gethostname(name, DOMAIN_MAX) != 0 || *name == '\0')
		return xstrdup("localhost");
	return xstrdup(name);
}
