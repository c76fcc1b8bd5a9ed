/* SPDX-License-Identifier: Apache-2.0
 * does: hands its connections to a successor process over SCM_RIGHTS, closes its own copies; the successor goes on
 * expect: none
 * server: postgresql */
#include <fcntl.h>
#include <libpq-fe.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "subject.h"

#define COUNT 6

static void pass(int channel, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	*header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	if (sendmsg(channel, &message, 0) < 0)
		subject_fail("sendmsg");
}

static int take(int channel)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	int fd;

	if (recvmsg(channel, &message, 0) < 1)
		subject_fail("recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	fcntl(fd, F_SETFL, 0); /* libpq's do not block */
	return fd;
}

/* A simple query by hand: the successor has the socket, not libpq's state. */
static void query(int fd)
{
	static const char text[] = "Q\0\0\0\rSELECT 1";
	char answer[512];

	if (write(fd, text, sizeof(text)) != sizeof(text) || read(fd, answer, sizeof(answer)) < 1)
		subject_fail("the handed-over connection is dead");
}

int main(void)
{
	int channel[2], fd[COUNT], status;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, channel))
		subject_fail("socketpair");
	if (fork() == 0) {
		for (int i = 0; i < COUNT; i++)
			fd[i] = take(channel[1]);
		for (int i = 0; subject_next(); i++)
			query(fd[i % COUNT]);
		_exit(0);
	}
	for (int i = 0; i < COUNT; i++) {
		PGconn *connection = PQconnectdb("sslmode=disable");

		subject_query(connection, "SELECT 1");
		pass(channel[0], PQsocket(connection));
		close(PQsocket(connection));
	}
	if (wait(&status) < 0 || status)
		subject_fail("the successor failed");
	subject_end(0);
}
