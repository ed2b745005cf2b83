/* pipeline/command/init_kinds.c -- the texts of distill init. Each runs as it is, with nothing beside it. */
#include "pipeline/command/init.h"

#include <stddef.h>

static const char moons[] =
    "# Two moons: made-up data in the plane, a teacher that is fitted to them, and the student "
    "that\n"
    "# starts as its teacher and needs one or two parallel steps for a sample.\n" INIT_SEED
    "data: {generator: two_moons, rows: 20000} # in its place: data: {path: mine.csv}\n"
    "\n"
    "teacher: # learns the density of the data\n"
    "  flow: {kind: maf, layers: 3, hidden: [64, 64], activation: silu, transformer: {kind: "
    "spline, "
    "bins: 8}}\n"
    "  train: {epochs: 20, batch: 256, lr: 1e-3}\n"
    "\n" INIT_STUDENT "  layerwise: {steps: 1000}                 # first layer by layer ...\n"
    "  train: {steps: 1000}                     # ... then as a whole, on samples of its own\n"
    "\n" INIT_GATES "  samples: 20000\n"
    "  require: {kl_reverse: \"< 0.01\", kl_forward: \"< 0.01\", ess_reverse: \"> 0.95\", "
    "ess_forward: "
    "\"> 0.95\"}\n" INIT_EXPORT;

static const char mixture[] =
    "# A density and no data: five Gaussians in the plane, known up to a constant. The student is\n"
    "# told nothing of where they are; distill explain target lists what else is built "
    "in.\n" INIT_SEED
    "target: {kind: gaussians, components: 5, dim: 2} # your own: {kind: plugin, path: mine.so}\n"
    "\n"
    "# A look at the target says how the student is trained: recipe.txt and resolved.json of the "
    "run\n"
    "# have what it found. What you say here comes first: student: {train: {steps: 4000}}\n"
    "\n" INIT_GATES "  samples: 20000\n"
    "  require: {kl_reverse: \"< 0.02\", ess_reverse: \"> 0.95\", kl_forward: \"< "
    "0.02\"}\n" INIT_EXPORT;

static const char posterior[] =
    "# A posterior: the eight schools, non-centred, ten parameters, as posteriordb has it. Long "
    "chains\n"
    "# are run beside the student, and what it misses is hunted for.\n" INIT_SEED
    "target: {kind: posterior, model: eight_schools_noncentered}\n"
    "# A Stan model of yours: {kind: plugin, path: model.so, data: data.json}\n"
    "\n" INIT_GATES "  samples: 20000\n"
    "  require: {kl_reverse: \"< 0.05\", ess_reverse: \"> 0.9\"}\n" INIT_EXPORT;

const init_kind init_kinds[] = {
    {"moons", "made-up data in the plane: teacher, student, verdict", moons},
    {"table", "your own table (--data FILE), with what inspect found of its columns", NULL},
    {"mixture", "a density up to a constant, and no data: five Gaussians in the plane", mixture},
    {"posterior", "a Bayesian posterior: the eight schools", posterior},
    {NULL, NULL, NULL}};
