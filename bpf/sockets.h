/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * What a kernel socket says about its connection. */
#ifndef CONNLEAK_SOCKETS_H
#define CONNLEAK_SOCKETS_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "compat.h"
#include "record.h"

/* A TCP socket of its own: no MPTCP socket, and none of the subflows that one is made of. */
static __always_inline bool socket__is_plain_tcp(const struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return sk->sk_protocol == IPPROTO_TCP && (family == AF_INET || family == AF_INET6) && !compat__is_subflow(sk);
}

/* Nothing refers to the socket any more: what runs now is its release. Orphans have no struct socket. */
static __always_inline bool socket__is_released(const struct sock *sk)
{
	const struct socket *socket = sk->sk_socket;
	const struct file *file;

	if (!socket)
		return true;
	file = socket->file;
	return !file || compat__file_is_dead(file);
}

/* The port was chosen by connect(): -1 marks the bind buckets that autobind made. A client that binds first is not
 * told from an accepted connection. */
static __always_inline bool socket__is_outgoing(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = (const void *)sk;

	return BPF_CORE_READ(icsk, icsk_bind_hash, fastreuse) == -1;
}

/* Reading a cookie makes it, so a socket without one is none of which we told. One with a cookie may still be: the
 * programs of others read cookies, too. */
static __always_inline bool socket__was_seen(const struct sock *sk)
{
	return sk->__sk_common.skc_cookie.counter != 0;
}

static __always_inline bool in6__is_mapped(const struct in6_addr *address)
{
	return address->in6_u.u6_addr32[0] == 0 && address->in6_u.u6_addr32[1] == 0 &&
	       address->in6_u.u6_addr32[2] == bpf_htonl(0xffff);
}

static __always_inline void socket__read_addresses(const struct sock *sk, struct wire_connection *wire)
{
	struct in6_addr remote;

	wire->local_port = sk->__sk_common.skc_num;
	wire->remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
	wire->family = AF_INET;
	if (sk->__sk_common.skc_family == AF_INET6) {
		BPF_CORE_READ_INTO(&remote, sk, __sk_common.skc_v6_daddr);
		if (!in6__is_mapped(&remote)) {
			wire->family = AF_INET6;
			__builtin_memcpy(wire->remote, &remote, sizeof(wire->remote));
			BPF_CORE_READ_INTO((struct in6_addr *)wire->local, sk, __sk_common.skc_v6_rcv_saddr);
			return;
		}
	}
	*(__be32 *)wire->remote = sk->__sk_common.skc_daddr;
	*(__be32 *)wire->local = sk->__sk_common.skc_rcv_saddr;
}

/* Of the bytes the kernel counts only the memory that they take, until all of a send is read. */
static __always_inline void unix__read_queues(const struct sock *sk, struct wire_connection *wire, __u32 received_seq)
{
	const struct sock *peer = BPF_CORE_READ((const struct unix_sock *)sk, peer);
	__u32 unread = BPF_CORE_READ(sk, sk_receive_queue.qlen) ? BPF_CORE_READ(peer, sk_wmem_alloc.refs.counter) - 1 : 0;

	wire->unread_bytes = unread;
	wire->unsent_bytes = BPF_CORE_READ(sk, sk_wmem_alloc.refs.counter) - 1;
	wire->copied_seq = received_seq - unread;
}

/* Bytes that wait in either queue. A FIN occupies a sequence number of its own and is no byte. `received_seq`: end of the
 * server's stream as far as it was seen. */
static __always_inline void socket__read_queues(const struct sock *sk, struct wire_connection *wire, __u32 received_seq)
{
	const struct tcp_sock *tp = (const void *)sk;
	__s32 unread, unsent;
	__u32 copied;

	if (wire->family == AF_UNIX) {
		unix__read_queues(sk, wire, received_seq);
		return;
	}
	copied = BPF_CORE_READ(tp, copied_seq);
	unread = BPF_CORE_READ(tp, rcv_nxt) - copied;
	unsent = BPF_CORE_READ(tp, write_seq) - BPF_CORE_READ(tp, snd_una);
	if (unread > 0 && wire->peer_closed_ns)
		unread--;
	wire->copied_seq = copied;
	wire->unread_bytes = unread > 0 ? unread : 0;
	wire->unsent_bytes = unsent > 0 ? unsent : 0;
}

#endif
