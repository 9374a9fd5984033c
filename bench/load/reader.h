/* One reader: a TFTP client that fetches a file and keeps nothing of it. */
#ifndef READER_H
#define READER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { ASKING, READING, SILENT, DONE, FAILED } State;

typedef struct {
  int fd;
  State state;
  unsigned blksize, windowsize; /* as granted */
  uint64_t next;                /* the block that is due, counted from 1 without wrapping */
  unsigned in_window;           /* blocks since the last acknowledgement */
  bool gap_told;                /* the server knows already that a block is missing */
  uint64_t bytes;
  double asked, progress, finished; /* seconds */
} Reader;

/* What all readers want. */
typedef struct {
  struct sockaddr_in server;
  const char *file;
  unsigned blksize, windowsize;
  unsigned hold;           /* blocks after which a reader falls silent; 0: never */
  const uint8_t *expected; /* what the file holds; NULL: nothing is compared */
  size_t expected_size;
} Wish;

/* What all readers have met. */
typedef struct {
  unsigned open; /* readers that still fetch */
  uint64_t resent, duplicates, gaps;
  char trouble[128]; /* why the last one failed */
} Tally;

extern Wish wish;
extern Tally tally;

/* Room for a window; to be called once, when `wish` is known. */
void reader_prepare(void);

void reader_open(Reader *reader);
void reader_ask(Reader *reader);

/* Takes what has arrived, a whole window at most. */
void reader_take(Reader *reader);

/* Repeats the last packet if nothing has come for a second. */
void reader_look(Reader *reader, double time);

/* Tells the server of a silent reader that it is over. */
void reader_hang_up(const Reader *reader);

/* Seconds on a clock that never goes back. */
double now(void);

/* Says what failed and why, and ends the program. */
void die(const char *what);

#endif
