/* confine.h - giving up, in this order, what a program that reads hostile input does not need: the rights of root and
   all capabilities, then the system calls. Nothing brings them back. */
#ifndef EXAMPLES_CONFINE_H
#define EXAMPLES_CONFINE_H

/* Become this user with its groups (NULL: stay), without capabilities, new ones from executed files included. 0, or -1
   after a message. */
int confine_user(const char *program, const char *user);
/* From here on: memory, the clock, reading and writing what is open, asking the packet socket and about its device,
   and making, renaming and removing files beside each other in the directory. All else is refused with EPERM; starting
   a program or a connection ends the process. 1, 0 if this build has no libseccomp, -1 after a message. */
int confine_calls(const char *program, int directory);

#endif
