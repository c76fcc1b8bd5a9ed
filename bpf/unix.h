/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * The two ends of a unix socket. */
#ifndef CONNLEAK_UNIX_H
#define CONNLEAK_UNIX_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "closing.h"
#include "emit.h"
#include "maps.h"
#include "wire.h"

static __always_inline bool unix__is_stream(const struct sock *sk)
{
	return sk->__sk_common.skc_family == AF_UNIX && sk->sk_type == SOCK_STREAM;
}

static __always_inline const struct unix_address *unix__address(const struct sock *sk)
{
	return BPF_CORE_READ((const struct unix_sock *)sk, addr);
}

/* Who accepts has the listener's name, who connects none: so the end of a client is told. A client that binds first is
 * not. */
static __always_inline bool unix__is_client(const struct sock *sk, const struct sock *peer)
{
	return !unix__address(sk) && unix__address(peer);
}

/* Of the server. An abstract name begins with NUL, which becomes '@'. */
static __always_inline void unix__read_path(const struct sock *server, char path[WIRE_PATH])
{
	const struct unix_address *address = unix__address(server);
	__u32 size = BPF_CORE_READ(address, len) - __builtin_offsetof(struct sockaddr_un, sun_path);
	const char *from = (const char *)address + bpf_core_field_offset(address->name) +
			   __builtin_offsetof(struct sockaddr_un, sun_path);

	if (size > WIRE_PATH - 1)
		size = WIRE_PATH - 1;
	/* "R2 unbounded memory access": the bound must be seen on the register that is passed. */
	asm volatile("" : "+r"(size));
	if (size > WIRE_PATH - 1)
		return;
	bpf_probe_read_kernel(path, size, from);
	if (!path[0] && size)
		path[0] = '@';
}

/* Nothing tells of it when it happens: the client's end is dead, and stays while the server has not closed its own. */
static __always_inline bool unix__is_closed(const struct sock *client)
{
	return !client->sk_socket || (client->__sk_common.skc_flags & (1ul << SOCK_DEAD));
}

/* What has become of a tracked one; called whenever it is come across. False where it is over. */
static __always_inline bool unix__look(struct sock *client, struct connection *c)
{
	if (c->end)
		return false;
	if (unix__is_closed(client)) {
		connection__close(NULL, client, c, false, HOOK_UNIX, bpf_ktime_get_boot_ns());
		return false;
	}
	if (!c->wire.peer_closed_ns && (client->sk_shutdown & RCV_SHUTDOWN)) {
		c->wire.peer_closed_ns = bpf_ktime_get_boot_ns();
		emit__edge(HOOK_UNIX, WIRE_PEER_CLOSED, c, NULL, c->wire.peer_closed_ns);
	}
	return true;
}

/* `sk` has read the end of what its peer sent, or nothing was asked for. */
static __always_inline void unix__ended(struct sock *sk)
{
	struct connection *c = bpf_sk_storage_get(&connections, sk, NULL, 0);
	struct unix_sock *end;
	struct sock *peer;

	if (!c) {
		end = bpf_skc_to_unix_sock(sk);
		peer = end ? end->peer : NULL;
		if (!peer)
			return;
		sk = peer;
		c = bpf_sk_storage_get(&connections, sk, NULL, 0);
	}
	if (c)
		unix__look(sk, c);
}

/* In a map, not on the stack: what lies there doubles no states of the verifier with each letter. */
struct path_match {
	__u64 window; /* the last 8 letters */
	__u32 found;
	__u32 padding;
};

static __always_inline void path__look_for(volatile struct path_match *match, __u64 word, __u32 length, __u32 found)
{
	if (match->window << (64 - 8 * length) == word << (64 - 8 * length))
		match->found |= found;
}

/* What is listened for at a path that is named like a database's own: enum wire_protocol. */
static __always_inline __u8 unix__protocol(const char path[WIRE_PATH], volatile struct path_match *match)
{
	match->window = 0;
	match->found = 0;
	for (__u32 i = 0; i < WIRE_PATH; i++) {
		match->window = match->window << 8 | (__u8)path[i];
		path__look_for(match, 0x2e732e504753514cull, 8, 1); /* .s.PGSQL */
		path__look_for(match, 0x6d7973716cull, 5, 2);       /* mysql */
		path__look_for(match, 0x6d61726961ull, 5, 2);       /* maria */
		path__look_for(match, 0x7265646973ull, 5, 4);       /* redis */
		path__look_for(match, 0x76616c6b6579ull, 6, 4);     /* valkey */
		path__look_for(match, 0x6d7973716c78ull, 6, 8);     /* mysqlx, another protocol */
	}
	return match->found == 1 ? WIRE_PROTOCOL_POSTGRESQL :
	       match->found == 2 ? WIRE_PROTOCOL_MYSQL :
	       match->found == 4 ? WIRE_PROTOCOL_REDIS :
				   WIRE_PROTOCOL_UNKNOWN;
}

#endif
