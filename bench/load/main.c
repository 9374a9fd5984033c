/*
 * The load generator: many TFTP readers in one process, at little cost, so that a server can be
 * measured on the same core. Each reader has a socket of its own, as real clients have; one epoll
 * serves them all.
 *
 *   load PORT FILE READERS BLKSIZE WINDOWSIZE DEADLINE [hold BLOCKS | compare LOCALFILE]
 *
 * Without more, every reader asks at the beginning, and fetches the whole file.
 * hold: every reader acknowledges BLOCKS blocks and falls silent; when all are silent, the line is
 *   printed, and nothing more happens until the standard input ends. Then all of them hang up.
 * compare: every block is compared with the file on the disk.
 *
 * Prints one line of JSON. Ends after DEADLINE seconds, whatever happened by then.
 */
#include "reader.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ASK_AT_ONCE = 32, EVENTS = 256 };

/* Seconds between looks at readers that wait in vain. */
static const double LOOK = 0.1;

static Reader *readers;
static unsigned reader_count;
static double deadline;

static void map_expected(const char *path) {
  struct stat status;
  int fd = open(path, O_RDONLY);
  if (fd < 0 || fstat(fd, &status) < 0) die(path);
  wish.expected_size = (size_t)status.st_size;
  wish.expected = mmap(NULL, wish.expected_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (wish.expected == MAP_FAILED) die("mmap");
}

static void read_arguments(int count, char **values) {
  if (count != 7 && count != 9) {
    fprintf(stderr, "load PORT FILE READERS BLKSIZE WINDOWSIZE DEADLINE [hold N|compare FILE]\n");
    exit(2);
  }
  wish.server.sin_family = AF_INET;
  wish.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  wish.server.sin_port = htons((uint16_t)atoi(values[1]));
  wish.file = values[2];
  reader_count = (unsigned)atoi(values[3]);
  wish.blksize = (unsigned)atoi(values[4]);
  wish.windowsize = (unsigned)atoi(values[5]);
  deadline = atof(values[6]);
  if (count == 9 && strcmp(values[7], "hold") == 0) wish.hold = (unsigned)atoi(values[8]);
  if (count == 9 && strcmp(values[7], "compare") == 0) map_expected(values[8]);
}

/* Each reader needs a descriptor. */
static void raise_limit(void) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

static int open_readers(void) {
  int queue = epoll_create1(EPOLL_CLOEXEC);
  if (queue < 0) die("epoll_create1");
  readers = calloc(reader_count, sizeof *readers);
  if (readers == NULL) die("calloc");
  for (unsigned i = 0; i < reader_count; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &readers[i]};
    reader_open(&readers[i]);
    if (epoll_ctl(queue, EPOLL_CTL_ADD, readers[i].fd, &event) < 0) die("epoll_ctl");
  }
  tally.open = reader_count;
  return queue;
}

/* A few at a time, and the answers between: a burst of all would only measure how many requests the
 * system keeps for a server that has not yet run. */
static unsigned ask_next(unsigned asked) {
  unsigned end = asked + ASK_AT_ONCE;
  for (; asked < end && asked < reader_count; asked++) reader_ask(&readers[asked]);
  return asked;
}

static void run(int queue, double start) {
  struct epoll_event events[EVENTS];
  double looked = start, time = start;
  unsigned asked = 0;
  while (tally.open > 0 && time - start < deadline) {
    asked = ask_next(asked);
    int count = epoll_wait(queue, events, EVENTS, asked < reader_count ? 1 : (int)(LOOK * 1000));
    for (int i = 0; i < count; i++) {
      Reader *reader = events[i].data.ptr;
      if (reader->state <= READING) reader_take(reader);
      else epoll_ctl(queue, EPOLL_CTL_DEL, reader->fd, NULL);
    }
    time = now();
    if (time - looked < LOOK) continue;
    looked = time;
    for (unsigned i = 0; i < asked; i++) reader_look(&readers[i], time);
  }
}

static double processor_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* `times` are the seconds from a reader's request to its last block. */
static void print_times(void) {
  const char *comma = "";
  printf("{\"times\":[");
  for (unsigned i = 0; i < reader_count; i++) {
    if (readers[i].state != DONE) continue;
    printf("%s%.6f", comma, readers[i].finished - readers[i].asked);
    comma = ",";
  }
  printf("],");
}

static void report(double start) {
  unsigned counts[FAILED + 1] = {0};
  unsigned long long bytes = 0;
  double end = start;
  for (unsigned i = 0; i < reader_count; i++) {
    counts[readers[i].state]++;
    bytes += readers[i].bytes;
    if (readers[i].finished > end) end = readers[i].finished;
  }
  for (char *at = tally.trouble; *at != 0; at++)
    if (*at < ' ' || *at == '"' || *at == '\\') *at = '?';
  print_times();
  printf("\"done\":%u,\"silent\":%u,\"failed\":%u,\"unfinished\":%u,", counts[DONE],
         counts[SILENT], counts[FAILED], counts[ASKING] + counts[READING]);
  printf("\"bytes\":%llu,\"seconds\":%.6f,\"cpu\":%.6f,", bytes, end - start,
         processor_seconds());
  printf("\"resent\":%llu,\"duplicates\":%llu,\"gaps\":%llu,", (unsigned long long)tally.resent,
         (unsigned long long)tally.duplicates, (unsigned long long)tally.gaps);
  printf("\"blksize\":%u,\"windowsize\":%u,\"trouble\":\"%s\"}\n", readers[0].blksize,
         readers[0].windowsize, tally.trouble);
  fflush(stdout);
}

static void hold_until_told(void) {
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  poll(&input, 1, (int)(deadline * 1000));
  for (unsigned i = 0; i < reader_count; i++) reader_hang_up(&readers[i]);
}

int main(int count, char **values) {
  read_arguments(count, values);
  raise_limit();
  reader_prepare();
  int queue = open_readers();
  double start = now();
  run(queue, start);
  report(start);
  if (wish.hold != 0) hold_until_told();
  return 0;
}
