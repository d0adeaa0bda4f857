/* log-command.h - zvmm log and zvmm replay; see command.h. */
#ifndef ZVMM_REPLAY_LOG_COMMAND_H
#define ZVMM_REPLAY_LOG_COMMAND_H

int log_command(int argc, char *argv[]);
int replay_command(int argc, char *argv[]);

#endif
