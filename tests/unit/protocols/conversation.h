/* SPDX-License-Identifier: Apache-2.0
 * One conversation, read as the kernel side reads it. */
#ifndef CONNLEAK_CONVERSATION_H
#define CONNLEAK_CONVERSATION_H

#ifdef __cplusplus
extern "C" {
#endif

struct conversation {
	int protocol;    /* enum wire_protocol */
	int turn;        /* enum wire_turn */
	int transaction; /* enum wire_transaction */
	unsigned int requests;
	unsigned int flags; /* WIRE_FLAG_* */
	int ready;          /* the login is over */
	char user[64];
	char database[64];
};

/* Another one begins. `expected`: enum wire_protocol, of a late one that is told by its place. */
void conversation_begin(int late, unsigned short port, int expected);
/* 1 where the bytes are no database's. */
int conversation_client(const unsigned char *bytes, unsigned int size);
int conversation_server(const unsigned char *bytes, unsigned int size);
struct conversation conversation_state(void);

#ifdef __cplusplus
}
#endif

#endif
