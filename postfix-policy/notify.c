/* SPDX-License-Identifier: MIT */
#include "postfix-policy/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* The manager's address: a path, or an abstract name behind '@'. 0 if there is none. */
static socklen_t manager_address(struct sockaddr_un *address)
{
	const char *name = getenv("NOTIFY_SOCKET");
	size_t len = name != NULL ? strlen(name) : 0;

	if (len < 2 || len >= sizeof(address->sun_path) || (*name != '/' && *name != '@'))
		return 0;
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(address->sun_path, name, len);
	if (*name == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

void notify_send(const char *format, ...)
{
	struct sockaddr_un address;
	socklen_t size = manager_address(&address);
	char text[512];
	va_list args;
	int fd;

	if (size == 0)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	/* A manager that does not read does not need it. */
	(void)!sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address, size);
	close(fd);
}

void notify_reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	notify_send("RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		    (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

static uint64_t read_number(const char *name)
{
	const char *text = getenv(name);
	unsigned long long number;
	char *end;

	if (text == NULL || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' ? number : 0;
}

unsigned notify_watchdog_ms(void)
{
	uint64_t ms = read_number("WATCHDOG_USEC") / 2000;

	/* With WATCHDOG_PID the watchdog is for that process only. */
	if (getenv("WATCHDOG_PID") != NULL &&
	    read_number("WATCHDOG_PID") != (uint64_t)getpid())
		return 0;
	return ms > 0 && ms < UINT_MAX ? (unsigned)ms : 0;
}
