// Counts of four places: a positive vector. The posterior of each rate is Gamma(a + y, b + 1).
data {
  real<lower=0> a;
  real<lower=0> b;
  int<lower=0> y[4];
}
parameters {
  vector<lower=0>[4] rate;
}
model {
  target += gamma_lpdf(rate | a, b);
  target += poisson_lpmf(y | rate);
}
