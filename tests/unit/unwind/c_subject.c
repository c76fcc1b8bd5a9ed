// SPDX-License-Identifier: Apache-2.0
// Gets into the place that its first argument names, says "ready THREAD" and waits there on standard input, in
// wait_here().
#define _GNU_SOURCE
#include <alloca.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SITE __attribute__((noinline, noclone))

// Changed behind each call, so that none is the last thing that its function does.
static volatile int sink;
static const char *library_path;

SITE void wait_here(void) {
  char byte;
  dprintf(1, "ready %ld\n", syscall(SYS_gettid));
  if (read(0, &byte, 1) < 0) sink++;
  sink++;
}

SITE void inner(void) {
  wait_here();
  sink++;
}

SITE void plain(void) {
  inner();
  sink++;
}

SITE void with_alloca(int size) {
  char *room = alloca((size_t)size);
  memset(room, 1, (size_t)size);
  inner();
  sink += room[size / 2];
}

SITE void with_array(int size) {
  char room[size];
  memset(room, 1, (size_t)size);
  with_alloca(size + sink);
  sink += room[size / 2];
}

// So many registers that all that calls preserve are saved, and an alignment that the stack has not.
SITE void aligned(int a, int b, int c, int d) {
  __attribute__((aligned(64))) volatile char room[128];
  int e = a * b, f = b * c, g = c * d, h = d + a;
  room[(unsigned)e % 128] = 1;
  inner();
  sink += e + f * g + h * e + a + b + c + d + room[3];
}

SITE int compare(const void *left, const void *right) {
  static int is_first = 1;
  if (is_first) {
    is_first = 0;
    inner();
  }
  return *(const int *)left - *(const int *)right;
}

SITE void sort(void) {
  int numbers[16];
  for (int i = 0; i < 16; i++) numbers[i] = (i * 7 + sink) % 16;
  qsort(numbers, 16, sizeof numbers[0], compare);
  sink += numbers[3];
}

static void handle(int number) {
  inner();
  sink += number;
}

SITE void interrupted(void) {
  struct sigaction action = {.sa_handler = handle};
  sigaction(SIGUSR1, &action, NULL);
  kill(getpid(), SIGUSR1);
  sink++;
}

SITE void interrupted_elsewhere(void) {
  static char room[65536];
  stack_t stack = {.ss_sp = room, .ss_size = sizeof room};
  struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
  sigaltstack(&stack, NULL);
  sigaction(SIGUSR1, &action, NULL);
  kill(getpid(), SIGUSR1);
  sink++;
}

// Between 250 and 300 bytes of stack.
SITE void recurse(int depth) {
  volatile char room[200];
  room[depth % 200] = 1;
  if (depth > 1)
    recurse(depth - 1);
  else
    inner();
  sink += room[depth % 200];
}

static void *thread_main(void *argument) {
  inner();
  sink++;
  return argument;
}

SITE void thread(void) {
  pthread_t id;
  if (pthread_create(&id, NULL, thread_main, NULL) != 0) abort();
  pthread_join(id, NULL);
  sink++;
}

SITE void generated(void) {
  // push rbp; mov rbp, rsp; call rdi; pop rbp; ret
  static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) abort();
  memcpy(page, code, sizeof code);
  mprotect(page, 4096, PROT_READ | PROT_EXEC);
  void (*call)(void (*)(void));
  memcpy(&call, &page, sizeof call);
  call(inner);
  sink++;
}

SITE void library(void) {
  void *opened = dlopen(library_path, RTLD_LAZY);
  void *found = opened != NULL ? dlsym(opened, "library_call") : NULL;
  if (found == NULL) abort();
  void (*call)(void (*)(void));
  memcpy(&call, &found, sizeof call);
  call(inner);
  sink++;
}

// The library's function is bound when it is called first, and calls back while that is done.
SITE void binding(void) {
  void *opened = dlopen(library_path, RTLD_LAZY);
  void *wait = opened != NULL ? dlsym(opened, "library_wait") : NULL;
  void *found = opened != NULL ? dlsym(opened, "library_bind") : NULL;
  if (found == NULL || wait == NULL) abort();
  void (*call)(void);
  memcpy(&call, &found, sizeof call);
  *(void (**)(void))wait = inner;
  call();
  sink++;
}

int main(int count, char **arguments) {
  const char *place = count > 1 ? arguments[1] : "plain";
  library_path = count > 2 ? arguments[2] : "";
  if (strcmp(place, "plain") == 0) plain();
  if (strcmp(place, "arrays") == 0) with_array(count * 50);
  if (strcmp(place, "aligned") == 0) aligned(count, count + 1, count + 2, count + 3);
  if (strcmp(place, "sort") == 0) sort();
  if (strcmp(place, "interrupted") == 0) interrupted();
  if (strcmp(place, "elsewhere") == 0) interrupted_elsewhere();
  if (strcmp(place, "recurse") == 0) recurse(atoi(arguments[2]));
  if (strcmp(place, "thread") == 0) thread();
  if (strcmp(place, "generated") == 0) generated();
  if (strcmp(place, "library") == 0) library();
  if (strcmp(place, "binding") == 0) binding();
  sink++;
  return 0;
}
