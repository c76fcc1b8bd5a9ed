/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * How long inbound requests of a database's client waited for their answers, summed up for each process. */
#ifndef CONNLEAK_REQUESTS_H
#define CONNLEAK_REQUESTS_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"
#include "sockets.h"

/* Threads of a process come here at once, and softirqs: all counts are atomic. */
static __always_inline void requests__count(__u32 *counts, __u64 wait_ns)
{
	__u32 bucket = (wire_gap_bucket(wait_ns) + 1) / 2;

	if (bucket < WIRE_WAIT_BUCKETS)
		__sync_fetch_and_add(&counts[bucket], 1);
}

/* Time with and without a request that waits, up to now; near enough where two come at once. */
static __always_inline void service__pass(struct service *service, __u64 now)
{
	__u64 since = READ_ONCE(service->changed_ns);

	if (since && now > since) {
		if ((__s64)READ_ONCE(service->waiting) > 0)
			__sync_fetch_and_add(&service->busy_ns, now - since);
		else
			__sync_fetch_and_add(&service->free_ns, now - since);
	}
	WRITE_ONCE(service->changed_ns, now);
}

static __always_inline void session__ask(struct session *session, struct service *service, __u64 now)
{
	if (session->waiting_ns)
		return; /* more of the same request, or pipelined */
	service__pass(service, now);
	__sync_fetch_and_add(&service->waiting, 1);
	session->failed = 0;
	WRITE_ONCE(session->waiting_ns, now);
}

/* No request waits on the session any longer: since when one did, or 0. */
static __always_inline __u64 session__end_wait(struct session *session, struct service **service, __u64 now)
{
	__u64 asked = session->waiting_ns;
	__u32 tgid = session->owner.tgid;

	if (!asked || __sync_val_compare_and_swap(&session->waiting_ns, asked, 0) != asked)
		return 0;
	*service = bpf_map_lookup_elem(&services, &tgid);
	if (!*service)
		return 0;
	service__pass(*service, now);
	__sync_fetch_and_add(&(*service)->waiting, -1);
	return asked;
}

/* The process closed the session: what was never going to be answered says nothing. */
static __always_inline void session__forget(struct session *session, __u64 now)
{
	struct service *service = NULL;

	session__end_wait(session, &service, now);
}

/* The request was answered, or given up by its client. */
static __always_inline void session__answer(struct session *session, bool given_up, __u64 now)
{
	struct service *service = NULL;
	__u64 asked = session__end_wait(session, &service, now);

	if (!asked || !service)
		return;
	requests__count(service->sums.answered, now - asked);
	if (READ_ONCE(service->sent_ns) > asked)
		return;
	requests__count(service->sums.alone, now - asked);
	if (given_up || session->failed)
		requests__count(service->sums.failed, now - asked);
}

/* The other end of a socket pair is the process itself: how event loops wake up. */
static __always_inline bool socket__is_to_itself(const struct sock *sk, __u32 tgid)
{
	return sk->__sk_common.skc_family == AF_UNIX && (__u32)BPF_CORE_READ(sk, sk_peer_pid, numbers[0].nr) == tgid;
}

/* The process sent something on a socket that is no session of its own. What sends at the same pace while nothing
 * waits (metrics, heartbeats) is not for the sake of a request. */
static __always_inline void service__send(struct sock *sk, struct task_struct *task, __u64 now)
{
	__u32 tgid = task->tgid;
	struct service *service = bpf_map_lookup_elem(&services, &tgid);
	struct pace *pace;
	__u64 busy_ns, free_ns;

	if (!service || socket__is_to_itself(sk, tgid))
		return;
	service__pass(service, now);
	pace = bpf_sk_storage_get(&paces, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!pace) {
		WRITE_ONCE(service->sent_ns, now);
		return;
	}
	if ((__s64)READ_ONCE(service->waiting) <= 0) {
		pace->free++;
		return;
	}
	pace->busy++;
	/* In ms, so that the products stay within 64 bits for months. */
	busy_ns = READ_ONCE(service->busy_ns) >> 20;
	free_ns = READ_ONCE(service->free_ns) >> 20;
	if (pace->free >= PACE_WANTED && 2 * pace->free * busy_ns >= pace->busy * free_ns)
		return;
	WRITE_ONCE(service->sent_ns, now);
}

#endif
