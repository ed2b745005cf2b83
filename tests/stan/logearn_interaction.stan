// Earnings by height, sex and both.
data {
  int<lower=0> N;
  vector<lower=0>[N] earn;
  vector[N] height;
  vector[N] male;
}
transformed data {
  vector[N] log_earn = log(earn);
  matrix[N, 4] X = append_col(append_col(rep_vector(1, N), height), append_col(male, height .* male));
}
parameters {
  vector[4] beta;
  real<lower=0> sigma;
}
model {
  log_earn ~ normal(X * beta, sigma);
}
