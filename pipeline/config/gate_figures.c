/* pipeline/config/gate_figures.c -- every figure of a validation: what it is, by what it is judged where no gate is given,
 * what it means beyond that, and what to do then. */
#include "pipeline/config/gates.h"

#include "student/against_chain.h"

#include <math.h>

#define FIGURE(which) (&gate_figures[which])
#define MORE_STEPS "raise student.flow.iterations or student.train.steps"
#define BETTER_TEACHER                                                                             \
    "fit the teacher longer, or a larger one (teacher.flow, teacher.train), and see 'columns' in " \
    "validation.json"

/* A factor that is this much at least is one that matters. */
#define TAIL_LIMIT 1.25
#define TAIL_DOC                                                                                   \
    ", or below it: the worst of all columns, of both sides, of the values that a hundredth, a "   \
    "thousandth and the last fifteen of these are beyond, and of either's farthest. 1 where "      \
    "chance explains it: of one distribution more is found in one of a hundred runs."
#define RARE_EVENTS "averages over the bulk are right, rare events are not"

const gate_info gate_figures[GATE_COUNT] = {
    [GATE_KL_REVERSE] =
        {.name = "kl_reverse",
         .unit = "nats",
         .small_is_good = true,
         .limit = 0.1,
         .place = "kl_reverse.value",
         .doc = "KL(student || teacher): what samples of the student show to be wrong.",
         .beyond = "samples of the student are often where the teacher has less density",
         .next = MORE_STEPS},
    [GATE_KL_FORWARD] = {.name = "kl_forward",
                         .unit = "nats",
                         .small_is_good = true,
                         .limit = 0.1,
                         .needs = GATE_NEEDS_SAMPLER,
                         .place = "kl_forward.value",
                         .doc =
                             "KL(teacher || student): grows without bound where the student misses "
                             "something the teacher has.",
                         .beyond = "the student has too little density where the teacher samples",
                         .next = MORE_STEPS},
    [GATE_JEFFREYS] = {.name = "jeffreys",
                       .unit = "nats",
                       .small_is_good = true,
                       .limit = 0.2,
                       .needs = GATE_NEEDS_SAMPLER,
                       .place = "jeffreys.value",
                       .doc = "The sum of both KL divergences.",
                       .beyond = "student and teacher are different densities",
                       .next = MORE_STEPS,
                       .said_by = FIGURE(GATE_KL_FORWARD)},
    [GATE_ELBO] = {.name = "elbo",
                   .unit = "nats",
                   .limit = NAN,
                   .place = "elbo.value",
                   .doc =
                       "Lower bound of log Z, from samples of the student; the same in any units."},
    [GATE_EUBO] = {.name = "eubo",
                   .unit = "nats",
                   .small_is_good = true,
                   .limit = NAN,
                   .needs = GATE_NEEDS_SAMPLER,
                   .place = "eubo.value",
                   .doc =
                       "Upper bound of log Z, from samples of the teacher; the same in any units."},
    [GATE_LOG_Z_SIGMAS] =
        {.name = "log_z_sigmas",
         .unit = "standard errors",
         .small_is_good = true,
         .limit = 5,
         .needs = GATE_NEEDS_LOG_Z,
         .place = "log_z",
         .doc = "|log Z - the exact one| over its standard error, where that is known: a "
                "teacher that is a flow has log Z = 0. Not computed where k-hat says that the "
                "error means nothing.",
         .beyond = "the student's importance weights give a wrong log Z: it misses a part of the "
                   "teacher, or their tail is heavy",
         .next = MORE_STEPS},
    [GATE_NORMALISATION_SIGMAS] =
        {.name = "normalisation_sigmas",
         .unit = "standard errors",
         .small_is_good = true,
         .limit = 5,
         .needs = GATE_NEEDS_SAMPLER | GATE_NEEDS_LOG_Z,
         .place = "normalisation",
         .doc = "How far the means of p/q over the student's samples and of q/p over the teacher's "
                "are from 1, in "
                "standard errors: the larger of the two.",
         .beyond =
             "the weights have a heavy tail, or the student misses a mode or has its share wrong",
         .next = "look at mode_share, moments and uncovered in validation.json; set "
                 "student.train.gradient: total for shares",
         .said_by = FIGURE(GATE_LOG_Z_SIGMAS)},
    [GATE_ESS_REVERSE] =
        {.name = "ess_reverse",
         .unit = "share of the samples",
         .limit = 0.5,
         .place = "ess_reverse.value",
         .doc = "Effective sample size of importance weights on samples of the student. "
                "Blind to lost modes.",
         .beyond = "more than half of the student's samples are lost when they are weighted to be "
                   "the teacher's",
         .next = MORE_STEPS},
    [GATE_ACCEPTANCE] =
        {.name = "acceptance",
         .unit = "share of the proposals",
         .limit = NAN,
         .place = "acceptance.value",
         .doc = "How often a Metropolis chain takes a sample of the student as its next state "
                "(independent proposals): with that correction its states are the teacher's. Blind "
                "to lost modes."},
    [GATE_KHAT] = {.name = "khat",
                   .small_is_good = true,
                   .limit = 0.7,
                   .place = "khat.value",
                   .doc = "Pareto shape of the largest importance weights p/q of the student's "
                          "samples: below 0.7 they can be "
                          "used. Without a gate it is judged where the reverse ESS is below 0.95.",
                   .beyond = "importance weights, reverse ESS and log Z are not to be trusted: a "
                             "few samples carry them",
                   .next = "do not weight this student's samples; " MORE_STEPS},
    [GATE_UNWEIGHTING] =
        {.name = "unweighting_efficiency",
         .unit = "share of the samples",
         .limit = NAN,
         .place = "unweighting.efficiency",
         .doc = "Mean over largest importance weight of the student's samples: what rejection "
                "(distill sample --exact rejection) keeps of them if the largest is its bound. "
                "Falls with the number of samples; blind to lost modes."},
    [GATE_UNWEIGHTING_MADNIS] =
        {.name = "unweighting_madnis",
         .unit = "share of the samples that are not cut",
         .limit = NAN,
         .place = "unweighting.madnis",
         .doc = "The same as MadNIS has it: over the median of the largest weights of bootstrap "
                "samples, of the samples of weight above 0 alone (after cuts). That median is the "
                "largest weight, so where nothing is cut both are one number."},
    [GATE_OVER_WEIGHT] =
        {.name = "over_weight",
         .unit = "share of the weight",
         .small_is_good = true,
         .limit = 0.05,
         .place = "unweighting.over_weight",
         .doc = "How much of the weight is above the bound when samples are rejected under the "
                "largest weight of other samples (two halves, each with the other's): what "
                "rejection loses of the target.",
         .beyond = "rejection under the largest weight that was seen leaves out a part of the "
                   "target: a few samples weigh more than it",
         .next = "say a larger --bound, use --exact imh, or " MORE_STEPS,
         .said_by = FIGURE(GATE_KHAT)},
    [GATE_UNCOVERED_10] = {.name = "uncovered_10",
                           .unit = "share of the teacher's samples",
                           .small_is_good = true,
                           .limit = 0,
                           .needs = GATE_NEEDS_SAMPLER,
                           .place = "uncovered.above.2.share",
                           .doc = "Share of the teacher's samples where the student has less than "
                                  "e^-10 of the density that it should have.",
                           .beyond = "samples of the student will never be there, and no weighting "
                                     "brings them back: averages over the bulk "
                                     "are right, rare events and tails out there are not",
                           .next =
                               "see uncovered.worst in validation.json for the rows; " MORE_STEPS},
    [GATE_UNCOVERED_5] = {.name = "uncovered_5",
                          .unit = "share of the teacher's samples",
                          .small_is_good = true,
                          .limit = 2e-4,
                          .needs = GATE_NEEDS_SAMPLER,
                          .place = "uncovered.above.1.share",
                          .doc = "The same for e^-5: the student goes there 150 times too seldom.",
                          .beyond = "the student goes there 150 times too seldom: averages over "
                                    "the bulk are right, rare events are not",
                          .next =
                              "see uncovered.worst in validation.json for the rows; " MORE_STEPS,
                          .said_by = FIGURE(GATE_UNCOVERED_10)},
    [GATE_UNCOVERED_3] = {.name = "uncovered_3",
                          .unit = "share of the teacher's samples",
                          .small_is_good = true,
                          .limit = 2e-3,
                          .needs = GATE_NEEDS_SAMPLER,
                          .place = "uncovered.above.0.share",
                          .doc = "The same for e^-3: the student goes there 20 times too seldom.",
                          .beyond = "the student goes there 20 times too seldom",
                          .next =
                              "see uncovered.worst in validation.json for the rows; " MORE_STEPS,
                          .said_by = FIGURE(GATE_UNCOVERED_5)},
    [GATE_ESS_FORWARD] = {.name = "ess_forward",
                          .unit = "share of the samples",
                          .limit = 0.5,
                          .needs = GATE_NEEDS_SAMPLER,
                          .place = "ess_forward.value",
                          .doc = "The same as ess_reverse, from samples of the teacher: sees lost "
                                 "modes. One sample in 50,000 can ruin it; "
                                 "uncovered_3 to uncovered_10 say how many do.",
                          .beyond = "the teacher goes where the student hardly does",
                          .next = MORE_STEPS,
                          .said_by = FIGURE(GATE_UNCOVERED_3)},
    [GATE_KHAT_FORWARD] = {.name = "khat_forward",
                           .small_is_good = true,
                           .limit = 0.7,
                           .needs = GATE_NEEDS_SAMPLER,
                           .place = "khat_forward.value",
                           .doc = "Pareto shape of the largest p/q at samples of the teacher: "
                                  "above 0.5 the forward ESS has no standard error, "
                                  "above 0.7 it hangs on a few samples. Without a gate it is "
                                  "judged where the forward ESS is below 0.95.",
                           .beyond = "the forward ESS hangs on a few samples of the teacher, and "
                                     "another seed will give another one",
                           .next = "raise validate.samples to know it better, or " MORE_STEPS
                                   " to mend it",
                           .said_by = FIGURE(GATE_ESS_FORWARD)},
    [GATE_MODE_SHARE_ERROR] =
        {.name = "mode_share_error",
         .unit = "share of the samples",
         .small_is_good = true,
         .limit = 0.05,
         .needs = GATE_NEEDS_MODES,
         .place = "mode_share",
         .doc = "Largest difference between the student's share of a mode and the "
                "mode's true weight, of all partitions into modes that are known "
                "(mode_share_worst says which, and how large it is by chance alone). Without a "
                "gate what chance makes is within the limit.",
         .beyond = "a mode has too many or too few of the student's samples",
         .next = "see mode_share in validation.json; set student.train.gradient: total"},
    [GATE_MEAN_ERROR] =
        {.name = "mean_error",
         .unit = "standard deviations of the column",
         .small_is_good = true,
         .of = GATE_OF_STUDENT,
         .limit = 0.05,
         .needs = GATE_NEEDS_SAMPLER,
         .place = "moments.mean_error",
         .doc = "By how much a column's mean over the student's samples is off at least: the "
                "difference to the teacher's, "
                "less four standard errors, of the worst column.",
         .beyond = "the student's samples have a wrong mean, as when a mode has a wrong share",
         .next = "set student.train.gradient: total, or " MORE_STEPS},
    [GATE_SD_ERROR] = {.name = "sd_error",
                       .unit = "share of the teacher's",
                       .small_is_good = true,
                       .of = GATE_OF_STUDENT,
                       .limit = 0.1,
                       .needs = GATE_NEEDS_SAMPLER,
                       .place = "moments.sd_error",
                       .doc = "The same for standard deviations, as a share of the teacher's.",
                       .beyond = "the student's samples are too wide or too narrow",
                       .next = MORE_STEPS},
    [GATE_CORRELATION_ERROR] =
        {.name = "correlation_error",
         .small_is_good = true,
         .of = GATE_OF_STUDENT,
         .limit = 0.05,
         .needs = GATE_NEEDS_SAMPLER,
         .place = "moments.correlation_error",
         .doc = "The same for correlations of two columns, as a difference.",
         .beyond = "two columns of the student's samples hang together differently",
         .next = MORE_STEPS},
    [GATE_TAIL_FACTOR] =
        {.name = "tail_factor",
         .unit = "times too many, or too few",
         .small_is_good = true,
         .of = GATE_OF_STUDENT,
         .limit = TAIL_LIMIT,
         .needs = GATE_NEEDS_SAMPLER,
         .place = "tails.off",
         .doc = "By what factor at least the share of the student's samples beyond a far value of "
                "a column is above that of the teacher's samples" TAIL_DOC,
         .beyond = "the student's tail is not its teacher's: " RARE_EVENTS,
         .next = "see tails in validation.json; " MORE_STEPS},
    [GATE_TWO_SAMPLE_SIGMAS] =
        {.name = "two_sample_sigmas",
         .unit = "standard deviations of the null",
         .small_is_good = true,
         .of = GATE_OF_STUDENT,
         .limit = 8,
         .needs = GATE_NEEDS_SAMPLER,
         .place = "two_sample.sigmas",
         .doc = "How far the distance between samples of student and teacher is above what it is "
                "between samples of one "
                "distribution: the larger of sliced W2 and energy distance, at up to 2000 rows.",
         .beyond = "samples of student and teacher can be told apart",
         .next = "look at moments and report.html; " MORE_STEPS,
         .said_by = FIGURE(GATE_MEAN_ERROR)},
    [GATE_MISSED_MASS] =
        {.name = "missed_mass",
         .unit = "share of the probability",
         .small_is_good = true,
         .of = GATE_OF_STUDENT,
         .fails = true,
         .limit = 0.01,
         .needs = GATE_NEEDS_CHAIN,
         .place = "hunt.least",
         .doc = "How much of the target's probability is at least where the student has less than "
                "e^-3 of the density that it should have, as far as chains on the target and from "
                "the student's edge find it: the mass in hunt, less three standard errors. Beyond "
                "the limit a run fails, with a gate or without.",
         .beyond = "a part of the target is missing from the student's samples, and no weighting "
                   "brings it back",
         .next = "raise student.pilot_rows, so that more of the target is seen at the start, or "
                 "student.train.steps; hunt.regions in validation.json says where"},
    [GATE_CHAIN_RHAT] =
        {.name = "chain_rhat",
         .small_is_good = true,
         .of = GATE_OF_STUDENT,
         .limit = STUDENT_CHAIN_AGREES,
         .needs = GATE_NEEDS_CHAIN,
         .place = "chain.rhat",
         .doc = "Split R-hat of log p~ over the long chains of validate.chain: 1 where they agree. "
                "Above "
                "1.1 neither their energies nor chain_kl_forward are judged.",
         .beyond = "the chains do not agree, so averages over them say nothing of the student",
         .next =
             "raise validate.chain_rows; chain.uncovered in validation.json is true of each row "
             "all the same"},
    [GATE_CHAIN_UNCOVERED_10] =
        {.name = "chain_uncovered_10",
         .unit = "share of the chains' rows",
         .small_is_good = true,
         .of = GATE_OF_STUDENT,
         .limit = 0.001,
         .needs = GATE_NEEDS_CHAIN,
         .place = "chain.uncovered.above.2.share",
         .doc = "Share of the rows of long chains on the target where the student has less than "
                "e^-10 of the density that it should have. Chains that do not cross between modes "
                "have the shares of their starts.",
         .beyond = "the target has rows where samples of the student will never be, as those of a "
                   "lost mode",
         .next = "raise student.pilot_rows, so that more of the target is seen at the start, or "
                 "student.train.steps",
         .said_by = FIGURE(GATE_MISSED_MASS)},
    [GATE_CHAIN_KL_FORWARD] = {.name = "chain_kl_forward",
                               .unit = "nats",
                               .small_is_good = true,
                               .of = GATE_OF_STUDENT,
                               .limit = 0.1,
                               .needs = GATE_NEEDS_CHAIN,
                               .place = "chain.kl_forward",
                               .doc = "Mean of log p~ - log q - log Z over the rows of long chains "
                                      "on the target: the forward "
                                      "KL as far as these are rows of the target.",
                               .beyond = "the student has too little density where the chains go",
                               .next = MORE_STEPS,
                               .said_by = FIGURE(GATE_CHAIN_UNCOVERED_10)},
    [GATE_CHAIN_ENERGY_ERROR] =
        {.name = "chain_energy_error",
         .unit = "share of the samples",
         .small_is_good = true,
         .of = GATE_OF_STUDENT,
         .limit = 0.1,
         .needs = GATE_NEEDS_CHAIN,
         .place = "chain.energies.error",
         .doc =
             "How far the distribution of log p~ over the student's samples is from that over long "
             "chains at least: their Kolmogorov distance, less what samples of one distribution "
             "would hardly exceed.",
         .beyond = "samples of the student do not have the energies that the target has",
         .next = "look at energies.png; weigh the samples, or " MORE_STEPS},
    [GATE_ROUNDTRIP] = {.name = "roundtrip",
                        .unit = "standard deviations of the data",
                        .small_is_good = true,
                        .limit = 0.01,
                        .place = "roundtrip",
                        .doc = "Largest error of going through the student and back.",
                        .beyond = "rounding has spoilt the student's densities at some rows",
                        .next = "set precision: f64, and compute.network: f32"},
    [GATE_TEACHER_TEST_LOG_LIKELIHOOD] = {.name = "teacher_test_log_likelihood",
                                          .unit = "nats per row, in the units of the data",
                                          .of = GATE_OF_TEACHER,
                                          .limit = NAN,
                                          .place = "teacher.test_log_likelihood.value",
                                          .doc =
                                              "Mean log-density of the teacher on the test rows: "
                                              "the mean of what distill logp gives for them."},
    [GATE_TEACHER_LIKELIHOOD_GAP] = {.name = "teacher_likelihood_gap",
                                     .unit = "nats per row and column",
                                     .small_is_good = true,
                                     .of = GATE_OF_TEACHER,
                                     .limit = 0.15,
                                     .place = "teacher.likelihood_gap",
                                     .doc =
                                         "By how much the teacher's log-likelihood differs between "
                                         "training and test rows at least: the difference "
                                         "less four standard errors, for each column.",
                                     .beyond =
                                         "the teacher has learnt its training rows by heart, or "
                                         "the test rows are of another kind (a sorted table)",
                                     .next = "set data.split: seed if the table is sorted; else "
                                             "fit less (teacher.train.patience, weight_decay) or a "
                                             "smaller teacher"},
    [GATE_TEACHER_REPEATED_ROWS] =
        {.name = "teacher_repeated_rows",
         .unit = "share of the test rows",
         .small_is_good = true,
         .of = GATE_OF_TEACHER,
         .limit = 0.1,
         .place = "teacher.repeated_rows",
         .doc = "Share of the test rows that are training rows, too, number for number.",
         .beyond = "the test rows have been learnt: neither the test likelihood nor the early stop "
                   "of the fit can show "
                   "overfitting",
         .next = "remove repeated rows from the table before it is split"},
    [GATE_TEACHER_TWO_SAMPLE_SIGMAS] =
        {.name = "teacher_two_sample_sigmas",
         .unit = "standard deviations of the null",
         .small_is_good = true,
         .of = GATE_OF_TEACHER,
         .limit = 8,
         .place = "teacher.two_sample.sigmas",
         .doc = "How far the distance between samples of the teacher and held-out rows is above "
                "what it is between samples of one distribution: the larger of sliced W2 and "
                "energy distance, at up to 2000 rows, columns in robust units.",
         .beyond = "samples of the teacher do not look like the data: a student of it is wrong "
                   "however near it comes",
         .next = BETTER_TEACHER},
    [GATE_TEACHER_MEAN_ERROR] =
        {.name = "teacher_mean_error",
         .unit = "standard deviations of the column",
         .small_is_good = true,
         .of = GATE_OF_TEACHER,
         .limit = 0.1,
         .place = "teacher.moments.mean_error",
         .doc = "By how much a column's mean over the teacher's samples is off at least: the "
                "difference to the held-out rows, less four standard errors, of the worst column.",
         .beyond = "the teacher's mean is not that of the held-out rows",
         .next = "set data.split: seed if the table is sorted; else " BETTER_TEACHER},
    [GATE_TEACHER_SD_ERROR] = {.name = "teacher_sd_error",
                               .unit = "share of the data's",
                               .small_is_good = true,
                               .of = GATE_OF_TEACHER,
                               .limit = 0.25,
                               .place = "teacher.moments.sd_error",
                               .doc = "The same for standard deviations, as a share of the data's.",
                               .beyond =
                                   "the teacher's samples are too wide or too narrow for the data",
                               .next = BETTER_TEACHER},
    [GATE_TEACHER_CORRELATION_ERROR] =
        {.name = "teacher_correlation_error",
         .small_is_good = true,
         .of = GATE_OF_TEACHER,
         .limit = 0.1,
         .place = "teacher.moments.correlation_error",
         .doc = "The same for correlations of two columns, as a difference.",
         .beyond =
             "two columns of the teacher's samples hang together differently than in the data",
         .next = BETTER_TEACHER},
    [GATE_TEACHER_TAIL_FACTOR] =
        {.name = "teacher_tail_factor",
         .unit = "times too many, or too few",
         .small_is_good = true,
         .of = GATE_OF_TEACHER,
         .limit = TAIL_LIMIT,
         .place = "teacher.tails.off",
         .doc = "By what factor at least the share of the teacher's samples beyond a far value of "
                "a column is above that of all rows of the data (with a context, of held-out "
                "rows)" TAIL_DOC,
         .beyond = "the teacher's tail is not that of the data: " RARE_EVENTS,
         .next = "if samples go too far: say where the column ends or link: softplus "
                 "(data.columns.NAME); if they stop short: link: log, or heavier tails "
                 "(teacher.flow.base: student_t); or fit the teacher longer"},
    [GATE_TEACHER_OUTSIDE] =
        {.name = "teacher_outside",
         .unit = "share of the teacher's samples",
         .small_is_good = true,
         .of = GATE_OF_TEACHER,
         .limit = 0.01,
         .place = "teacher.outside.value",
         .doc = "Share of the teacher's samples outside of the range of all data in the worst "
                "column, less what chance explains.",
         .beyond = "the teacher samples what no row of the data has",
         .next = "say where the column ends (data.columns.NAME.support); cut or mend outliers"},
    [GATE_TEACHER_MISSED] =
        {.name = "teacher_missed",
         .unit = "share of the data's rows",
         .small_is_good = true,
         .of = GATE_OF_TEACHER,
         .limit = 0.005,
         .place = "teacher.missed.value",
         .doc = "Share of the data's rows outside of the range of the teacher's samples in the "
                "worst column, less what chance explains.",
         .beyond = "the teacher's tails are too short, or it misses a part of the data",
         .next =
             "give the teacher heavier tails (teacher.flow.base: student_t), or fit a larger one"},
    [GATE_STUDENT_ROWS_PER_S] = {.name = "student_rows_per_s",
                                 .unit = "rows per second",
                                 .of = GATE_OF_CLOCK,
                                 .limit = NAN,
                                 .place = "speed.student_rows_per_s",
                                 .doc = "Speed of the student with the threads of the run."},
    [GATE_STUDENT_ROW_SECONDS] = {.name = "student_row_seconds",
                                  .unit = "seconds",
                                  .small_is_good = true,
                                  .of = GATE_OF_CLOCK,
                                  .limit = NAN,
                                  .place = "speed.student_row_seconds",
                                  .doc = "What one sample takes that is asked for alone."},
};
