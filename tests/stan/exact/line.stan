// A line with an unknown width: conjugate normal and inverse gamma. x is far from 0, so that slope and intercept hang together.
data {
  int<lower=1> N;
  vector[N] x;
  vector[N] y;
}
parameters {
  real intercept;
  real slope;
  real<lower=0> width2;
}
model {
  target += inv_gamma_lpdf(width2 | 3, 2);
  target += normal_lpdf(intercept | 0, 10 * sqrt(width2));
  target += normal_lpdf(slope | 0, 10 * sqrt(width2));
  target += normal_lpdf(y | intercept + slope * x, sqrt(width2));
}
