/* Makes any disk slow: loaded with LD_PRELOAD, it lets fsync and fdatasync take SLOW_SYNC_MS
   milliseconds more, as they do on an SD card. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static int slowly(const char *name, int file) {
  const char *text = getenv("SLOW_SYNC_MS");
  long milliseconds = text ? atol(text) : 0;
  struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  nanosleep(&time, NULL);
  return ((int (*)(int))dlsym(RTLD_NEXT, name))(file);
}

int fsync(int file) { return slowly("fsync", file); }
int fdatasync(int file) { return slowly("fdatasync", file); }
