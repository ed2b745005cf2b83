#include "tests/pipeline/verdict_made.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"width", "height"};
student_column columns[2];
student_mode modes[2], teacher_modes[2];
student_tail tails[2][2], teacher_tails[2][2];
static const target_partition partitions[] = {{.name = "side"}, {.name = "height"}};
student_validation figures;
config_gates require;
distill_state training;
static const verdict_price price = {
    .densities = 900, .gradients = 800, .draws = 100, .target_seconds = 0.002, .seconds = 0.012};
verdict_input input;

static void set_up_tails(void)
{
    tails[1][1] = (student_tail){.samples = 18.5, .reference = 17.5};
    tails[1][1].level[STUDENT_TAIL_LAST] =
        (student_tail_count){.beyond = 17, .samples = 40, .reference = 15, .off = 1.125};
    tails[1][1].level[STUDENT_TAIL_THOUSANDTH] = (student_tail_count){.beyond = NAN, .off = NAN};
    teacher_tails[0][0] = (student_tail){.samples = -3, .reference = -3.5};
    teacher_tails[0][0].level[STUDENT_TAIL_HUNDREDTH] =
        (student_tail_count){.beyond = -2.5, .samples = 3, .reference = 30, .off = 1 / 1.2};
}

void set_up(void)
{
    set_up_tails();
    modes[0] = (student_mode){.weight = 0.5, .share = 0.48, .se = 0.011};
    modes[1] =
        (student_mode){.partition = 1, .number = 3, .weight = 0.5, .share = 0.52, .se = 0.012};
    columns[0] = (student_column){.lo = -3, .hi = 4, .data_lo = -3.5, .data_hi = 3.5};
    columns[1] = (student_column){.mean = 0.5,
                                  .data_sd = 0.9,
                                  .lo = 10,
                                  .hi = 19,
                                  .data_lo = 11,
                                  .data_hi = 18,
                                  .outside = 0.005};
    teacher_modes[0].share = 0.493;
    teacher_modes[1].share = 0.507;
    figures = (student_validation){
        .sampled = true,
        .weights = {.elbo = {-0.031, 0.001},
                    .eubo = {0.029, 0.002},
                    .jeffreys = {0.060, 0.003},
                    .log_z = {0.013, 0.004},
                    .kl_reverse = {0.032, 0.005},
                    .kl_forward = {0.028, 0.006},
                    .ess_reverse = {0.91, 0.007},
                    .ess_forward = {0.89, 0.008},
                    .acceptance = {0.87, 0.009},
                    .unweighting = {0.21, 0.23, 0.0012, 0.913},
                    .curve_reverse = {2, {50, 200}, {0.95, 0.91}},
                    .psis = {.khat = 0.41, .threshold = 0.69, .tail = 120},
                    .psis_forward = {.khat = 0.43, .threshold = 0.68, .tail = 110},
                    .n_forward = 100000,
                    .uncovered = {9, 5, 0},
                    .mean_w = {1.001, 0.009, 0.11},
                    .mean_inverse_w = {0.998, 0.01, -0.2}},
        .moments = {.mean = {.column = 1, .other = 1, .student = 2.1, .reference = 2.2, .z = -1.4},
                    .sd = {.column = 0, .z = NAN},
                    .correlation = {.column = 0, .other = 1, .z = 0.7},
                    .mean_excess = {1, 1, 0.011},
                    .sd_excess = {0, 0, 0.012},
                    .correlation_excess = {0, 1, 0.013}},
        .sliced_w2 = {.value = 0.02,
                      .teacher = 0.018,
                      .null_mean = 0.01,
                      .null_sd = 0.004,
                      .p = 0.3,
                      .rows = 2000},
        .energy = {.value = 0.03, .null_mean = 0.02, .null_sd = 0.01, .p = 0.2, .rows = 2000},
        .uncovered = {.n = 1,
                      .rows = {{.row = 41, .nats = 5.5, .column = 1, .value = 7, .distance = 3.5}}},
        .against_chain = {.rows = 4000,
                          .chains = 250,
                          .evaluations = 123456,
                          .seconds = 1.5,
                          .rhat = 1.04,
                          .rhat_column = 1.7,
                          .column = 1,
                          .effective = 3000,
                          .acceptance = 0.77,
                          .eubo = {0.033, 0.003},
                          .kl_forward = 0.034,
                          .uncovered = {40, 20, 2},
                          .worst = 11.5,
                          .apart = 0.06,
                          .weighed_apart = 0.03,
                          .chance = 0.025,
                          .hunt = {.rows = 4000,
                                   .missed = 40,
                                   .mass = {0.001, 0.0001},
                                   .weighed = true,
                                   .ess = 1234,
                                   .khat = 0.3,
                                   .log_z = 0.02,
                                   .pieces = 2,
                                   .n_regions = 1,
                                   .regions = {{.mass = {0.0009, 0.0002},
                                                .rows = 39,
                                                .nats = 7.5,
                                                .n_columns = 2,
                                                .columns = {{1, 7, 3.5}, {0, -2, -1.5}}}},
                                   .evaluations = 4321},
                          .lo = -7,
                          .hi = 2,
                          .quantiles = {{-6}, {-5}, {-4}},
                          .bins = {{0.1}, {0.2}, {0.3}}},
        .against_data =
            {.rows = 300,
             .sliced_w2 = {.value = 0.05, .null_mean = 0.02, .null_sd = 0.02, .p = 0.1},
             .energy = {.value = 0.06, .null_mean = 0.02, .null_sd = 0.02, .p = 0.1},
             .moments = {.mean = {.z = NAN},
                         .sd = {.column = 1, .z = 2.5, .student = 1.1, .reference = 1.2},
                         .correlation = {.z = NAN},
                         .mean_excess = {0, 0, 0.021},
                         .sd_excess = {1, 1, 0.022},
                         .correlation_excess = {0, 1, 0.023}},
             .dim = 2,
             .columns = columns,
             .tails = {.dim = 2,
                       .samples = 1000,
                       .reference = 3000,
                       .side = teacher_tails,
                       .off = 1.2,
                       .column = 0},
             .outside = {1, 0.004},
             .missed = {0, 0.003},
             .train_log_likelihood = -1.0,
             .train_se = 0.04,
             .train_rows = 2400,
             .repeated = 0.05},
        .tails = {.dim = 2,
                  .samples = 1000,
                  .reference = 900,
                  .side = tails,
                  .off = 1.125,
                  .column = 1,
                  .above = true,
                  .level = STUDENT_TAIL_LAST},
        .n_modes = 2,
        .modes = modes,
        .teacher_modes = teacher_modes,
        .partition = partitions,
        .modes_summary = {.worst = 1, .deviation = 0.023, .p = 0.37, .chance = 0.017},
        .roundtrip = 1.5e-7,
        .speed = {.student = {2e6, 5e-6},
                  .teacher_incremental = {1e6, 6e-6},
                  .teacher_naive = {3e5, 7e-6}}};
    training = (distill_state){.rows = 4711, .clipped = 3, .spread_path = NAN};
    require = (config_gates){.n = 0};
    input = (verdict_input){.student = &figures,
                            .require = &require,
                            .test = {-1.75, 0.03},
                            .test_inside = {-1.25, 0.03},
                            .test_rows = 300,
                            .samples = 1000,
                            .training = &training,
                            .price = &price,
                            .names = names};
}

json_t *made(bool *pass)
{
    json_t *out = verdict_json(&input, pass);
    cr_assert_not_null(out);
    return out;
}

const json_t *at(const json_t *value, const char *path)
{
    char part[64];
    while (*path) {
        size_t size = strcspn(path, ".");
        memcpy(part, path, size);
        part[size] = '\0';
        value = json_is_array(value) ? json_array_get(value, strtoul(part, NULL, 10))
                                     : json_object_get(value, part);
        cr_assert_not_null(value, "there is no %s", part);
        path += size + (path[size] == '.');
    }
    return value;
}

double number(const json_t *value, const char *path)
{
    cr_assert(json_is_number(at(value, path)), "%s is no number", path);
    return json_number_value(at(value, path));
}

void expect_null(const json_t *value, const char *path)
{
    cr_expect(json_is_null(at(value, path)), "%s is not null", path);
}

const double gate_values[GATE_COUNT] = {
    [GATE_KL_REVERSE] = 0.032,
    [GATE_KL_FORWARD] = 0.028,
    [GATE_JEFFREYS] = 0.060,
    [GATE_ELBO] = -0.031,
    [GATE_EUBO] = 0.029,
    [GATE_LOG_Z_SIGMAS] = 3.2499898437976067, /* 0.013 over 0.004 and the rounding */
    [GATE_ESS_REVERSE] = 0.91,
    [GATE_ACCEPTANCE] = 0.87,
    [GATE_UNWEIGHTING] = 0.21,
    [GATE_UNWEIGHTING_MADNIS] = 0.23,
    [GATE_OVER_WEIGHT] = 0.0012,
    [GATE_ESS_FORWARD] = 0.89,
    [GATE_KHAT] = 0.41,
    [GATE_NORMALISATION_SIGMAS] = 0.2,
    [GATE_KHAT_FORWARD] = 0.43,
    [GATE_UNCOVERED_3] = 9e-5,
    [GATE_UNCOVERED_5] = 5e-5,
    [GATE_UNCOVERED_10] = 0,
    [GATE_MODE_SHARE_ERROR] = 0.023,
    [GATE_MEAN_ERROR] = 0.011,
    [GATE_SD_ERROR] = 0.012,
    [GATE_CORRELATION_ERROR] = 0.013,
    [GATE_TAIL_FACTOR] = 1.125,
    [GATE_TWO_SAMPLE_SIGMAS] = 2.5,
    [GATE_MISSED_MASS] = 0.0007,
    [GATE_CHAIN_RHAT] = 1.04,
    [GATE_CHAIN_UNCOVERED_10] = 0.0005,
    [GATE_CHAIN_KL_FORWARD] = 0.034,
    [GATE_CHAIN_ENERGY_ERROR] = 0.06 - 0.025,
    [GATE_ROUNDTRIP] = 1.5e-7,
    [GATE_TEACHER_TEST_LOG_LIKELIHOOD] = -1.75,
    [GATE_TEACHER_LIKELIHOOD_GAP] = (0.25 - 4 * 0.05) / 2,
    [GATE_TEACHER_REPEATED_ROWS] = 0.05,
    [GATE_TEACHER_TWO_SAMPLE_SIGMAS] = 2,
    [GATE_TEACHER_MEAN_ERROR] = 0.021,
    [GATE_TEACHER_SD_ERROR] = 0.022,
    [GATE_TEACHER_CORRELATION_ERROR] = 0.023,
    [GATE_TEACHER_TAIL_FACTOR] = 1.2,
    [GATE_TEACHER_OUTSIDE] = 0.004,
    [GATE_TEACHER_MISSED] = 0.003,
    [GATE_STUDENT_ROWS_PER_S] = 2e6,
    [GATE_STUDENT_ROW_SECONDS] = 5e-6};
