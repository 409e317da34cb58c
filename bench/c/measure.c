/*
 * Runs one command and says what exactly that process (and what it waited for) used.
 *
 *   measure REPORT COMMAND [ARGUMENT ...]
 *
 * Writes one line to the file REPORT: user seconds, system seconds, peak resident KiB, exit status (128 + signal when ended by
 * one), elapsed seconds. The numbers are those of wait4(2). A launcher of its own, because a process that was forked from a large
 * one inherits that one's peak memory on Linux: this one is small. Called by bench/run.ts.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t) {
  return t.tv_sec + t.tv_usec * 1e-6;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(int count, char **arguments) {
  if (count < 3) {
    fprintf(stderr, "usage: measure REPORT COMMAND [ARGUMENT ...]\n");
    return 2;
  }
  double began = now();
  pid_t child = fork();
  if (child < 0) {
    perror("fork");
    return 2;
  }
  if (child == 0) {
    execvp(arguments[2], arguments + 2);
    perror(arguments[2]);
    _exit(127);
  }
  int status;
  struct rusage usage;
  if (wait4(child, &status, 0, &usage) != child) {
    perror("wait4");
    return 2;
  }
  int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  FILE *report = fopen(arguments[1], "w");
  if (!report) {
    perror(arguments[1]);
    return 2;
  }
  fprintf(report, "%.6f %.6f %ld %d %.6f\n", seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss, code, now() - began);
  fclose(report);
  return code;
}
