# tests/bench/nuts.R -- what rstan's NUTS costs for a model: leapfrog steps, which are gradients each, and effective sizes.
#   Rscript tests/bench/nuts.R MODEL.stan DATA.R SEED ... >out.csv
# Four chains of 1000 steps of warm-up and 5000 draws, rstan's defaults otherwise. The compiled model is kept beside
# MODEL.stan. One line a seed: see the names. Effective sizes are the least of all parameters (Vehtari et al. 2021).
suppressPackageStartupMessages(library(rstan))
rstan_options(auto_write = TRUE)
at <- commandArgs(TRUE)
model <- stan_model(at[1], boost_lib = "/usr/include") # where Debian has it
data <- as.list(source(at[2])$value)
sum_of <- function(parts, rows) sum(sapply(parts, function(p) sum(p[rows, "n_leapfrog__"])))

for (seed in as.integer(at[-(1:2)])) {
    fit <- sampling(model, data, chains = 4, warmup = 1000, iter = 6000, seed = seed, refresh = 0, cores = 1)
    draws <- as.array(fit)
    draws <- draws[, , setdiff(dimnames(draws)$parameters, "lp__"), drop = FALSE]
    steps <- get_sampler_params(fit, inc_warmup = TRUE)
    least <- function(f) min(apply(draws, 3, f))
    line <- c(seed = seed, warmup = sum_of(steps, 1:1000), sampling = sum_of(steps, 1001:6000),
              draws = prod(dim(draws)[1:2]), bulk = least(posterior::ess_bulk), tail = least(posterior::ess_tail),
              rhat = max(apply(draws, 3, posterior::rhat)), divergent = get_num_divergent(fit),
              seconds = sum(get_elapsed_time(fit)))
    if (seed == at[3]) cat("# rstan", as.character(packageVersion("rstan")), "Stan", stan_version(),
                           "posterior", as.character(packageVersion("posterior")), R.version.string, "\n")
    if (seed == at[3]) cat(names(line), sep = ",", fill = 200)
    cat(line, sep = ",", fill = 200)
}
