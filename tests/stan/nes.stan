// Which party one stands by (National Election Study 1980), by nine terms.
data {
  int<lower=0> N;
  vector[N] partyid7;
  vector[N] real_ideo;
  vector[N] race_adj;
  vector[N] age_discrete;
  vector[N] educ1;
  vector[N] gender;
  vector[N] income;
}
transformed data {
  matrix[N, 3] age = rep_matrix(0, N, 3);
  for (n in 1:N)
    for (a in 2:4)
      age[n, a - 1] = age_discrete[n] == a;
}
parameters {
  vector[9] beta;
  real<lower=0> sigma;
}
model {
  partyid7 ~ normal(beta[1] + beta[2] * real_ideo + beta[3] * race_adj + age * beta[4:6]
                    + beta[7] * educ1 + beta[8] * gender + beta[9] * income, sigma);
}
