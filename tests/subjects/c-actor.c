/* SPDX-License-Identifier: Apache-2.0
 * Does what it is told, one command a line on standard input, and answers each with one line of JSON.
 *
 *   open N          N connections with libpq           -> {"ids": [..], "fds": [..]}
 *   query ID|all    one request on each
 *   leak N MS       N connections opened, used once and forgotten by lose_one, MS apart; the first connection
 *                   serves a request every 10 ms meanwhile (it must exist)
 *   listen N MS     N connections opened that send LISTEN and wait, MS apart; the first one serves meanwhile
 *   serve MS        only those requests, for so long
 *   terminate ID    the first connection asks the server to end this one: it is half-closed from then on
 *   close ID|all    PQfinish
 *   dup ID          another descriptor for the socket  -> {"fd": n}
 *   dup2 ID         /dev/null over the descriptor: the socket loses it
 *   closefd N       close(2) of a descriptor
 *   fork MS         a child that inherits everything, does nothing and ends after MS -> {"pid": n}
 *   refuse N        one connection that greets like a client, then the listener goes, and N connects are refused
 *                   -> {"port": n}
 *   overflow N MS   N connections that the server must refuse, MS apart
 *   storm N         N connects of a raw socket that greets like a client and closes at once -> {"port": n}
 *   truth           -> {"opened", "closed", "failed", "leaked", "open"}
 *   exit            ends with status 0
 *   die             SIGKILL
 *
 * The storm, the overflow and the refused connects are not part of the truth. Expected verdicts: see the live test that drives it.
 * The database comes from PGHOST and the like. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST 1024

static PGconn *connections[MOST];
static int count, opened, closed, failed, leaked;

static void fail(const char *what)
{
	fprintf(stderr, "c-actor: %s\n", what);
	exit(1);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void pause_ms(long ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&time, NULL);
}

static int open_one(void)
{
	PGconn *connection;

	if (count == MOST)
		fail("too many connections");
	connection = PQconnectdb("");
	if (PQstatus(connection) != CONNECTION_OK)
		fail(PQerrorMessage(connection));
	connections[count] = connection;
	opened++;
	return count++;
}

static void query(PGconn *connection, const char *text)
{
	PGresult *result = PQexec(connection, text);

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		fail(PQerrorMessage(connection));
	PQclear(result);
}

/* Opened, used and never seen again. */
static void lose_one(void)
{
	int id = open_one();
	PGresult *result = PQexec(connections[id], "SELECT 1"); /* CULPRIT */

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		fail(PQerrorMessage(connections[id]));
	PQclear(result);
	leaked++;
}

/* The server has no slot left. */
static void overflow_one(void)
{
	PGconn *connection = PQconnectdb("");

	if (PQstatus(connection) == CONNECTION_OK)
		fail("the server had a slot left");
	PQfinish(connection);
}

static void serve(double seconds)
{
	double end = now() + seconds;

	while (now() < end) {
		query(connections[0], "SELECT 1");
		pause_ms(10);
	}
}

static void close_one(int id)
{
	if (!connections[id])
		return;
	PQfinish(connections[id]);
	connections[id] = NULL;
	closed++;
}

static int socket_to(int port, int *error)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*error = connect(fd, (struct sockaddr *)&address, sizeof(address));
	return fd;
}

/* A port of the loopback interface with a listener, or with none. */
static int local_port(int *listener)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(*listener, (struct sockaddr *)&address, size) || getsockname(*listener, (struct sockaddr *)&address, &size))
		fail("no port");
	return ntohs(address.sin_port);
}

/* SSLRequest: the length, then the code that PostgreSQL reserves for it. */
static void greet(int fd)
{
	static const unsigned char greeting[8] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};

	send(fd, greeting, sizeof(greeting), MSG_NOSIGNAL);
}

static void refuse(int times)
{
	int listener, error, port = local_port(&listener), client, server;

	if (listen(listener, 1))
		fail("listen");
	client = socket_to(port, &error);
	server = accept(listener, NULL, NULL);
	greet(client);
	pause_ms(50);
	close(client);
	close(server);
	close(listener);
	while (times--)
		close(socket_to(port, &error));
	printf("{\"port\": %d}\n", port);
}

static void storm(int times)
{
	int listener, error, port = local_port(&listener);
	pid_t sink;

	if (listen(listener, 4096))
		fail("listen");
	sink = fork();
	if (sink == 0) {
		for (;;)
			close(accept(listener, NULL, NULL));
	}
	while (times--) {
		int fd = socket_to(port, &error);

		if (!error)
			greet(fd);
		close(fd);
	}
	kill(sink, SIGKILL);
	waitpid(sink, NULL, 0);
	close(listener);
	printf("{\"port\": %d}\n", port);
}

static void list_ids(int from)
{
	int i;

	printf("{\"ids\": [");
	for (i = from; i < count; i++)
		printf("%s%d", i > from ? ", " : "", i);
	printf("], \"fds\": [");
	for (i = from; i < count; i++)
		printf("%s%d", i > from ? ", " : "", PQsocket(connections[i]));
	printf("]}\n");
}

static int id_of(const char *word)
{
	int id = atoi(word);

	if (id < 0 || id >= count || !connections[id])
		fail("no such connection");
	return id;
}

/* As a server of notifications keeps them: idle by design. */
static void listen_one(void)
{
	PGresult *result = PQexec(connections[open_one()], "LISTEN orders");

	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fail("LISTEN was refused");
	PQclear(result);
}

static void obey(const char *verb, const char *word, int number)
{
	int i, from = count;
	char text[64];

	if (strcmp(verb, "open") == 0) {
		for (i = 0; i < atoi(word); i++)
			open_one();
		list_ids(from);
		return;
	} else if (strcmp(verb, "query") == 0) {
		for (i = 0; i < count; i++)
			if (connections[i] && (strcmp(word, "all") == 0 || i == id_of(word)))
				query(connections[i], "SELECT 1");
	} else if (strcmp(verb, "leak") == 0) {
		for (i = 0; i < atoi(word); i++) {
			lose_one();
			serve(number / 1000.0);
		}
	} else if (strcmp(verb, "overflow") == 0) {
		for (i = 0; i < atoi(word); i++) {
			overflow_one();
			pause_ms(number);
		}
	} else if (strcmp(verb, "listen") == 0) {
		for (i = 0; i < atoi(word); i++) {
			listen_one();
			serve(number / 1000.0);
		}
	} else if (strcmp(verb, "serve") == 0) {
		serve(atoi(word) / 1000.0);
	} else if (strcmp(verb, "terminate") == 0) {
		snprintf(text, sizeof(text), "SELECT pg_terminate_backend(%d)", PQbackendPID(connections[id_of(word)]));
		query(connections[0], text);
	} else if (strcmp(verb, "close") == 0) {
		for (i = 0; i < count; i++)
			if (strcmp(word, "all") == 0 || i == atoi(word))
				close_one(i);
	} else if (strcmp(verb, "dup") == 0) {
		printf("{\"fd\": %d}\n", dup(PQsocket(connections[id_of(word)])));
		return;
	} else if (strcmp(verb, "dup2") == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		dup2(null, PQsocket(connections[id_of(word)]));
		close(null);
	} else if (strcmp(verb, "closefd") == 0) {
		close(atoi(word));
	} else if (strcmp(verb, "fork") == 0) {
		pid_t child = fork();

		if (child == 0) {
			pause_ms(atoi(word));
			_exit(0);
		}
		printf("{\"pid\": %d}\n", child);
		return;
	} else if (strcmp(verb, "refuse") == 0) {
		refuse(atoi(word));
		return;
	} else if (strcmp(verb, "storm") == 0) {
		storm(atoi(word));
		return;
	} else if (strcmp(verb, "truth") == 0) {
		printf("{\"opened\": %d, \"closed\": %d, \"failed\": %d, \"leaked\": %d, \"open\": %d}\n", opened, closed,
		       failed, leaked, opened - closed);
		return;
	} else if (strcmp(verb, "exit") == 0) {
		exit(0);
	} else if (strcmp(verb, "die") == 0) {
		kill(getpid(), SIGKILL);
	} else {
		fail("unknown command");
	}
	printf("{}\n");
}

int main(void)
{
	char line[128];

	signal(SIGCHLD, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		char verb[32] = "", word[32] = "0";
		int number = 0;

		if (sscanf(line, "%31s %31s %d", verb, word, &number) >= 1)
			obey(verb, word, number);
	}
	return 0;
}
