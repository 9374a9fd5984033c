/*
 * The load generator: many TFTP readers in one process, at little cost, so that a server can be
 * measured on the same core. Each reader has a socket of its own, as real clients have; one epoll
 * serves them all, and a whole window is taken with one system call.
 *
 *   load PORT FILE READERS BLKSIZE WINDOWSIZE DEADLINE [hold BLOCKS | compare LOCALFILE]
 *
 * Without more, every reader asks at the beginning, and fetches the whole file.
 * hold: every reader acknowledges BLOCKS blocks and falls silent; when all are silent, a line is
 *   printed, and nothing more happens until the standard input ends. Then all of them hang up.
 * compare: every block is compared with the file on the disk.
 *
 * Prints one line of JSON. Ends after DEADLINE seconds, whatever happened by then.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RRQ = 1, DATA = 3, ACK = 4, ERROR = 5, OACK = 6 };
enum { BATCH = 64, ASK_AT_ONCE = 32, HEADER = 4, REQUEST_ROOM = 512, DEFAULT_BLKSIZE = 512 };

/* Seconds without progress until a reader repeats its last packet, and between looks at that. */
static const double PATIENCE = 1.0;
static const double LOOK = 0.1;

typedef enum { ASKING, READING, SILENT, DONE, FAILED } State;

typedef struct {
  int fd;
  State state;
  unsigned blksize, windowsize;
  uint64_t next;      /* the block that is due, counted from 1 without wrapping */
  unsigned in_window; /* blocks since the last acknowledgement */
  bool gap_told;      /* the server knows already that a block is missing */
  uint64_t bytes;
  double asked, progress, finished;
} Reader;

static struct {
  struct sockaddr_in server;
  const char *file;
  unsigned readers, blksize, windowsize, hold;
  double deadline;
  const uint8_t *expected;
  size_t expected_size;
} settings;

static struct {
  unsigned open;      /* readers that still fetch */
  uint64_t resent, duplicates, gaps, bytes;
  char trouble[128];
} total;

static Reader *readers;
static uint8_t *buffers[BATCH];

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void die(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void leave(Reader *reader, State state, const char *trouble) {
  reader->state = state;
  reader->finished = now();
  total.open--;
  if (trouble != NULL) snprintf(total.trouble, sizeof total.trouble, "%s", trouble);
}

/* A full send buffer or a port that has gone shows as a missing answer, which is repeated. */
static void ask(Reader *reader) {
  char packet[REQUEST_ROOM] = {0, RRQ};
  int length = 2 + snprintf(packet + 2, sizeof packet - 2, "%s%coctet%c", settings.file, 0, 0);
  if (settings.blksize != DEFAULT_BLKSIZE)
    length += snprintf(packet + length, sizeof packet - (size_t)length, "blksize%c%u%c", 0,
                       settings.blksize, 0);
  if (settings.windowsize != 1)
    length += snprintf(packet + length, sizeof packet - (size_t)length, "windowsize%c%u%c", 0,
                       settings.windowsize, 0);
  (void)sendto(reader->fd, packet, (size_t)length, 0, (struct sockaddr *)&settings.server,
               sizeof settings.server);
}

static void acknowledge(Reader *reader) {
  uint16_t block = (uint16_t)(reader->next - 1);
  uint8_t packet[HEADER] = {0, ACK, (uint8_t)(block >> 8), (uint8_t)block};
  reader->in_window = 0;
  (void)send(reader->fd, packet, sizeof packet, 0);
}

/* The server's answer to the options: names and values, each ended by a zero. */
static void take_options(Reader *reader, const uint8_t *packet, size_t length) {
  const char *at = (const char *)packet + 2, *end = (const char *)packet + length;
  while (at < end) {
    const char *name = at, *value = name + strnlen(name, (size_t)(end - name)) + 1;
    if (value >= end) return;
    at = value + strnlen(value, (size_t)(end - value)) + 1;
    if (at > end) return;
    if (strcasecmp(name, "blksize") == 0) reader->blksize = (unsigned)atoi(value);
    if (strcasecmp(name, "windowsize") == 0) reader->windowsize = (unsigned)atoi(value);
  }
}

static bool is_right(const Reader *reader, const uint8_t *data, size_t length) {
  if (settings.expected == NULL) return true;
  if (reader->bytes + length > settings.expected_size) return false;
  return memcmp(settings.expected + reader->bytes, data, length) == 0;
}

static void take_data(Reader *reader, const uint8_t *packet, size_t length) {
  uint16_t ahead = (uint16_t)((packet[2] << 8 | packet[3]) - (uint16_t)reader->next);
  size_t payload = length - HEADER;
  if (ahead != 0) {
    if (ahead > UINT16_MAX / 2) {
      total.duplicates++;
    } else if (!reader->gap_told) {
      total.gaps++;
      reader->gap_told = true;
      acknowledge(reader);
    }
    return;
  }
  if (!is_right(reader, packet + HEADER, payload)) {
    leave(reader, FAILED, "a block is not what the file holds");
    return;
  }
  reader->next++;
  reader->gap_told = false;
  reader->bytes += payload;
  bool last = payload < reader->blksize;
  if (last || ++reader->in_window >= reader->windowsize) acknowledge(reader);
  if (last) leave(reader, DONE, NULL);
  else if (settings.hold != 0 && reader->next > settings.hold) leave(reader, SILENT, NULL);
}

static void take(Reader *reader, const uint8_t *packet, size_t length) {
  if (reader->state != READING || length < HEADER) return;
  switch (packet[1]) {
    case DATA:
      take_data(reader, packet, length);
      break;
    case OACK:
      if (reader->next == 1) {
        take_options(reader, packet, length);
        acknowledge(reader);
      }
      break;
    case ERROR:
      leave(reader, FAILED, length > HEADER ? (const char *)packet + HEADER : "refused");
      break;
    default:
      leave(reader, FAILED, "a packet that does not belong here");
  }
}

/* The first packet tells the port of the transfer; from then on only that one is heard. */
static void take_first(Reader *reader) {
  struct sockaddr_in from;
  socklen_t size = sizeof from;
  ssize_t length = recvfrom(reader->fd, buffers[0], settings.blksize + HEADER, MSG_DONTWAIT,
                            (struct sockaddr *)&from, &size);
  if (length < 0) return;
  if (connect(reader->fd, (struct sockaddr *)&from, size) < 0) die("connect");
  reader->state = READING;
  reader->progress = now();
  buffers[0][length] = 0;
  take(reader, buffers[0], (size_t)length);
}

static void take_waiting(Reader *reader) {
  struct mmsghdr messages[BATCH];
  struct iovec places[BATCH];
  unsigned wanted = reader->windowsize < BATCH ? reader->windowsize : BATCH;
  for (unsigned i = 0; i < wanted; i++) {
    places[i] = (struct iovec){buffers[i], settings.blksize + HEADER};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &places[i], .msg_iovlen = 1};
  }
  int count = recvmmsg(reader->fd, messages, wanted, MSG_DONTWAIT, NULL);
  for (int i = 0; i < count; i++) {
    buffers[i][messages[i].msg_len] = 0;
    take(reader, buffers[i], messages[i].msg_len);
  }
}

static void take_one(Reader *reader) {
  ssize_t length = recv(reader->fd, buffers[0], settings.blksize + HEADER, MSG_DONTWAIT);
  if (length < 0) return;
  buffers[0][length] = 0;
  take(reader, buffers[0], (size_t)length);
}

static void serve(Reader *reader, double time) {
  uint64_t before = reader->next;
  if (reader->state == ASKING) take_first(reader);
  else if (reader->windowsize > 1) take_waiting(reader);
  else take_one(reader);
  if (reader->next != before) reader->progress = time;
}

static void repeat_what_was_lost(double time, unsigned asked) {
  for (unsigned i = 0; i < asked; i++) {
    Reader *reader = &readers[i];
    if (reader->state > READING || time - reader->progress < PATIENCE) continue;
    reader->progress = time;
    total.resent++;
    if (reader->state == ASKING) ask(reader);
    else acknowledge(reader);
  }
}

static void open_readers(int queue) {
  for (unsigned i = 0; i < settings.readers; i++) {
    Reader *reader = &readers[i];
    *reader = (Reader){.blksize = DEFAULT_BLKSIZE, .windowsize = 1, .next = 1};
    reader->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (reader->fd < 0) die("socket");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = reader};
    if (epoll_ctl(queue, EPOLL_CTL_ADD, reader->fd, &event) < 0) die("epoll_ctl");
  }
}

/* A few at a time, and the answers between: a burst of all would only measure how many requests the
 * system keeps for a server that has not yet run. */
static unsigned ask_next(unsigned asked) {
  unsigned end = asked + ASK_AT_ONCE;
  for (; asked < end && asked < settings.readers; asked++) {
    readers[asked].asked = readers[asked].progress = now();
    ask(&readers[asked]);
  }
  return asked;
}

static void run(int queue, double start) {
  struct epoll_event events[256];
  double looked = start;
  unsigned asked = 0;
  while (total.open > 0) {
    asked = ask_next(asked);
    int patience = asked < settings.readers ? 1 : (int)(LOOK * 1000);
    int count = epoll_wait(queue, events, 256, patience);
    double time = now();
    for (int i = 0; i < count; i++) {
      Reader *reader = events[i].data.ptr;
      if (reader->state <= READING) serve(reader, time);
      else epoll_ctl(queue, EPOLL_CTL_DEL, reader->fd, NULL);
    }
    if (time - start > settings.deadline) break;
    if (time - looked > LOOK) repeat_what_was_lost(looked = time, asked);
  }
}

static double processor_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* The times are seconds from a reader's request to its last block. */
static void report(double start) {
  unsigned counts[FAILED + 1] = {0};
  double end = start;
  const char *comma = "";
  printf("{\"times\":[");
  for (unsigned i = 0; i < settings.readers; i++) {
    Reader *reader = &readers[i];
    counts[reader->state]++;
    total.bytes += reader->bytes;
    if (reader->finished > end) end = reader->finished;
    if (reader->state != DONE) continue;
    printf("%s%.6f", comma, reader->finished - reader->asked);
    comma = ",";
  }
  for (char *at = total.trouble; *at != 0; at++)
    if (*at < ' ' || *at == '"' || *at == '\\') *at = '?';
  printf("],\"done\":%u,\"silent\":%u,\"failed\":%u,\"unfinished\":%u,\"bytes\":%llu,"
         "\"seconds\":%.6f,\"cpu\":%.6f,\"resent\":%llu,\"duplicates\":%llu,\"gaps\":%llu,"
         "\"blksize\":%u,\"windowsize\":%u,\"trouble\":\"%s\"}\n",
         counts[DONE], counts[SILENT], counts[FAILED], counts[ASKING] + counts[READING],
         (unsigned long long)total.bytes, end - start, processor_seconds(),
         (unsigned long long)total.resent, (unsigned long long)total.duplicates,
         (unsigned long long)total.gaps, readers[0].blksize, readers[0].windowsize,
         total.trouble);
  fflush(stdout);
}

static void wait_for_the_end(void) {
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  poll(&input, 1, (int)(settings.deadline * 1000));
}

static void hang_up(void) {
  static const uint8_t packet[] = {0, ERROR, 0, 0, 'e', 'n', 'd', 0};
  for (unsigned i = 0; i < settings.readers; i++)
    if (readers[i].state == SILENT) (void)send(readers[i].fd, packet, sizeof packet, 0);
}

static void map_expected(const char *path) {
  struct stat status;
  int fd = open(path, O_RDONLY);
  if (fd < 0 || fstat(fd, &status) < 0) die(path);
  settings.expected_size = (size_t)status.st_size;
  settings.expected = mmap(NULL, settings.expected_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (settings.expected == MAP_FAILED) die("mmap");
}

static void read_settings(int count, char **values) {
  if (count != 7 && count != 9) {
    fprintf(stderr, "load PORT FILE READERS BLKSIZE WINDOWSIZE DEADLINE [hold N|compare FILE]\n");
    exit(2);
  }
  settings.server.sin_family = AF_INET;
  settings.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  settings.server.sin_port = htons((uint16_t)atoi(values[1]));
  settings.file = values[2];
  settings.readers = (unsigned)atoi(values[3]);
  settings.blksize = (unsigned)atoi(values[4]);
  settings.windowsize = (unsigned)atoi(values[5]);
  settings.deadline = atof(values[6]);
  if (count == 9 && strcmp(values[7], "hold") == 0) settings.hold = (unsigned)atoi(values[8]);
  if (count == 9 && strcmp(values[7], "compare") == 0) map_expected(values[8]);
}

int main(int count, char **values) {
  read_settings(count, values);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  total.open = settings.readers;
  readers = calloc(settings.readers, sizeof *readers);
  if (readers == NULL) die("calloc");
  for (unsigned i = 0; i < BATCH; i++) {
    buffers[i] = malloc(settings.blksize + HEADER + 1);
    if (buffers[i] == NULL) die("malloc");
  }
  int queue = epoll_create1(EPOLL_CLOEXEC);
  if (queue < 0) die("epoll_create1");
  open_readers(queue);

  double start = now();
  run(queue, start);
  report(start);
  if (settings.hold != 0) {
    wait_for_the_end();
    hang_up();
  }
  return 0;
}
