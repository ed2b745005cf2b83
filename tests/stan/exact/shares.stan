// Shares of five kinds, of which one was never seen: a simplex. The posterior is Dirichlet(a + y).
data {
  vector<lower=0>[5] a;
  int<lower=0> y[5];
}
parameters {
  simplex[5] share;
}
model {
  target += dirichlet_lpdf(share | a);
  target += multinomial_lpmf(y | share);
}
