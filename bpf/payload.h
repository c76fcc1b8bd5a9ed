/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * What is looked at of what one side sent at once: its first and its last bytes, wherever they were carried. */
#ifndef CONNLEAK_PAYLOAD_H
#define CONNLEAK_PAYLOAD_H

#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PAYLOAD_HEAD 32
#define PAYLOAD_TAIL 16

struct payload {
	__u32 seq; /* of its first byte in the stream */
	__u32 end;
	__u32 ack; /* what its sender had got of the other direction */
	__u32 size;
	union {
		__u8 head[PAYLOAD_HEAD]; /* zero behind the payload */
		__be64 words[PAYLOAD_HEAD / 8];
	};
	/* The last 8 bytes and the 8 before them, the last one lowest; zero before the payload. */
	__u64 tail;
	__u64 before;
};

/* Byte `back` from the end, 0 the last one. */
static __always_inline __u8 payload__last(const struct payload *p, __u32 back)
{
	return (back < 8 ? p->tail >> 8 * back : p->before >> 8 * (back - 8)) & 0xff;
}

/* Of a payload of up to 16 bytes the head shows all. */
static __always_inline void payload__tail_from_head(struct payload *p)
{
	__u64 first = bpf_be64_to_cpu(p->words[0]);
	__u64 second = bpf_be64_to_cpu(p->words[1]);
	__u32 size = p->size;

	if (size >= 16) {
		p->tail = second;
		p->before = first;
	} else if (size > 8) {
		p->tail = first << (8 * (size - 8) & 63) | second >> (8 * (16 - size) & 63);
		p->before = first >> (8 * (16 - size) & 63);
	} else {
		p->tail = first >> (8 * (8 - size) & 63);
		p->before = 0;
	}
}

/* The bytes at its end, as they lie in memory. */
static __always_inline void payload__set_tail(struct payload *p, const __be64 last[2])
{
	p->before = bpf_be64_to_cpu(last[0]);
	p->tail = bpf_be64_to_cpu(last[1]);
}

/* What has to be done about a payload, which its carrier can: enum said, answered by client__said() and
 * server__said(). */
enum said {
	SAID_NOTHING = 0,
	SAID_OTHER = 1,          /* no database's: the record is to go */
	SAID_POSTGRES_NAMES = 2, /* user and database stand in it, see names.h */
	SAID_MYSQL_NAMES = 3,
};

struct connection;

/* They keep the conversation's state in `c`. Global functions: the verifier goes through them once, not once for each
 * way that leads there. */
int client__said(struct connection *c, struct payload *p);
int server__said(struct connection *c, struct payload *p);

/* Under TLS the end of a login cannot be read. The answer that ends it carries the server's parameters: 256 bytes
 * and more of application data, after at least three turns of the client (TLS request, hello, startup); the
 * certificate comes earlier, and what authentication says is shorter. Where that is never seen, the sixth turn. */
#define TLS_LOGIN_FLIGHTS 3
#define TLS_LOGIN_ANSWER 256
#define TLS_LOGIN_OVER 6

#define TLS_ALERT 0x15
#define TLS_HANDSHAKE 0x16
#define TLS_DATA 0x17
#define TLS_FIRST 0x14 /* ChangeCipherSpec, alert, handshake, application data: 0x14 to 0x17 */

/* TLS 1.3 seals alerts as application data: two bytes, their type and a tag of 16; no message of PostgreSQL is as
 * short. */
static __always_inline bool tls__is_alert(const __u8 *head)
{
	return head[1] == 3 && (head[0] == TLS_ALERT || (head[0] == TLS_DATA && head[3] == 0 && head[4] == 19));
}

#endif
