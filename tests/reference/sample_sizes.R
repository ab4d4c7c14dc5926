# Answers needed, in base R (and survey for the design effect), without the closed formulas under test: each number is
# where a standard error or a power, written out, meets what is asked. Run: Rscript sample_sizes.R > sample_sizes.json
suppressPackageStartupMessages({
  library(survey)
  library(jsonlite)
})
root <- function(f, lower, upper) uniroot(f, c(lower, upper), tol = 1e-13)$root

# One answer is -100, 0 or 100; its standard deviation from the definition.
spread <- function(p, d) {
  x <- c(-100, 0, 100)
  w <- c(d, 1 - p - d, p)
  sqrt(sum(w * (x - sum(w * x))^2))
}

plans <- expand.grid(p = c(0.35, 0.8), d = c(0.05, 0.2), width = c(3, 5, 10), conf = c(0.9, 0.95), KEEP.OUT.ATTRS = FALSE)
cases <- lapply(seq_len(nrow(plans)), function(i) {
  a <- plans[i, ]
  s <- spread(a$p, a$d)
  z <- qnorm(0.5 + a$conf / 2)
  margin <- function(n, deff = 1, left = 1) z * s * sqrt(deff * left / n)
  power <- function(n) pnorm(a$width / (s * sqrt(2 / n)) - z)
  n_margin <- root(function(n) margin(n) - a$width, 1, 1e6)
  # Drawn without replacement from N people: the variance of a mean is s^2 / n (N - n) / (N - 1).
  N <- 3000
  list(
    promoter_share = a$p, detractor_share = a$d, width = a$width, confidence_level = a$conf,
    n_margin = n_margin,
    n_margin_of_3000 = root(function(n) margin(n, left = (N - n) / (N - 1)) - a$width, 1, N),
    n_margin_clusters = root(function(n) margin(n, deff = 1 + (12 - 1) * 0.08) - a$width, 1, 1e7),
    n_difference = root(function(n) power(n) - 0.8, 1, 1e6),
    # Student's t instead of the normal, and the other tail counted: a few answers more.
    n_difference_t = power.t.test(delta = a$width, sd = s, sig.level = 1 - a$conf, power = 0.8, strict = TRUE)$n,
    # Invitations of which, on average, as many bring an answer.
    invitations_at_17_percent = which(0.17 * seq_len(200000) >= ceiling(n_margin))[1]
  )
})

# 300 made-up clusters of 6: the intraclass correlation by analysis of variance, the design effect by survey.
set.seed(20261122)
likeness <- 0.25
clusters <- do.call(rbind, lapply(1:300, function(k) {
  g <- rgamma(3, (1 / likeness - 1) * c(0.2, 0.4, 0.4))
  data.frame(cluster = k, score = sample(c(-100, 0, 100), 6, replace = TRUE, prob = g / sum(g)))
}))
table <- anova(aov(score ~ factor(cluster), clusters))
between <- table[["Mean Sq"]][1]
within <- table[["Mean Sq"]][2]
design <- svydesign(ids = ~cluster, weights = ~1, data = clusters)
answer <- svymean(~score, design, deff = "replace")
cat(toJSON(list(
  meta = list(R = R.version.string, survey = as.character(packageVersion("survey"))),
  cases = cases,
  clusters = list(
    cluster_size = 6,
    intraclass_correlation = (between - within) / (between + 5 * within),
    design_effect = unname(deff(answer)[1]),
    std_error = unname(SE(answer)[1]),
    promoter_share = mean(clusters$score == 100),
    detractor_share = mean(clusters$score == -100)
  )
), auto_unbox = TRUE, digits = NA, pretty = TRUE))
cat("\n")
