#define _GNU_SOURCE
#include "reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

enum { RRQ = 1, DATA = 3, ACK = 4, ERROR = 5, OACK = 6 };
enum { BATCH = 64, HEADER = 4, REQUEST_ROOM = 512, DEFAULT_BLKSIZE = 512 };

/* Seconds without progress until a reader repeats its last packet. */
static const double PATIENCE = 1.0;

Wish wish;
Tally tally;

static uint8_t *buffers[BATCH];

double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void die(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

/* Each buffer has a byte more, for a zero behind the text of an ERROR. */
void reader_prepare(void) {
  for (unsigned i = 0; i < BATCH; i++) {
    buffers[i] = malloc(wish.blksize + HEADER + 1);
    if (buffers[i] == NULL) die("malloc");
  }
}

void reader_open(Reader *reader) {
  *reader = (Reader){.blksize = DEFAULT_BLKSIZE, .windowsize = 1, .next = 1};
  reader->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (reader->fd < 0) die("socket");
}

static size_t add_option(char *packet, size_t length, const char *name, unsigned value) {
  return length +
         (size_t)snprintf(packet + length, REQUEST_ROOM - length, "%s%c%u%c", name, 0, value, 0);
}

/* A send buffer that is full and a port that is gone both show as a missing answer. */
static void send_request(const Reader *reader) {
  char packet[REQUEST_ROOM] = {0, RRQ};
  size_t length = 2;
  length += (size_t)snprintf(packet + 2, REQUEST_ROOM - 2, "%s%coctet%c", wish.file, 0, 0);
  if (wish.blksize != DEFAULT_BLKSIZE) length = add_option(packet, length, "blksize", wish.blksize);
  if (wish.windowsize != 1) length = add_option(packet, length, "windowsize", wish.windowsize);
  (void)sendto(reader->fd, packet, length, 0, (struct sockaddr *)&wish.server, sizeof wish.server);
}

static void acknowledge(Reader *reader) {
  uint16_t block = (uint16_t)(reader->next - 1);
  uint8_t packet[HEADER] = {0, ACK, (uint8_t)(block >> 8), (uint8_t)block};
  reader->in_window = 0;
  (void)send(reader->fd, packet, sizeof packet, 0);
}

void reader_ask(Reader *reader) {
  reader->asked = reader->progress = now();
  send_request(reader);
}

void reader_look(Reader *reader, double time) {
  if (reader->state > READING || time - reader->progress < PATIENCE) return;
  reader->progress = time;
  tally.resent++;
  if (reader->state == ASKING) send_request(reader);
  else acknowledge(reader);
}

void reader_hang_up(const Reader *reader) {
  static const uint8_t packet[] = {0, ERROR, 0, 0, 'e', 'n', 'd', 0};
  if (reader->state == SILENT) (void)send(reader->fd, packet, sizeof packet, 0);
}

static void leave(Reader *reader, State state, const char *trouble) {
  reader->state = state;
  reader->finished = now();
  tally.open--;
  if (trouble != NULL) snprintf(tally.trouble, sizeof tally.trouble, "%s", trouble);
}

/* The server's answer to the options: names and values, each ended by a zero. */
static void take_options(Reader *reader, const char *at, const char *end) {
  while (at < end) {
    const char *name = at, *value = name + strnlen(name, (size_t)(end - name)) + 1;
    if (value >= end) return;
    at = value + strnlen(value, (size_t)(end - value)) + 1;
    if (strcasecmp(name, "blksize") == 0) reader->blksize = (unsigned)atoi(value);
    if (strcasecmp(name, "windowsize") == 0) reader->windowsize = (unsigned)atoi(value);
  }
}

/* A window goes back to what is missing when the server is told; once is enough (RFC 7440). */
static void take_other_block(Reader *reader, uint16_t ahead) {
  if (ahead > UINT16_MAX / 2) {
    tally.duplicates++;
  } else if (!reader->gap_told) {
    tally.gaps++;
    reader->gap_told = true;
    acknowledge(reader);
  }
}

static bool is_right(const Reader *reader, const uint8_t *data, size_t length) {
  if (wish.expected == NULL) return true;
  if (reader->bytes + length > wish.expected_size) return false;
  return memcmp(wish.expected + reader->bytes, data, length) == 0;
}

static void take_due_block(Reader *reader, const uint8_t *data, size_t length) {
  if (!is_right(reader, data, length)) {
    leave(reader, FAILED, "a block is not what the file holds");
    return;
  }
  reader->next++;
  reader->gap_told = false;
  reader->bytes += length;
  bool last = length < reader->blksize;
  if (last || ++reader->in_window >= reader->windowsize) acknowledge(reader);
  if (last) leave(reader, DONE, NULL);
  else if (wish.hold != 0 && reader->next > wish.hold) leave(reader, SILENT, NULL);
}

static void take_data(Reader *reader, const uint8_t *packet, size_t length) {
  uint16_t ahead = (uint16_t)((packet[2] << 8 | packet[3]) - (uint16_t)reader->next);
  if (ahead == 0) take_due_block(reader, packet + HEADER, length - HEADER);
  else take_other_block(reader, ahead);
}

static void take_oack(Reader *reader, const uint8_t *packet, size_t length) {
  if (reader->next > 1) return;
  take_options(reader, (const char *)packet + 2, (const char *)packet + length);
  acknowledge(reader);
}

static void take_packet(Reader *reader, uint8_t *packet, size_t length) {
  if (reader->state != READING || length < HEADER) return;
  packet[length] = 0;
  switch (packet[1]) {
    case DATA: take_data(reader, packet, length); break;
    case OACK: take_oack(reader, packet, length); break;
    case ERROR: leave(reader, FAILED, (const char *)packet + HEADER); break;
    default: leave(reader, FAILED, "a packet that does not belong here");
  }
}

/* The first packet tells the port of the transfer; from then on only that one is heard. */
static void take_first(Reader *reader) {
  struct sockaddr_in from;
  socklen_t size = sizeof from;
  ssize_t length = recvfrom(reader->fd, buffers[0], wish.blksize + HEADER, MSG_DONTWAIT,
                            (struct sockaddr *)&from, &size);
  if (length < 0) return;
  if (connect(reader->fd, (struct sockaddr *)&from, size) < 0) die("connect");
  reader->state = READING;
  reader->progress = now();
  take_packet(reader, buffers[0], (size_t)length);
}

static void take_one(Reader *reader) {
  ssize_t length = recv(reader->fd, buffers[0], wish.blksize + HEADER, MSG_DONTWAIT);
  if (length > 0) take_packet(reader, buffers[0], (size_t)length);
}

/* A whole window with one system call. */
static void take_many(Reader *reader) {
  struct mmsghdr messages[BATCH];
  struct iovec places[BATCH];
  unsigned wanted = reader->windowsize < BATCH ? reader->windowsize : BATCH;
  for (unsigned i = 0; i < wanted; i++) {
    places[i] = (struct iovec){buffers[i], wish.blksize + HEADER};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &places[i], .msg_iovlen = 1};
  }
  int count = recvmmsg(reader->fd, messages, wanted, MSG_DONTWAIT, NULL);
  for (int i = 0; i < count; i++) take_packet(reader, buffers[i], messages[i].msg_len);
}

void reader_take(Reader *reader) {
  uint64_t before = reader->next;
  if (reader->state == ASKING) take_first(reader);
  else if (reader->windowsize > 1) take_many(reader);
  else take_one(reader);
  if (reader->next != before) reader->progress = now();
}
