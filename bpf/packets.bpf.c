/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * TCP packets of tracked connections: what client and server say is looked at here. */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "emit.h"
#include "maps.h"
#include "names.h"
#include "payload.h"
#include "stacks.h"

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86DD
#define IPV6_HEADER 40
#define TCP_HEADER 20

/* Where the payload lies in the packet, or 0 where it carries none. Extension headers of IPv6 are not followed:
 * databases' peers do not send them. */
static __always_inline __u32 packet__payload(struct __sk_buff *skb, struct payload *p)
{
	__u8 tcp[TCP_HEADER];
	__u8 first[10];
	__u32 at;

	if (bpf_skb_load_bytes(skb, 0, first, sizeof(first)))
		return 0;
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (first[9] != IPPROTO_TCP)
			return 0;
		at = (first[0] & 0xf) * 4;
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		if (first[6] != IPPROTO_TCP)
			return 0;
		at = IPV6_HEADER;
	} else {
		return 0;
	}
	if (bpf_skb_load_bytes(skb, at, tcp, sizeof(tcp)))
		return 0;
	at += (tcp[12] >> 4) * 4;
	/* Not the length of the IP header: that is 0 in a packet of more than 64 KiB. */
	if (skb->len <= at)
		return 0;
	p->size = skb->len - at;
	p->seq = bpf_ntohl(*(__be32 *)(tcp + 4)) + (tcp[13] >> 1 & 1);
	p->ack = bpf_ntohl(*(__be32 *)(tcp + 8));
	p->end = p->seq + p->size;
	return at;
}

/* False where the bytes cannot be read. */
static __always_inline bool packet__read(struct __sk_buff *skb, __u32 at, struct payload *p)
{
	__u32 size = p->size < PAYLOAD_HEAD ? p->size : PAYLOAD_HEAD;
	__be64 last[2];

	__builtin_memset(p->head, 0, sizeof(p->head));
	/* "R3 min value is outside of the allowed memory range": before 6.5 only arithmetic shows that a size is not 0. */
	asm volatile("" : "+r"(size));
	size = ((size - 1) & (PAYLOAD_HEAD - 1)) + 1;
	if (bpf_skb_load_bytes(skb, at, p->head, size))
		return false;
	if (p->size <= PAYLOAD_TAIL) {
		payload__tail_from_head(p);
		return true;
	}
	if (bpf_skb_load_bytes(skb, at + p->size - PAYLOAD_TAIL, last, sizeof(last)))
		return false;
	payload__set_tail(p, last);
	return true;
}

static __always_inline void packet__read_names(struct __sk_buff *skb, struct connection *c, __u32 at, __u32 size,
					       __u32 said)
{
	struct names *names = names__begin();
	__u32 skipped = said == SAID_POSTGRES_NAMES ? NAMES_POSTGRES_SKIPPED : 0;

	if (!names)
		return;
	if (bpf_skb_load_bytes(skb, at + skipped, names->text, names__size(size - skipped)) == 0)
		names__read(c, said);
	names__end(names);
}

static __always_inline void connection__dismiss(struct bpf_sock *sk, struct connection *c, __u32 hook)
{
	c->wire.protocol = WIRE_PROTOCOL_OTHER;
	emit__edge(hook, WIRE_DISMISSED, c, NULL, bpf_ktime_get_boot_ns());
	stacks__forget(sk, c);
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

/* "HTTP/1.1 503": the tenth byte tells; nothing of the text is kept. */
static __always_inline void packet__session(struct __sk_buff *skb, struct bpf_sock *sk)
{
	struct session *session = bpf_sk_storage_get(&sessions, sk, NULL, 0);
	struct payload p;
	__u8 head[10];
	__u32 at;

	if (!session || !session->waiting_ns)
		return;
	at = packet__payload(skb, &p);
	if (!at || p.size < sizeof(head) || bpf_skb_load_bytes(skb, at, head, sizeof(head)))
		return;
	if (head[0] == 'H' && head[1] == 'T' && head[2] == 'T' && head[3] == 'P' && head[4] == '/' && head[8] == ' ' &&
	    head[9] == '5')
		session->failed = 1;
}

/* Lets every packet pass. */
SEC("cgroup_skb/egress")
int cgroup_skb__egress(struct __sk_buff *skb)
{
	struct bpf_sock *sk = NULL;
	struct connection *c = packet__connection(skb, &sk);
	struct payload p;
	__u32 at, said;

	if (!c) {
		if (sk && READ_ONCE(any_session))
			packet__session(skb, sk);
		return 1;
	}
	at = c->end ? 0 : packet__payload(skb, &p);
	if (!at)
		return 1;
	count__hit(HOOK_EGRESS);
	if (!packet__read(skb, at, &p)) {
		count__hit(HOOK_UNREAD);
		return 1;
	}
	said = client__said(c, &p);
	if (said == SAID_OTHER)
		connection__dismiss(sk, c, HOOK_EGRESS);
	else if (said)
		packet__read_names(skb, c, at, p.size, said);
	return 1;
}

/* Lets every packet pass. */
SEC("cgroup_skb/ingress")
int cgroup_skb__ingress(struct __sk_buff *skb)
{
	struct bpf_sock *sk = NULL;
	struct connection *c = packet__connection(skb, &sk);
	struct payload p;
	__u32 at;

	at = !c || c->end ? 0 : packet__payload(skb, &p);
	if (!at)
		return 1;
	count__hit(HOOK_INGRESS);
	if (!packet__read(skb, at, &p)) {
		count__hit(HOOK_UNREAD);
		return 1;
	}
	if (server__said(c, &p) == SAID_OTHER)
		connection__dismiss(sk, c, HOOK_INGRESS);
	return 1;
}
