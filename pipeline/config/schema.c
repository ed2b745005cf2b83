#include "pipeline/config/schema.h"

#include "teacher/generate.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- words */

const config_choice config_precisions[] = {
    {"f32", FLOW_F32, "networks in single precision, sums in double"},
    {"f64", FLOW_F64, "everything in double precision: about half as fast"},
    {NULL, 0, NULL}};

const config_choice config_headers[] = {
    {"auto", FILE_HEADER_AUTO, "yes if a field of the first line is not a number"},
    {"yes", FILE_HEADER_YES, "the first line names the columns"},
    {"no", FILE_HEADER_NO, "the first line is data"},
    {NULL, 0, NULL}};

const config_choice config_nonfinites[] = {
    {"error", DATA_NONFINITE_ERROR, "stop and name the first such row"},
    {"drop", DATA_NONFINITE_DROP, "leave such rows out and report how many"},
    {NULL, 0, NULL}};

const config_choice config_splits[] = {
    {"position", DATA_SPLIT_POSITION, "first rows train, then validation, last rows test"},
    {"seed", DATA_SPLIT_SEED, "the same after a random permutation that depends on the seed"},
    {NULL, 0, NULL}};

const config_choice config_activations[] = {{"relu", CONFIG_RELU, "max(0, x)"},
                                            {"tanh", CONFIG_TANH, "smooth and bounded"},
                                            {"elu", CONFIG_ELU, "x if x > 0, else exp(x) - 1"},
                                            {"gelu", CONFIG_GELU, "x times the normal CDF of x"},
                                            {"silu", CONFIG_SILU, "x times the sigmoid of x"},
                                            {NULL, 0, NULL}};

const config_choice config_transformers[] = {
    {"affine", CONFIG_AFFINE, "shift and scale: fast, one bump per layer and coordinate"},
    {"spline", CONFIG_SPLINE, "monotone rational-quadratic spline: sharp edges, several modes"},
    {NULL, 0, NULL}};

const config_choice config_permutes[] = {
    {"reverse", FLOW_REVERSE, "the order of the coordinates is turned round"},
    {"random", FLOW_RANDOM, "a new order that depends on the seed"},
    {"swap", FLOW_SWAP, "the second half of the coordinates comes first"},
    {"none", FLOW_IN_ORDER, "the order stays"},
    {NULL, 0, NULL}};

const config_choice config_linears[] = {
    {"none", CONFIG_LINEAR_NONE, "no such layer"},
    {"lu", CONFIG_LINEAR_LU, "a learned matrix, kept as its LU factors"},
    {NULL, 0, NULL}};

const config_choice config_schedules[] = {
    {"constant", FLOW_CONSTANT, "the step size stays"},
    {"cosine", FLOW_COSINE, "falls to 0 along half a cosine"},
    {"plateau", FLOW_PLATEAU, "shrinks whenever the validation loss stops falling"},
    {NULL, 0, NULL}};

const config_choice config_student_schedules[] = {
    {"constant", FLOW_CONSTANT, "the step size stays"},
    {"cosine", FLOW_COSINE, "falls to 0 along half a cosine"},
    {NULL, 0, NULL}};

const config_choice config_gradients[] = {
    {"total", DISTILL_TOTAL, "the plain reparameterised gradient"},
    {"path", DISTILL_PATH, "without the score term: no noise where the student equals the teacher"},
    {"auto", DISTILL_AUTO, "whichever has less variance, measured anew every 200 steps"},
    {NULL, 0, NULL}};

/* ---- the table */

#define KEY(FIELD) .path = #FIELD, .offset = offsetof(config, FIELD)
#define FROM(LO) .min = (LO), .max = INFINITY
#define RANGE(LO, HI) .min = (LO), .max = (HI)
#define LENGTH(LO, HI) .n_min = (LO), .n_max = (HI)

/* A row is easier to read than a column. */
/* clang-format off */

/* A flow is described by the same keys wherever it stands. */
#define FLOW_KEYS(WHO, STAGE, LAYERS, HIDDEN) \
    {KEY(WHO.flow.layers), .type = SCHEMA_WHOLE, RANGE(1, 64), .def = LAYERS, .stages = STAGE, \
     .doc = "Autoregressive layers, one after the other. More layers bend further and cost " \
            "proportionally more."}, \
    {KEY(WHO.flow.hidden), .type = SCHEMA_WHOLES, RANGE(1, 65536), LENGTH(1, CONFIG_MAX_WHOLES), \
     .def = HIDDEN, .unit = "units", .stages = STAGE, \
     .doc = "Widths of the hidden layers of each conditioner network."}, \
    {KEY(WHO.flow.residual), .type = SCHEMA_WHOLE, RANGE(0, 16), .def = "0", .unit = "blocks", \
     .stages = STAGE, \
     .doc = "Residual blocks of two masked layers each, all of the one width in hidden. 0 is " \
            "a plain network."}, \
    {KEY(WHO.flow.activation), .type = SCHEMA_ENUM, .choices = config_activations, .def = "silu", \
     .stages = STAGE, \
     .doc = "Activation of the hidden units."}, \
    {KEY(WHO.flow.transformer), .type = SCHEMA_ENUM, .choices = config_transformers, \
     .def = "spline", .stages = STAGE, \
     .doc = "What a layer does to each coordinate with the numbers its conditioner gives."}, \
    {KEY(WHO.flow.bins), .type = SCHEMA_WHOLE, RANGE(2, 64), .def = "8", \
     .only = "transformer = spline", .stages = STAGE, \
     .doc = "Pieces of the spline."}, \
    {KEY(WHO.flow.bound), .type = SCHEMA_REAL, RANGE(0.1, 1000), .def = "5", \
     .only = "transformer = spline", .unit = "standard deviations of the data", .stages = STAGE, \
     .doc = "The spline bends between -bound and bound and is the identity outside."}, \
    {KEY(WHO.flow.scale_bound), .type = SCHEMA_REAL, RANGE(0.1, 20), .def = "3", \
     .only = "transformer = affine", .unit = "nats", .stages = STAGE, \
     .doc = "Soft bound of the log of a layer's scale: it stays between -scale_bound and " \
            "scale_bound."}, \
    {KEY(WHO.flow.permute), .type = SCHEMA_ENUM, .choices = config_permutes, .def = "reverse", \
     .stages = STAGE, \
     .doc = "What happens to the order of the coordinates between two layers."}, \
    {KEY(WHO.flow.linear), .type = SCHEMA_ENUM, .choices = config_linears, .def = "lu", \
     .stages = STAGE, \
     .doc = "A learned linear map of all coordinates between two layers."}, \
    {KEY(WHO.flow.actnorm), .type = SCHEMA_BOOL, .def = "false", .stages = STAGE, \
     .doc = "A learned shift and scale of each coordinate between two layers, set from data " \
            "so that its first output has mean 0 and variance 1."}

/* What both fits have in common. */
#define TRAIN_KEYS(WHO, STAGE, BATCH, LR) \
    {KEY(WHO.train.batch), .type = SCHEMA_WHOLE, RANGE(1, 1048576), .def = BATCH, .unit = "rows", \
     .stages = STAGE, \
     .doc = "Rows per step."}, \
    {KEY(WHO.train.lr), .type = SCHEMA_REAL, .flags = SCHEMA_OPEN_MIN, RANGE(0, 1), .def = LR, \
     .stages = STAGE, \
     .doc = "Step size of Adam at its largest."}, \
    {KEY(WHO.train.warmup), .type = SCHEMA_WHOLE, FROM(0), .def = "100", .unit = "steps", \
     .stages = STAGE, \
     .doc = "Steps over which the step size rises from 0 to lr."}, \
    {KEY(WHO.train.weight_decay), .type = SCHEMA_REAL, RANGE(0, 1), .def = "0", .stages = STAGE, \
     .doc = "Decoupled weight decay (AdamW): each step also shrinks the weights by lr times " \
            "this."}, \
    {KEY(WHO.train.average), .type = SCHEMA_REAL, .flags = SCHEMA_OPEN_MAX, RANGE(0, 1), \
     .def = "0.99", .stages = STAGE, \
     .doc = "Decay per step of a moving average of the weights, which is what is then " \
            "validated and saved. 0 is off; 0.999 averages over about 1000 steps."}

const schema_key schema_keys[] = {
    {KEY(schema), .type = SCHEMA_WHOLE, .flags = SCHEMA_REQUIRED, RANGE(1, 1),
     .doc = "Version of this format."},
    {KEY(name), .type = SCHEMA_STRING, .flags = SCHEMA_IDENTIFIER, RANGE(1, 100),
     .doc = "Name of the run and of its directory, runs/NAME. If not given: the name of the "
            "file without its ending."},
    {KEY(seed), .type = SCHEMA_WHOLE, FROM(0), .stages = SCHEMA_ALL,
     .doc = "Every random number of the run depends on it. If not given: drawn, and recorded "
            "as drawn."},
    {KEY(precision), .type = SCHEMA_ENUM, .choices = config_precisions, .def = "f32",
     .stages = SCHEMA_TEACHER | SCHEMA_STUDENT,
     .doc = "Precision of the networks."},

    {KEY(compute.threads), .type = SCHEMA_WHOLE, .flags = SCHEMA_AUTO, RANGE(1, 1024),
     .def = "auto",
     .doc = "Threads to use; the result is the same for any number. auto: one per processor."},
    {KEY(compute.shard), .type = SCHEMA_WHOLE, .flags = SCHEMA_AUTO, RANGE(8, 128), .def = "auto",
     .unit = "rows", .stages = SCHEMA_TEACHER | SCHEMA_STUDENT,
     .doc = "Rows that one thread works on at a time; others help it with wide networks. auto: half "
            "the batch, or all of it for a teacher of a million parameters, up to 128. Changes the "
            "last bits of the result."},

    {KEY(data.path), .type = SCHEMA_STRING, .flags = SCHEMA_FILE, RANGE(1, 4096),
     .stages = SCHEMA_DATA,
     .doc = "A .npy or .csv file with one row per line. Relative to the file that says so; "
            "with --set, to the working directory. Give either this or generator."},
    {KEY(data.generator), .type = SCHEMA_ENUM, .stages = SCHEMA_DATA,
     .doc = "Made-up data in the plane. Give either this or path."},
    {KEY(data.rows), .type = SCHEMA_WHOLE, RANGE(1, 1e9), .def = "50000", .only = "generator",
     .unit = "rows", .stages = SCHEMA_DATA,
     .doc = "Rows to generate, validation and test rows included."},
    {KEY(data.noise), .type = SCHEMA_REAL, .flags = SCHEMA_AUTO, RANGE(0, 100), .def = "auto",
     .only = "generator", .stages = SCHEMA_DATA,
     .doc = "How blurred the generated points are. auto: the generator's own; what it means is "
            "said under generator."},
    {KEY(data.header), .type = SCHEMA_ENUM, .choices = config_headers, .def = "auto",
     .only = "path", .stages = SCHEMA_DATA,
     .doc = "Whether the first line of a .csv file names the columns."},
    {KEY(data.columns), .type = SCHEMA_NAMES, LENGTH(1, CONFIG_MAX_NAMES), .stages = SCHEMA_DATA,
     .doc = "Columns to model, in this order, by name or by number from 0. If not given: all "
            "but those of context."},
    {KEY(data.context), .type = SCHEMA_NAMES, LENGTH(1, CONFIG_MAX_NAMES), .stages = SCHEMA_DATA,
     .doc = "Columns that are given and not modelled: the flow becomes p(columns | context)."},
    {KEY(data.standardize), .type = SCHEMA_BOOL, .def = "true", .stages = SCHEMA_DATA,
     .doc = "Shift and scale each column to mean 0 and variance 1 over the training rows. "
            "Samples and log-densities are in the units of the file all the same."},
    {KEY(data.dequantize), .type = SCHEMA_REAL, FROM(0), .def = "0", .unit = "units of the data",
     .stages = SCHEMA_DATA,
     .doc = "Rounding step of the data: uniform noise between 0 and this is added to every "
            "value. 0 is off."},
    {KEY(data.logit.alpha), .type = SCHEMA_REAL, .flags = SCHEMA_OPEN_MAX, RANGE(0, 0.5),
     .stages = SCHEMA_DATA,
     .doc = "Work on logit(alpha + (1 - 2 alpha) (x - lo) / (hi - lo)): for data in an "
            "interval. 1e-6 is usual; 0 leaves no room at the ends. If not given: off."},
    {KEY(data.logit.lo), .type = SCHEMA_REAL, RANGE(-INFINITY, INFINITY), .def = "0",
     .only = "alpha", .unit = "units of the data", .stages = SCHEMA_DATA,
     .doc = "Lower end of the interval."},
    {KEY(data.logit.hi), .type = SCHEMA_REAL, RANGE(-INFINITY, INFINITY), .def = "1",
     .only = "alpha", .unit = "units of the data", .stages = SCHEMA_DATA,
     .doc = "Upper end of the interval."},
    {KEY(data.nonfinite), .type = SCHEMA_ENUM, .choices = config_nonfinites, .def = "error",
     .only = "path", .stages = SCHEMA_DATA,
     .doc = "What to do with rows that hold nan or inf."},
    {KEY(data.split), .type = SCHEMA_ENUM, .choices = config_splits, .def = "position",
     .stages = SCHEMA_DATA,
     .doc = "How rows are chosen for training, validation and test."},
    {KEY(data.valid), .type = SCHEMA_REAL, .flags = SCHEMA_OPEN_MAX, RANGE(0, 1), .def = "0.1",
     .unit = "share of the rows", .stages = SCHEMA_DATA,
     .doc = "Rows that decide when the fit of the teacher stops."},
    {KEY(data.test), .type = SCHEMA_REAL, .flags = SCHEMA_OPEN_MAX, RANGE(0, 1), .def = "0.1",
     .unit = "share of the rows", .stages = SCHEMA_DATA,
     .doc = "Rows that no fit sees, for the teacher's test log-likelihood."},

    FLOW_KEYS(teacher, SCHEMA_TEACHER, "5", "[128, 128]"),
    TRAIN_KEYS(teacher, SCHEMA_TEACHER, "256", "1e-3"),
    {KEY(teacher.train.epochs), .type = SCHEMA_WHOLE, FROM(1), .def = "100",
     .stages = SCHEMA_TEACHER,
     .doc = "Passes over the training rows, at most."},
    {KEY(teacher.train.schedule), .type = SCHEMA_ENUM, .choices = config_schedules,
     .def = "cosine", .stages = SCHEMA_TEACHER,
     .doc = "Course of the step size after warmup."},
    {KEY(teacher.train.plateau_factor), .type = SCHEMA_REAL,
     .flags = SCHEMA_OPEN_MIN | SCHEMA_OPEN_MAX, RANGE(0, 1), .def = "0.5",
     .only = "schedule = plateau", .stages = SCHEMA_TEACHER,
     .doc = "What the step size is multiplied by."},
    {KEY(teacher.train.plateau_patience), .type = SCHEMA_WHOLE, FROM(1), .def = "5",
     .only = "schedule = plateau", .unit = "epochs", .stages = SCHEMA_TEACHER,
     .doc = "Epochs without a better validation loss before the step size shrinks."},
    {KEY(teacher.train.clip), .type = SCHEMA_REAL, FROM(0), .def = "5", .stages = SCHEMA_TEACHER,
     .doc = "Largest norm of the whole gradient; a longer one is scaled down to it. 0 is off."},
    {KEY(teacher.train.patience), .type = SCHEMA_WHOLE, FROM(0), .def = "20", .unit = "epochs",
     .stages = SCHEMA_TEACHER,
     .doc = "Epochs without a better validation loss before the fit stops. The best weights "
            "are kept. 0: never."},

    FLOW_KEYS(student, SCHEMA_STUDENT, "5", "[128, 128]"),
    TRAIN_KEYS(student, SCHEMA_STUDENT, "256", "1e-3"),
    {KEY(student.train.steps), .type = SCHEMA_WHOLE, FROM(1), .def = "5000",
     .stages = SCHEMA_STUDENT,
     .doc = "Steps of distillation."},
    {KEY(student.train.schedule), .type = SCHEMA_ENUM, .choices = config_student_schedules,
     .def = "cosine", .stages = SCHEMA_STUDENT,
     .doc = "Course of the step size after warmup."},
    {KEY(student.train.clip), .type = SCHEMA_REAL, FROM(0), .def = "10", .stages = SCHEMA_STUDENT,
     .doc = "A gradient longer than this many times the running median of its norm is scaled "
            "down to that. 0 is off."},
    {KEY(student.train.gradient), .type = SCHEMA_ENUM, .choices = config_gradients, .def = "auto",
     .stages = SCHEMA_STUDENT,
     .doc = "Estimator of the gradient of reverse KL."},
    {KEY(student.train.forward), .type = SCHEMA_REAL, RANGE(0, 1), .def = "0.5",
     .stages = SCHEMA_STUDENT,
     .doc = "Weight of forward KL, on samples of the teacher, at the first step. Reverse KL "
            "has the rest. Keeps a student from losing modes."},
    {KEY(student.train.forward_end), .type = SCHEMA_REAL, RANGE(0, 1), .def = "0.5",
     .stages = SCHEMA_STUDENT,
     .doc = "Weight of forward KL at the last step; linear in between."},
    {KEY(student.train.widen), .type = SCHEMA_REAL, .flags = SCHEMA_OPEN_MAX, RANGE(0, 1),
     .def = "0", .unit = "share of the samples", .stages = SCHEMA_STUDENT,
     .doc = "Samples of the teacher, for forward KL, whose noise is stretched: they keep the "
            "student's tails above the teacher's. 0 is off."},
    {KEY(student.train.widen_by), .type = SCHEMA_REAL, RANGE(1, 10), .def = "1.3",
     .only = "widen > 0", .stages = SCHEMA_STUDENT, .doc = "Factor on their noise."},
    {KEY(student.train.temper), .type = SCHEMA_REAL, .flags = SCHEMA_OPEN_MIN, RANGE(0, 1),
     .def = "1", .stages = SCHEMA_STUDENT,
     .doc = "Inverse temperature of the teacher at the first step: below 1 its modes are wider "
            "and nearer to each other. 1 is off."},
    {KEY(student.train.temper_until), .type = SCHEMA_REAL, .flags = SCHEMA_OPEN_MIN, RANGE(0, 1),
     .def = "0.3", .only = "temper < 1", .unit = "share of the steps", .stages = SCHEMA_STUDENT,
     .doc = "When the inverse temperature is 1 at the latest. It rises sooner if the student "
            "keeps up."},
    {KEY(student.train.late_batch), .type = SCHEMA_WHOLE, RANGE(1, 1024), .def = "1",
     .stages = SCHEMA_STUDENT,
     .doc = "The batch is this many times larger in the last part of the steps. 1 is off."},
    {KEY(student.train.late_from), .type = SCHEMA_REAL, .flags = SCHEMA_OPEN_MAX, RANGE(0, 1),
     .def = "0.8", .only = "late_batch > 1", .unit = "share of the steps",
     .stages = SCHEMA_STUDENT,
     .doc = "Where that last part starts."},

    {KEY(validate.samples), .type = SCHEMA_WHOLE, RANGE(100, 1e9), .def = "100000", .unit = "rows",
     .stages = SCHEMA_VALIDATE,
     .doc = "Samples of the student, and as many of the teacher, that the figures are made "
            "from."},
    {KEY(validate.require), .type = SCHEMA_GATES, .stages = SCHEMA_VALIDATE,
     .doc = "Bounds that must hold, as FIGURE: \"< 0.7\" or FIGURE: \">= 0.8\". If one does "
            "not, or its figure could not be computed, the exit code is 1."},

    {KEY(export.samples), .type = SCHEMA_WHOLE, RANGE(0, 1e9), .def = "0", .unit = "rows",
     .stages = SCHEMA_EXPORT,
     .doc = "Samples of the student to write. 0 is off."},
    {KEY(export.file), .type = SCHEMA_STRING, RANGE(1, 255), .def = "samples.npy",
     .only = "samples > 0", .stages = SCHEMA_EXPORT,
     .doc = "File for the samples, in the run directory; .npy or .csv by its ending."},
};
/* clang-format on */

const size_t schema_n_keys = sizeof schema_keys / sizeof *schema_keys;

const schema_section schema_sections[] = {
    {"", "The run as a whole."},
    {"compute", "How the work is spread: changes the last bits of a result at most."},
    {"data", "What the teacher learns from."},
    {"data.logit", "A map for data that lie in an interval."},
    {"teacher", "The density that is slow to sample."},
    {"teacher.flow", "Its masked autoregressive flow (MAF)."},
    {"teacher.train", "Its fit to the data by maximum likelihood, with Adam."},
    {"student", "The sampler that is made from the teacher."},
    {"student.flow", "Its inverse autoregressive flow (IAF)."},
    {"student.train", "Distillation with Adam: reverse KL on its own samples and, if the teacher "
                      "can sample, forward KL."},
    {"validate", "The student against the teacher."},
    {"export", "What is written beside the results."},
    {NULL, NULL}};

/* ---- looking things up */

const schema_key *schema_find(const char *path)
{
    for (size_t i = 0; i < schema_n_keys; i++)
        if (strcmp(schema_keys[i].path, path) == 0)
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
        if (schema_below(schema_keys[i].path, path))
            return true;
    return false;
}

size_t schema_children(const char **names, char *room, size_t room_size, const char *section)
{
    size_t skip = *section ? strlen(section) + 1 : 0, n = 0, used = 0;
    for (size_t i = 0; i < schema_n_keys && n < SCHEMA_MAX_CHILDREN; i++) {
        const char *path = schema_keys[i].path;
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

config_choice schema_choice(const schema_key *key, size_t i)
{
    assert(key->type == SCHEMA_ENUM);
    if (key->choices)
        return key->choices[i];
    return (config_choice){data_generators[i].name, (int)i, data_generators[i].doc};
}

const schema_key *schema_sibling(const schema_key *key, const char *name)
{
    const char *dot = strrchr(key->path, '.');
    char path[SCHEMA_MAX_PATH];
    snprintf(path, sizeof path, "%.*s%s", dot ? (int)(dot + 1 - key->path) : 0, key->path, name);
    return schema_find(path);
}

/* ---- what a value must be */

static void add(char *out, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void add(char *out, size_t size, const char *fmt, ...)
{
    size_t used = strlen(out);
    va_list args;
    va_start(args, fmt);
    vsnprintf(out + used, size - used, fmt, args);
    va_end(args);
}

/* " 1 .. 64", " >= 1", " > 0 and < 1", "" behind what the number is. */
static void add_range(char *out, size_t size, const schema_key *key, const char *what)
{
    add(out, size, "%s", what);
    bool low = isfinite(key->min), high = isfinite(key->max);
    bool open = key->flags & (SCHEMA_OPEN_MIN | SCHEMA_OPEN_MAX);
    if (low && high && !open)
        add(out, size, " %.15g .. %.15g", key->min, key->max);
    else {
        if (low)
            add(out, size, " %s %.15g", key->flags & SCHEMA_OPEN_MIN ? ">" : ">=", key->min);
        if (high)
            add(out, size, "%s %s %.15g", low ? " and" : "",
                key->flags & SCHEMA_OPEN_MAX ? "<" : "<=", key->max);
    }
}

static void add_length(char *out, size_t size, const schema_key *key)
{
    add(out, size, "a list of %zu .. %zu ", key->n_min, key->n_max);
}

static void add_choices(char *out, size_t size, const schema_key *key)
{
    for (size_t i = 0; schema_choice(key, i).name; i++)
        add(out, size, "%s%s", i ? ", " : "one of ", schema_choice(key, i).name);
}

void schema_wants(char *out, size_t size, const schema_key *key)
{
    *out = '\0';
    switch (key->type) {
    case SCHEMA_BOOL:
        add(out, size, "true or false");
        break;
    case SCHEMA_WHOLE:
        if (key->min == key->max)
            add(out, size, "%.15g", key->min);
        else
            add_range(out, size, key, "a whole number");
        break;
    case SCHEMA_REAL:
        add_range(out, size, key, "a number");
        break;
    case SCHEMA_STRING:
        add(out, size, "a text of %.15g .. %.15g bytes", key->min, key->max);
        if (key->flags & SCHEMA_IDENTIFIER)
            add(out, size, " from A-Z a-z 0-9 . _ -");
        break;
    case SCHEMA_ENUM:
        add_choices(out, size, key);
        break;
    case SCHEMA_WHOLES:
        add_length(out, size, key);
        add_range(out, size, key, "whole numbers");
        break;
    case SCHEMA_NAMES:
        add_length(out, size, key);
        add(out, size, "names or numbers");
        break;
    case SCHEMA_GATES:
        add(out, size, "figures with bounds, {khat: \"< 0.7\"}");
        break;
    }
    if (key->flags & SCHEMA_AUTO)
        add(out, size, " or auto");
}

void schema_wants_item(char *out, size_t size, const schema_key *key)
{
    *out = '\0';
    if (key->type == SCHEMA_WHOLES)
        add_range(out, size, key, "a whole number");
    else
        add(out, size, "a name or a number");
}
