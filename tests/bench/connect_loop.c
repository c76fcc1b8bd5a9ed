// SPDX-License-Identifier: Apache-2.0
// Opens and closes N loopback connections, one after the other, and prints what one took: connect_loop N.
// The listener is a thread of the same program. Ends with one line of JSON: its own count and time.
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int listener;
static long wanted;

static double now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void *accept_all(void *ignored)
{
	for (long i = 0; i < wanted; i++) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			exit(1);
		close(fd);
	}
	return ignored;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	struct linger abort_on_close = {1, 0}; /* no TIME_WAIT: the ports would run out */
	pthread_t thread;
	double began;

	wanted = argc == 2 ? atol(argv[1]) : 0;
	if (wanted <= 0) {
		fprintf(stderr, "usage: connect_loop N\n");
		return 2;
	}
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 512) ||
	    getsockname(listener, (struct sockaddr *)&address, &size))
		return 1;
	pthread_create(&thread, NULL, accept_all, NULL);
	began = now_ns();
	for (long i = 0; i < wanted; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
			return 1;
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_on_close, sizeof(abort_on_close));
		close(fd);
	}
	printf("{\"connections\": %ld, \"ns_each\": %.0f}\n", wanted, (now_ns() - began) / (double)wanted);
	pthread_join(thread, NULL);
	return 0;
}
