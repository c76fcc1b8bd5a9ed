/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Open inbound connections of processes that are clients of a database, and the requests that come on them. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.h"
#include "maps.h"
#include "requests.h"
#include "sockets.h"
#include "tasks.h"
#include "unix.h"

extern const volatile __u64 jiffy_ns;

/* accept() is not seen. Until the first reply the kernel's stamp of the last sending is that of the handshake; where a
 * session was older than our first look, it is that of a reply: too young, but no longer the present. */
static __always_inline __u64 session__accepted_ns(const struct sock *sk, __u64 now)
{
	const struct tcp_sock *tp = (const void *)sk;
	__u64 age = (__u64)((__u32)bpf_jiffies64() - BPF_CORE_READ(tp, lsndtime)) * jiffy_ns;

	return age < now ? now - age : 0;
}

static const struct service no_service;

static __always_inline struct service *service__of(struct task_struct *task)
{
	__u32 tgid = task->tgid;
	struct service *service = bpf_map_lookup_elem(&services, &tgid);

	if (service && service->sums.process.process_start_ns == task->group_leader->start_boottime)
		return service;
	if (bpf_map_update_elem(&services, &tgid, &no_service, BPF_ANY))
		return NULL;
	service = bpf_map_lookup_elem(&services, &tgid);
	if (service)
		task__identify(task->group_leader, &service->sums.process);
	return service;
}

/* Every receive of the host comes by: all but clients of databases leave after one look-up. */
SEC("tp_btf/sock_recv_length")
int BPF_PROG(tp_btf__sock_recv_length, struct sock *sk, int ret, int flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct service *service;
	struct session *session;
	struct user *user;
	__u64 now;

	if (ret == 0 && unix__is_stream(sk))
		unix__ended(sk);
	if (ret <= 0 || (flags & MSG_PEEK))
		return 0;
	user = bpf_task_storage_get(&users, task->group_leader, NULL, 0);
	if (!user)
		return 0;
	if (!socket__is_plain_tcp(sk) || bpf_sk_storage_get(&connections, sk, NULL, 0))
		return 0;
	now = bpf_ktime_get_boot_ns();
	session = bpf_sk_storage_get(&sessions, sk, NULL, 0);
	if (!session) {
		if (socket__is_outgoing(sk))
			return 0;
		count__hit(HOOK_RECEIVE);
		session = bpf_sk_storage_get(&sessions, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
		if (!session) {
			count__drop(HOOK_RECEIVE);
			return 0;
		}
		WRITE_ONCE(any_session, 1);
		task__identify(task, &session->owner);
		session->cookie = bpf_get_socket_cookie(sk);
		session->accepted_ns = session__accepted_ns(sk, now);
	}
	session->last_receive_ns = now;
	if (!user->serves)
		user->serves = 1;
	service = service__of(task);
	if (service)
		session__ask(session, service, now);
	return 0;
}
