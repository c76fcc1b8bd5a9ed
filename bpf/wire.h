/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * The records that cross from the kernel side to userspace, and into recordings. */
#ifndef CONNLEAK_WIRE_H
#define CONNLEAK_WIRE_H

/* Shared by bpf/ (which has vmlinux.h) and userspace (C++). This is the only description of the format:
 * nothing here is mirrored by hand. Integers are in host byte order unless the name ends in _be. Stamps
 * are nanoseconds of the boot-time clock (CLOCK_BOOTTIME); 0 means "not seen", because no record can be
 * made at boot. Every record starts with struct wire_header, and its size is a multiple of 8. */

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#include "gaps.h"

#define WIRE_VERSION 7

/* TASK_COMM_LEN of the kernel. */
#define WIRE_COMM 16
/* PostgreSQL and MySQL cut names at 63 and 64 bytes; longer ones are cut here, and end in NUL. */
#define WIRE_NAME 64
/* Frames of one stack. Ten request handlers deep in Go is about 30; 48 keeps all stacks of a socket
 * near 1 KiB, far below its optmem share. */
#define WIRE_FRAMES 48
/* sizeof(sun_path). */
#define WIRE_PATH 108

enum wire_type {
	WIRE_OPENED = 1,      /* wire_edge: the application called connect */
	WIRE_ESTABLISHED = 2, /* wire_edge */
	WIRE_FAILED = 3,      /* wire_edge: connect failed or was given up */
	WIRE_PEER_CLOSED = 4, /* wire_edge: FIN received, the application has not closed */
	WIRE_ABORTED = 5,     /* wire_edge: reset or timed out; the descriptor is still held */
	WIRE_CLOSED = 6,      /* wire_edge: closed by the application (or by its exit): the last edge */
	WIRE_DISMISSED = 7,   /* wire_edge: the first bytes are no database's; the record is gone */
	WIRE_FORK = 8,        /* wire_process: thread = the child process, parent = its creator */
	WIRE_EXEC = 9,        /* wire_process */
	WIRE_EXIT = 10,       /* wire_process: the last thread of the process exits */
	WIRE_THREAD_EXIT = 11,/* wire_process: a thread that used a tracked connection exits */
	WIRE_LEVEL = 12,      /* wire_edge: one connection as the iterator read it */
	WIRE_GAPS = 13,       /* wire_gaps: follows the connection's WIRE_LEVEL or precedes its WIRE_CLOSED */
	WIRE_STACK = 14,      /* wire_stack */
	WIRE_HOLDER = 15,     /* wire_holder: a descriptor of a process that refers to the connection */
	WIRE_SESSION = 16,    /* wire_session: an open inbound connection of a database client */
	WIRE_SCAN_BEGIN = 17, /* wire_scan */
	WIRE_SCAN_END = 18,   /* wire_scan: also the tick on which rules are judged, live and in replay */
	WIRE_LOSS = 19,       /* wire_loss: counters of one hook, sent when they changed */
	WIRE_PROCESS = 20,    /* wire_process_info, made by userspace from /proc at first sight */
	WIRE_SYMBOL = 21,     /* wire_symbol, made by userspace: what an address of a stack means */
	WIRE_REQUESTS = 22,   /* wire_requests */
	WIRE_LEASE = 23,      /* wire_lease */
	WIRE_POOL = 24,       /* wire_pool */
	WIRE_TYPE_END
};

struct wire_header {
	__u16 type;    /* enum wire_type */
	__u16 size;    /* of the whole record, bytes, header included */
	__u32 cpu;
	__u64 time_ns; /* when it happened */
};

/* A process is pid plus start time; a thread likewise. tgid 0 = unknown. Namespace: the initial one. */
struct wire_thread {
	__u32 tgid;
	__u32 tid;
	__u64 process_start_ns; /* start_boottime of the group leader */
	__u64 thread_start_ns;
};

enum wire_protocol {
	WIRE_PROTOCOL_UNKNOWN = 0, /* no bytes yet (a candidate), or attached late and silent */
	WIRE_PROTOCOL_POSTGRESQL = 1,
	WIRE_PROTOCOL_OTHER = 2,   /* kept only under --all */
	WIRE_PROTOCOL_MYSQL = 3,   /* MariaDB, too */
	WIRE_PROTOCOL_REDIS = 4,
	WIRE_PROTOCOL_MONGODB = 5,
	WIRE_PROTOCOL_TDS = 6, /* SQL Server, Sybase */
	WIRE_PROTOCOL_ORACLE = 7,
	WIRE_PROTOCOL_CASSANDRA = 8,
	WIRE_PROTOCOL_MEMCACHED = 9,
	WIRE_PROTOCOL_END
};

enum wire_turn { WIRE_TURN_UNKNOWN = 0, WIRE_TURN_CLIENT = 1, WIRE_TURN_SERVER = 2, WIRE_TURN_END };

enum wire_transaction {
	WIRE_TRANSACTION_UNKNOWN = 0,
	WIRE_TRANSACTION_NONE = 1,   /* ReadyForQuery 'I' */
	WIRE_TRANSACTION_OPEN = 2,   /* 'T' */
	WIRE_TRANSACTION_FAILED = 3, /* 'E' */
	WIRE_TRANSACTION_END
};

/* wire_connection.flags */
#define WIRE_FLAG_LATE 1u      /* older than the observer: opened_ns is when it was first seen */
#define WIRE_FLAG_TLS 2u       /* encrypted: turn from direction, transaction unknown */
#define WIRE_FLAG_SHARED 4u    /* a second thread used it */
#define WIRE_FLAG_GOODBYE 8u   /* the client said Terminate */
#define WIRE_FLAG_EXITING 16u  /* closed while its closer was exiting */
#define WIRE_FLAG_CLOSER 32u   /* wire_edge.actor is the thread that closed it (else the closer is unknown) */
#define WIRE_FLAG_ASYNC 64u    /* used by a kernel worker (io_uring): threads mean nothing */
#define WIRE_FLAG_ASSUMED 128u /* late and encrypted, or silent on a unix socket: the protocol is told from port or path alone */
#define WIRE_FLAG_REPLICATION 256u /* the startup message asks for replication: an exempt role */
#define WIRE_FLAG_LISTEN 512u /* it sent LISTEN: an exempt role, too */
#define WIRE_FLAG_REFUSED 2048u /* the server had no slot left: PostgreSQL 53300, MySQL 1040, Redis maxclients */
#define WIRE_FLAG_STREAM 1024u /* SUBSCRIBE, MONITOR, PSYNC, a binary log: waits for the server by design, exempt */

/* A connection's record: the value kept in socket storage, sent whole with each edge and level. */
struct wire_connection {
	__u64 cookie;         /* socket cookie; with opened_ns the identity */
	__u64 opened_ns;
	__u64 established_ns;
	__u64 handshake_ns;   /* first time ready for a query: login done; 0 under TLS until assumed (see README) */
	__u64 first_use_ns;   /* first request after the handshake */
	__u64 last_use_ns;    /* last request sent, handshake excluded */
	__u64 last_answer_ns; /* last byte received while an answer was due, handshake included */
	__u64 last_send_ns;   /* last send of any kind by the send hook */
	__u64 peer_closed_ns;
	__u64 aborted_ns;
	__u64 closed_ns;
	__u64 longest_gap_ns; /* longest completed idle gap, birth to first use not included */
	__u64 pending_gap_ns; /* gap before the last request; completed once that is answered */
	__u64 transaction_ns; /* since when one is open: the answer that said so; 0: none, or it cannot be seen */
	__u64 longest_transaction_ns; /* of the finished ones */
	__u64 transactions;   /* finished */
	__u64 socket_use_ns;  /* WIRE_LEVEL of a late record: max(lsndtime, lrcvtime) as a stamp */
	__u64 requests;       /* sent after the handshake */
	__u64 gaps;           /* completed */
	__u64 cgroup_id;      /* of the opener, cgroup v2 */
	struct wire_thread opener;     /* for late records: the process whose descriptor was found */
	struct wire_thread first_user;
	struct wire_thread last_user;
	__u32 netns;          /* inode number */
	__u32 uid;            /* of the opener */
	__u32 unread_bytes;   /* receive queue, WIRE_LEVEL and WIRE_CLOSED only */
	__u32 unsent_bytes;   /* send queue, likewise */
	__u32 copied_seq;     /* what the application has read, likewise */
	__u32 flags;          /* WIRE_FLAG_* */
	__u16 family;         /* AF_INET, AF_INET6 or AF_UNIX; v4-mapped addresses are AF_INET */
	__u16 local_port;     /* 0 until established */
	__u16 remote_port;
	__u8 tcp_state;       /* TCP_* of the kernel at the time of the record */
	__u8 turn;            /* enum wire_turn */
	__u8 transaction;     /* enum wire_transaction */
	__u8 protocol;        /* enum wire_protocol */
	__u8 driver;          /* enum wire_driver: whose object `handle` is */
	__u8 padding[5];
	__u8 local[16];       /* network order; IPv4 in the first four */
	__u8 remote[16];
	char comm[WIRE_COMM]; /* of the opener */
	char user[WIRE_NAME]; /* "" = not seen */
	char database[WIRE_NAME];
	/* AF_UNIX only: the server's path, cut to end in NUL, '@' first for an abstract one; who answered
	 * last, with its pid as its own namespace has it (0: not seen). Addresses and ports are 0. */
	__u32 peer_pid;
	char path[WIRE_PATH];
	char peer_comm[WIRE_COMM];
	__u64 handle;         /* the address of what the driver or the pool has for it; 0: not seen. See wire_lease */
};

struct wire_edge {
	struct wire_header header;
	struct wire_thread actor; /* opener or closer; tgid 0 where the current task proves nothing */
	char actor_comm[WIRE_COMM]; /* of the thread, "" where there is none */
	struct wire_connection connection;
};

struct wire_process {
	struct wire_header header;
	struct wire_thread thread;
	struct wire_thread parent; /* WIRE_FORK only */
	char comm[WIRE_COMM];
};

struct wire_gaps {
	struct wire_header header;
	__u64 cookie;
	__u64 opened_ns;
	__u16 counts[WIRE_GAP_BUCKETS]; /* cumulative since the connection opened, saturating */
	__u16 padding[7];
};

/* WIRE_STACK_FORK: where a process that had opened connections forked; cookie is the child's tgid, opened_ns its start.
 * WIRE_STACK_ACQUIRE: where a lease was taken; cookie is its handle, opened_ns its acquired_ns. */
enum wire_stack_kind {
	WIRE_STACK_OPEN = 0, WIRE_STACK_LAST_USE = 1, WIRE_STACK_CLOSE = 2, WIRE_STACK_FORK = 3, WIRE_STACK_ACQUIRE = 4,
	WIRE_STACK_KIND_END
};

/* Sent only for connections that fell silent: at a scan once a stack is new, and at close. */
struct wire_stack {
	struct wire_header header; /* size cut to the frames present, rounded to 8 */
	__u64 cookie;
	__u64 opened_ns;
	struct wire_thread thread; /* whose stack it is */
	__u32 kind;                /* enum wire_stack_kind */
	__u32 frames;
	__u64 goroutine;           /* its id; 0 = unknown, or none */
	__u64 addresses[WIRE_FRAMES]; /* innermost first; return addresses but for the first */
};

struct wire_holder {
	struct wire_header header;
	__u64 cookie;
	__u64 opened_ns;
	struct wire_thread holder; /* tid = tgid */
	__u32 fd;
	__u32 padding;
	char comm[WIRE_COMM];
};

struct wire_session {
	struct wire_header header;
	struct wire_thread owner;  /* first receiver */
	__u64 cookie;
	__u64 accepted_ns;         /* the handshake, to a jiffy; seen late: the last reply before */
	__u64 last_receive_ns;
};

/* What a process that is a database's client answered on inbound connections, summed up since it was first seen: counts
 * by how long each request waited, from its first byte read to the first byte of its answer. Made by userspace at a scan
 * of levels when the sums have changed. Bucket b ends below wire_gap_bound_ns(2 b). */
struct wire_requests {
	struct wire_header header;
	struct wire_thread process; /* tid = tgid */
	__u64 cpu_ns;               /* used by the process so far, to a clock tick; 0 unknown */
	__u32 answered[WIRE_WAIT_BUCKETS];
	__u32 alone[WIRE_WAIT_BUCKETS];  /* of those: while it waited the process sent nothing elsewhere */
	__u32 failed[WIRE_WAIT_BUCKETS]; /* of those alone: answered with HTTP 5xx, or given up by the client */
	__u32 padding;
};

enum wire_driver {
	WIRE_DRIVER_UNKNOWN = 0,
	WIRE_DRIVER_LIBPQ = 1,
	WIRE_DRIVER_MYSQL_C = 2,     /* libmysqlclient, libmariadb */
	WIRE_DRIVER_HIREDIS = 3,
	WIRE_DRIVER_GO_SQL = 4,      /* database/sql over any driver */
	WIRE_DRIVER_PGXPOOL = 5,
	WIRE_DRIVER_END
};

/* What holds a connection that was taken out of its pool. */
enum wire_object {
	WIRE_OBJECT_UNKNOWN = 0,
	WIRE_OBJECT_HANDLE = 1,      /* no lease: a driver's own connection, from its connect to its finish */
	WIRE_OBJECT_CALL = 2,        /* a call that gives it back at its end */
	WIRE_OBJECT_ROWS = 3,
	WIRE_OBJECT_TRANSACTION = 4,
	WIRE_OBJECT_STATEMENT = 5,
	WIRE_OBJECT_CONNECTION = 6,
	WIRE_OBJECT_END
};

/* A connection as its driver or pool has it: taken out, and given back. Made by userspace at a scan of levels when it has
 * changed: each once, and when it is out. */
struct wire_lease {
	struct wire_header header;
	struct wire_thread thread;  /* that took it */
	__u64 handle;               /* as in wire_connection */
	__u64 pool;                 /* its address; 0: none */
	__u64 owner;                /* the goroutine's address that took it; 0: the thread */
	__u64 goroutine;            /* its id; 0: not known */
	__u64 acquired_ns;
	__u64 released_ns;          /* 0: not yet */
	__u64 taken;                /* times it was taken out so far */
	__u8 object;                /* enum wire_object */
	__u8 driver;                /* enum wire_driver */
	__u8 owner_gone;            /* 1: the goroutine has ended */
	__u8 padding[5];
};

/* The numbers of one pool, read by userspace from the memory of its process at one instant. */
struct wire_pool {
	struct wire_header header;
	struct wire_thread process; /* tid = tgid */
	__u64 pool;                 /* its address */
	__u64 max_open;             /* 0: no limit */
	__u64 open;
	__u64 in_use;
	__u64 idle;
	__u64 waiting;              /* who waits for a connection now */
	__u64 wait_count;           /* so far */
	__u64 wait_ns;              /* so far, of those that have ended; ~0: not known */
	__u8 driver;                /* enum wire_driver */
	__u8 padding[7];
};

enum wire_scan_kind {
	WIRE_SCAN_LEVELS = 0,  /* all tracked connections and sessions */
	WIRE_SCAN_HOLDERS = 1, /* all descriptors; creates late records */
	WIRE_SCAN_FINAL = 2,   /* SCAN_END only: nothing follows, the observer ends */
	WIRE_SCAN_KIND_END
};

struct wire_scan {
	struct wire_header header; /* time: when the scan began, or ended */
	__u64 began_ns;
	__u32 kind;                /* enum wire_scan_kind */
	__u32 padding;
};

struct wire_loss {
	struct wire_header header;
	char hook[32];
	__u64 hits;    /* times the hook ran for a tracked connection or process */
	__u64 dropped; /* records that found no room in the ring */
	__u64 missed;  /* runs that the kernel skipped (recursion) */
	__u32 attached;
	__u32 padding;
};

/* Strings are NUL-terminated and lie in text[], in this order: exe, cgroup path, why the frames of its code cannot be
 * seen and what would help. Sent again when that changes. */
struct wire_process_info {
	struct wire_header header; /* size cut to the text present, rounded to 8 */
	struct wire_thread process; /* tid = tgid */
	struct wire_thread parent;
	__u64 cgroup_id;
	__u32 uid;
	__u16 exe_size;    /* bytes, NUL included; 0 = unknown */
	__u16 cgroup_size;
	__u16 frames_note_size;
	__u16 padding[3];
	char comm[WIRE_COMM];
	char text[4096];   /* PATH_MAX for all together */
};

enum wire_language {
	WIRE_LANGUAGE_UNKNOWN = 0, WIRE_LANGUAGE_NATIVE = 1 /* C, C++ */, WIRE_LANGUAGE_GO = 2, WIRE_LANGUAGE_RUST = 3,
	WIRE_LANGUAGE_PYTHON = 4, WIRE_LANGUAGE_RUBY = 5, WIRE_LANGUAGE_PHP = 6, WIRE_LANGUAGE_JAVASCRIPT = 7,
	WIRE_LANGUAGE_JAVA = 8, WIRE_LANGUAGE_END
};

/* One frame that an address stands for; inlined callers follow with the next index. Strings in text[]: function,
 * file, module. Frames of one address arrive together, before the first stack that has it. */
struct wire_symbol {
	struct wire_header header;
	struct wire_thread process; /* tid = tgid */
	__u64 address;              /* as in wire_stack */
	__u32 index;                /* 0 = innermost */
	__u32 count;                /* frames of this address */
	__u32 line;                 /* 0 = unknown */
	__u16 function_size;        /* bytes, NUL included; 0 = unknown */
	__u16 file_size;
	__u16 module_size;
	__u8 language;              /* enum wire_language */
	__u8 application;           /* 1 = the application's own code: not libc, driver, pool or standard library */
	__u8 housekeeping;          /* 1 = a pool's ping, reset or validation: not a use by the application */
	__u8 padding[3];
	__u64 offset;               /* of the address in its module, stable across runs: names a frame without a function */
	char text[2048];
};

#ifdef __cplusplus
#define WIRE_ASSERT static_assert
#else
#define WIRE_ASSERT _Static_assert
#endif
WIRE_ASSERT(sizeof(struct wire_header) == 16, "wire_header");
WIRE_ASSERT(sizeof(struct wire_thread) == 24, "wire_thread");
WIRE_ASSERT(sizeof(struct wire_connection) == 584, "wire_connection");
WIRE_ASSERT(__builtin_offsetof(struct wire_connection, opener) == 160, "wire_connection.opener");
WIRE_ASSERT(__builtin_offsetof(struct wire_connection, local) == 272, "wire_connection.local");
WIRE_ASSERT(sizeof(struct wire_edge) == 640, "wire_edge");
WIRE_ASSERT(sizeof(struct wire_process) == 80, "wire_process");
WIRE_ASSERT(sizeof(struct wire_gaps) == 432, "wire_gaps");
WIRE_ASSERT(sizeof(struct wire_stack) == 72 + 8 * WIRE_FRAMES, "wire_stack");
WIRE_ASSERT(sizeof(struct wire_holder) == 80, "wire_holder");
WIRE_ASSERT(sizeof(struct wire_session) == 64, "wire_session");
WIRE_ASSERT(sizeof(struct wire_requests) == 52 + 12 * WIRE_WAIT_BUCKETS, "wire_requests");
WIRE_ASSERT(sizeof(struct wire_lease) == 104, "wire_lease");
WIRE_ASSERT(sizeof(struct wire_pool) == 112, "wire_pool");
WIRE_ASSERT(sizeof(struct wire_scan) == 32, "wire_scan");
WIRE_ASSERT(sizeof(struct wire_loss) == 80, "wire_loss");
WIRE_ASSERT(sizeof(struct wire_process_info) == 104 + 4096, "wire_process_info");
WIRE_ASSERT(sizeof(struct wire_symbol) == 80 + 2048, "wire_symbol");

#endif
