/* tests/stan/bridge.cpp -- a Stan model as a library of C functions, those of BridgeStan 2, by the Stan that Debian has
 * (r-cran-stanheaders, 2.21). tests/stan/build.sh compiles it behind the C++ that stanc makes of a model, which ends in
 * new_model(). Written after BridgeStan's documentation, https://roualdes.us/bridgestan; it is no part of it. */
#include "data.hpp"

#include <memory>

typedef boost::ecuyer1988 bs_rng;

struct bs_model {
    std::unique_ptr<stan::model::model_base> stan;
    std::string name, info, unc_names,
        names[2][2]; /* [transformed parameters][generated quantities] */
    int sizes[2][2], unc_size;
};

/* ---- what is caught */

static void tell(char **err, const char *text)
{
    if (err)
        *err = strdup(text);
}

template <typename F> static int caught(char **err, F body)
{
    try {
        body();
        return 0;
    } catch (const std::exception &e) {
        tell(err, e.what());
    } catch (...) {
        tell(err, "it threw something that is no std::exception");
    }
    return -1;
}

/* The tape of this thread: in Debian's Stan there is one for each, with STAN_THREADS or without. */
static void have_tape()
{
    static thread_local stan::math::ChainableStack tape;
}

static Eigen::VectorXd vector_of(const bs_model *m, const double *u)
{
    return Eigen::Map<const Eigen::VectorXd>(u, m->unc_size);
}

/* log p as the model has it: with doubles, or with variables for a gradient. */
template <typename T>
static T log_p(const bs_model *m, bool propto, bool jacobian, Eigen::Matrix<T, -1, 1> &u)
{
    const stan::model::model_base &s = *m->stan;
    return propto     ? jacobian ? s.log_prob_propto_jacobian(u, &std::cout)
                                 : s.log_prob_propto(u, &std::cout)
               : jacobian ? s.log_prob_jacobian(u, &std::cout)
                      : s.log_prob(u, &std::cout);
}

static void gradient(const bs_model *m, bool propto, bool jacobian, const double *u, double *lp,
                     double *grad)
{
    Eigen::VectorXd slope;
    have_tape();
    stan::math::gradient(
        [=](Eigen::Matrix<stan::math::var, -1, 1> &x) { return log_p(m, propto, jacobian, x); },
        vector_of(m, u), *lp, slope);
    if (grad)
        Eigen::Map<Eigen::VectorXd>(grad, m->unc_size) = slope;
}

/* ---- making one */

static std::string joined(const std::vector<std::string> &names)
{
    std::string all;
    for (const std::string &name : names)
        all += (all.empty() ? "" : ",") + name;
    return all;
}

static void describe(bs_model *m)
{
    std::vector<std::string> unc;
    m->stan->unconstrained_param_names(unc, false, false);
    m->unc_names = joined(unc);
    m->unc_size = (int)unc.size();
    for (int tp = 0; tp < 2; tp++)
        for (int gq = 0; gq < 2; gq++) {
            std::vector<std::string> names;
            m->stan->constrained_param_names(names, tp, gq);
            m->names[tp][gq] = joined(names);
            m->sizes[tp][gq] = (int)names.size();
        }
    m->name = m->stan->model_name();
#ifdef STAN_THREADS
    m->info = "Stan version: 2.21.0\nSTAN_THREADS=true\n";
#else
    m->info = "Stan version: 2.21.0\nSTAN_THREADS=false\n";
#endif
}

extern "C" {

extern const int bs_major_version = 2, bs_minor_version = 0, bs_patch_version = 0;

void bs_model_destruct(bs_model *m)
{
    delete m;
}
void bs_free_error_msg(char *err)
{
    free(err);
}

bs_model *bs_model_construct(const char *data, unsigned seed, char **err)
{
    std::unique_ptr<bs_model> m(new bs_model);
    int code = caught(err, [&] {
        stan::io::array_var_context context = read_data(data ? data : "");
        have_tape();
        m->stan.reset(&new_model(context, seed, &std::cout));
        describe(m.get());
    });
    return code ? nullptr : m.release();
}

bs_rng *bs_rng_construct(unsigned seed, char **)
{
    return new bs_rng(stan::services::util::create_rng(seed, 0));
}

void bs_rng_destruct(bs_rng *rng)
{
    delete rng;
}

const char *bs_name(const bs_model *m)
{
    return m->name.c_str();
}
const char *bs_model_info(const bs_model *m)
{
    return m->info.c_str();
}
const char *bs_param_unc_names(const bs_model *m)
{
    return m->unc_names.c_str();
}
const char *bs_param_names(const bs_model *m, bool tp, bool gq)
{
    return m->names[tp][gq].c_str();
}
int bs_param_num(const bs_model *m, bool tp, bool gq)
{
    return m->sizes[tp][gq];
}
int bs_param_unc_num(const bs_model *m)
{
    return m->unc_size;
}

int bs_param_constrain(const bs_model *m, bool tp, bool gq, const double *u, double *theta,
                       bs_rng *rng, char **err)
{
    return caught(err, [&] {
        bs_rng none;
        Eigen::VectorXd x = vector_of(m, u), all;
        if (gq && !rng)
            throw std::runtime_error("generated quantities want a bs_rng");
        m->stan->write_array(rng ? *rng : none, x, all, tp, gq, &std::cout);
        Eigen::Map<Eigen::VectorXd>(theta, m->sizes[tp][gq]) = all;
    });
}

/* Parameters alone come first, both among the names and in theta. */
int bs_param_unconstrain(const bs_model *m, const double *theta, double *u, char **err)
{
    return caught(err, [&] {
        std::vector<std::string> names;
        std::vector<dims> sizes;
        Eigen::VectorXd x;
        m->stan->get_param_names(names);
        m->stan->get_dims(sizes);
        for (size_t i = 0, left = (size_t)m->sizes[0][0]; i < names.size(); i++) {
            size_t n = std::accumulate(sizes[i].begin(), sizes[i].end(), (size_t)1,
                                       std::multiplies<size_t>());
            if (n > left)
                names.resize(i), sizes.resize(i);
            else
                left -= n;
        }
        std::vector<double> values(theta, theta + m->sizes[0][0]);
        m->stan->transform_inits(stan::io::array_var_context(names, values, sizes), x, &std::cout);
        Eigen::Map<Eigen::VectorXd>(u, m->unc_size) = x;
    });
}

/* propto leaves out what is no variable, and doubles are none. */
int bs_log_density(const bs_model *m, bool propto, bool jacobian, const double *u, double *lp,
                   char **err)
{
    return caught(err, [&] {
        Eigen::VectorXd x = vector_of(m, u);
        if (propto)
            gradient(m, propto, jacobian, u, lp, nullptr);
        else
            *lp = log_p(m, propto, jacobian, x);
    });
}

int bs_log_density_gradient(const bs_model *m, bool propto, bool jacobian, const double *u,
                            double *lp, double *grad, char **err)
{
    return caught(err, [&] { gradient(m, propto, jacobian, u, lp, grad); });
}
}
