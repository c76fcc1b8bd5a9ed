/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * What the two packet programs share: a segment, its connection, and giving a record back. */
#ifndef CONNLEAK_PACKETS_H
#define CONNLEAK_PACKETS_H

#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "emit.h"
#include "maps.h"

/* Keep connections that are not to a database. */
extern const volatile bool keep_all;

struct segment {
	__u32 seq; /* of the first payload byte */
	__u32 end;
	__u32 ack;
	__u32 at;   /* of the payload in the packet */
	__u32 size; /* of the payload */
};

/* Under TLS the end of a login cannot be read. The answer that ends it carries the server's parameters: 256 bytes
 * and more of application data, after at least three turns of the client (TLS request, hello, startup); the
 * certificate comes earlier, and what authentication says is shorter. Where that is never seen, the sixth turn. */
#define TLS_LOGIN_FLIGHTS 3
#define TLS_LOGIN_ANSWER 256
#define TLS_LOGIN_OVER 6

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86DD
#define IPV6_HEADER 40
#define TCP_HEADER 20
#define TLS_ALERT 0x15
#define TLS_HANDSHAKE 0x16
#define TLS_DATA 0x17
#define TLS_FIRST 0x14 /* ChangeCipherSpec, alert, handshake, application data: 0x14 to 0x17 */

/* TLS 1.3 seals alerts as application data: two bytes, their type and a tag of 16; no message of PostgreSQL is as
 * short. */
static __always_inline bool tls__is_alert(const __u8 head[5])
{
	return head[1] == 3 && (head[0] == TLS_ALERT || (head[0] == TLS_DATA && head[3] == 0 && head[4] == 19));
}

/* False where the packet carries no TCP payload. Extension headers of IPv6 are not followed: databases' peers do not
 * send them. */
static __always_inline bool segment__read(struct __sk_buff *skb, struct segment *segment)
{
	__u8 tcp[TCP_HEADER];
	__u8 first[10];
	__u32 at, header;

	if (bpf_skb_load_bytes(skb, 0, first, sizeof(first)))
		return false;
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (first[9] != IPPROTO_TCP)
			return false;
		at = (first[0] & 0xf) * 4;
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		if (first[6] != IPPROTO_TCP)
			return false;
		at = IPV6_HEADER;
	} else {
		return false;
	}
	if (bpf_skb_load_bytes(skb, at, tcp, sizeof(tcp)))
		return false;
	header = (tcp[12] >> 4) * 4;
	/* Not the length of the IP header: that is 0 in a packet of more than 64 KiB. */
	if (skb->len <= at + header)
		return false;
	segment->at = at + header;
	segment->size = skb->len - segment->at;
	segment->seq = bpf_ntohl(*(__be32 *)(tcp + 4)) + (tcp[13] >> 1 & 1);
	segment->ack = bpf_ntohl(*(__be32 *)(tcp + 8));
	segment->end = segment->seq + segment->size;
	return true;
}

static __always_inline void connection__dismiss(struct bpf_sock *sk, struct connection *c, __u32 hook, __u64 now)
{
	c->wire.protocol = WIRE_PROTOCOL_OTHER;
	emit__edge(hook, WIRE_DISMISSED, c, NULL, now);
	bpf_sk_storage_delete(&stacks, sk);
	bpf_sk_storage_delete(&connections, sk);
}

/* The record of the packet's socket, where it has one. Most have none: this look-up is all they pay, at the egress
 * another one once there are sessions. */
static __always_inline struct connection *packet__connection(struct __sk_buff *skb, struct bpf_sock **sk)
{
	struct bpf_sock *found = skb->sk;

	if (!found)
		return NULL;
	found = bpf_sk_fullsock(found);
	if (!found)
		return NULL;
	*sk = found;
	return bpf_sk_storage_get(&connections, found, NULL, 0);
}

#endif
