/* pipeline/command/sweep_share.h -- what one point of a sweep has trained is there for another. */
#ifndef PIPELINE_COMMAND_SWEEP_SHARE_H
#define PIPELINE_COMMAND_SWEEP_SHARE_H

/* Puts the results of stage `name` that run directory `from` keeps (stages/NAME-KEY, whole ones) into the store of `to` as well,
 * by hard links: a run there takes the one whose key is its own. Where that cannot be, the run trains for itself. */
void sweep_share(const char *to, const char *from, const char *name);

#endif
