// Three coins: a vector between bounds. The posterior of each is Beta(1 + y, 1 + n - y).
data {
  int<lower=0> n[3];
  int<lower=0> y[3];
}
parameters {
  vector<lower=0, upper=1>[3] chance;
}
model {
  target += binomial_lpmf(y | n, chance);
}
