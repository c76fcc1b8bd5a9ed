/* SPDX-License-Identifier: Apache-2.0
 * The kernel side's own readers, compiled for the host. */
#include "conversation.h"

#include "client.bpf.c"
#include "server.bpf.c"

#include "names.bpf.c"

static __u64 clock_ns;
static struct names names_buffer;
static __u8 learnt;
static struct connection one;

const volatile bool keep_all = false;

__u64 bpf_ktime_get_boot_ns(void) { return clock_ns; }

void count__hit(__u32 hook) {}

void *bpf_map_lookup_elem(void *map, const void *key)
{
	if (map == &names_buffers)
		return &names_buffer;
	return map == &databases && learnt ? &learnt : NULL;
}

long bpf_map_update_elem(void *map, const void *key, const void *value, __u64 flags)
{
	if (map == &databases)
		learnt = *(const __u8 *)value;
	return 0;
}

void conversation_begin(int late, unsigned short port, int expected)
{
	one = (struct connection){};
	one.wire.remote_port = port;
	one.wire.flags = late ? WIRE_FLAG_LATE : 0;
	one.wire.protocol = expected;
	clock_ns = 1000;
	learnt = 0;
}

static void payload_of(struct payload *p, const unsigned char *bytes, unsigned int size)
{
	__be64 last[2];

	*p = (struct payload){.size = size};
	for (__u32 i = 0; i < size && i < PAYLOAD_HEAD; i++)
		p->head[i] = bytes[i];
	if (size <= PAYLOAD_TAIL) {
		payload__tail_from_head(p);
		return;
	}
	__builtin_memcpy(last, bytes + size - PAYLOAD_TAIL, sizeof(last));
	payload__set_tail(p, last);
}

int conversation_client(const unsigned char *bytes, unsigned int size)
{
	struct payload p;
	int said;

	clock_ns += 1000;
	payload_of(&p, bytes, size);
	p.seq = one.sent_seq;
	p.end = p.seq + size;
	said = client__said(&one, &p);
	if (said > SAID_OTHER) {
		__u32 skipped = said == SAID_POSTGRES_NAMES ? NAMES_POSTGRES_SKIPPED : 0;

		__builtin_memcpy(names_buffer.text, bytes + skipped, size - skipped < NAMES_TEXT ? size - skipped : NAMES_TEXT);
		names__read(&one, said);
	}
	return said == SAID_OTHER;
}

int conversation_server(const unsigned char *bytes, unsigned int size)
{
	struct payload p;

	clock_ns += 1000;
	payload_of(&p, bytes, size);
	p.seq = one.received_seq;
	p.end = p.seq + size;
	p.ack = one.sent_seq;
	return server__said(&one, &p) == SAID_OTHER;
}

struct conversation conversation_state(void)
{
	struct conversation state = {
		.protocol = one.wire.protocol,
		.turn = connection__turn(&one),
		.transaction = one.wire.transaction,
		.requests = (unsigned int)one.wire.requests,
		.flags = one.wire.flags,
		.ready = one.wire.handshake_ns != 0,
	};

	__builtin_memcpy(state.user, one.wire.user, sizeof(state.user));
	__builtin_memcpy(state.database, one.wire.database, sizeof(state.database));
	return state;
}
