/* The first process of a pod: holds its namespaces, buries orphans, goes at once when told to. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void go(int number) {
  (void)number;
  _exit(0);
}

static void bury(int number) {
  (void)number;
  while (waitpid(-1, 0, WNOHANG) > 0) {
  }
}

int main(void) {
  struct sigaction ending = {.sa_handler = go};
  struct sigaction burying = {.sa_handler = bury, .sa_flags = SA_NOCLDSTOP | SA_RESTART};
  sigaction(SIGTERM, &ending, 0);
  sigaction(SIGINT, &ending, 0);
  sigaction(SIGCHLD, &burying, 0);
  for (;;) {
    pause();
  }
}
