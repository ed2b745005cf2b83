#include "pipeline/config/schema.h"

#include "flow/preset.h"
#include "flow/round.h"
#include "student/objective.h"
#include "teacher/column_kind.h"
#include "teacher/generate.h"
#include "teacher/target.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- words */

const flow_word config_precisions[] = {
    {"f32", FLOW_F32, "networks in single precision, sums in double"},
    {"f64", FLOW_F64, "everything in double precision: about half as fast"},
    {NULL, 0, NULL}};

const flow_word config_headers[] = {
    {"auto", FILE_HEADER_AUTO, "as the first lines look; what could be either is refused, or told"},
    {"yes", FILE_HEADER_YES, "the first line names the columns"},
    {"no", FILE_HEADER_NO, "the first line is data"},
    {NULL, 0, NULL}};

const flow_word config_nonfinites[] = {
    {"error", DATA_NONFINITE_ERROR, "stop and name the first such row"},
    {"drop", DATA_NONFINITE_DROP, "leave such rows out and report how many"},
    {NULL, 0, NULL}};

const flow_word config_repeated[] = {
    {"error", DATA_REPEATED_ERROR, "stop, and name one of them"},
    {"keep", DATA_REPEATED_KEEP, "go on with a warning: no test log-likelihood is to be believed"},
    {NULL, 0, NULL}};

const flow_word config_splits[] = {
    {"position", DATA_SPLIT_POSITION, "first rows train, then validation, last rows test"},
    {"seed", DATA_SPLIT_SEED, "the same after a random permutation that depends on the seed"},
    {NULL, 0, NULL}};

const flow_word config_schedules[] = {
    {"constant", FLOW_CONSTANT, "the step size stays"},
    {"cosine", FLOW_COSINE, "falls to 0 along half a cosine"},
    {"plateau", FLOW_PLATEAU, "shrinks whenever the validation loss stops falling"},
    {NULL, 0, NULL}};

const flow_word config_student_schedules[] = {
    {"constant", FLOW_CONSTANT, "the step size stays"},
    {"cosine", FLOW_COSINE, "falls to 0 along half a cosine"},
    {NULL, 0, NULL}};

const flow_word config_gradients[] = {
    {"total", DISTILL_TOTAL, "the plain reparameterised gradient"},
    {"path", DISTILL_PATH, "without the score term: no noise where the student equals the teacher"},
    {"log_variance", DISTILL_LOG_VARIANCE,
     "of log q - log p~ alone, without slopes of the teacher: little noise near it, where it is "
     "steep"},
    {"auto", DISTILL_AUTO,
     "log_variance near the teacher; further off total or path, whichever has less variance, "
     "measured anew "
     "every 200 steps (path for a student that starts as its teacher); log_variance throughout if "
     "a "
     "parameter moves no sample (weights of a mixture base; a flow that is parallel from data to "
     "noise)"},
    {NULL, 0, NULL}};

const flow_word config_recipes[] = {{"auto", RECIPE_AUTO,
                                     "a look at the target says what the config does not: flow, "
                                     "objective, steps, step size; resolved.json has it "
                                     "then"},
                                    {"none", RECIPE_NONE, "every key has its own default"},
                                    {NULL, 0, NULL}};

const flow_word config_starts[] = {
    {"pilot", START_PILOT, "on rows that are annealed to the target from a wide start"},
    {"plain", START_PLAIN, "near the identity, wherever the target is"},
    {NULL, 0, NULL}};

const flow_word config_sketches[] = {{"auto", SKETCH_AUTO,
                                      "before a pilot, of a target with gradient and of at most 16 "
                                      "columns, none of them a circle: few rows and a normal on "
                                      "them; where that is all there is to see, no pilot is sent, "
                                      "the training is short and the verdict's chains and hunt "
                                      "are a quarter of the usual"},
                                     {"off", SKETCH_OFF, "the pilot is always sent"},
                                     {NULL, 0, NULL}};

const flow_word config_chains[] = {{"auto", CHAIN_AUTO, "where the target has no sampler"},
                                   {"on", CHAIN_ON, "always; without a context"},
                                   {"off", CHAIN_OFF, "never"},
                                   {NULL, 0, NULL}};

const flow_word config_quantities[] = {
    {"none", DERIVED_NONE, "none: the columns that the student has, of a Stan model unconstrained"},
    {"usual", DERIVED_USUAL, "of a Stan model its parameters, in the place of the columns"},
    {"all", DERIVED_ALL, "and its transformed parameters and generated quantities"},
    {NULL, 0, NULL}};

/* ---- the table */

#define KEY(FIELD) .name = #FIELD, .offset = offsetof(config, FIELD)
#define AS_TEXT(NUMBER) #NUMBER
#define TEXT(NUMBER) AS_TEXT(NUMBER)
#define FROM(LO) .min = (LO), .max = INFINITY
#define RANGE(LO, HI) .min = (LO), .max = (HI)
#define LENGTH(LO, HI) .n_min = (LO), .n_max = (HI)

/* A row is easier to read than a column. */
/* clang-format off */

/* What both fits have in common. */
#define TRAIN_KEYS(WHO, BATCH) \
    {KEY(WHO.train.batch), .type = FLOW_KEY_WHOLE, RANGE(1, 1048576), .def = BATCH, .unit = "rows", \
          .doc = "Rows per step."}, \
    {KEY(WHO.train.warmup), .type = FLOW_KEY_WHOLE, FROM(0), .def = "100", .unit = "steps", \
          .doc = "Steps over which the step size rises from 0 to lr."}, \
    {KEY(WHO.train.weight_decay), .type = FLOW_KEY_REAL, RANGE(0, 1), .def = "0", \
     .doc = "Decoupled weight decay (AdamW): each step also shrinks the weights by lr times " \
            "this."}, \
    {KEY(WHO.train.clip), .type = FLOW_KEY_REAL, FROM(0), .def = "5", \
     .doc = "A gradient longer than this many times the running median of its norm is scaled " \
            "down to that. 0 is off."}, \
    {KEY(WHO.train.average), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MAX, RANGE(0, 1), \
     .def = "0.99", \
     .doc = "Decay per step of a moving average of the weights, which is what is then " \
            "validated and saved. 0 is off; 0.999 averages over about 1000 steps."}

const flow_key schema_keys[] = {
    {KEY(schema), .type = FLOW_KEY_WHOLE, RANGE(1, 1), .def = "1",
     .doc = "Version of this format."},
    {KEY(name), .type = FLOW_KEY_TEXT, .flags = FLOW_KEY_NAME, RANGE(1, 100),
     .doc = "Name of the run and of its directory, runs/NAME. If not given: the name of the "
            "file without its ending."},
    {KEY(seed), .type = FLOW_KEY_WHOLE, FROM(0),
     .doc = "Every random number of the run depends on it. If not given: drawn, and recorded "
            "as drawn."},
    {KEY(precision), .type = FLOW_KEY_WORD, .words = config_precisions, .def = "f32",
     .doc = "Precision of the networks."},
    {KEY(target), .type = FLOW_KEY_KIND, .kinds = &target_registry,
     .doc = "A density to learn from, in place of data and teacher: known up to a constant, with no need of "
            "samples. The student is trained on samples of its own."},

    {KEY(compute.threads), .type = FLOW_KEY_WHOLE, .flags = FLOW_KEY_AUTO, RANGE(1, 1024),
     .def = "auto",
     .doc = "Threads to use; the result is the same for any number. auto: one per processor."},
    {KEY(compute.shard), .type = FLOW_KEY_WHOLE, .flags = FLOW_KEY_AUTO, RANGE(8, 128), .def = "auto",
     .unit = "rows",
     .doc = "Rows that one thread works on at a time; others help it with wide networks. auto: half "
            "the batch, or all of it for a teacher of a million parameters, up to 128. Changes the "
            "last bits of the result."},
    {KEY(compute.network), .type = FLOW_KEY_WORD, .flags = FLOW_KEY_AUTO, .words = flow_networks, .def = "f32",
     .doc = "What the student's networks compute in once it is shipped: it is validated so, and its samples and those of "
            "`sample RUN` are made so. Training and the model file do not hang on it. Bytes are faster where the processor "
            "multiplies them itself, the more the wider the networks, and cost some KL, which the verdict has; log q of their "
            "samples stays exact. auto: those that are faster on this processor, the roughest first, if all that is asked of "
            "the student holds; or else as it was trained."},

    {KEY(data.path), .type = FLOW_KEY_TEXT, .flags = FLOW_KEY_FILE, RANGE(1, 4096),
     .doc = "A .npy or .csv file with one row per line, or FILE.h5:/DATASET of HDF5; delimiter, names, comments and an index are "
            "found by themselves. Relative to the file that says so; "
            "with --set, to the working directory. Give either this or generator."},
    {KEY(data.generator), .type = FLOW_KEY_WORD, .kinds = &data_generator_kinds,
     .doc = "Made-up data in the plane. Give either this or path."},
    {KEY(data.rows), .type = FLOW_KEY_WHOLE, RANGE(1, 1e9), .def = "50000", .only = "generator",
     .unit = "rows",
     .doc = "Rows to generate, validation and test rows included."},
    {KEY(data.noise), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_AUTO, RANGE(0, 100), .def = "auto",
     .only = "generator",
     .doc = "How blurred the generated points are. auto: the generator's own; what it means is "
            "said under generator."},
    {KEY(data.header), .type = FLOW_KEY_WORD, .words = config_headers, .def = "auto",
     .only = "path",
     .doc = "Whether the first line of a .csv file names the columns."},
    {KEY(data.columns), .type = FLOW_KEY_NAMES, LENGTH(1, CONFIG_MAX_NAMES), .items = data_kind_keys,
     .doc = "Columns to model, in this order, by name or by number from 0, as a list or with what is known "
            "of each: {mass: {support: positive}, n: {step: 1}, x: {}}. A support may stand for itself: "
            "{mass: positive, share: [0, 1]}. If not given: all but those of context and weights."},
    {KEY(data.context), .type = FLOW_KEY_NAMES, LENGTH(1, CONFIG_MAX_NAMES),
     .doc = "Columns that are given and not modelled: the flow becomes p(columns | context). They have no kinds: "
            "give an angle as two columns, its cosine and its sine."},
    {KEY(data.weights), .type = FLOW_KEY_TEXT, RANGE(1, 4096),
     .doc = "A column, by name or by number from 0, of numbers >= 0 that the rows are weighed by in the "
            "teacher's fit, its validation loss and its test log-likelihood. It is not modelled."},
    {KEY(data.standardize), .type = FLOW_KEY_BOOL, .def = "true",
     .doc = "Shift and scale each column to mean 0 and variance 1 over the training rows. "
            "Samples and log-densities are in the units of the file all the same."},
    {KEY(data.dequantize), .type = FLOW_KEY_REAL, FROM(0), .def = "0", .unit = "units of the data",
     .doc = "Rounding step of the data: uniform noise between 0 and this is added to every "
            "value, and samples stay between the steps. 0 is off. For samples on the grid, and columns "
            "one by one: data.columns.NAME.step."},
    {KEY(data.logit.alpha), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MAX, RANGE(0, 0.5),
     .doc = "Work on logit(alpha + (1 - 2 alpha) (x - lo) / (hi - lo)): for data in an "
            "interval, all columns alike. 1e-6 is usual; 0 leaves no room at the ends. If not given: off. "
            "Columns one by one: data.columns.NAME.support."},
    {KEY(data.logit.lo), .type = FLOW_KEY_REAL, RANGE(-INFINITY, INFINITY), .def = "0",
     .only = "alpha", .unit = "units of the data",
     .doc = "Lower end of the interval."},
    {KEY(data.logit.hi), .type = FLOW_KEY_REAL, RANGE(-INFINITY, INFINITY), .def = "1",
     .only = "alpha", .unit = "units of the data",
     .doc = "Upper end of the interval."},
    {KEY(data.nonfinite), .type = FLOW_KEY_WORD, .words = config_nonfinites, .def = "error",
     .only = "path",
     .doc = "What to do with rows that hold nan, inf or no value (NA, an empty field) in a column "
            "that is used."},
    {KEY(data.repeated), .type = FLOW_KEY_WORD, .words = config_repeated, .def = "error",
     .only = "path",
     .doc = "What to do with a table in which half of the validation and test rows or more are "
            "training rows, too, as after a bootstrap: they cannot stop the fit or judge it."},
    {KEY(data.split), .type = FLOW_KEY_WORD, .words = config_splits, .def = "position",
     .doc = "How rows are chosen for training, validation and test."},
    {KEY(data.valid), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MAX, RANGE(0, 1), .def = "0.1",
     .unit = "share of the rows",
     .doc = "Rows that decide when the fit of the teacher stops."},
    {KEY(data.test), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MAX, RANGE(0, 1), .def = "0.1",
     .unit = "share of the rows",
     .doc = "Rows that no fit sees, for the teacher's test log-likelihood."},

    {KEY(teacher.flow), .type = FLOW_KEY_KIND, .kinds = &flow_presets, .def = "maf",
     .doc = "The flow that is fitted: its density must be parallel."},
    {KEY(teacher.train.lr), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN, RANGE(0, 1),
     .def = "1e-3", .doc = "Step size of Adam at its largest."},
    TRAIN_KEYS(teacher, "256"),
    {KEY(teacher.train.epochs), .type = FLOW_KEY_WHOLE, .flags = FLOW_KEY_AUTO, FROM(1), .def = "auto",
     .doc = "Passes over the training rows, at most. auto: " TEXT(CONFIG_EPOCHS) ", or, where rows are "
            "few, as many as make " TEXT(CONFIG_FIT_STEPS) " steps, up to " TEXT(CONFIG_MOST_EPOCHS) "."},
    {KEY(teacher.train.schedule), .type = FLOW_KEY_WORD, .words = config_schedules,
     .def = "cosine",
     .doc = "Course of the step size after warmup."},
    {KEY(teacher.train.plateau_factor), .type = FLOW_KEY_REAL,
     .flags = FLOW_KEY_OPEN_MIN | FLOW_KEY_OPEN_MAX, RANGE(0, 1), .def = "0.5",
     .only = "schedule = plateau",
     .doc = "What the step size is multiplied by."},
    {KEY(teacher.train.plateau_patience), .type = FLOW_KEY_WHOLE, FROM(1), .def = "5",
     .only = "schedule = plateau", .unit = "epochs",
     .doc = "Epochs without a better validation loss before the step size shrinks."},
    {KEY(teacher.train.patience), .type = FLOW_KEY_WHOLE, FROM(0), .def = "10", .unit = "epochs",
     .doc = "Epochs without a better validation loss before the fit stops. The best weights "
            "are kept. 0: never."},

    {KEY(student.flow), .type = FLOW_KEY_KIND, .kinds = &flow_presets, .def = "unrolled",
     .bare = "iaf", .doc = "The flow that is distilled: its sampling must be parallel. Beside a target, "
            "but for model, the default is iaf: it is no network that a student could start as."},
    {KEY(student.recipe), .type = FLOW_KEY_WORD, .words = config_recipes, .def = "auto",
     .doc = "Of a target that the student does not start as: who says how it is trained, where the config does not."},
    {KEY(student.start), .type = FLOW_KEY_WORD, .words = config_starts, .def = "pilot",
     .doc = "Of a target that the student does not start as: where it begins. The frame, too, is that of the rows then, where it is auto, "
            "but for a model, which has its own."},
    {KEY(student.pilot_rows), .type = FLOW_KEY_WHOLE, RANGE(64, 1048576), .def = "1024", .unit = "rows",
     .only = "start = pilot", .doc = "Rows of the pilot."},
    {KEY(student.sketch), .type = FLOW_KEY_WORD, .words = config_sketches, .def = "auto",
     .only = "recipe = auto", .doc = "Whether a target that is all but a normal is told by less than a pilot."},
    {KEY(student.frame.shift), .type = FLOW_KEY_REALS, .flags = FLOW_KEY_AUTO, RANGE(-INFINITY, INFINITY),
     LENGTH(1, CONFIG_MAX_NAMES), .def = "auto", .unit = "units of the target",
     .doc = "Where a target lives, a number a coordinate, or one for all: the student works on (x - shift) / scale. x is the "
            "logarithm or logit of a column that ends, and of one with a period its angle in radians. "
            "auto: their mean, where it starts on rows of a pilot, or 0."},
    {KEY(student.frame.scale), .type = FLOW_KEY_REALS, .flags = FLOW_KEY_AUTO | FLOW_KEY_OPEN_MIN,
     RANGE(0, INFINITY), LENGTH(1, CONFIG_MAX_NAMES), .def = "auto", .unit = "units of the target",
     .doc = "How far it extends, likewise: about its standard deviations; on a circle, where 1 is all of it, rows about "
            "shift are drawn apart by 1 / scale (a Moebius map). auto: that of the rows, or 1."},
    {KEY(student.train.lr), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_AUTO | FLOW_KEY_OPEN_MIN,
     RANGE(0, 1), .def = "auto",
     .doc = "Step size of Adam at its largest. auto: " TEXT(CONFIG_LR) ", or, for a student that "
            "starts as its teacher, 5e-4 times the root of the KL that it starts with, from 1e-5 to 2e-4."},
    TRAIN_KEYS(student, "256"),
    {KEY(student.train.steps), .type = FLOW_KEY_WHOLE, .flags = FLOW_KEY_AUTO, FROM(1), .def = "auto",
     .doc = "Steps of distillation. auto: " TEXT(CONFIG_STEPS) ", or " TEXT(CONFIG_STEPS_WARM) " for a "
            "student that starts as its teacher."},
    {KEY(student.train.schedule), .type = FLOW_KEY_WORD, .words = config_student_schedules,
     .def = "cosine",
     .doc = "Course of the step size after warmup."},
    {KEY(student.train.objective), .type = FLOW_KEY_KIND, .kinds = &objective_registry,
     .doc = "What is minimised."},
    {KEY(student.train.gradient), .type = FLOW_KEY_WORD, .words = config_gradients, .def = "auto",
     .doc = "Estimator of the gradient of reverse KL."},
    {KEY(student.train.forward), .type = FLOW_KEY_REAL, RANGE(0, 1), .def = "0",
     .doc = "Weight of forward KL, on samples of the teacher, at the first step. Reverse KL, on the "
            "student's own, has the rest. Keeps a student that does not start as its teacher from "
            "losing modes."},
    {KEY(student.train.forward_end), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_AUTO, RANGE(0, 1),
     .def = "auto", .doc = "Weight of forward KL at the last step; linear in between. auto: forward."},
    {KEY(student.train.widen), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MAX, RANGE(0, 1),
     .def = "0", .unit = "share of the samples",
     .doc = "Samples of the teacher, for forward KL, whose noise is stretched: they keep the "
            "student's tails above the teacher's. 0 is off."},
    {KEY(student.train.widen_by), .type = FLOW_KEY_REAL, RANGE(1, 10), .def = "1.3",
     .only = "widen > 0", .doc = "Factor on their noise."},
    {KEY(student.train.temper), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN, RANGE(0, 1),
     .def = "1",
     .doc = "Inverse temperature of the teacher at the first step: below 1 its modes are wider "
            "and nearer to each other. 1 is off."},
    {KEY(student.train.temper_until), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN, RANGE(0, 1),
     .def = "0.3", .only = "temper < 1", .unit = "share of the steps",
     .doc = "When the inverse temperature is 1 at the latest. It rises sooner if the student "
            "keeps up."},
    {KEY(student.train.late_batch), .type = FLOW_KEY_WHOLE, RANGE(1, 1024), .def = "1",
     .doc = "The batch is this many times larger in the last part of the steps. 1 is off."},
    {KEY(student.train.late_from), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MAX, RANGE(0, 1),
     .def = "0.8", .only = "late_batch > 1", .unit = "share of the steps",
     .doc = "Where that last part starts."},

    {KEY(student.layerwise.steps), .type = FLOW_KEY_WHOLE, FROM(0), .def = "4000",
     .doc = "Steps for each layer of a student that starts as its teacher: before the student is "
            "trained as a whole, each layer is fitted to the inverse of the teacher's. 0 is off."},
    {KEY(student.layerwise.lr), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_AUTO | FLOW_KEY_OPEN_MIN,
     RANGE(0, 1), .def = "auto", .only = "steps > 0",
     .doc = "Step size of Adam at its largest. auto: 5e-4 times the root of the KL that the student "
            "starts with, from 1e-5 to 1e-3."},
    {KEY(student.layerwise.widen_by), .type = FLOW_KEY_REAL, RANGE(1, 10), .def = "1.5",
     .only = "steps > 0",
     .doc = "Factor on one column of the noise of every other row: what happens far out is learnt, "
            "too. 1 is off."},

    {KEY(student.shrink.iterations), .type = FLOW_KEY_WHOLE, .flags = FLOW_KEY_AUTO,
     RANGE(1, FLOW_MAX_ITERATIONS), .def = "auto", .unit = "steps",
     .doc = "Students of fewer steps are trained, too, down to so many. auto: none."},
    {KEY(student.shrink.halvings), .type = FLOW_KEY_WHOLE, RANGE(0, 6), .def = "0",
     .doc = "Each number of steps from the student's own down is also trained with networks half as "
            "wide, and half of that, so many times. 0 is off."},
    {KEY(student.shrink.samples), .type = FLOW_KEY_WHOLE, RANGE(100, 1e9), .def = "50000",
     .unit = "rows",
     .doc = "Samples of a student that starts as its teacher, and as many of the teacher, that every size of it is "
            "measured on: which is taken hangs on them."},

    {KEY(validate.samples), .type = FLOW_KEY_WHOLE, RANGE(100, 1e9), .def = "50000", .unit = "rows",
     .doc = "Samples of the student, and as many of the teacher, that the figures are made "
            "from."},
    {KEY(validate.chain), .type = FLOW_KEY_WORD, .words = config_chains, .def = "auto",
     .doc = "Long Hamiltonian chains on the target, which know nothing of the student: what it misses shows at "
            "their rows. A third of a million rows are asked of the target for it, or more; a tenth of that where a sketch of it held."},
    {KEY(validate.chains), .type = FLOW_KEY_WHOLE, .flags = FLOW_KEY_AUTO, RANGE(2, 65536), .def = "auto",
     .only = "chain != off",
     .doc = "How many, each with a start of its own. auto: " TEXT(CONFIG_CHAINS) ", or " TEXT(CONFIG_CHAINS_NEAR) " where a "
            "sketch of the target held (student.sketch)."},
    {KEY(validate.chain_rows), .type = FLOW_KEY_WHOLE, .flags = FLOW_KEY_AUTO, RANGE(1, 1e8), .def = "auto", .unit = "rows",
     .only = "chain != off",
     .doc = "Rows of all chains; of each at least 8. auto: " TEXT(CONFIG_CHAIN_ROWS) ", or " TEXT(CONFIG_CHAIN_ROWS_NEAR) "."},
    {KEY(validate.hunt), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_AUTO | FLOW_KEY_OPEN_MIN, RANGE(0, 1000), .def = "auto",
     .only = "chain != off",
     .doc = "How much is done to find what the student misses, beside the chains: so many times the usual rows, chains and proposals. auto: "
            TEXT(CONFIG_HUNT) ", or " TEXT(CONFIG_HUNT_NEAR) "."},
    {KEY(validate.require), .type = FLOW_KEY_OWN, .wants = "figures with bounds, {khat: \"< 0.7\"}",
     .doc = "Bounds that must hold, as FIGURE: \"< 0.7\" or FIGURE: \">= 0.8\". If one does "
            "not, or its figure could not be computed, the exit code is 1."},

    {KEY(report.pairs), .type = FLOW_KEY_NAMES, LENGTH(2, CONFIG_PAIRS),
     .doc = "Columns that the report shows in pairs, each with each of the others, by name or by number from 0. If not "
            "given: those that hang together most."},

    {KEY(export.samples), .type = FLOW_KEY_WHOLE, RANGE(0, 1e9), .def = "0", .unit = "rows",
     .doc = "Samples of the student to write. 0 is off."},
    {KEY(export.file), .type = FLOW_KEY_TEXT, RANGE(1, 255), .def = "samples.npy",
     .only = "samples > 0",
     .doc = "File for the samples, in the run directory; .npy or .csv by its ending."},
    {KEY(export.quantities), .type = FLOW_KEY_WORD, .words = config_quantities, .def = "usual",
     .only = "samples > 0",
     .doc = "Quantities of the target, functions of a row, that samples are written with, if it has any."},

    {KEY(checkpoint.every), .type = FLOW_KEY_REAL, FROM(0), .def = "60", .unit = "s",
     .doc = "How often a training writes down where it is, so that the same command goes on from there after a kill, "
            "to the same bits; more seldom where that would take more than a hundredth of the time. 0: only where it is stopped. No part of a result hangs on it."},
};
/* clang-format on */

const size_t schema_n_keys = sizeof schema_keys / sizeof *schema_keys;

const schema_section schema_sections[] = {
    {"", "The run as a whole."},
    {"compute",
     "How the work is done: but for network, it changes the last bits of a result at most."},
    {"data", "What the teacher learns from, where there is no target."},
    {"data.logit", "A map for data that lie in an interval."},
    {"teacher", "The density that is slow to sample, where there is no target."},
    {"teacher.train", "Its fit to the data by maximum likelihood, with Adam."},
    {"student", "The sampler that is made from the teacher."},
    {"student.frame", "Of a target: where its mass is. Data are standardised and need none of it."},
    {"student.train", "Distillation with Adam: reverse KL on its own samples and, if the teacher "
                      "can sample, forward KL."},
    {"student.layerwise", "Before the training of a student that starts as its teacher: its layers "
                          "one by one, fitted to the "
                          "inverses of the teacher's."},
    {"student.shrink",
     "Smaller students, made beside the one that is handed over, to be compared: for "
     "a student that starts as its teacher."},
    {"validate", "The student against the teacher."},
    {"report", "The page that shows the run."},
    {"export", "What is written beside the results."},
    {"checkpoint", "What a run that is stopped goes on from. It changes no result."},
    {NULL, NULL}};

/* ---- looking things up */

const flow_key *schema_find(const char *path)
{
    for (size_t i = 0; i < schema_n_keys; i++)
        if (strcmp(schema_keys[i].name, path) == 0)
            return &schema_keys[i];
    return NULL;
}

bool schema_below(const char *path, const char *section)
{
    size_t size = strlen(section);
    return !size || (strncmp(path, section, size) == 0 && path[size] == '.');
}

bool schema_is_section(const char *path)
{
    for (size_t i = 0; i < schema_n_keys; i++)
        if (schema_below(schema_keys[i].name, path))
            return true;
    return false;
}

size_t schema_children(const char **names, char *room, size_t room_size, const char *section)
{
    size_t skip = *section ? strlen(section) + 1 : 0, n = 0, used = 0;
    for (size_t i = 0; i < schema_n_keys && n < SCHEMA_MAX_CHILDREN; i++) {
        const char *path = schema_keys[i].name;
        if (!schema_below(path, section))
            continue;
        size_t size = strcspn(path + skip, ".");
        if (n && strncmp(names[n - 1], path + skip, size) == 0 && !names[n - 1][size])
            continue; /* keys of one section stand together in the table */
        assert(used + size < room_size);
        names[n++] = memcpy(room + used, path + skip, size);
        room[used + size] = '\0';
        used += size + 1;
    }
    return n;
}

const flow_key *schema_sibling(const flow_key *key, const char *name)
{
    const char *dot = strrchr(key->name, '.');
    char path[SCHEMA_MAX_PATH];
    snprintf(path, sizeof path, "%.*s%s", dot ? (int)(dot + 1 - key->name) : 0, key->name, name);
    return schema_find(path);
}
