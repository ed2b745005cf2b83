/* The course of trainings as the report reads it, and the numbers that it writes. */
#include "pipeline/report/figure_loss.h"

#include "pipeline/console/json_read.h"
#include "pipeline/report/numbers.h"
#include "tests/common/temp.h"
#include "tests/pipeline/drawn.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static json_t *lines(const char *text)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *out = json_read_lines(temp_write("metrics.jsonl", text, strlen(text)), false, &err);
    cr_assert_not_null(out, "%s", err.text);
    return out;
}

static void draw(const figure_loss *f)
{
    plot_drawing drawing = figure_loss_drawing(f);
    drawn d = drawn_open(&drawing);
    drawn_close(&d);
}

Test(figure_loss, of_a_teacher_has_both_losses_and_the_best_epoch)
{
    flow_err err = FLOW_ERR_INIT;
    figure_loss f;
    temp_open();
    json_t *m = lines("{\"epoch\":1,\"train_loss\":3.0,\"valid_loss\":3.5}\n"
                      "{\"epoch\":2,\"train_loss\":2.0,\"valid_loss\":2.5}\n"
                      "{\"epoch\":3,\"train_loss\":1.0,\"valid_loss\":2.75}\n");
    cr_assert_eq(figure_loss_of_teacher(&f, m, &err), 0);
    cr_expect(f.n == 3 && f.n_curves == 2 && f.n_events == 1);
    cr_expect_eq(f.events[0].x, 2);
    cr_expect_str_eq(f.events[0].text, "best epoch 2");
    draw(&f);
    figure_loss_release(&f);
    json_decref(m);
    temp_close();
}

Test(figure_loss, of_a_student_tells_what_happened_and_joins_trainings)
{
    flow_err err = FLOW_ERR_INIT;
    figure_loss f;
    temp_open();
    json_t *m = lines("{\"step\":100,\"kl_reverse\":0.5,\"beta\":0.5,\"gradient\":\"path\","
                      "\"iterations\":2,\"width\":1.0}\n"
                      "{\"step\":200,\"kl_reverse\":-0.1,\"beta\":1.0,\"gradient\":\"total\","
                      "\"iterations\":2,\"width\":1.0}\n"
                      "{\"step\":100,\"kl_reverse\":null,\"beta\":1.0,\"gradient\":\"total\","
                      "\"iterations\":1,\"width\":0.5}\n");
    cr_assert_eq(figure_loss_of_student(&f, m, &err), 0);
    cr_assert(f.n == 3 && f.n_curves == 1 && f.log, "%zu curves", f.n_curves);
    cr_expect(f.x[0] == 100 && f.x[1] == 200 && f.x[2] == 300);
    cr_expect(f.curves[0].y[1] == 1e-6 && isnan(f.curves[0].y[2]),
              "noise is lifted, null is a gap");
    cr_assert_eq(f.n_events, 4);
    cr_expect_str_eq(f.events[0].text, "T = 2");
    cr_expect_str_eq(f.events[1].text, "gradient: total");
    cr_expect_str_eq(f.events[2].text, "tempering ends");
    cr_expect_str_eq(f.events[3].text, "T = 1, width 0.5");
    draw(&f);
    figure_loss_release(&f);
    json_decref(m);
    temp_close();
}

Test(figure_loss, without_a_known_log_z_it_is_the_elbo)
{
    flow_err err = FLOW_ERR_INIT;
    figure_loss f;
    char text[4096] = "";
    temp_open();
    for (int i = 1; i <= 20; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "{\"step\":%d,\"kl_reverse\":null,\"elbo\":%g}\n", i,
                 i == 1 ? -1e7 : -1.0 - 10.0 / i);
    json_t *m = lines(text);
    cr_assert_eq(figure_loss_of_student(&f, m, &err), 0);
    cr_expect(f.n_curves == 1 && !f.log);
    cr_expect(f.low > -100 && f.high == -1.5, "%g .. %g: the first does not hide the rest", f.low,
              f.high);
    draw(&f);
    figure_loss_release(&f);
    json_decref(m);
    temp_close();
}

Test(figure_loss, of_nothing_is_nothing)
{
    flow_err err = FLOW_ERR_INIT;
    figure_loss f;
    temp_open();
    json_t *m = lines("");
    cr_assert_eq(figure_loss_of_student(&f, m, &err), 0);
    cr_expect(f.n == 0 && f.n_curves == 0);
    draw(&f);
    figure_loss_release(&f);
    json_decref(m);
    cr_expect_null(json_read_lines(temp_write("bad.jsonl", "{\"a\":1}\n{\"b\"", 12), false, &err));
    cr_expect_eq(err.code, FLOW_EDATA);
    cr_expect_null(json_read_lines(temp_path("none.jsonl"), false, &err));
    cr_expect_eq(err.code, FLOW_ENOINPUT);
    temp_close();
}

/* ---- numbers */

static void check_error(double value, double se, const char *wanted)
{
    char out[NUMBER_TEXT];
    cr_expect_str_eq(number_with_error(out, value, se), wanted, "%s", out);
}

Test(report_numbers, have_as_many_digits_as_mean_something)
{
    char out[NUMBER_TEXT];
    check_error(0.00318, 0.00113, "0.0032 \xc2\xb1 0.0011");
    check_error(-16.7812, 0.1, "-16.78 \xc2\xb1 0.10");
    check_error(123456, 1200, "123456 \xc2\xb1 1200");
    check_error(0.25, NAN, "0.25");
    check_error(NAN, 0.1, "not known");
    cr_expect_str_eq(number_count(out, 50000), "50,000");
    cr_expect_str_eq(number_count(out, 1234567), "1,234,567");
    cr_expect_str_eq(number_count(out, 999), "999");
    cr_expect_str_eq(number_count(out, -1000), "-1,000");
    cr_expect_str_eq(number_percent(out, 0.99899), "99.90 %");
    cr_expect_str_eq(number_percent(out, 0.25), "25 %");
    cr_expect_str_eq(number_text(out, 19443), "19,443");
}
