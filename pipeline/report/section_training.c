/* pipeline/report/section_training.c -- how the losses of both trainings went. */
#include "pipeline/report/figure_loss.h"
#include "pipeline/report/sections.h"

static void draw_or_tell(html *page, const figure_loss *figure, html_figure of)
{
    plot_drawing drawing = figure_loss_drawing(figure);
    if (figure->n > 0 && figure->n_curves > 0)
        html_draw(page, &drawing, of);
    else
        html_element(page, "p class=\"note\"",
                     "%s: no figure, for nothing was reported of it: it had no steps, or ended "
                     "before the first report.",
                     of.title);
}

static void course(html *page, const json_t *metrics, html_figure of,
                   int (*read)(figure_loss *, const json_t *, flow_err *))
{
    figure_loss figure = {.n = 0};
    if (page->err.code)
        return;
    if (!read(&figure, metrics, &page->err))
        draw_or_tell(page, &figure, of);
    figure_loss_release(&figure);
}

void section_training(html *page, const report_view *v)
{
    html_section(page, "training", "Training");
    html_raw(page, "<div class=\"gallery wide\">\n");
    if (v->teacher_metrics)
        course(page, v->teacher_metrics,
               (html_figure){"loss-teacher", "The teacher's fit",
                             "Losses on training and validation rows over the epochs; a line marks "
                             "the epoch whose weights were kept.",
                             "The teacher: negative log-density of training and validation rows, "
                             "in nats and the units of the data. The weights of the best epoch "
                             "are kept.",
                             false},
               figure_loss_of_teacher);
    course(
        page, v->student_metrics,
        (html_figure){"loss-student", "The student's distillation",
                      "Divergence from the teacher over the steps, with what happened on the way.",
                      "The student: what is minimised, as a mean over the steps before each "
                      "point, with the end of tempering, changes of the gradient's estimator "
                      "and the sizes that were trained one after the other.",
                      false},
        figure_loss_of_student);
    html_gallery_end(page);
    if (!v->teacher_metrics)
        html_element(page, "p class=\"note\"",
                     "No course of a teacher: the target is a density that is known.");
    html_section_end(page);
}
